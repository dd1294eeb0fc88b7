"""Confluent's comparison of two schemas: which differences there are, and where.

Types are matched by name, fields by number, wherever a field stands in its message. An imported message is compared
once for each pair it stands in, however many fields hold it, so that the work grows with the text and not with the
ways through it; a field learns at the end whether its message turned out incompatible.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

from protopact.compat.difference import Difference, DifferenceType
from protopact.compat.rules import INCOMPATIBLE_FOR_CONFLUENT, RULES
from protopact.compat.shapes import FileShape, MessageShape, SchemaShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from protopact.compat.shapes import FieldShape, References
    from protopact.descriptor import FileSet

    Place: TypeAlias = tuple[str, ...]
    Holder: TypeAlias = FileShape | MessageShape

NO_REFERENCES: Mapping[str, tuple[str, int]] = {}

_T = DifferenceType
_F = descriptor_pb2.FieldDescriptorProto
_NUMBER, _SIGNED, _TEXT, _FIXED32, _FIXED64, _FLOAT, _DOUBLE = range(7)
_SCALAR_GROUPS = {
    **dict.fromkeys(
        (_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_UINT32, _F.TYPE_UINT64, _F.TYPE_BOOL, _F.TYPE_ENUM), _NUMBER
    ),
    **dict.fromkeys((_F.TYPE_SINT32, _F.TYPE_SINT64), _SIGNED),
    **dict.fromkeys((_F.TYPE_STRING, _F.TYPE_BYTES), _TEXT),
    **dict.fromkeys((_F.TYPE_FIXED32, _F.TYPE_SFIXED32), _FIXED32),
    **dict.fromkeys((_F.TYPE_FIXED64, _F.TYPE_SFIXED64), _FIXED64),
    _F.TYPE_FLOAT: _FLOAT,
    _F.TYPE_DOUBLE: _DOUBLE,
}


def compare(
    original: FileSet,
    update: FileSet,
    *,
    original_references: References = NO_REFERENCES,
    update_references: References = NO_REFERENCES,
) -> tuple[Difference, ...]:
    """Give the differences that Confluent Schema Registry finds between two schemas, compatible ones included.

    `original` wrote the records, `update` reads them. The references say, by import path, which subject and version
    an imported file comes from: an imported message that both sides take from the same version is not compared. Each
    difference stands once. Works on descriptors alone, in time linear in their size.
    """
    return compare_shapes(SchemaShape(original, original_references), SchemaShape(update, update_references))


def compare_shapes(original: SchemaShape, update: SchemaShape) -> tuple[Difference, ...]:
    """Compare two schemas as `compare` does."""
    comparison = _Comparison(original, update)
    comparison.run()
    return tuple(dict.fromkeys(comparison.differences()))


def difference(type_: DifferenceType, place: Place, original: str = "", update: str = "") -> Difference:
    """Give a difference with Confluent's verdict on it."""
    incompatible = type_ in INCOMPATIBLE_FOR_CONFLUENT
    reason = RULES[type_].reason if incompatible else ""
    return Difference(type_, "#/" + "/".join(place), original, update, incompatible, reason)


@dataclass(slots=True)
class _Section:
    """What was found in the root file or in one pair of imported messages, in order.

    An entry is a difference, or a field that holds the messages of another section: `holds` says which.
    """

    found: list[Difference | _Held] = field(default_factory=list)
    incompatible: bool = False

    def add(self, type_: DifferenceType, place: Place, original: str = "", update: str = "") -> None:
        one = difference(type_, place, original, update)
        self.found.append(one)
        self.incompatible = self.incompatible or one.incompatible


@dataclass(frozen=True, slots=True)
class _Held:
    """A field whose message is compared in a section of its own; `difference` counts if that one is incompatible."""

    section: _Section
    difference: Difference


class _Comparison:
    """One comparison: the root files, then every pair of imported messages that fields hold."""

    def __init__(self, original: SchemaShape, update: SchemaShape) -> None:
        self._original = original
        self._update = update
        self._root = _Section()
        self._pairs: dict[tuple[str, str], _Section] = {}
        self._waiting: deque[tuple[_Section, MessageShape, MessageShape]] = deque()

    def run(self) -> None:
        original, update = self._original.root, self._update.root
        if original.package != update.package:
            self._root.add(_T.PACKAGE_CHANGED, (), f"package {original.package}", f"package {update.package}")
        self._compare_types(self._root, (), original, update)
        while self._waiting:
            section, one, other = self._waiting.popleft()
            self._compare_messages(section, one.names, one, other)

    def differences(self) -> Iterable[Difference]:
        """Give everything found, once it is known which messages are incompatible."""
        sections = [self._root, *self._pairs.values()]
        _spread_incompatibility(sections)
        for section in sections:
            for entry in section.found:
                if isinstance(entry, Difference):
                    yield entry
                elif entry.section.incompatible and entry.section is not section:
                    yield entry.difference

    def _compare_types(self, section: _Section, place: Place, original: Holder, update: Holder) -> None:
        before, after = original.messages, update.messages
        places = {name: index for index, name in enumerate(after)}
        for index, (name, message) in enumerate(before.items()):
            here = (*place, name)
            if name not in after:
                section.add(_T.MESSAGE_REMOVED, here, f"message {name}")
                continue
            self._compare_messages(section, here, message, after[name])
            if places[name] != index:
                section.add(_T.MESSAGE_MOVED, here, f"message {index}", f"message {places[name]}")
        for name in after:
            if name not in before:
                section.add(_T.MESSAGE_ADDED, (*place, name), "", f"message {name}")
        _compare_enums(section, place, original, update)

    def _compare_messages(self, section: _Section, place: Place, original: MessageShape, update: MessageShape) -> None:
        _compare_oneofs(section, place, original, update)
        before, after = original.fields, update.fields
        deleted = _deleted_oneofs(original, update)
        for number in before if before.keys() == after.keys() else sorted(before.keys() | after.keys()):
            old, new = before.get(number), after.get(number)
            if old is None and new is not None:
                _add_field(section, place, new)
            elif new is None and old is not None:
                _remove_field(section, place, old, deleted)
            elif old is not None and new is not None:
                self._compare_fields(section, place, old, new)
        self._compare_types(section, place, original, update)

    def _compare_fields(self, section: _Section, place: Place, original: FieldShape, update: FieldShape) -> None:
        if original.oneof and not update.oneof:
            words = f"in oneof {original.oneof}"
            section.add(_T.ONEOF_FIELD_MOVED_TO_TOP_LEVEL, (*place, str(update.number)), words, "in no oneof")
        if original.name != update.name:
            section.add(_T.FIELD_NAME_CHANGED, (*place, *update.path), original.words, update.words)
        entry, other_entry = original.map_entry, update.map_entry
        if entry is not None and other_entry is not None:
            for number in (1, 2):
                pair = entry.fields[number], other_entry.fields[number]
                self._compare_contents(section, place, (original, update), pair, labels=False)
        elif entry is not None or other_entry is not None:
            section.add(_T.FIELD_KIND_CHANGED, (*place, *update.path), original.words, update.words)
        else:
            self._compare_contents(section, place, (original, update), (original, update), labels=True)

    def _compare_contents(
        self,
        section: _Section,
        place: Place,
        fields: tuple[FieldShape, FieldShape],
        held: tuple[FieldShape, FieldShape],
        *,
        labels: bool,
    ) -> None:
        """Compare what fields hold; `held` are the fields themselves, or the keys or values of two maps."""
        original, update = held
        type_ = None
        if original.is_message != update.is_message:
            type_ = _T.FIELD_KIND_CHANGED
        elif original.is_message:
            self._compare_held_messages(section, place, fields, held)
        else:
            type_ = _scalar_difference(original, update, labels=labels)
        if type_ is not None:
            section.add(type_, (*place, *fields[1].path), fields[0].words, fields[1].words)

    def _compare_held_messages(
        self,
        section: _Section,
        place: Place,
        fields: tuple[FieldShape, FieldShape],
        held: tuple[FieldShape, FieldShape],
    ) -> None:
        here = (*place, *fields[1].path)
        words = fields[0].words, fields[1].words
        original = self._original.find_message(held[0].type_name)
        update = self._update.find_message(held[1].type_name)
        if original is None or update is None:
            if held[0].type_name != held[1].type_name:
                section.add(_T.FIELD_NAMED_TYPE_CHANGED, here, *words)
        elif original.names != update.names:
            section.add(_T.FIELD_NAMED_TYPE_CHANGED, here, *words)
        elif original.file.reference is None or original.file.reference != update.file.reference:
            changed = difference(_T.FIELD_NAMED_TYPE_CHANGED, here, *words)
            section.found.append(_Held(self._section_of(original, update), changed))

    def _section_of(self, original: MessageShape, update: MessageShape) -> _Section:
        key = original.full_name, update.full_name
        known = self._pairs.get(key)
        if known is None:
            known = self._pairs[key] = _Section()
            if original.proto is not update.proto:
                self._waiting.append((known, original, update))
        return known


def _spread_incompatibility(sections: Iterable[_Section]) -> None:
    """Mark every section incompatible that holds messages of an incompatible one, at whatever distance."""
    holders: dict[int, list[_Section]] = {}
    spreading = []
    for section in sections:
        for entry in section.found:
            if isinstance(entry, _Held):
                holders.setdefault(id(entry.section), []).append(section)
        if section.incompatible:
            spreading.append(section)
    while spreading:
        for holder in holders.get(id(spreading.pop()), ()):
            if not holder.incompatible:
                holder.incompatible = True
                spreading.append(holder)


def _compare_enums(section: _Section, place: Place, original: Holder, update: Holder) -> None:
    before = {enum.name: enum for enum in original.enums}
    after = {enum.name: enum for enum in update.enums}
    for name, enum in before.items():
        if name not in after:
            section.add(_T.ENUM_REMOVED, (*place, name), f"enum {name}")
        elif enum is not after[name]:
            _compare_enum_values(section, (*place, name), enum, after[name])
    for name in after:
        if name not in before:
            section.add(_T.ENUM_ADDED, (*place, name), "", f"enum {name}")


def _compare_enum_values(
    section: _Section,
    place: Place,
    original: descriptor_pb2.EnumDescriptorProto,
    update: descriptor_pb2.EnumDescriptorProto,
) -> None:
    before = {value.number: value.name for value in original.value}
    after = {value.number: value.name for value in update.value}
    if before == after:
        return
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number), after.get(number)
        here = (*place, str(number))
        if new is None:
            section.add(_T.ENUM_CONST_REMOVED, here, f"{old} = {number}")
        elif old is None:
            section.add(_T.ENUM_CONST_ADDED, here, "", f"{new} = {number}")
        elif old != new:
            section.add(_T.ENUM_CONST_CHANGED, here, f"{old} = {number}", f"{new} = {number}")


def _compare_oneofs(section: _Section, place: Place, original: MessageShape, update: MessageShape) -> None:
    """Find fields that now exclude one another and did not before, and oneofs that came and went."""
    for name, members in update.oneofs.items():
        known = [original.fields[member.number] for member in members if member.number in original.fields]
        moved = [member for member in known if not member.oneof]
        groups = len(moved) + len({member.oneof for member in known if member.oneof})
        if groups > 1:
            type_ = _T.MULTIPLE_FIELDS_MOVED_TO_ONEOF if len(moved) > 1 else _T.FIELD_MOVED_TO_EXISTING_ONEOF
            words = ", ".join(member.name for member in known)
            section.add(type_, (*place, name), words, f"oneof {name}")
    for name in sorted(original.oneofs.keys() ^ update.oneofs.keys()):
        if name in original.oneofs:
            section.add(_T.ONEOF_REMOVED, (*place, name), f"oneof {name}")
        else:
            section.add(_T.ONEOF_ADDED, (*place, name), "", f"oneof {name}")


def _deleted_oneofs(original: MessageShape, update: MessageShape) -> set[str]:
    """Give the oneofs that went with every one of their members."""
    return {
        name
        for name, members in original.oneofs.items()
        if name not in update.oneofs and not any(member.number in update.fields for member in members)
    }


def _add_field(section: _Section, place: Place, field_: FieldShape) -> None:
    type_ = _T.REQUIRED_FIELD_ADDED if field_.required else _T.FIELD_ADDED
    section.add(_T.ONEOF_FIELD_ADDED if field_.oneof else type_, (*place, *field_.path), "", field_.words)


def _remove_field(section: _Section, place: Place, field_: FieldShape, deleted_oneofs: set[str]) -> None:
    if field_.oneof in deleted_oneofs:
        return
    type_ = _T.REQUIRED_FIELD_REMOVED if field_.required else _T.FIELD_REMOVED
    section.add(_T.ONEOF_FIELD_REMOVED if field_.oneof else type_, (*place, *field_.path), field_.words)


def _scalar_difference(original: FieldShape, update: FieldShape, *, labels: bool) -> DifferenceType | None:
    """Compare scalars by the group of types that are encoded alike, then labels, where both are written."""
    group = _SCALAR_GROUPS[original.type]
    if group != _SCALAR_GROUPS[update.type]:
        return _T.FIELD_SCALAR_KIND_CHANGED
    if not labels or original.label is None or update.label is None or original.label == update.label:
        return None
    return _T.FIELD_STRING_OR_BYTES_LABEL_CHANGED if group == _TEXT else _T.FIELD_NUMERIC_LABEL_CHANGED
