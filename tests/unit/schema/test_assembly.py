"""Every mistake in a schema built in Python, with the path and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.errors import SchemaModelError
from protopact.schema import ProtoEnum, ProtoField, ProtoMessage, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

ENUM = ProtoEnum("Kind", ["KIND_UNSPECIFIED"])


def order(*fields: ProtoField, **more: object) -> ProtoMessage:
    return ProtoMessage("Order", package="shop", fields=fields, **more)  # type: ignore[arg-type]


def item(name: object = "items", kind: object = "int32", number: object = 1, **more: object) -> ProtoField:
    return ProtoField(name, kind, number, **more)  # type: ignore[arg-type]


MISTAKES: dict[str, tuple[Callable[[], object], str, str]] = {
    "a number twice": (lambda: order(item("a"), item("items")), "Order.items", "2"),
    "a name twice": (lambda: order(item(), item(number=2)), "Order.items", "rename"),
    "a name twice over a oneof": (
        lambda: order(item(), oneofs={"choice": [item(number=2)]}), "Order.items", "rename",
    ),
    "a oneof's member in two oneofs": (
        lambda: order(oneofs={"a": [item()], "b": [item()]}), "Order.items", "rename",
    ),
    "a field called like a oneof": (
        lambda: order(item(), oneofs={"items": [item("b", number=2)]}), "Order.items", "rename",
    ),
    "number 0": (lambda: order(item(number=0)), "Order.items", "1 to 536870911"),
    "a negative number": (lambda: order(item(number=-1)), "Order.items", "1 to"),
    "a number beyond the last": (lambda: order(item(number=2**29)), "Order.items", "536870911"),
    "the first of protobuf's own numbers": (lambda: order(item(number=19_000)), "Order.items", "19000"),
    "the last of protobuf's own numbers": (lambda: order(item(number=19_999)), "Order.items", "19000"),
    "a number that is a text": (lambda: order(item(number="1")), "Order.items", "number"),
    "a number that is a bool": (lambda: order(item(number=True)), "Order.items", "number"),
    "an unknown type": (lambda: order(item(kind="Line")), "Order.items", "imports"),
    "a type with a slip": (lambda: order(item(kind="strnig")), "Order.items", "'string'"),
    "another language's word for a type": (lambda: order(item(kind="int")), "Order.items", "'int64'"),
    "a well-known type without its package": (
        lambda: order(item(kind="Duration")), "Order.items", "'google.protobuf.Duration'",
    ),
    "a Python class for a type": (lambda: order(item(kind=int)), "Order.items", "int64"),
    "a list in a oneof": (lambda: order(oneofs={"a": [item(repeated=True)]}), "Order.items", "message of its own"),
    "a map in a oneof": (lambda: order(oneofs={"a": [item(map_key="string")]}), "Order.items", "message of its own"),
    "an optional member": (lambda: order(oneofs={"a": [item(optional=True)]}), "Order.items", "leave it out"),
    "an empty oneof": (lambda: order(oneofs={"choice": []}), "Order.choice", "add one"),
    "a map with a float key": (lambda: order(item(map_key="float")), "Order.items", "string"),
    "a map with a bytes key": (lambda: order(item(map_key="bytes")), "Order.items", "string"),
    "a map with a message key": (lambda: order(item(map_key="Order")), "Order.items", "string"),
    "a repeated map": (lambda: order(item(map_key="string", repeated=True)), "Order.items", "drop"),
    "an optional map": (lambda: order(item(map_key="string", optional=True)), "Order.items", "leave it out"),
    "an optional list": (lambda: order(item(repeated=True, optional=True)), "Order.items", "leave it out"),
    "optional and required": (
        lambda: order(item(optional=True, required=True), syntax="proto2"), "Order.items", "choose",
    ),
    "required in proto3": (lambda: order(item(required=True)), "Order.items", "proto2"),
    "a field's name with a dash": (lambda: order(item("line-items")), "Order.line-items", "underscores"),
    "a field's name with a digit first": (lambda: order(item("1st")), "Order.1st", "digit"),
    "an empty name": (lambda: order(item("")), "Order.", "letters"),
    "a name with other letters": (lambda: order(item("größe")), "Order.größe", "letters"),
    "a name with a line break": (lambda: order(item("a\n")), "Order.a\n", "letters"),
    "a message's name with a package": (lambda: ProtoMessage("shop.Order"), "shop.Order", "letters"),
    "a package that is no name": (lambda: ProtoMessage("Order", package="shop..v1"), "Order", "letters"),
    "a oneof's name": (lambda: order(oneofs={"a b": [item()]}), "Order.a b", "letters"),
    "an enum's name": (lambda: order(enums=[ProtoEnum("a b", ["A"])]), "Order.a b", "letters"),
    "an enum's value's name": (lambda: order(enums=[ProtoEnum("E", ["A B"])]), "Order.E.A B", "letters"),
    "an enum's value that no text can hold": (
        lambda: order(enums=[ProtoEnum("LineKind", ["option"])]), "Order.LineKind.option", "LINE_KIND_OPTION",
    ),
    "values that differ by case alone": (
        lambda: order(enums=[ProtoEnum("Kind", ["a_b", "aB"])]), "Order.Kind.aB", "rename",
    ),
    "an empty enum": (lambda: order(enums=[ProtoEnum("E", [])]), "Order.E", "UNSPECIFIED"),
    "an enum that does not begin at 0": (
        lambda: order(enums=[ProtoEnum("LineKind", {"A": 1})]), "Order.LineKind", "LINE_KIND_UNSPECIFIED",
    ),
    "an enum's number twice": (lambda: order(enums=[ProtoEnum("E", {"A": 0, "B": 0})]), "Order.E.B", "allow_alias"),
    "an enum's number too large": (lambda: order(enums=[ProtoEnum("E", {"A": 0, "B": 2**31})]), "Order.E.B", "number"),
    "values that are one text": (lambda: order(enums=[ProtoEnum("E", "AB")]), "Order.E", '["A", "B"]'),
    "values that differ by the prefix alone": (
        lambda: order(enums=[ProtoEnum("Kind", ["KIND_A", "A"])]), "Order.Kind.A", "rename",
    ),
    "two enums with one value's name": (
        lambda: order(enums=[ProtoEnum("E", ["A"]), ProtoEnum("F", ["A"])]), "Order.F.A", "rename",
    ),
    "a reserved enum value": (lambda: order(enums=[ProtoEnum("E", ["A"], reserved=["A"])]), "Order.E.A", "never used"),
    "a reserved number": (lambda: order(item(), reserved=[range(1, 3)]), "Order.items", "never used"),
    "a reserved name": (lambda: order(item(), reserved=["items"]), "Order.items", "never used"),
    "a reservation that is none": (lambda: order(reserved=[1.5]), "Order", "range"),
    "a reservation that goes backwards": (lambda: order(reserved=[range(5, 3)]), "Order", "range"),
    "a reserved number 0": (lambda: order(reserved=[0]), "Order", "range"),
    "two nested messages with one name": (
        lambda: order(messages=[ProtoMessage("Item"), ProtoMessage("Item")]), "Order.Item", "rename",
    ),
    "a part declared twice": (
        lambda: order(enums=[ENUM], siblings=[ProtoMessage("A", enums=[ENUM])]), "A.Kind", "once",
    ),
    "a number reserved twice": (lambda: order(reserved=[5, range(4, 6)]), "Order", "once"),
    "a name reserved twice": (lambda: order(reserved=["a", "a"]), "Order", "once"),
    "a reserved name that is none": (lambda: order(reserved=["a b"]), "Order", "name"),
    "a map's entry that is a message's name": (
        lambda: order(item(map_key="string"), messages=[ProtoMessage("ItemsEntry")]), "Order.items", "rename",
    ),
    "two fields with one JSON name": (lambda: order(item("a_b"), item("aB", number=2)), "Order.aB", "rename"),
    "a JSON name that is taken": (
        lambda: order(item("a"), item("b", number=2, options={"json_name": "a"})), "Order.b", "rename",
    ),
    "a JSON name that is another field's name": (
        lambda: order(item("a_b"), item("b", number=2, options={"json_name": "a_b"}), syntax="proto2"),
        "Order.b", "rename",
    ),
    "a name that is an imported package": (
        lambda: ProtoMessage("google", fields=[item(kind="google.protobuf.Any")]), "google", "rename",
    ),
    "an unknown option": (lambda: order(item(options={"depricated": True})), "Order.items", "'deprecated'"),
    "an option's wrong value": (lambda: order(item(options={"deprecated": "yes"})), "Order.items", "type"),
    "packed on one value": (lambda: order(item(options={"packed": True})), "Order.items", "drop"),
    "packed texts": (
        lambda: order(item(kind="string", repeated=True, options={"packed": True})), "Order.items", "drop",
    ),
    "packed messages": (
        lambda: order(item(kind="Order", repeated=True, options={"packed": True})), "Order.items", "drop",
    ),
    "packed in an edition": (
        lambda: order(item(repeated=True, options={"packed": True}), syntax="2023"), "Order.items", "features",
    ),
    "a default in proto3": (lambda: order(item(options={"default": 1})), "Order.items", "proto2"),
    "a default of another type": (
        lambda: order(item(options={"default": "1"}), syntax="proto2"), "Order.items", "int32",
    ),
    "a default out of range": (
        lambda: order(item(options={"default": 2**31}), syntax="proto2"), "Order.items", "int32",
    ),
    "a default for a list": (
        lambda: order(item(repeated=True, options={"default": 1}), syntax="proto2"), "Order.items", "drop",
    ),
    "a default for a message": (
        lambda: order(item(kind="Order", options={"default": 1}), syntax="proto2"), "Order.items", "drop",
    ),
    "a default that the enum has not": (
        lambda: order(item(kind=ProtoEnum("E", ["A", "B"]), options={"default": "C"}), syntax="proto2"),
        "Order.items", "A, B",
    ),
    "a map of enums without a 0": (
        lambda: order(item(kind=ProtoEnum("E", {"A": 1}), map_key="string"), syntax="proto2"), "Order.items", "value 0",
    ),
    "a JSON name that is none": (lambda: order(item(options={"json_name": ""})), "Order.items", "text"),
    "tags that are one text": (lambda: order(item(tags="PII")), "Order.items", '("PII",)'),
    "a tag that is no text": (lambda: order(item(tags=(1,))), "Order.items", '("PII",)'),
    "an unknown syntax": (lambda: order(syntax="proto4"), "Order", "proto2, proto3, 2023"),
    "a file name that leads out": (lambda: order(file_name="../order.proto"), "Order", "relative"),
    "an absolute file name": (lambda: order(file_name="/order.proto"), "Order", "relative"),
    "an import that is none": (lambda: order(imports=["money.proto"]), "Order", "load_schema"),
    "an import of the same name": (
        lambda: order(imports=[ProtoMessage("Money", file_name="order.proto")], file_name="order.proto"),
        "Order", "file_name",
    ),
    "two imports of one name": (
        lambda: order(imports=[ProtoMessage("A", file_name="a.proto"), ProtoMessage("B", file_name="a.proto")]),
        "Order", "file_name",
    ),
    "a part that belongs to another package": (
        lambda: order(item(kind=ProtoMessage("Money", package="money"))), "Money", "imports",
    ),
    "a part of another syntax": (
        lambda: order(item(kind=ProtoMessage("Money", syntax="proto2"))), "Money", "imports",
    ),
    "a part that is none": (lambda: order(messages=["Item"]), "Order", "ProtoMessage"),
    "a field that is none": (lambda: order(("items", "int32", 1)), "Order", "ProtoField"),
    "a type that an import has already": (
        lambda: order(imports=[ProtoMessage("Order", package="shop", file_name="other.proto")]), "Order", "rename",
    ),
    "a mistake in a nested message": (
        lambda: order(messages=[ProtoMessage("Line", fields=[item(kind="Zero")])]), "Line.items", "imports",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_when_the_message_is_built(mistake: str) -> None:
    build, path, remedy = MISTAKES[mistake]
    with pytest.raises(SchemaModelError) as caught:
        build()
    assert caught.value.path == path
    assert str(caught.value).startswith(path)
    assert remedy in caught.value.hint
    assert "\n" not in str(caught.value).removeprefix(path)


def test_a_mistake_that_only_the_whole_file_shows_has_its_whole_path() -> None:
    line = ProtoMessage("Line", fields=[item("a", ".shop.Order.Other", 1)])
    with pytest.raises(SchemaModelError) as caught:
        order(messages=[line]).serialize({})
    assert caught.value.path == "Order.Line.a"


def test_many_fields_are_checked_in_little_time() -> None:
    schema = order(*(item(f"f{number}", number=number) for number in range(1, 5001)))
    assert len(schema.message_class.DESCRIPTOR.fields) == 5000


def test_a_closed_enum_cannot_be_used_where_enums_are_open() -> None:
    closed = load_schema('syntax = "proto2"; package old; enum Kind { ONE = 1; } message M {}', file_name="old.proto")
    with pytest.raises(SchemaModelError):
        order(item(kind="old.Kind"), imports=[closed])
