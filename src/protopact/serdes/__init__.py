"""Values ⇄ records: a schema id before the payload when writing, the writer's own schema when reading.

The way of a record: `serializer` or `deserializer` finds its closure in one look-up; the closure was built once, by
the flow in `plan`, when its topic or its schema id was first seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.serdes.deserializer import Deserializer
    from protopact.serdes.plan import Read, Write
    from protopact.serdes.serializer import Serializer
    from protopact.serdes.subject import NameSubject, SubjectNameStrategy

__all__ = ["Deserializer", "NameSubject", "Read", "Serializer", "SubjectNameStrategy", "Write"]

__getattr__ = door(
    __name__,
    {
        "Deserializer": "deserializer",
        "NameSubject": "subject",
        "Read": "plan",
        "Serializer": "serializer",
        "SubjectNameStrategy": "subject",
        "Write": "plan",
    },
)
