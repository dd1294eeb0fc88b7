"""What every way starts from: a sample, its message and bytes, a registry, and a rival where there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from protopact.convert import to_dict
from protopact.serdes import Deserializer, Serializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from protopact.client import SchemaRegistryClient
    from protopact.convert import PlainValue
    from protopact.measure.samples import Sample


class Rival(Protocol):
    """Another client of schema registries, which is measured beside protopact."""

    name: str

    def writer(self, message: Message, *, names_latest: bool = False) -> Callable[[Message], bytes]:
        """Give how it writes records of the message's type, or with the latest schema; it is registered by then."""

    def reader(self, message: Message) -> Callable[[bytes], Message]:
        """Give how it reads the records that its writer of that type writes."""


@dataclass(slots=True)
class Setting:
    """A sample made ready."""

    sample: Sample
    registry: SchemaRegistryClient
    rival: Rival | None
    topic: str = field(init=False)
    message: Message = field(init=False)
    message_class: type[Message] = field(init=False)
    values: dict[str, PlainValue] = field(init=False)
    payload: bytes = field(init=False)
    raw: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Make the message and its record, and make sure that the record is read as it was written."""
        schema = self.sample.schema
        self.topic = f"bench-{schema.file_name}-{schema.name}"
        self.message, self.message_class = schema.new_message(self.sample.value), schema.message_class
        self.values = to_dict(self.message)
        self.payload = self.message.SerializeToString()
        self.raw = Serializer(self.registry, schema).serialize(self.message, topic=self.topic)
        assert Deserializer(self.registry, into=dict).deserialize(self.raw, topic=self.topic) == self.values

    def bare_write(self) -> bytes:
        """Write the message by upb alone."""
        return self.message.SerializeToString()

    def bare_read(self) -> Message:
        """Read the message by upb alone."""
        return self.message_class.FromString(self.payload)

    def rival_writer(self) -> tuple[str, Callable[[Message], bytes]]:
        """Give how the others write a message, and their name; without a rival it is upb, whose name is empty."""
        if self.rival is None:
            return "", self.message_class.SerializeToString
        return f"{self.rival.name} + ", self.rival.writer(self.message)

    def rival_reader(self) -> tuple[str, Callable[[], Message]]:
        """Give how the others read the message, and their name; without a rival it is upb, whose name is empty."""
        if self.rival is None:
            return "", self.bare_read
        raw, read = self.rival.writer(self.message)(self.message), self.rival.reader(self.message)
        return f"{self.rival.name} + ", lambda: read(raw)
