"""Dicts → messages, as far as Python's values and those of JSON are written alike: the one author of both.

Generated code looks for each field under its key and takes values of the plainest types; all others it hands over to
what is thorough, value by value. What differs between the forms is small, and `FillWriter` names it: the keys, what a
scalar's plain form is, how a well-known type is filled, and how a list of scalars is best given to the runtime.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes
from protopact.convert.code.source import assignment, attribute, literal
from protopact.convert.code.type_writer import TypeWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from protopact.convert.code.family import Family
    from protopact.convert.code.source import Source

_MANY_FIELDS = 64
_MANY_FIELDS_SHARE = 8  # about as much quicker is a field that is not there than a key that the thorough way takes


class Thorough(Protocol):
    """The thorough way of a form: functions that take any value, and tell why one does not fit."""

    def put(self, field: FieldDescriptor) -> Callable[..., None]:
        """Give the function that puts a value into a field: of a message, a value, the message's room."""

    def filler(self, descriptor: Descriptor) -> Callable[..., None]:
        """Give the function that fills a message of a type: of the message, a value, the message's room."""

    def filler_of(self, field: FieldDescriptor) -> Callable[..., None]:
        """Give the function that fills a message of a field's type."""


class Scalar(NamedTuple):
    """How a scalar is taken: where the condition `plain` holds as `value`, else as `otherwise`; "" always holds."""

    plain: str
    value: str
    otherwise: str

    def __str__(self) -> str:
        """Give the expression for the value to store."""
        return f"{self.value} if {self.plain} else {self.otherwise}" if self.plain else self.value


class Child(NamedTuple):
    """How a message is filled: where the condition `plain` holds by `lines`, else thoroughly; "" always holds."""

    plain: str
    lines: tuple[str, ...]


class _Way(NamedTuple):
    """How a field takes `value`: where `plain` holds by the lines that `put` adds, else by a statement."""

    plain: str
    put: Callable[[], None]
    otherwise: str


class FillWriter(TypeWriter, ABC):
    """The function that fills messages of one type from a dict, in the making; a form says what is its own."""

    keys_may_meet = False
    """Whether two keys of a dict may be one key of a map, as `1` and `01` in JSON."""

    needs_required = False
    """Whether a required field must be there."""

    def __init__(
        self, thorough: Thorough, keys: Keys, family: Family, source: Source, descriptor: Descriptor, *, counts: bool
    ) -> None:
        """Begin the function of a type."""
        super().__init__(family, source, descriptor, counts=counts)
        self._thorough, self._keys = thorough, keys
        self._set_in_parent = source.bind(GetMessageClass(descriptor).SetInParent, "set_in_parent")
        oneofs = dict.fromkeys(oneof for field in self.fields if (oneof := shapes.contested_oneof(field)))
        self._chosen = {oneof: source.local(f"chosen_{oneof}") for oneof in sorted(oneofs)}
        self._begun: set[str] = set()

    @abstractmethod
    def holds_none(self, field: FieldDescriptor) -> bool:
        """Tell whether None is a value of a field's type, and not the absence of one."""

    @abstractmethod
    def scalar(self, field: FieldDescriptor, value: str) -> Scalar:
        """Tell how a scalar field's single value is taken."""

    @abstractmethod
    def map_key(self, field: FieldDescriptor) -> str:
        """Give the expression for a map's key, from `key`."""

    @abstractmethod
    def child(self, field: FieldDescriptor, child: str, value: str, levels: int) -> Child | None:
        """Tell how a child is filled, `levels` below the message, from a value that is not None; None: thoroughly."""

    @abstractmethod
    def put_scalars(self, field: FieldDescriptor, thoroughly: str, /) -> None:
        """Add the lines that put the items of `value`, a list that is not empty, into a field of scalars.

        `thoroughly` is the statement that does so for items of any type.
        """

    def write(self, name: str) -> None:
        """Add the function."""
        with self.function(name, "message, data"):
            if len(self.fields) >= _MANY_FIELDS:
                self._leave_few_keys()
            self.body(self.call(self.descriptor, "message, left", 0))

    def body(self, fill_from_left: str) -> None:
        """Add the lines that fill `message` from `data`; keys of other names are `left` for the statement given."""
        line, block, fields = self.source.line, self.source.block, self.fields
        line(f"others = len(data) - {len(fields)}")  # in the end: how many keys gave no field a value
        for chosen in self._chosen.values():
            line(f"{chosen} = False")
        for field in fields:
            self._put(field)
        with block("if others or not data:"):
            line(f"{self._set_in_parent}(message)")
            line(f"left = {self.source.bind(self._keys.left, f'keys_left_of_{self.descriptor.name}')}(data)")
            with block("if left:"):
                line(fill_from_left)
        for field in fields:
            if field.is_required and self.needs_required:
                with block(f"if not {self.has_field}(message, {literal(field.name)}):"):
                    line(f"raise KeyError({literal(field.name)})")

    def _leave_few_keys(self) -> None:
        """Leave what has few of many fields to the thorough way: it goes by keys, and generated code by fields."""
        with self.source.block(f"if len(data) < {len(self.fields) // _MANY_FIELDS_SHARE}:"):
            fill = self.source.bind(self._thorough.filler(self.descriptor), f"fill_{self.descriptor.name}")
            self.source.line(f"{self._set_in_parent}(message)")
            self.source.line(f"return {fill}(message, data, {self.room(0)})")

    def _put(self, field: FieldDescriptor) -> None:
        line, block, key = self.source.line, self.source.block, literal(self._keys.of(field))
        way, holds_none = self._way(field), not field.is_repeated and self.holds_none(field)
        if not holds_none:
            line(f"value = data.get({key})")
            if way.plain and shapes.contested_oneof(field) is None:
                self._take(way, or_absent=True)
                return
        with block(f"if {key} in data:" if holds_none else "if value is not None:"):
            self._choose(field)
            if holds_none:
                line(f"value = data[{key}]")
            self._take(way)
        with block("else:"):
            line("others += 1")

    def _take(self, way: _Way, *, or_absent: bool = False) -> None:
        line, block = self.source.line, self.source.block
        if not way.plain:
            way.put()
            return
        with block(f"if {way.plain}:"):
            way.put()
        if or_absent:
            with block("elif value is None:"):
                line("others += 1")
        with block("else:"):
            line(way.otherwise)

    def _way(self, field: FieldDescriptor) -> _Way:
        if shapes.is_message(field) or field.is_repeated:
            thoroughly = self._put_thoroughly(field)
            if shapes.is_map(field):
                return _Way("type(value) is dict", partial(self._put_map, field), thoroughly)
            if field.is_repeated:
                return _Way("type(value) is list", partial(self._put_list, field, thoroughly), thoroughly)
            child = self.child(field, attribute("message", field.name), "value", 1) or Child("", (thoroughly,))
            return _Way(child.plain, partial(self._put_child, child), thoroughly)
        scalar = self.scalar(field, "value")
        value, otherwise = (assignment("message", field.name, text) for text in (scalar.value, scalar.otherwise))
        return _Way(scalar.plain, partial(self.source.line, value), otherwise)

    def _put_child(self, child: Child) -> None:
        self.refuse_below(1)
        for text in child.lines:
            self.source.line(text)

    def _choose(self, field: FieldDescriptor) -> None:
        oneof = shapes.contested_oneof(field)
        if oneof is None:
            return
        if oneof in self._begun:
            with self.source.block(f"if {self._chosen[oneof]}:"):
                self.source.line(f"raise KeyError({literal(field.name)})")
        self._begun.add(oneof)
        self.source.line(f"{self._chosen[oneof]} = True")

    def _put_list(self, field: FieldDescriptor, thoroughly: str) -> None:
        line, block = self.source.line, self.source.block
        with block("if value:"):
            if shapes.is_message(field):
                self.refuse_below(1)
                line(f"add = {attribute('message', field.name)}.add")
                with block("for item in value:"):
                    self._fill_item(field, field, "add()", 1)
            else:
                self.put_scalars(field, thoroughly)
        with block("else:"):
            line(f"{self._set_in_parent}(message)")

    def _put_map(self, field: FieldDescriptor) -> None:
        line, block = self.source.line, self.source.block
        key, value = (shapes.message_type(field).fields_by_name[part] for part in ("key", "value"))
        entry = f"entries[{self.map_key(key)}]"
        with block("if value:"):
            self.refuse_below(2 if shapes.is_message(value) else 1)
            line(f"entries = {attribute('message', field.name)}")
            with block("for key, item in value.items():"):
                if shapes.is_message(value):
                    self._fill_item(field, value, entry, 2)
                else:
                    line(f"{entry} = {self.scalar(value, 'item')}")
            if self.keys_may_meet:
                with block("if len(entries) != len(value):"):
                    line("raise KeyError(value)")
        with block("else:"):
            line(f"{self._set_in_parent}(message)")

    def _fill_item(self, field: FieldDescriptor, held: FieldDescriptor, place: str, levels: int) -> None:
        """Add the lines that fill the message at a place from `item`; `held` is the field that has its type."""
        line, block = self.source.line, self.source.block
        fill = self.source.bind(self._thorough.filler_of(held), f"fill_{field.name}")
        thoroughly = f"{fill}({place}, item, {self.room(levels)})"
        child = self.child(held, place, "item", levels) or Child("", (thoroughly,))
        with block(f"if {child.plain}:") if child.plain else nullcontext():
            for text in child.lines:
                line(text)
        if child.plain:
            with block("else:"):
                line(thoroughly)

    def _put_thoroughly(self, field: FieldDescriptor) -> str:
        put = self.source.bind(self._thorough.put(field), f"put_{field.name}")
        return f"{put}(message, value, {self.room(0)})"


class Keys:
    """The keys that dicts of a message type may have: those that generated code looks up, and their other names."""

    def __init__(
        self,
        descriptor: Descriptor,
        of: Callable[[FieldDescriptor], str],
        other: Callable[[FieldDescriptor], str],
        passes_over: Callable[[str], bool] = lambda _key: False,
    ) -> None:
        """Read the names of all fields; a key that is none of them is refused unless `passes_over` tells otherwise."""
        self.of, self._passes_over = of, passes_over
        self._keys = frozenset(of(field) for field in descriptor.fields)
        self._by_other = {other(field): of(field) for field in descriptor.fields}
        self._contested = frozenset(of(field) for field in descriptor.fields if shapes.contested_oneof(field))

    def left(self, data: dict[str, object]) -> dict[str, object]:
        """Give what a dict holds under the fields' other names, by the keys that generated code looks up.

        KeyError for a key that is no name, for a field given twice, and where members of a oneof may meet.
        """
        left: dict[str, object] = {}
        for key, value in data.items():
            if key not in self._keys:
                own = self._by_other.get(key)
                if own is None:
                    if not self._passes_over(key):
                        raise KeyError(key)
                elif own in data or own in self._contested:
                    raise KeyError(key)
                else:
                    left[own] = value
        return left
