from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

from protopact.convert import dict_decoder, from_dict, to_dict
from protopact.errors import ConversionError, WrongTypeError
from protopact.schema import load_schema

if TYPE_CHECKING:
    from google.protobuf.message import Message


def test_fields_without_presence_are_always_there_in_the_order_of_their_numbers(rich: Any) -> None:
    values = to_dict(rich())
    assert list(values)[:3] == ["a_double", "a_float", "an_int32"]
    assert values["an_int64"] == 0
    assert values["a_string"] == ""
    assert values["some_bytes"] == b""
    assert values["color"] == "COLOR_UNSPECIFIED"
    assert values["numbers"] == []
    assert values["by_word"] == {}


def test_fields_with_presence_are_there_only_when_set(rich: Any) -> None:
    unset = to_dict(rich())
    assert not {"maybe_int64", "part", "choice_text", "at", "wrapped_int64", "any_value"} & set(unset)
    message = rich(maybe_int64=0, part={}, choice_text="", at={}, wrapped_int64={})
    values = to_dict(message)
    assert values["maybe_int64"] == 0
    assert values["part"] == {"sku": "", "count": 0}
    assert values["choice_text"] == ""
    assert values["at"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert values["wrapped_int64"] == 0


def test_values_keep_pythons_own_types(rich: Any) -> None:
    values = to_dict(rich(an_int64=2**60, a_uint64=2**64 - 1, some_bytes=b"\x86", a_bool=True, a_double=-0.0))
    assert values["an_int64"] == 2**60
    assert values["a_uint64"] == 2**64 - 1
    assert values["some_bytes"] == b"\x86"
    assert values["a_bool"] is True
    assert math.copysign(1, values["a_double"]) == -1  # type: ignore[arg-type]


def test_an_enum_is_its_first_name_and_an_unknown_number_stays_an_int(rich: Any) -> None:
    values = to_dict(rich(color=2, colors=[1, 99], by_flag={True: 7}))
    assert values["color"] == "COLOR_GREEN"
    assert values["colors"] == ["COLOR_RED", 99]
    assert values["by_flag"] == {True: 7}


def test_an_enum_is_a_number_on_request(rich: Any) -> None:
    assert to_dict(rich(color=2, colors=[1]), enums="number")["color"] == 2


def test_a_map_is_a_dict_with_keys_of_its_own_type(rich: Any) -> None:
    values = to_dict(rich(by_number={-1: "a"}, by_flag={False: 1}, part_by_word={"k": {"sku": "x"}}))
    assert values["by_number"] == {-1: "a"}
    assert values["by_flag"] == {False: "COLOR_RED"}
    assert values["part_by_word"] == {"k": {"sku": "x", "count": 0}}


@pytest.mark.parametrize(
    ("seconds", "nanos", "value", "text"),
    [
        (0, 0, datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00Z"),
        (-1, 1000, datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), "1969-12-31T23:59:59.000001Z"),
        (1, 1, "1970-01-01T00:00:01.000000001Z", "1970-01-01T00:00:01.000000001Z"),
        (-62135596800, 0, datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (253402300799, 999_999_000, datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        (253402300799, 999_999_999, "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        (253402300800, 0, {"seconds": 253402300800, "nanos": 0}, {"seconds": 253402300800, "nanos": 0}),
        (-62135596801, 5, {"seconds": -62135596801, "nanos": 5}, {"seconds": -62135596801, "nanos": 5}),
        (0, -1000, {"seconds": 0, "nanos": -1000}, {"seconds": 0, "nanos": -1000}),
        (0, 1_500_000, datetime(1970, 1, 1, 0, 0, 0, 1500, tzinfo=UTC), "1970-01-01T00:00:00.001500Z"),
        (0, 500_000_000, datetime(1970, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC), "1970-01-01T00:00:00.500Z"),
    ],
)
def test_a_timestamp_is_a_datetime_where_exact_else_text_else_its_fields(
    rich: Any, seconds: int, nanos: int, value: object, text: object
) -> None:
    message = rich(at={"seconds": seconds, "nanos": nanos})
    assert to_dict(message)["at"] == value
    assert to_dict(message, timestamps="rfc3339")["at"] == text
    assert from_dict({"at": value}, rich) == from_dict({"at": text}, rich) == message


@pytest.mark.parametrize(
    ("seconds", "nanos", "value", "text"),
    [
        (0, 0, timedelta(0), "0s"),
        (1, 500_000_000, timedelta(seconds=1.5), "1.500s"),
        (-1, -500_000_000, timedelta(seconds=-1.5), "-1.500s"),
        (0, -1000, timedelta(microseconds=-1), "-0.000001s"),
        (1, 1, "1.000000001s", "1.000000001s"),
        (-315576000000, -999_999_999, "-315576000000.999999999s", "-315576000000.999999999s"),
        (1, -1, {"seconds": 1, "nanos": -1}, {"seconds": 1, "nanos": -1}),
        (315576000001, 0, {"seconds": 315576000001, "nanos": 0}, {"seconds": 315576000001, "nanos": 0}),
    ],
)
def test_a_duration_is_a_timedelta_where_exact_else_text_else_its_fields(
    rich: Any, seconds: int, nanos: int, value: object, text: object
) -> None:
    message = rich(lasts={"seconds": seconds, "nanos": nanos})
    assert to_dict(message)["lasts"] == value
    assert to_dict(message, timestamps="rfc3339")["lasts"] == text
    assert from_dict({"lasts": value}, rich) == from_dict({"lasts": text}, rich) == message


def test_wrappers_structs_and_values_are_plain(rich: Any) -> None:
    message = rich(wrapped_text={"value": "w"}, wrapped_list=[{"value": 1}, {}])
    message.facts.update({"a": [1, None, {"b": True}], "c": "x"})
    message.any_value.null_value = 0
    message.listed.extend([1.5, "y", None])
    message.value_by_word["k"].number_value = math.inf
    values = to_dict(message)
    assert values["wrapped_text"] == "w"
    assert values["wrapped_list"] == [1, 0]
    assert values["facts"] == {"a": [1.0, None, {"b": True}], "c": "x"}
    assert values["any_value"] is None
    assert values["listed"] == [1.5, "y", None]
    assert values["value_by_word"] == {"k": math.inf}


def test_any_and_field_mask_are_their_plain_fields(rich: Any) -> None:
    message = rich(packed={"type_url": "type.googleapis.com/x.Y", "value": b"\x01"}, mask={"paths": ["a.b"]})
    values = to_dict(message)
    assert values["packed"] == {"type_url": "type.googleapis.com/x.Y", "value": b"\x01"}
    assert values["mask"] == {"paths": ["a.b"]}


def test_a_well_known_type_on_its_own_is_a_dict() -> None:
    struct = Struct()
    struct.update({"a": 1})
    assert to_dict(struct) == {"a": 1.0}
    assert from_dict({"a": 1.0}, Struct) == struct
    assert to_dict(timestamp_pb2.Timestamp(seconds=5)) == {"seconds": 5, "nanos": 0}


def test_names_that_shadow_methods_or_are_words_of_python_are_only_names(awkward: Any) -> None:
    values: dict[str, object] = {
        "HasField": 1,
        "SerializeToString": "s",
        "CopyFrom": [1],
        "DESCRIPTOR": 0,
        "class": "c",
        "from": "",
        "WhichOneof": {"a": 1},
        "snake_case_name": 2,
        "spelled": 3,
        "True": 4,
        "__class__": "k",
        "IsInitialized": 5,
    }
    message = from_dict(values | {"SetInParent": {}}, awkward)
    assert to_dict(message) == values | {"SetInParent": to_dict(awkward())}


def test_groups_are_messages_and_defaults_of_unset_fields_are_left_out(old: Any) -> None:
    message = old(id="x", line=[{"text": "t", "kind": 2}], head={})
    assert to_dict(message) == {"id": "x", "line": [{"text": "t", "kind": "SECOND"}], "head": {}, "leaves": {}}


def test_what_was_read_is_a_copy(rich: Any) -> None:
    message = rich(numbers=[1], by_word={"a": 1})
    values = to_dict(message)
    values["numbers"].append(2)  # type: ignore[union-attr,arg-type]
    values["by_word"]["b"] = 2  # type: ignore[index,call-overload]
    assert list(message.numbers) == [1]
    assert dict(message.by_word) == {"a": 1}


def test_a_decoder_takes_only_messages_of_its_class(rich: Any, old: Any) -> None:
    with pytest.raises(WrongTypeError):
        dict_decoder(rich)(old())


@pytest.mark.parametrize("depth", [101, 5000])
def test_a_message_nested_too_deep_is_a_conversion_error(rich: Any, depth: int) -> None:
    message = inner = rich()
    for _ in range(depth):
        inner.below.SetInParent()
        inner = inner.below
    with pytest.raises(ConversionError, match="100 deep"):
        to_dict(message)


@pytest.mark.parametrize("kind", ["list", "struct"])
def test_values_nested_too_deep_are_a_conversion_error(rich: Any, kind: str) -> None:
    message = rich()
    value = message.any_value
    for _ in range(2000):
        value = value.list_value.values.add() if kind == "list" else value.struct_value.fields["a"]
    with pytest.raises(ConversionError, match="100 deep"):
        to_dict(message)


def test_a_foreign_type_with_a_well_known_name_is_a_plain_message() -> None:
    file = FileDescriptorProto(name="google/protobuf/timestamp.proto", package="google.protobuf", syntax="proto3")
    stamp = file.message_type.add(name="Timestamp")
    stamp.field.add(name="when", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    holder = file.message_type.add(name="Holder")
    holder.field.add(name="at", number=1, type=11, label=1, type_name=".google.protobuf.Timestamp")
    pool = DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    cls: type[Message] = GetMessageClass(pool.FindMessageTypeByName("google.protobuf.Holder"))
    values: dict[str, object] = {"at": {"when": "noon"}}
    assert to_dict(from_dict(values, cls)) == values


def test_a_long_chain_of_types_is_built_without_recursion() -> None:
    file = FileDescriptorProto(name="chain.proto", package="chain", syntax="proto3")
    for number in range(400):
        message = file.message_type.add(name=f"M{number}")
        if number < 399:
            message.field.add(name="next", number=1, type=11, label=1, type_name=f".chain.M{number + 1}")
    pool = DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call]
    cls: type[Message] = GetMessageClass(pool.FindMessageTypeByName("chain.M0"))
    assert to_dict(from_dict({"next": {"next": {}}}, cls)) == {"next": {"next": {}}}


@pytest.mark.parametrize("recursive", ["", "optional M below = 2;"], ids=["flat", "counted"])
def test_a_key_of_a_map_that_is_no_text_is_a_conversion_error(recursive: str) -> None:
    """proto2 keeps such keys; what stands under them cannot be asked for."""
    text = f'syntax = "proto2"; message M {{ enum E {{ A = 0; }} map<string, E> held = 1; {recursive} }}'
    message = load_schema(text).message_class.FromString(b"\x0a\x05\x0a\x03fo\xfa")
    with pytest.raises(ConversionError, match="not valid UTF-8"):
        to_dict(message)
