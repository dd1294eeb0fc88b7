from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from protopact.compiler import compile_text
from protopact.descriptor import canonical_file, field_tags
from protopact.errors import MessageNotFoundError, SchemaModelError
from protopact.schema import ProtoEnum, ProtoField, ProtoMessage, ProtoSchema, load_schema

if TYPE_CHECKING:
    from google.protobuf.message import Message

INTEGERS = [sign + size for sign in ("int", "uint", "sint", "fixed", "sfixed") for size in ("32", "64")]
KEYWORDS = ["enum", "extend", "import", "inf", "int32", "map", "message", "oneof", "option", "optional", "repeated"]
KEYWORDS += ["required", "reserved", "stream", "string", "to"]


def recompiled(schema: ProtoMessage) -> ProtoSchema:
    """The schema that its printed text compiles to."""
    known = [file for file in schema.file_set.files if file.name != schema.file_name]
    file_set = compile_text(schema.to_schema_string(), file_name=schema.file_name, dependencies=known)
    assert canonical_file(file_set.root_file) == canonical_file(schema.file_set.root_file)
    return load_schema(schema.to_schema_string(), message=schema.name, imports=[schema], file_name=schema.file_name)


def test_a_built_message_is_a_schema(order: ProtoMessage) -> None:
    assert isinstance(order, ProtoSchema)
    assert (order.name, order.file_name, order.message_index) == ("shop.v1.Order", "shop/v1/order.proto", (0,))


def test_a_built_message_is_the_one_that_its_text_compiles_to(order: ProtoMessage) -> None:
    again = recompiled(order)
    assert again.file_set.fingerprint == order.file_set.fingerprint


def test_values_go_in_and_come_out(order: ProtoMessage, values: dict[str, object]) -> None:
    expected = values | {"placed_at": dt.datetime(2026, 11, 21, 0, 0, 0, 500_000, tzinfo=dt.UTC)}
    assert order.deserialize(order.serialize(values)) == expected


def test_the_files_other_messages_are_schemas_too(order: ProtoMessage) -> None:
    cancelled = order.for_message("Cancelled")
    assert (cancelled.name, cancelled.message_index) == ("shop.v1.Cancelled", (1,))
    nested = order.for_message("Order.Item")
    assert nested.name == "shop.v1.Order.Item"
    assert nested.deserialize(nested.serialize({"sku": "a"})) == {"sku": "a", "count": 0}


def test_a_message_that_is_not_there_is_refused_with_those_that_are(order: ProtoMessage) -> None:
    with pytest.raises(MessageNotFoundError) as caught:
        order.for_message("Invoice")
    assert "shop.v1.Cancelled" in caught.value.hint


def test_tags_stand_in_the_descriptor_and_in_the_text(order: ProtoMessage) -> None:
    fields = order.message_class.DESCRIPTOR.fields_by_name
    assert field_tags(fields["email"]) == ("PII", "CONTACT")
    assert field_tags(fields["note"]) == ()
    text = order.to_schema_string()
    assert "confluent.field_meta" in text
    assert '"PII"' in text
    assert 'import "confluent/meta.proto";' in text


def test_only_own_files_are_imports_and_well_known_ones_are_added(order: ProtoMessage) -> None:
    assert order.file_set.imports() == ("money/v1/money.proto",)
    assert list(order.file_set.root_file.dependency) == [
        "money/v1/money.proto",
        "confluent/meta.proto",
        "google/protobuf/timestamp.proto",
    ]


def test_a_timestamp_of_protobufs_own_pool_is_taken(order: ProtoMessage) -> None:
    moment = Timestamp(seconds=5)
    message = order.new_message({"placed_at": moment})
    assert message.SerializeToString() == order.serialize({"placed_at": moment})
    assert order.deserialize(order.serialize(message))["placed_at"] == dt.datetime.fromtimestamp(5, dt.UTC)


@pytest.mark.parametrize("scalar", ["double", "float", "bool", *INTEGERS])
def test_every_number_can_be_a_field_a_list_and_optional(scalar: str) -> None:
    schema = ProtoMessage(
        "M",
        fields=[
            ProtoField("one", scalar, 1),
            ProtoField("many", scalar, 2, repeated=True),
            ProtoField("perhaps", scalar, 3, optional=True),
            ProtoField("named", scalar, 4, map_key="bool"),
        ],
    )
    recompiled(schema)
    one, none = (True, False) if scalar == "bool" else (1, 0)
    values = {"one": one, "many": [none, one], "perhaps": none, "named": {True: one}}
    assert schema.deserialize(schema.serialize(values)) == values


@pytest.mark.parametrize("key", ["bool", "string", *INTEGERS])
def test_every_map_key_that_protobuf_has_can_be_used(key: str) -> None:
    recompiled(ProtoMessage("M", fields=[ProtoField("by_key", "M", 1, map_key=key)]))


def test_a_message_can_refer_to_itself_by_name() -> None:
    node = ProtoMessage("Node", fields=[ProtoField("name", "string", 1), ProtoField("below", "Node", 2, repeated=True)])
    values = {"name": "a", "below": [{"name": "b", "below": []}]}
    assert node.deserialize(node.serialize(values)) == values


def test_parts_can_refer_to_each_other_through_the_file_they_will_be_in() -> None:
    answer = ProtoMessage("Answer", fields=[ProtoField("to", ".talk.Question", 1)])
    with pytest.raises(SchemaModelError) as caught:
        answer.serialize({})
    assert caught.value.path == "Answer.to"
    question = ProtoMessage("Question", package="talk", fields=[ProtoField("answers", answer, 1, repeated=True)])
    values = {"answers": [{"to": {"answers": []}}]}
    assert question.deserialize(question.serialize(values)) == values
    recompiled(question)


def test_names_are_looked_up_from_the_inside_out() -> None:
    inner = ProtoEnum("Kind", ["INNER"])
    outer = ProtoEnum("Kind", ["OUTER"])
    message = ProtoMessage(
        "M", package="p", enums=[inner], siblings=[outer],
        fields=[ProtoField("inner", "Kind", 1), ProtoField("outer", ".p.Kind", 2), ProtoField("same", outer, 3)],
    )  # fmt: skip
    fields = message.message_class.DESCRIPTOR.fields_by_name
    assert [fields[name].enum_type.full_name for name in ("inner", "outer", "same")] == ["p.M.Kind", "p.Kind", "p.Kind"]
    recompiled(message)


def test_nesting_goes_as_deep_as_parts_do() -> None:
    leaf = ProtoMessage("Leaf", fields=[ProtoField("at", "google.type.Date", 1)])
    branch = ProtoMessage("Branch", messages=[leaf], fields=[ProtoField("leaves", leaf, 1, map_key="string")])
    tree = ProtoMessage("Tree", package="wood", messages=[branch], fields=[ProtoField("leaf", "Branch.Leaf", 1)])
    assert tree.for_message("Leaf").name == "wood.Tree.Branch.Leaf"
    recompiled(tree)


def test_a_part_of_an_import_is_known_by_its_object() -> None:
    currency = ProtoEnum("Currency", ["CURRENCY_UNSPECIFIED", "EUR"])
    money = ProtoMessage("Money", package="money", fields=[ProtoField("currency", currency, 1)])
    price = ProtoMessage("Price", package="shop", imports=[money], fields=[ProtoField("currency", currency, 1)])
    assert price.message_class.DESCRIPTOR.fields_by_name["currency"].enum_type.full_name == "money.Currency"
    recompiled(price)


def test_any_schema_can_be_a_type_and_is_imported(money_text: str) -> None:
    money = load_schema(money_text, file_name="money.proto")
    price = ProtoMessage("Price", fields=[ProtoField("amount", money, 1), ProtoField("by_name", "money.v1.Money", 2)])
    assert price.file_set.imports() == ("money.proto",)
    assert price.deserialize(price.serialize({"amount": {"units": 3}}))["amount"] == {"currency": "", "units": 3}


def test_public_imports_are_seen_through(money_text: str) -> None:
    text = 'syntax = "proto3"; import public "money.proto"; message Wrapper {}'
    wrapper = load_schema(text, imports={"money.proto": money_text}, file_name="wrapper.proto")
    price = ProtoMessage("Price", imports=[wrapper], fields=[ProtoField("amount", "money.v1.Money", 1)])
    assert price.file_set.imports() == ("wrapper.proto",)
    recompiled(price)


def test_words_of_languages_are_names_like_any_other() -> None:
    words = [*KEYWORDS, "class", "from", "None", "_private", "__class__", "SerializeToString", "DESCRIPTOR"]
    kinds = [ProtoMessage(word, fields=[ProtoField("option", "int32", 1)]) for word in KEYWORDS]
    schema = ProtoMessage(
        "lambda",
        package="import.to",
        fields=[ProtoField(word, "int32", number) for number, word in enumerate(words, 1)],
        oneofs={"kind": [ProtoField(f"a_{kind.simple_name}", kind, 200 + n) for n, kind in enumerate(kinds)]},
        siblings=[
            ProtoMessage(
                "holder", enums=[ProtoEnum("words", [word for word in KEYWORDS if word not in {"option", "reserved"}])]
            )
        ],
    )
    values: dict[str, object] = {word: number for number, word in enumerate(words)}
    assert schema.deserialize(schema.serialize(values)) == values
    recompiled(schema)


def test_optional_fields_do_not_collide_with_names_that_begin_with_an_underscore() -> None:
    fields = [ProtoField("a", "int32", 1, optional=True), ProtoField("_a", "int32", 2, optional=True)]
    recompiled(ProtoMessage("M", fields=fields))


def presence(schema: ProtoMessage) -> dict[str, bool]:
    return {field.name: field.has_presence for field in schema.message_class.DESCRIPTOR.fields}


def test_proto2_has_required_fields_and_defaults() -> None:
    kind = ProtoEnum("Kind", {"ONE": 1, "TWO": 2})
    schema = ProtoMessage(
        "Old",
        syntax="proto2",
        fields=[
            ProtoField("id", "int64", 1, required=True),
            ProtoField("text", "string", 2, options={"default": 'a "b"\n\\'}),
            ProtoField("data", "bytes", 3, options={"default": b"\x00\xff'\"\\a"}),
            ProtoField("kind", kind, 4, options={"default": "TWO"}),
            ProtoField("ratio", "double", 5, options={"default": 0.1}),
            ProtoField("endless", "float", 6, options={"default": float("-inf")}),
            ProtoField("large", "double", 7, options={"default": 1e300}),
            ProtoField("third", "float", 8, options={"default": 1 / 3}),
            ProtoField("flag", "bool", 9, options={"default": True}),
            ProtoField("small", "int32", 10, options={"default": -(2**31)}),
            ProtoField("packed", "int32", 11, repeated=True, options={"packed": True}),
        ],
    )
    message: Message = schema.message_class()
    defaults = {f.name: f.default_value for f in message.DESCRIPTOR.fields if f.has_default_value}
    assert (defaults["text"], defaults["data"]) == ('a "b"\n\\', b"\x00\xff'\"\\a")
    assert (defaults["ratio"], defaults["large"], defaults["small"]) == (0.1, 1e300, -(2**31))
    assert presence(schema)["kind"] is True
    recompiled(schema)


def test_an_edition_keeps_presence_unless_a_feature_says_otherwise() -> None:
    schema = ProtoMessage(
        "New",
        syntax="2023",
        fields=[
            ProtoField("plain", "int32", 1),
            ProtoField("bare", "int32", 2, options={"features": {"field_presence": "IMPLICIT"}}),
            ProtoField("count", "int32", 3, options={"default": 5}),
        ],
    )
    assert presence(schema) == {"plain": True, "bare": False, "count": True}
    recompiled(schema)


def test_options_are_set_by_name() -> None:
    schema = ProtoMessage(
        "M",
        fields=[
            ProtoField("old", "int32", 1, options={"deprecated": True}),
            ProtoField("odd", "int32", 2, options={"json_name": "an odd \"name'"}),
            ProtoField("wide", "int32", 3, repeated=True, options={"packed": False}),
            ProtoField("big", "int64", 4, options={"jstype": "JS_STRING", "deprecated": True}, tags=["PII"]),
        ],
    )
    fields = schema.message_class.DESCRIPTOR.fields_by_name
    assert fields["old"].GetOptions().deprecated
    assert fields["odd"].json_name == "an odd \"name'"
    assert field_tags(fields["big"]) == ("PII",)
    assert schema.serialize({"wide": [1, 2]}) == b"\x18\x01\x18\x02"
    recompiled(schema)


def test_reservations_stand_in_the_text() -> None:
    kind = ProtoEnum("Kind", {"A": 0, "B": 1, "BB": 1}, allow_alias=True, reserved=[5, range(7, 9), "C"])
    schema = ProtoMessage("M", reserved=[2, range(10, 13), "old"], enums=[kind], fields=[ProtoField("kind", kind, 1)])
    assert "reserved" in schema.to_schema_string()
    recompiled(schema)


def test_a_custom_file_name_is_the_import_path() -> None:
    assert ProtoMessage("M", file_name="orders-run-1.proto").file_name == "orders-run-1.proto"
    assert ProtoMessage("LineItem", package="a.b").file_name == "a/b/line_item.proto"
    assert ProtoMessage("LineItem").file_name == "line_item.proto"


def test_two_versions_of_one_message_live_side_by_side() -> None:
    first = ProtoMessage("Order", fields=[ProtoField("id", "int32", 1)])
    second = ProtoMessage("Order", fields=[ProtoField("id", "string", 1)])
    assert first.deserialize(first.serialize({"id": 7})) == {"id": 7}
    assert second.deserialize(second.serialize({"id": "seven"})) == {"id": "seven"}
