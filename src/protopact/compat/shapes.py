"""The two schemas as a comparison sees them: messages, fields by number, oneofs, and types by full name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TypeAlias

    from protopact.descriptor import FileSet

    References: TypeAlias = Mapping[str, tuple[str, int]]

_Proto = descriptor_pb2.FieldDescriptorProto
_REPEATED, _REQUIRED, _OPTIONAL = _Proto.LABEL_REPEATED, _Proto.LABEL_REQUIRED, _Proto.LABEL_OPTIONAL
_MESSAGES = {_Proto.TYPE_MESSAGE, _Proto.TYPE_GROUP}
_LABEL_WORDS: dict[int, str] = {_REPEATED: "repeated", _REQUIRED: "required", _OPTIONAL: "optional"}
TYPE_WORDS: dict[int, str] = {number: name.removeprefix("TYPE_").lower() for name, number in _Proto.Type.items()}
_LOCAL = ("", -1)


class FieldShape:
    """A field: what it is called, what it holds, and which label stands in its text."""

    __slots__ = ("label", "message", "name", "number", "oneof", "proto", "repeated", "required", "type", "type_name")

    def __init__(self, proto: descriptor_pb2.FieldDescriptorProto, message: MessageShape, oneof: str) -> None:
        """Read what every comparison needs; the rest is asked of `proto`."""
        self.proto = proto
        self.message = message
        self.oneof = oneof
        self.name = proto.name
        self.number = proto.number
        self.type = proto.type
        self.type_name = proto.type_name.removeprefix(".")
        label = proto.label
        self.repeated = label == _REPEATED
        self.required = label == _REQUIRED or (message.file.editions and _is_legacy_required(proto))
        self.label = self._written_label(label)

    @property
    def path(self) -> tuple[str, ...]:
        """Where the field stands within its message: `oneof/number`, or the number alone."""
        return (self.oneof, str(self.number)) if self.oneof else (str(self.number),)

    @property
    def is_message(self) -> bool:
        """Whether it holds messages, or is a map."""
        return self.type in _MESSAGES

    @property
    def type_words(self) -> str:
        """The type as it would be written, in full."""
        return self.type_name or TYPE_WORDS[self.type]

    @property
    def words(self) -> str:
        """The field as it would be written."""
        label = f"{_LABEL_WORDS[self.label]} " if self.label is not None else ""
        entry = self.map_entry
        type_ = self.type_words
        if entry is not None:
            label, type_ = "", f"map<{entry.fields[1].type_words}, {entry.fields[2].type_words}>"
        return f"{label}{type_} {self.name} = {self.number}"

    @property
    def map_entry(self) -> MessageShape | None:
        """The entry of the map that this field is, or None when it is none."""
        entry = self.message.schema.find_message(self.type_name) if self.is_message and self.repeated else None
        return entry if entry is not None and entry.is_map_entry else None

    def _written_label(self, label: int) -> int | None:
        """Give the label that a text of this field shows: proto3 shows none for plain fields, oneofs never do."""
        if label == _REPEATED:
            return label
        if self.proto.proto3_optional:
            return _OPTIONAL
        return label if self.message.file.proto2 and not self.oneof else None


class MessageShape:
    """A message with its fields by number, its oneofs without synthetic ones, and its nested types."""

    def __init__(self, proto: descriptor_pb2.DescriptorProto, names: tuple[str, ...], file: FileShape) -> None:
        """Keep the descriptor; `names` are those of the message and the messages around it."""
        self.proto = proto
        self.names = names
        self.file = file
        self.schema = file.schema

    @cached_property
    def full_name(self) -> str:
        """The name with its package."""
        return ".".join((self.file.package, *self.names) if self.file.package else self.names)

    @cached_property
    def is_map_entry(self) -> bool:
        """Whether the message was made by protoc for a map."""
        return self.proto.HasField("options") and self.proto.options.map_entry

    @cached_property
    def fields(self) -> dict[int, FieldShape]:
        """All fields by number, members of oneofs included, in ascending order."""
        oneofs = [oneof.name for oneof in self.proto.oneof_decl]
        found = {}
        for proto in self.proto.field:
            real = bool(oneofs) and proto.HasField("oneof_index") and not proto.proto3_optional
            found[proto.number] = FieldShape(proto, self, oneofs[proto.oneof_index] if real else "")
        return dict(sorted(found.items()))

    @cached_property
    def oneofs(self) -> dict[str, list[FieldShape]]:
        """The members of each written oneof."""
        found: dict[str, list[FieldShape]] = {}
        for field in self.fields.values():
            if field.oneof:
                found.setdefault(field.oneof, []).append(field)
        return found

    @cached_property
    def messages(self) -> dict[str, MessageShape]:
        """The nested messages by simple name, map entries left out."""
        return _messages(self.proto.nested_type, self.names, self.file)

    @property
    def enums(self) -> Iterable[descriptor_pb2.EnumDescriptorProto]:
        """The nested enums."""
        return self.proto.enum_type


class FileShape:
    """A file with its messages, and what a comparison must know of its dialect."""

    def __init__(
        self, proto: descriptor_pb2.FileDescriptorProto, schema: SchemaShape, reference: tuple[str, int] | None
    ) -> None:
        """Keep the descriptor; `reference` is the subject and version that the file comes from, if it is known."""
        self.proto = proto
        self.schema = schema
        self.reference = reference
        self.package = proto.package
        self.proto2 = proto.syntax in {"", "proto2"}
        self.editions = proto.syntax == "editions"

    @cached_property
    def messages(self) -> dict[str, MessageShape]:
        """The top-level messages by name."""
        return _messages(self.proto.message_type, (), self)

    @property
    def enums(self) -> Iterable[descriptor_pb2.EnumDescriptorProto]:
        """The top-level enums."""
        return self.proto.enum_type


class SchemaShape:
    """A file set: its root file, and the types of all files, gathered when the first one is asked for."""

    def __init__(self, file_set: FileSet, references: References) -> None:
        """Take a file set; `references` name the subject and version that an imported file comes from."""
        self.root = FileShape(file_set.root_file, self, _LOCAL)
        self._imported = file_set.files[:-1]
        self._references = references

    @cached_property
    def files(self) -> tuple[FileShape, ...]:
        """The root first, then what it imports."""
        return self.root, *(FileShape(file, self, self._references.get(file.name)) for file in self._imported)

    def find_message(self, full_name: str) -> MessageShape | None:
        """Give the message of a full name, map entries included; None when there is none."""
        return self._messages.get(full_name)

    def find_enum(self, full_name: str) -> descriptor_pb2.EnumDescriptorProto | None:
        """Give the enum of a full name; None when there is none."""
        return self._enums.get(full_name)

    @cached_property
    def _messages(self) -> dict[str, MessageShape]:
        return {message.full_name: message for file in self.files for message in _all_messages(file)}

    @cached_property
    def _enums(self) -> dict[str, descriptor_pb2.EnumDescriptorProto]:
        found = {}
        for file in self.files:
            prefix = f"{file.package}." if file.package else ""
            found.update({prefix + enum.name: enum for enum in file.enums})
        for message in self._messages.values():
            found.update({f"{message.full_name}.{enum.name}": enum for enum in message.enums})
        return found


def _messages(
    protos: Iterable[descriptor_pb2.DescriptorProto], around: tuple[str, ...], file: FileShape
) -> dict[str, MessageShape]:
    shapes = (MessageShape(proto, (*around, proto.name), file) for proto in protos)
    return {shape.names[-1]: shape for shape in shapes if not shape.is_map_entry}


def _all_messages(file: FileShape) -> Iterator[MessageShape]:
    waiting = list(file.messages.values())
    while waiting:
        message = waiting.pop()
        yield message
        waiting += message.messages.values()
        for proto in message.proto.nested_type:
            if proto.options.map_entry:
                yield MessageShape(proto, (*message.names, proto.name), file)


def _is_legacy_required(proto: descriptor_pb2.FieldDescriptorProto) -> bool:
    return proto.options.features.field_presence == descriptor_pb2.FeatureSet.LEGACY_REQUIRED
