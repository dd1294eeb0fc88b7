"""Values ⇄ records: records name their schema when written, and are read by the writer's own schema.

The way of a record: `serializer` or `deserializer` finds its closure, made by `writing` or `reading`, in one look-up;
it was made once, by a flow of `plan`, when its topic or its schema was first seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.serdes.deserializer import AsyncDeserializer, Deserializer
    from protopact.serdes.headers import AnyHeaders, Headers
    from protopact.serdes.options import Framing, UnrunRules, refuse_unknown
    from protopact.serdes.reader import ReadKeywords
    from protopact.serdes.reading import Read
    from protopact.serdes.serializer import AsyncSerializer, Serializer
    from protopact.serdes.subject import NameImport, NameSubject, ReferenceSubjectNameStrategy, SubjectNameStrategy
    from protopact.serdes.writing import Write

__all__ = [
    "AnyHeaders",
    "AsyncDeserializer",
    "AsyncSerializer",
    "Deserializer",
    "Framing",
    "Headers",
    "NameImport",
    "NameSubject",
    "Read",
    "ReadKeywords",
    "ReferenceSubjectNameStrategy",
    "Serializer",
    "SubjectNameStrategy",
    "UnrunRules",
    "Write",
    "refuse_unknown",
]

__getattr__ = door(
    __name__,
    {
        "AnyHeaders": "headers",
        "AsyncDeserializer": "deserializer",
        "AsyncSerializer": "serializer",
        "Deserializer": "deserializer",
        "Framing": "options",
        "Headers": "headers",
        "NameImport": "subject",
        "NameSubject": "subject",
        "Read": "reading",
        "ReadKeywords": "reader",
        "ReferenceSubjectNameStrategy": "subject",
        "Serializer": "serializer",
        "SubjectNameStrategy": "subject",
        "UnrunRules": "options",
        "Write": "writing",
        "refuse_unknown": "options",
    },
)
