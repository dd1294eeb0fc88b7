"""Rules that a schema states about its messages, and whoever checks them.

A serializer or deserializer with `validate=True` asks protovalidate, which reads the rules from the schema's own
options (`buf/validate/validate.proto`), wherever the schema came from; `validate=` takes any other `Validation` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.rules.port import Check, Validation
    from protopact.rules.validation import Protovalidate

__all__ = ["Check", "Protovalidate", "Validation"]

__getattr__ = door(__name__, {"Check": "port", "Protovalidate": "validation", "Validation": "port"})
