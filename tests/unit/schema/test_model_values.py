from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StrictInt, create_model, field_validator

from protopact.errors import ConversionError, SchemaModelError, WrongTypeError
from protopact.schema import Int32, load_schema, model_decoder, model_encoder, proto, proto_message, schema_of
from schemas.kinds import Card, Frozen, Order, Voucher, an_order


def through_bytes(value: Any, model: type | None = None) -> Any:
    cls = schema_of(type(value)).message_class
    payload = cls.SerializeToString(model_encoder(type(value), cls)(value))
    return model_decoder(model or type(value), cls)(cls.FromString(payload))


def read(model: type, **values: object) -> Any:
    schema = schema_of(model)
    return model_decoder(model, schema.message_class)(schema.new_message(values))


def issues(call: Any) -> dict[str, str]:
    with pytest.raises(ConversionError) as caught:
        call()
    return {issue.path: issue.reason for issue in caught.value.issues}


class State(Enum):
    OPEN = "open"
    SHUT = "shut"


def test_an_order_of_every_kind_comes_back_as_it_was() -> None:
    order = an_order()
    assert through_bytes(order) == order
    assert schema_of(Order).serialize(order) == schema_of(Order).serialize(order.model_copy(deep=True))


def test_a_field_that_is_absent_has_its_default_and_one_without_default_is_missing() -> None:
    class M(BaseModel):
        count: int
        state: State
        many: Int32 = 5
        label: str | None
        note: str | None = "none"
        card: Card | Voucher | None

    assert issues(lambda: read(M)) == {"$.state": "Field required"}
    found = read(M, state="STATE_SHUT")
    assert found == M(count=0, state=State.SHUT, many=5, label=None, note=None, card=None)


def test_none_survives_beside_another_default() -> None:
    class M(BaseModel):
        note: str | None = "none"

    assert through_bytes(M(note=None)) == M(note=None)


def test_an_empty_nested_model_is_not_an_absent_one() -> None:
    class Empty(BaseModel):
        a: int = 0

    class M(BaseModel):
        must: Empty
        may: Empty | None = None

    assert through_bytes(M(must=Empty(), may=Empty())) == M(must=Empty(), may=Empty())
    assert through_bytes(M(must=Empty())).may is None


def test_a_union_gives_the_very_member_that_was_written_however_alike_they_are() -> None:
    class M(BaseModel):
        card: Card | Voucher
        value: str | UUID | int | bool | Decimal | date

    for value in ("1", uuid4(), 1, True, Decimal("1.0"), date(2026, 1, 1), "2026-01-01"):
        found = through_bytes(M(card=Voucher(number="1"), value=value))
        assert (type(found.value), found.value) == (type(value), value)
        assert type(found.card) is Voucher


def test_a_members_subclass_is_written_as_the_member() -> None:
    class Gold(Card):
        level: int = 1

    class M(BaseModel):
        card: Card | Voucher

    assert through_bytes(M(card=Gold(number="1"))) == M(card=Card(number="1"))


def test_what_pydantic_refuses_is_named_by_its_place_in_the_message() -> None:
    class Part(BaseModel):
        size: int = Field(gt=0)

    class M(BaseModel):
        parts: list[Part]
        by_name: dict[str, Part]
        one: Part | int
        price: Decimal

    bad, good = {"size": -1}, {"size": 1}
    assert issues(lambda: read(M, parts=[good, bad], by_name={"a b": bad}, one_part=bad, price="x")) == {
        "$.parts[1].size": "Input should be greater than 0",
        "$.by_name['a b'].size": "Input should be greater than 0",
        "$.one.size": "Input should be greater than 0",
        "$.price": "Input should be a valid decimal",
    }


def test_errors_hold_no_values() -> None:
    class M(BaseModel):
        key: UUID

    with pytest.raises(ConversionError) as caught:
        read(M, key="secret-text")
    assert "secret" not in str(caught.value)


def test_values_that_protobuf_cannot_hold_are_named_when_written() -> None:
    class M(BaseModel):
        at: datetime
        wide: int
        narrow: Annotated[int, proto(type="int32")]

    encode = model_encoder(M, schema_of(M).message_class)
    value = M(at=datetime(2026, 1, 1), wide=2**63, narrow=2**31)  # noqa: DTZ001  (that is its mistake)
    assert set(issues(lambda: encode(value))) == {"$.at", "$.wide", "$.narrow"}


def test_a_model_that_was_changed_past_its_validation_is_refused_by_its_path() -> None:
    class Part(BaseModel):
        size: int
        key: UUID

    class M(BaseModel):
        parts: list[Part]

    encode = model_encoder(M, schema_of(M).message_class)
    value = M(parts=[Part(size=1, key=uuid4())])
    value.parts[0].size = "many"  # type: ignore[assignment]
    assert set(issues(lambda: encode(value))) == {"$.parts[0].size"}
    value.parts[0] = 7  # type: ignore[call-overload]
    assert set(issues(lambda: encode(value))) == {"$.parts[0]"}
    del value.__dict__["parts"]
    assert set(issues(lambda: encode(value))) == {"$.parts"}


def test_a_model_that_holds_itself_is_refused() -> None:
    class Node(BaseModel):
        below: list[Node] = []

    Node.model_rebuild(_types_namespace={"Node": Node})
    node = Node()
    node.below.append(node)
    encode = model_encoder(Node, schema_of(Node).message_class)
    assert set(issues(lambda: encode(node))) == {"$"}


def test_another_class_is_refused_both_ways() -> None:
    schema = schema_of(Card)
    with pytest.raises(WrongTypeError):
        model_encoder(Card, schema.message_class)(Voucher(number="1"))  # type: ignore[arg-type]
    with pytest.raises(WrongTypeError):
        model_decoder(Card, schema.message_class)(schema_of(Voucher).new_message())


def test_aliases_strictness_validators_and_private_names_do_not_stand_in_the_way() -> None:
    class M(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid", use_enum_values=True)
        first: date = Field(alias="FIRST")
        second: UUID = Field(validation_alias=AliasChoices("two", "zwei"))
        third: StrictInt
        state: State = State.OPEN

        @field_validator("third")
        @classmethod
        def _is_odd(cls, value: int) -> int:
            if value % 2 == 0:
                raise ValueError("is even")
            return value

    value = M.model_validate({"FIRST": date(2026, 1, 1), "two": uuid4(), "third": 3, "state": State.SHUT})
    assert through_bytes(value) == value
    assert value.state == "shut"  # type: ignore[comparison-overlap]
    assert issues(lambda: read(M, first="2026-01-01", second=str(uuid4()), third=2)) == {
        "$.third": "Value error, is even"
    }


def test_field_names_that_python_reserves_or_that_messages_have_as_methods_work() -> None:
    model = create_model("M", **{"class": (str, ...), "SerializeToString": (int, ...), "values": (list[State], ...)})
    value = model(**{"class": "x", "SerializeToString": 3, "values": ["open"]})
    assert through_bytes(value) == value


def test_types_that_only_pydantic_knows_are_written_as_the_type_they_say() -> None:
    class M(BaseModel):
        pattern: Annotated[complex, proto(type="string")]
        state: Annotated[State, proto(type="string")]

    value = M(pattern=1 + 2j, state=State.SHUT)
    assert schema_of(M).deserialize(schema_of(M).serialize(value)) == {"pattern": "1+2j", "state": "shut"}
    assert through_bytes(value) == value


def test_timestamps_finer_than_python_lose_their_nanoseconds_and_nothing_else() -> None:
    class M(BaseModel):
        at: datetime
        wait: timedelta

    found = read(M, at="2026-01-31T12:00:00.123456789Z", wait="1.5s")
    assert found == M(at=datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC), wait=timedelta(seconds=1.5))


# ── versions and foreign schemas ─────────────────────────────────────────────────────────────────


def test_a_model_reads_what_an_older_and_a_newer_version_of_it_wrote() -> None:
    old = create_model("M", id=(int, ...), gone=(str, "x"))
    new = create_model("M", id=(int, ...), added=(int, 5))
    strict = create_model("M", id=(int, ...), __config__=ConfigDict(extra="forbid"))
    needy = create_model("M", id=(int, ...), added=(int, ...))
    assert through_bytes(old(id=1, gone="y"), new) == new(id=1, added=5)
    assert through_bytes(new(id=1, added=9), old) == old(id=1)
    assert through_bytes(new(id=1, added=9), strict) == strict(id=1)
    with pytest.raises(SchemaModelError) as caught:
        through_bytes(old(id=1), needy)
    assert caught.value.path == "M.added"


def test_said_numbers_find_a_field_that_was_renamed() -> None:
    @proto_message("M")
    class Old(BaseModel):
        mail: Annotated[str, proto(number=2)]
        other: Annotated[int, proto(number=3)]

    @proto_message("M")
    class New(BaseModel):
        other: Annotated[str, proto(number=2)]
        mail: Annotated[int, proto(number=3)] = 0

    assert through_bytes(Old(mail="x", other=7), New) == New(other="x", mail=7)


EXISTING = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Order {
  sint32 id = 9;
  string customer_name = 2;
  google.protobuf.Timestamp at = 3;
  enum State { OPEN = 0; SHUT = 1; }
  State state = 4;
  oneof payment { string card = 5; bytes voucher = 6; }
  repeated string tags = 7;
  map<string, Line> lines = 8;
  message Line { int32 count = 1; optional string note = 2; }
}
"""


def test_a_model_is_mapped_onto_a_schema_that_exists() -> None:
    class Line(Frozen):
        count: int
        note: str | None = None

    class Order(Frozen):
        id: int
        customer: Annotated[str, proto(name="customer_name")]
        at: datetime
        state: State
        payment: Annotated[str, proto(name="card")] | Annotated[UUID, proto(name="voucher", type="bytes")]
        tags: set[str]
        lines: dict[str, Line]

    existing = load_schema(EXISTING)
    schema = schema_of(Order, onto=existing)
    assert (schema.name, schema.file_set) == ("shop.Order", existing.file_set)
    order = Order(
        id=1, customer="Ada", at=datetime(2026, 1, 1, tzinfo=UTC), state=State.SHUT, payment=uuid4(), tags={"a"},
        lines={"a": Line(count=1, note="")},
    )  # fmt: skip
    payload = schema.serialize(order)
    assert existing.deserialize(payload)["state"] == "SHUT"
    decode = model_decoder(Order, existing.message_class)
    assert decode(existing.message_class.FromString(payload)) == order


def test_every_mismatch_with_a_schema_that_exists_is_named_at_once() -> None:
    class Line(BaseModel):
        count: int | None
        price: Decimal = Decimal(0)

    class More(Enum):
        OPEN = "open"
        LOST = "lost"

    class Order(BaseModel):
        id: str
        customer: str
        at: str
        state: More
        tags: str
        lines: dict[int, Line]
        payment: Annotated[str, proto(name="card")] | Annotated[int, proto(name="id")]

    with pytest.raises(SchemaModelError) as caught:
        schema_of(Order, onto=load_schema(EXISTING))
    found = {issue.path: issue.reason for issue in caught.value.issues}
    assert found == {
        "Order.id": "shop.Order.id is sint32",
        "Order.customer": "shop.Order has no such field",
        "Order.at": "shop.Order.at is google.protobuf.Timestamp",
        "Order.state": "shop.Order.State has no value for LOST",
        "Order.tags": "shop.Order.tags is a list, the model's field a single value",
        "Order.lines": "shop.Order.LinesEntry.key is string",
        "Order.payment": "card, id are not members of one oneof",
        "Line.count": "shop.Order.Line.count cannot tell None from its zero value",
        "Line.price": "shop.Order.Line has no such field",
    }
    assert all(issue.hint for issue in caught.value.issues)


def test_code_for_hostile_names_holds_them_as_text_alone() -> None:
    name = "a']; import os; x['"
    model = create_model("M", **{name: (Annotated[str, proto(name="fine")], ...)})
    value = model(**{name: "x"})
    assert through_bytes(value) == value
    assert repr(name) in schema_of(model).value_code()
