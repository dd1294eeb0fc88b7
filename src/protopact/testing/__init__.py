"""A Kafka-protocol broker and a schema registry for tests, inside the test's own process, with the faults it asks for.

With pytest the fixtures `kafka`, `fresh_kafka` and `registry` are there as soon as protopact is installed; elsewhere
`running_kafka` and `running_registry` are the same as context managers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.testing.kafka import (
        MovableClock as MovableClock,
        RunningKafka as RunningKafka,
        running_kafka as running_kafka,
    )
    from protopact.testing.registry import (
        RunningRegistry as RunningRegistry,
        running_registry as running_registry,
    )

__all__ = ["MovableClock", "RunningKafka", "RunningRegistry", "running_kafka", "running_registry"]

__getattr__ = door(
    __name__,
    {
        "RunningKafka": "kafka",
        "RunningRegistry": "registry",
        "MovableClock": "kafka",
        "running_kafka": "kafka",
        "running_registry": "registry",
    },
)
