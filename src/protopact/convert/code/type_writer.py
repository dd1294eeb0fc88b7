"""What every generated function needs, whichever way it converts: a type, a source, and the counting of levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message_factory import GetMessageClass

from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import too_deep

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from google.protobuf.descriptor import Descriptor

    from protopact.convert.code.family import Family
    from protopact.convert.code.source import Source


class TypeWriter:
    """The function of one message type in the making.

    Where `counts` holds, the function has a parameter `room`: how many levels may still follow below its message.
    """

    def __init__(self, family: Family, source: Source, descriptor: Descriptor, *, counts: bool) -> None:
        """Begin the function of a type, in a source of its family."""
        self.family, self.source = family, source
        self.descriptor, self.counts = descriptor, counts
        self.fields = sorted(descriptor.fields, key=lambda field: field.number)
        # The runtime makes the descriptor of a repeated field anew at each access, unless someone has it.
        source.namespace.held.extend(field for field in self.fields if field.is_repeated)
        # Unbound, since a field may have a method's name.
        self.has_field = source.bind(GetMessageClass(descriptor).HasField, "has_field")

    def function(self, name: str, parameters: str) -> AbstractContextManager[None]:
        """Add the head of the function; the lines that follow inside are its body."""
        return self.source.block(f"def {name}({parameters}{', room' if self.counts else ''}):")

    def refuse_below(self, levels: int) -> None:
        """Add the lines that refuse what would stand so many levels below the message, where there is no room."""
        if self.counts:
            with self.source.block(f"if room < {levels}:"):
                self.source.line(f"raise {self.source.bind(too_deep, 'too_deep')}()")

    def room(self, levels: int) -> str:
        """Give the expression for the room of what stands so many levels below the message."""
        if not self.counts:
            return str(DEPTH_MAX)
        return f"room - {levels}" if levels else "room"

    def call(self, descriptor: Descriptor, arguments: str, levels: int) -> str:
        """Give the call of the family's function for a type that stands so many levels below the message."""
        name = self.family.name_of(descriptor, counts=self.counts)
        return f"{name}({arguments}{f', {self.room(levels)}' if self.counts else ''})"
