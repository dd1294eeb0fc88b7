"""The generated functions of one purpose for a message type and all types that it reaches.

A family has one namespace and writes a type's function when it is first called: until then its name holds a stand-in.
So a type among a thousand costs only what is used of it. `kept` keeps a family's outer function on the message class
itself, which is how it lives exactly as long as the class does: it holds the class, and a cache beside it would never
let go of either.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from protopact.convert.code.source import Namespace, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

T = TypeVar("T")


class Author(Protocol):
    """Writes one type's function into a source: which type, under which name, and whether it counts levels."""

    def __call__(self, family: Family, source: Source, descriptor: Descriptor, name: str, *, counts: bool) -> None:
        """Write it."""


_SLOT = " protopact converters"  # no field, nested type or method can have a name with spaces


class Family:
    """Functions named `PURPOSE_full_name`, written by an author, each for one message type.

    A function that counts levels takes `room`, the number of levels that may still follow below its message. Where
    messages cannot be nested deeper than readers accept nothing is counted; a type may have a function of each kind.
    """

    def __init__(self, purpose: str, author: Author) -> None:
        """Begin without any function."""
        self.namespace = Namespace()
        self._purpose, self._author = purpose, author
        self._names: dict[tuple[str, bool], str] = {}
        self._unwritten: dict[str, Callable[[], None]] = {}
        self._lock = RLock()

    def name_of(self, descriptor: Descriptor, *, counts: bool) -> str:
        """Give the name of a type's function."""
        with self._lock:
            name = self._names.get((descriptor.full_name, counts))
            return self._stand_in(descriptor, counts=counts) if name is None else name

    def source(self, purpose: str, descriptor: Descriptor) -> Source:
        """Give an empty source of this family."""
        return Source(f"{purpose} {descriptor.full_name}", self.namespace)

    def _stand_in(self, descriptor: Descriptor, *, counts: bool) -> str:
        name = self.namespace.fresh(f"{self._purpose}_{descriptor.full_name}")
        self._names[descriptor.full_name, counts] = name
        functions = self.namespace.globals

        def write() -> None:
            with self._lock:
                if name in self._unwritten:  # another thread may have been first
                    source = self.source(self._purpose, descriptor)
                    self._author(self, source, descriptor, name, counts=counts)
                    source.build()
                    del self._unwritten[name]

        def stand_in(*args: Any) -> Any:
            write()
            return cast("Callable[..., Any]", functions[name])(*args)

        self._unwritten[name], functions[name] = write, stand_in
        return name

    def text(self) -> str:
        """Write all functions that are still to be written, and give the code of all."""
        while self._unwritten:
            next(iter(self._unwritten.values()))()
        return "\n\n".join(str(source) for source in self.namespace.sources)


def kept(message_class: type[Message], key: Hashable, build: Callable[[], T]) -> T:
    """Give what was built for a message class under a key, building it the first time."""
    table = message_class.__dict__.get(_SLOT)
    if table is None:
        table = {}
        type.__setattr__(message_class, _SLOT, table)
    found: T | None = table.get(key)
    return table.setdefault(key, build()) if found is None else found
