from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, NewType, TypeVar
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, RootModel, SecretStr, create_model
from pydantic.dataclasses import dataclass as pydantic_dataclass

from protopact.compiler import print_file
from protopact.descriptor import FileSet, field_tags
from protopact.errors import ConfigError, SchemaModelError
from protopact.schema import Fixed64, Float32, Int32, load_schema, proto, proto_message, schema_of
from schemas.kinds import Order, Page

T = TypeVar("T")
Sku = NewType("Sku", str)


class Paid(Enum):
    YES = "yes"
    NO = "no"


class Level(IntEnum):
    LOW = 1
    HIGH = 9


class Item(BaseModel):
    sku: str


class Other(BaseModel):
    sku: str


def fields(model: type, message: str | None = None) -> dict[str, str]:
    """Each field as the `.proto` says it: name → declaration."""
    schema = schema_of(model)
    text = (schema.for_message(message) if message else schema).to_schema_string()
    body = text.partition(f"message {(message or schema.name).rpartition('.')[2]} {{")[2].partition("\n}")[0]
    lines = [line.strip().rstrip(";") for line in body.splitlines() if " = " in line]
    return {line.split(" = ")[0].split()[-1]: line for line in lines}


def refusals(model: type) -> dict[str, tuple[str, str]]:
    with pytest.raises(SchemaModelError) as caught:
        schema_of(model)
    return {issue.path: (issue.reason, issue.hint) for issue in caught.value.issues}


def field_type(annotation: object, **more: object) -> str:
    model = create_model("M", field=(annotation, ...), **more)
    (declaration,) = fields(model).values()
    return declaration.rpartition(" field")[0]


@pytest.mark.parametrize(
    ("annotation", "declared"),
    [
        (int, "int64"), (Int32, "int32"), (Fixed64, "fixed64"), (float, "double"), (Float32, "float"), (bool, "bool"),
        (str, "string"), (bytes, "bytes"), (int | None, "optional int64"), (Int32 | None, "optional int32"),
        (datetime, "google.protobuf.Timestamp"), (AwareDatetime | None, "google.protobuf.Timestamp"), (date, "string"),
        (Annotated[date, proto(type="google.type.Date")], "google.type.Date"), (Decimal, "string"),
        (Annotated[Decimal, proto(type="confluent.type.Decimal")], "confluent.type.Decimal"), (UUID, "string"),
        (Annotated[UUID, proto(type="bytes")], "bytes"), (list[int], "repeated int64"), (set[Int32], "repeated int32"),
        (tuple[str, ...], "repeated string"), (dict[str, int], "map<string, int64>"),
        (dict[UUID, Item], "map<string, Item>"),
        (dict[Int32, Paid], "map<int32, Paid>"), (Paid, "Paid"), (Paid | None, "optional Paid"), (Item | None, "Item"),
        (list[Item], "repeated Item"), (Literal["a", "b"], "string"), (Literal[1, 2], "int64"),
        (Literal[Paid.YES], "Paid"), (Literal["a"] | Sku | None, "optional string"), (Sku, "string"),
        (IPv4Address, "string"), (Decimal | Annotated[Decimal, Field(gt=0)], "string"),
        (dict[str, Any], "google.protobuf.Struct"), (Any, "google.protobuf.Value"), (Page[Item], "PageItem"),
        (Annotated[NaiveDatetime, proto(type="string")], "string"), (Annotated[Paid, proto(type="string")], "string"),
        (Annotated[list[int], proto(type="sint32")], "repeated sint32"),
    ],
)  # fmt: skip
def test_each_type_has_its_protobuf_type(annotation: object, declared: str) -> None:
    assert field_type(annotation) == declared


def test_a_union_is_a_oneof_with_a_member_for_each_type() -> None:
    class M(BaseModel):
        payment: Item | Annotated[Other, proto(name="other")] | None
        value: int | str

    assert list(fields(M).values()) == [
        "Item payment_item = 1", "Other other = 2", "int64 value_int = 3", "string value_str = 4",
    ]  # fmt: skip
    descriptor = schema_of(M).message_class.DESCRIPTOR
    assert [oneof.name for oneof in descriptor.oneofs] == ["payment", "value"]


def test_a_default_that_is_not_zero_makes_the_field_optional_so_that_absence_means_the_default() -> None:
    class M(BaseModel):
        a: int = 0
        b: int = 1
        c: str = ""
        d: float = -0.0
        e: list[int] = [1]
        f: Paid = Paid.YES
        g: Item = Item(sku="x")
        h: str = Field(default_factory=str)

    assert {name for name, line in fields(M).items() if line.startswith("optional")} == {"b", "d", "f", "h"}


def test_an_enum_gets_a_zero_and_its_name_before_its_values() -> None:
    class M(BaseModel):
        paid: Paid
        level: Level

    text = schema_of(M).to_schema_string()
    assert "PAID_UNSPECIFIED = 0;\n  PAID_YES = 1;\n  PAID_NO = 2;" in text
    assert "LEVEL_UNSPECIFIED = 0;\n  LEVEL_LOW = 1;\n  LEVEL_HIGH = 9;" in text


def test_numbers_are_said_or_the_next_free_ones_in_order() -> None:
    @proto_message(reserved=(2, "old"))
    class M(BaseModel):
        a: int
        b: Annotated[int, proto(number=1)]
        c: Annotated[int | None, proto(number=4, name="see")] = None
        d: int | Annotated[str, proto(number=6)]

    assert list(fields(M).values()) == [
        "int64 a = 3", "int64 b = 1", "optional int64 see = 4", "int64 d_int = 5", "string d_str = 6",
    ]  # fmt: skip


def test_tags_and_options_reach_the_descriptor() -> None:
    class M(BaseModel):
        mail: Annotated[str, proto(tags=("PII",), options={"deprecated": True})]

    field = schema_of(M).message_class.DESCRIPTOR.fields_by_name["mail"]
    assert field_tags(field) == ("PII",)
    assert field.GetOptions().deprecated


def test_everything_without_a_protobuf_form_is_named_at_once_with_its_path_and_a_remedy() -> None:
    class Deep(BaseModel):
        where: complex

    class Bad(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        fine: int
        table: list[list[int]]
        gaps: list[int | None]
        maybe: list[int] | None
        keys: dict[float, int]
        secret: SecretStr
        naive: NaiveDatetime
        mixed: Literal["a", 1]
        root: RootModel[int]
        either: int | list[int]
        same: UUID | Annotated[UUID, proto(type="bytes")]
        thing: range
        known: Annotated[range, proto(type="string")]
        width: Annotated[str, proto(type="int32")]
        open: Page
        deep: Deep

    found = refusals(Bad)
    assert set(found) == {f"Bad.{name}" for name in Bad.model_fields} - {"Bad.fine", "Bad.deep", "Bad.open"} | {
        "Deep.where", "Page.items",
    }  # fmt: skip
    assert all(hint for _, hint in found.values())
    assert found["Bad.maybe"] == (
        "None and empty are the same for a list or map in Protobuf",
        "drop `| None` and let it be empty, or put it into a model",
    )


def test_flags_are_refused_and_two_classes_of_one_name_as_well() -> None:
    flag = Flag("Rights", ["READ", "WRITE"])
    assert list(refusals(create_model("M", rights=(flag, ...)))) == ["M.rights"]
    twins = [create_model("Twin", a=(int, ...)), create_model("Twin", b=(int, ...))]
    assert list(refusals(create_model("M", one=(twins[0], ...), two=(twins[1], ...)))) == ["Twin"]


def test_a_number_used_twice_or_reserved_is_refused() -> None:
    class M(BaseModel):
        a: Annotated[int, proto(number=1)]
        b: Annotated[int, proto(number=1)]

    assert refusals(M) == {"M.b": ("the number 1 is a's", "a free number is 2")}


def test_a_name_that_two_fields_have_in_the_schema_is_refused() -> None:
    class M(BaseModel):
        pay: Item | Other
        pay_item: int

    assert "M.pay_item" in refusals(M)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="no model"):
        schema_of(int)
    with pytest.raises(ConfigError):
        schema_of("Order")  # type: ignore[call-overload]


def test_the_order_of_every_kind_prints_as_text_that_protoc_compiles_to_the_same_descriptors() -> None:
    schema = schema_of(Order)
    compiled = load_schema(schema.to_schema_string(), file_name=schema.file_name)
    assert (compiled.name, compiled.file_name) == ("shop.v1.Order", "shop/v1/order.proto")
    assert compiled.file_set.fingerprint == schema.file_set.fingerprint


def test_recursive_frozen_and_generic_models_stand_in_one_file_each_once() -> None:
    text = schema_of(Order).to_schema_string()
    assert [line.split()[1] for line in text.splitlines() if line.startswith("message")] == [
        "Order", "Item", "Card", "Voucher", "PageItem", "Category",
    ]  # fmt: skip


@proto_message(package="shared.v1")
class Money(BaseModel):
    units: int
    paid: Paid


@proto_message(package="shop.v1", file_name="shop/bill.proto")
class Bill(BaseModel):
    total: Money
    state: Paid


def test_a_model_that_says_its_package_is_a_file_of_its_own_which_others_import() -> None:
    schema = schema_of(Bill)
    assert schema.file_set.imports() == ("shared/v1/money.proto",)
    assert fields(Bill) == {"total": "shared.v1.Money total = 1", "state": "shared.v1.Paid state = 2"}
    assert print_file(schema.file_set, "shared/v1/money.proto") == schema_of(Money).to_schema_string()


def test_two_files_that_would_import_each_other_are_refused() -> None:
    one: Any = create_model("One", two=("Two", ...))
    two: Any = create_model("Two", one=(one | None, None))
    one.model_rebuild(_types_namespace={"Two": two})
    proto_message(package="a")(one)
    proto_message(package="b")(two)
    assert list(refusals(one)) == ["One"]


def test_a_type_that_is_not_defined_yet_is_named() -> None:
    model = create_model("Early", later=("Later", ...))
    ((path, (reason, _)),) = refusals(model).items()
    assert path == "Early"
    assert "Later" in reason


@dataclasses.dataclass
class Line:
    sku: str
    count: Int32 = 1


@pydantic_dataclass
class Basket:
    lines: list[Line]
    owner: Owner


@pydantic_dataclass
class Owner:
    name: str


def test_dataclasses_have_schemas_too() -> None:
    assert fields(Line) == {"sku": "string sku = 1", "count": "optional int32 count = 2"}
    assert fields(Basket) == {"lines": "repeated Line lines = 1", "owner": "Owner owner = 2"}


def test_excluded_and_private_fields_stay_out_and_aliases_do_not_name_fields() -> None:
    class M(BaseModel):
        model_config = ConfigDict(validate_by_name=True)
        order_id: int = Field(alias="id")
        cache: int = Field(0, exclude=True)
        _hidden: int = 0

    assert list(fields(M)) == ["order_id"]


def test_a_schema_is_derived_once_and_linked_whole() -> None:
    first, again = schema_of(Order), schema_of(Order)
    assert first.message_class is again.message_class
    assert FileSet.from_bytes(first.file_name, first.file_set.to_bytes()) == first.file_set
    assert first.message_index == (0,)


def test_without_pydantic_the_error_names_the_extra_and_the_rest_works() -> None:
    code = """
import sys
sys.modules["pydantic"] = None
from protopact.errors import MissingExtraError
from protopact.schema import load_schema, schema_of, ProtoMessage, ProtoField
assert ProtoMessage("M", fields=[ProtoField("a", "int32", 1)]).serialize({"a": 1}) == b"\\x08\\x01"
class Model: pass
for use in (lambda: schema_of(Model), lambda: __import__("protopact.schema", fromlist=["Int32"]).Int32):
    try:
        use()
    except MissingExtraError as error:
        assert "protopact[pydantic]" in error.hint
    else:
        raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
