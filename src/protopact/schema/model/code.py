"""The functions between a model's values and the converter's dicts, written as Python text for one model and message.

`write_…` makes of a model the dict that the converter's encoder takes. `read_…` changes the decoder's dict, in place,
into the one that pydantic validates; where nothing has to change there is no such function. Everything from outside
stands in the text as `repr()` gives it, or is handed over as an object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pydantic import TypeAdapter, ValidationError

from protopact.schema.model.binding import Bound, entry_of, enum_of, message_of, numbers_of, wire_of
from protopact.schema.model.forms import FORMS, NATIVE
from protopact.schema.model.kinds import (
    EnumKind,
    FieldShape,
    ListKind,
    MapKind,
    MessageKind,
    ModelShape,
    PlainKind,
    SingleKind,
    UnionKind,
)
from protopact.schema.model.reading import validator_of
from protopact.schema.model.types import classes_of

if TYPE_CHECKING:
    from enum import Enum

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from protopact.schema.model.kinds import Member

Write: TypeAlias = Callable[[object], dict[str, object]]
Read: TypeAlias = Callable[[dict[str, object]], object]
Key: TypeAlias = tuple[type, str]


class Invalid:
    """What a union's member has become that its own type refuses: nothing takes it, and the report opens it."""

    def __init__(self, error: ValidationError) -> None:
        self.error = error


class Code:
    """Writes the functions for a graph of models and messages, and compiles them."""

    def __init__(
        self, bound: Mapping[Key, list[Bound]], messages: Mapping[Key, Descriptor], shapes: Mapping[type, ModelShape]
    ) -> None:
        self._bound = bound
        self._messages = messages
        self._shapes = shapes
        self._index = {key: number for number, key in enumerate(bound)}
        self._objects: dict[str, object] = {"NONE": object()}
        self._changing = self._find_changing()

    def writer(self, key: Key) -> tuple[Write, str]:
        """Give the function from a model to a dict, and its text."""
        text = "\n".join("\n".join(self._write_lines(each)) for each in self._bound)
        return self._compiled(text, f"write_{self._index[key]}"), text

    def reader(self, key: Key) -> tuple[Read | None, str]:
        """Give the function that shapes a dict for validation, or None where none is needed, and its text."""
        text = "\n".join("\n".join(self._read_lines(each)) for each in self._bound if each in self._changing)
        return (self._compiled(text, f"read_{self._index[key]}") if key in self._changing else None), text

    def _compiled(self, text: str, name: str) -> Any:
        model = next(iter(self._bound))[0]
        exec(compile(text, f"<protopact: values of {model.__qualname__}>", "exec"), self._objects)  # noqa: S102
        return self._objects[name]

    def _object(self, prefix: str, value: object) -> str:
        """Hand an object to the code; give the name that it has there."""
        name = f"{prefix}__{len(self._objects)}"  # two underscores: functions have one
        self._objects[name] = value
        return name

    # ── writing ──────────────────────────────────────────────────────────────────────────────────

    def _write_lines(self, key: Key) -> list[str]:
        lines = [f"def write_{self._index[key]}(model):", "    values = {"]
        unions = []
        for each in self._bound[key]:
            if each.field is None:
                unions.append(each)
            else:
                lines.append(f"        {each.field.name!r}: {self._write_value(each.shape, each.field)},")
        lines.append("    }")
        for each in unions:
            pick = self._object("pick", _picker(each, self))
            lines += [
                f"    if (value := {_attribute(each.shape.name)}) is not None:",
                f"        name, write = {pick}(type(value))",
                "        values[name] = value if write is None else write(value)",
            ]
        return [*lines, "    return values", ""]

    def _write_value(self, shape: FieldShape, field: FieldDescriptor) -> str:
        source, kind = _attribute(shape.name), shape.kind
        if isinstance(kind, ListKind):
            item = self._written("item", kind.item, field)
            return source if item == "item" and kind.is_list else f"[{item} for item in {source}]"
        if isinstance(kind, MapKind):
            key_field, value_field = entry_of(field)
            key, value = self._written("key", kind.key, key_field), self._written("value", kind.value, value_field)
            is_same = (key, value) == ("key", "value")
            return source if is_same else f"{{{key}: {value} for key, value in {source}.items()}}"
        assert not isinstance(kind, UnionKind)
        written = self._written("value", kind, field)
        return source if written == "value" else f"None if (value := {source}) is None else {written}"

    def _written(self, source: str, kind: SingleKind, field: FieldDescriptor) -> str:
        """Give the expression that writes one value, `source` itself where it passes as it is."""
        if isinstance(kind, MessageKind):
            return f"write_{self._index[kind.model, message_of(field).full_name]}({source})"
        if isinstance(kind, EnumKind):
            return f"{self._object('number', _number_table(kind.enum, field).get)}({source}, {source})"
        write = _to_scalar(kind) if kind.python == "other" else FORMS[kind.python][wire_of(field)].write
        return source if write is None else f"{self._object('write', write)}({source})"

    def write_function(self, kind: SingleKind, field: FieldDescriptor) -> Callable[[object], object] | None:
        """Give the function that writes one value of a union's member, None where it passes as it is."""
        if isinstance(kind, MessageKind):
            return self._later(f"write_{self._index[kind.model, message_of(field).full_name]}")
        if isinstance(kind, EnumKind):
            numbers = _number_table(kind.enum, field)
            return lambda value: numbers.get(value, value)
        return _to_scalar(kind) if kind.python == "other" else FORMS[kind.python][wire_of(field)].write

    def _later(self, name: str) -> Callable[[object], object]:
        """Give a function that calls one of these functions, which need not be compiled yet."""
        objects = self._objects

        def write(value: object) -> object:
            return cast("Write", objects[name])(value)

        return write

    # ── reading ──────────────────────────────────────────────────────────────────────────────────

    def _find_changing(self) -> set[Key]:
        """Find the pairs whose dicts need a change, in themselves or in one below."""
        changing = {key for key in self._bound if self._changes_itself(key)}
        grown = True
        while grown:
            more = {key for key in self._bound if key not in changing and self._below(key) & changing}
            changing |= more
            grown = bool(more)
        return changing

    def _below(self, key: Key) -> set[Key]:
        found = set()
        for each in self._bound[key]:
            if each.field is not None and each.field.message_type is not None:
                kind, field = each.single()
                if isinstance(kind, MessageKind):
                    found.add((kind.model, message_of(field).full_name))
        return found

    def _changes_itself(self, key: Key) -> bool:
        if _unknown(self._bound[key], self._messages[key]):
            return True
        for each in self._bound[key]:
            if each.field is None or each.field.name != each.shape.name or _may_lack_none(each):
                return True
            kind, field = each.single()
            if isinstance(kind, PlainKind) and kind.python in FORMS and FORMS[kind.python][wire_of(field)].read:
                return True
            if isinstance(kind, EnumKind) and (not _reads_itself(kind.enum, field) or _lacks_zero(kind.enum, field)):
                return True
            if isinstance(each.shape.kind, MapKind) and self._key_read(each) is not None:
                return True
        return False

    def _key_read(self, each: Bound) -> object:
        assert isinstance(each.shape.kind, MapKind)
        key = each.shape.kind.key
        return FORMS[key.python]["string"].read if key.python in FORMS and "string" in FORMS[key.python] else None

    def _read_lines(self, key: Key) -> list[str]:
        bound = self._bound[key]
        lines = [f"def read_{self._index[key]}(values):"]
        lines += [f"    values.pop({name!r}, None)" for name in _unknown(bound, self._messages[key])]
        renamed = [(each, each.field.name) for each in bound if each.field and each.field.name != each.shape.name]
        unions = [each for each in bound if each.field is None]
        lines += [f"    field_{place} = values.pop({name!r}, NONE)" for place, (_, name) in enumerate(renamed)]
        for place, each in enumerate(unions):
            lines += self._take_member(f"union_{place}", each)
        for prefix, chosen in (("field", [each for each, _ in renamed]), ("union", unions)):
            for place, each in enumerate(chosen):
                lines += [
                    f"    if {prefix}_{place} is not NONE:",
                    f"        values[{each.shape.name!r}] = {prefix}_{place}",
                ]
        for each in bound:
            if each.field is not None:
                lines += self._change_value(each)
            if _may_lack_none(each):
                lines.append(f"    values.setdefault({each.shape.name!r}, None)")
        return [*lines, "    return values", ""]

    def _take_member(self, target: str, each: Bound) -> list[str]:
        lines = [f"    {target} = NONE"]
        for member, field in each.members:
            value = f"values.pop({field.name!r})"
            exact = self._exact(member, field)
            if isinstance(member.kind, MessageKind):
                below = member.kind.model, message_of(field).full_name
                value = f"read_{self._index[below]}({value})" if below in self._changing else value
            if exact is not None:
                value = f"{self._object('exact', exact)}({value})"
            lines += [f"    if {field.name!r} in values:", f"        {target} = {value}"]
        return lines

    def _exact(self, member: Member, field: FieldDescriptor) -> Callable[[object], object] | None:
        """Give the function that makes exactly the member's own type, so that the union cannot mistake it."""
        kind = member.kind
        if isinstance(kind, EnumKind):
            members: dict[object, object] = _member_table(kind.enum, field)
            return lambda value: members.get(value, value)
        if isinstance(kind, MessageKind):
            return _validated(validator_of(kind.model))
        if kind.python in NATIVE:
            return None
        read = None if kind.python == "other" else FORMS[kind.python][wire_of(field)].read
        check = _validated(TypeAdapter(cast("Any", kind.annotation)).validator)
        return check if read is None else lambda value: check(read(value))

    def _change_value(self, each: Bound) -> list[str]:
        name, shape_kind = repr(each.shape.name), each.shape.kind
        kind, field = each.single()
        value = self._read_value("value", kind, field)
        lines = []
        if isinstance(kind, EnumKind) and _lacks_zero(kind.enum, field) and each.shape.kind is kind:
            lines += [f"    if values.get({name}) == 0:", f"        del values[{name}]"]
        if isinstance(shape_kind, MapKind):
            read_key = self._key_read(each)
            key = f"{self._object('read', read_key)}(key)" if read_key is not None else "key"
            if value != "value" or key != "key":
                lines += [
                    f"    if {name} in values:",
                    f"        values[{name}] = {{{key}: {value} for key, value in values[{name}].items()}}",
                ]
        elif value != "value" and isinstance(shape_kind, ListKind):
            lines += [f"    if {name} in values:", f"        values[{name}] = [{value} for value in values[{name}]]"]
        elif value != "value":
            lines += [f"    if (value := values.get({name})) is not None:", f"        values[{name}] = {value}"]
        return lines

    def _read_value(self, source: str, kind: SingleKind, field: FieldDescriptor) -> str:
        if isinstance(kind, MessageKind):
            below = kind.model, message_of(field).full_name
            return f"read_{self._index[below]}({source})" if below in self._changing else source
        if isinstance(kind, EnumKind):
            if _reads_itself(kind.enum, field):
                return source
            members = _member_table(kind.enum, field)
            return f"{self._object('member', members.get)}({source}, {source})"
        read = None if kind.python == "other" else FORMS[kind.python][wire_of(field)].read
        return source if read is None else f"{self._object('read', read)}({source})"


# ── one field alone ──────────────────────────────────────────────────────────────────────────────


def _attribute(name: str) -> str:
    """Give the expression for a model's attribute, whose name may be any text."""
    return f"model.{name}" if name.isidentifier() and not iskeyword(name) else f"getattr(model, {name!r})"


def _unknown(bound: list[Bound], message: Descriptor) -> list[str]:
    """Give the message's fields that the model does not know."""
    used = {field.name for each in bound for field in each.fields()}
    return [field.name for field in message.fields if field.name not in used]


def _may_lack_none(each: Bound) -> bool:
    """Tell whether None must be put where the message has nothing, since the model has another default or none."""
    return each.shape.nullable and not each.shape.default_is_none


def _number_table(enum: type[Enum], field: FieldDescriptor) -> dict[object, int]:
    """Give numbers by member and by member's value, which a model holds under `use_enum_values`."""
    numbers = numbers_of(enum, enum_of(field))
    return {member.value: number for member, number in numbers.items()} | {**numbers}


def _member_table(enum: type[Enum], field: FieldDescriptor) -> dict[object, object]:
    """Give members by number."""
    return {number: member for member, number in numbers_of(enum, enum_of(field)).items()}


def _reads_itself(enum: type[Enum], field: FieldDescriptor) -> bool:
    """Tell whether an enum's numbers are its values."""
    return all(
        type(member.value) is int and member.value == n for member, n in numbers_of(enum, enum_of(field)).items()
    )


def _lacks_zero(enum: type[Enum], field: FieldDescriptor) -> bool:
    """Tell whether 0 stands for no member: then it means that there is no value."""
    return 0 not in numbers_of(enum, enum_of(field)).values()


def _picker(each: Bound, code: Code) -> Callable[[type], tuple[str, Callable[[object], object] | None]]:
    """Give the function from a value's class to its member's name and how it is written."""
    members = {
        cls: (field.name, code.write_function(member.kind, field))
        for member, field in each.members
        for cls in classes_of(member.kind)
    }

    def pick(cls: type) -> tuple[str, Callable[[object], object] | None]:
        found = members.get(cls)
        if found is None:  # a subclass: the nearest of its line
            found = members[next(above for above in cls.__mro__ if above in members)]
        return found

    return pick


def _validated(validator: Any) -> Callable[[object], object]:
    validate = validator.validate_python

    def exact(value: object) -> object:
        try:
            return validate(value, strict=False, by_name=True)
        except ValidationError as error:
            return Invalid(error)

    return exact


def _to_scalar(kind: PlainKind) -> Callable[[object], object]:
    serializer = TypeAdapter(cast("Any", kind.annotation)).serializer
    return lambda value: serializer.to_python(value, mode="json")
