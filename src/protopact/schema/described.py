"""`DescribedSchema`: a schema of which a file set and the root message's name are known. The rest follows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError as WireDecodeError, EncodeError as WireEncodeError, Message

from protopact.compiler import print_file
from protopact.convert import dict_decoder, dict_encoder
from protopact.descriptor import FileSet, message_class, message_index, message_names
from protopact.errors import DecodeError, EncodeError, MessageNotFoundError, WrongTypeError
from protopact.schema.saving import save_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from google.protobuf.descriptor import FileDescriptor

    from protopact.convert import PlainValue


class DescribedSchema:
    """The schema of one message of a file set's root file.

    `message_name` is the full name, or a simple one (`Order`, `Order.Item`) when only one message of the file ends
    in it. Classes live in a private descriptor pool: schemas of the same message in two versions do not meet.
    MessageNotFoundError names the messages that there are.
    """

    def __init__(self, file_set: FileSet, message_name: str) -> None:
        self._file_set = file_set
        self._name = find_message(file_set, message_name)
        self._known_classes: WeakSet[type[Message]] = WeakSet()

    @property
    def name(self) -> str:
        """The root message's full name."""
        return self._name

    @property
    def file_set(self) -> FileSet:
        """The file's descriptor and those of all its imports."""
        return self._file_set

    @property
    def file_name(self) -> str:
        """The import path of the schema's file."""
        return self.file_set.root

    @cached_property
    def message_class(self) -> type[Message]:
        """The class of the root message, of this schema's own pool."""
        return message_class(self.file_set, self.name)

    @cached_property
    def message_index(self) -> tuple[int, ...]:
        """The root message's place in its file, as the Confluent wire format counts it."""
        return message_index(self.file_set.root_file, self.name)

    def for_message(self, message_name: str) -> DescribedSchema:
        """Give the schema of another message of the same file, by full or simple name."""
        return DescribedSchema(self.file_set, message_name)

    def to_schema_string(self) -> str:
        """Give the file as canonical `.proto` text: the text that a registry stores."""
        return self._text

    @cached_property
    def _text(self) -> str:
        return print_file(self.file_set)

    def new_message(self, data: Mapping[str, object] | None = None) -> Message:
        """Give a new message of this schema's class, filled from a mapping; ConversionError lists what does not fit.

        Messages inside the mapping may be of another pool, such as the `Timestamp` that protobuf ships: protobuf's
        own constructors refuse those.
        """
        return self._encode(data or {})

    def serialize(self, data: Mapping[str, object] | Message, *, deterministic: bool = False) -> bytes:
        """Give the payload bytes of a mapping or message, without a frame.

        `deterministic` sorts map entries, so that equal values give equal bytes. A message of another pool is taken
        when its class comes from equal files; otherwise WrongTypeError. ConversionError lists the values of a
        mapping that do not fit; EncodeError tells of required fields that are not set.
        """
        message = self._checked(data) if isinstance(data, Message) else self._encode(data)
        try:
            # by way of the class: on the message itself a field may have the method's name
            return type(message).SerializeToString(message, deterministic=deterministic)
        except (WireEncodeError, ValueError) as error:
            raise EncodeError(f"{self.name} cannot be written: {error}") from error

    def deserialize(self, raw: bytes) -> dict[str, PlainValue]:
        """Read payload bytes, without a frame, as a dict; DecodeError when they are not this message."""
        return self._decode(self._parse(raw))

    def save_schema(self, directory: str | os.PathLike[str]) -> Path:
        """Write the file and its imports below `directory`, each under its import path, replacing what is there.

        Built-in imports (`google/protobuf/…`) are not written: every compiler has them. Gives the path of the
        schema's own file. SchemaLinkError when an import path is no path below a directory, ConfigError when a file
        cannot be written there.
        """
        return save_files(self.file_set, directory)

    @cached_property
    def _encode(self) -> Callable[[Mapping[str, object]], Message]:
        return dict_encoder(self.message_class)

    @cached_property
    def _decode(self) -> Callable[[Message], dict[str, PlainValue]]:
        return dict_decoder(self.message_class)

    def _parse(self, raw: bytes) -> Message:
        try:
            return self.message_class.FromString(raw)
        except (WireDecodeError, TypeError, ValueError) as error:
            raise DecodeError(f"payload is not a {self.name}: {error}") from error

    def _checked(self, message: Message) -> Message:
        cls = type(message)
        if cls is not self.message_class and cls not in self._known_classes:
            self._check_class(cls)
            self._known_classes.add(cls)
        return message

    def _check_class(self, cls: type[Message]) -> None:
        given = cls.DESCRIPTOR.full_name
        if given != self.name:
            raise WrongTypeError(f"message is a {given}, the schema's is {self.name}")
        if file_set_of(cls).fingerprint != self.file_set.fingerprint:
            raise WrongTypeError(
                f"message is a {given} of {cls.DESCRIPTOR.file.name} in another version than the schema's",
                hint="give the values as a dict, or build the message with the schema's new_message()",
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {self.file_name}>"


def find_message(file_set: FileSet, message_name: str) -> str:
    """Give the full name of a message of the root file by its full name or the end of it."""
    names = message_names(file_set.root_file)
    if message_name in names:
        return message_name
    found = [name for name in names if name.endswith(f".{message_name}")]
    if len(found) == 1:
        return found[0]
    reason = "defines several messages that end in" if found else "defines no message"
    candidates = ", ".join(found or names) or "none"
    raise MessageNotFoundError(
        f"{file_set.root} {reason} {message_name!r}", hint=f"name one of its messages: {candidates}"
    )


def file_set_of(message_class: type[Message]) -> FileSet:
    """Give the file set of a message class of any pool."""
    file = cast("FileDescriptor", message_class.DESCRIPTOR.file)  # upb's own type has the same shape
    files: dict[str, FileDescriptorProto] = {}
    _collect(file, files)
    return FileSet.link(file.name, files.values())


def _collect(file: FileDescriptor, files: dict[str, FileDescriptorProto]) -> None:
    if file.name not in files:
        files[file.name] = FileDescriptorProto.FromString(file.serialized_pb)
        for dependency in file.dependencies:
            _collect(dependency, files)
