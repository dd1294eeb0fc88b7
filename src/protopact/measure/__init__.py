"""What protopact costs on this machine: each way beside bare upb and others that do the same, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.measure.memory import MemoryRow, measure_memory
    from protopact.measure.run import Measured, measure_ways
    from protopact.measure.setting import Rival
    from protopact.measure.timing import TimeRow

__all__ = ["Measured", "MemoryRow", "Rival", "TimeRow", "measure_memory", "measure_ways"]

__getattr__ = door(
    __name__,
    {
        "Measured": "run",
        "MemoryRow": "memory",
        "Rival": "setting",
        "TimeRow": "timing",
        "measure_memory": "memory",
        "measure_ways": "run",
    },
)
