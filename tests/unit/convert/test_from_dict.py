from __future__ import annotations

import copy
import math
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.message import DecodeError

from protopact.compiler import compile_text
from protopact.convert import dict_encoder, from_dict, to_dict
from protopact.descriptor import message_class
from protopact.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.descriptor import FileSet

AT = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)


def issues(data: Mapping[str, object], message_class: Any) -> dict[str, str]:
    with pytest.raises(ConversionError) as refused:
        from_dict(data, message_class)
    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None
    return {issue.path: issue.reason for issue in refused.value.issues}


def hint(data: Mapping[str, object], message_class: Any) -> str:
    with pytest.raises(ConversionError) as refused:
        from_dict(data, message_class)
    return refused.value.hint


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def test_a_field_is_given_by_its_name_or_its_json_name(rich: Any, awkward: Any) -> None:
    assert from_dict({"maybeInt64": 1}, rich) == from_dict({"maybe_int64": 1}, rich) == rich(maybe_int64=1)
    assert from_dict({"an odd \"name'\n": 3}, awkward) == awkward(spelled=3)


def test_a_field_given_by_both_names_is_refused(rich: Any) -> None:
    assert issues({"maybeInt64": 1, "maybe_int64": 1}, rich) == {
        "$.maybeInt64": "the field is given twice, also as 'maybe_int64'"
    }


def test_an_unknown_key_names_the_nearest_field(rich: Any) -> None:
    assert issues({"a_boool": True, "§": 1}, rich) == {
        "$.a_boool": "rich.v1.Rich has no such field; did you mean 'a_bool'?",
        '$["\\u00a7"]': "rich.v1.Rich has no such field",
    }


def test_a_key_that_is_no_text_is_refused(rich: Any) -> None:
    assert issues({3: 1, None: 2}, rich) == {  # type: ignore[dict-item]
        "$[3]": "a field's name is a str, not an int",
        "$[NoneType]": "a field's name is a str, not None",
    }


def test_none_leaves_a_field_unset(rich: Any) -> None:
    unset = dict.fromkeys(("an_int32", "maybe_int64", "part", "parts", "by_word", "at", "choice_text", "color"))
    assert from_dict(unset, rich) == rich()


def test_none_for_a_value_is_its_null(rich: Any) -> None:
    message = from_dict({"any_value": None, "any_values": [None, 1], "value_by_word": {"k": None}}, rich)
    assert message.any_value.WhichOneof("kind") == "null_value"
    assert message.any_values[0].WhichOneof("kind") == "null_value"
    assert message.value_by_word["k"].WhichOneof("kind") == "null_value"


# ── all issues at once, with their paths ─────────────────────────────────────────────────────────


def test_every_issue_is_told_with_its_path(rich: Any) -> None:
    data: dict[str, object] = {
        "an_int32": "1",
        "parts": [{}, {"sku": 1}, 3, {"inner": {"inner": {"count": 1.0}}}],
        "part_by_word": {"k": {"x": 1}, 'a"b': None},
        "below_by_word": {"k": {"numbers": [0, True]}},
        "by_number": {"1": "a", 2: 3},
        "at": "yesterday",
        "time_by_id": {7: 7},
    }
    assert issues(data, rich) == {
        "$.an_int32": "needs an int for int32, not a str",
        "$.parts[1].sku": "needs a str, not an int",
        "$.parts[2]": "needs a mapping or a rich.v1.Rich.Part message, not an int",
        "$.parts[3].inner.inner.count": "needs an int for int32, not a float",
        '$.part_by_word["k"].x': "rich.v1.Rich.Part has no such field",
        '$.part_by_word["a\\"b"]': "needs a mapping or a rich.v1.Rich.Part message, not None",
        '$.below_by_word["k"].numbers[1]': "needs an int for int32, not a bool",
        '$.by_number["1"]': "needs an int for int32, not a str",
        "$.by_number[2]": "needs a str, not an int",
        "$.at": "the text is no RFC 3339 time",
        "$.time_by_id[7]": "needs a datetime, text or a message, not an int",
    }


def test_an_error_never_quotes_a_value(rich: Any) -> None:
    secret = "4929-1234-5678"
    data: dict[str, object] = {"an_int32": secret, "color": secret, "at": secret, "lasts": secret, "a_bool": secret}
    with pytest.raises(ConversionError) as refused:
        from_dict(data, rich)
    assert secret not in str(refused.value.issues) + str(refused.value) + refused.value.hint


def test_the_top_level_must_be_a_mapping(rich: Any) -> None:
    for data in (None, [], "text", 3, rich()):
        assert list(issues(data, rich)) == ["$"]


# ── strict scalars ───────────────────────────────────────────────────────────────────────────────

INTEGERS = {
    "an_int32": (-(2**31), 2**31 - 1),
    "a_sint32": (-(2**31), 2**31 - 1),
    "a_sfixed32": (-(2**31), 2**31 - 1),
    "an_int64": (-(2**63), 2**63 - 1),
    "a_sint64": (-(2**63), 2**63 - 1),
    "a_sfixed64": (-(2**63), 2**63 - 1),
    "a_uint32": (0, 2**32 - 1),
    "a_fixed32": (0, 2**32 - 1),
    "a_uint64": (0, 2**64 - 1),
    "a_fixed64": (0, 2**64 - 1),
}


@pytest.mark.parametrize(("field", "low", "high"), [(name, *limits) for name, limits in INTEGERS.items()])
def test_an_integer_keeps_to_its_range(rich: Any, field: str, low: int, high: int) -> None:
    for value in (low, high):
        assert to_dict(from_dict({field: value}, rich))[field] == value
    for value in (low - 1, high + 1, 10**5000):
        assert "out of range" in issues({field: value}, rich)[f"$.{field}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("an_int32", True),
        ("an_int32", 1.0),
        ("an_int32", "1"),
        ("a_bool", 1),
        ("a_bool", "true"),
        ("a_double", True),
        ("a_double", "1.5"),
        ("a_float", False),
        ("a_string", b"hi"),
        ("a_string", 1),
        ("some_bytes", "hi"),
        ("some_bytes", [1]),
        ("color", True),
        ("color", 1.0),
        ("color", 2**31),
        ("numbers", 1),
        ("numbers", {1: 1}),
        ("words", "ab"),
        ("blobs", b"ab"),
        ("by_word", [("a", 1)]),
        ("part", []),
        ("part", "sku"),
        ("at", 1.5),
        ("at", date(2026, 1, 1)),
        ("lasts", 3),
        ("wrapped_int64", {"value": 1}),
        ("wrapped_text", 1),
        ("facts", [1]),
        ("listed", {}),
        ("any_value", b"x"),
        ("any_value", {1, 2}),
        ("any_value", {1: 2}),
    ],
)
def test_a_value_of_another_type_is_refused(rich: Any, field: str, value: object) -> None:
    assert [path.partition("[")[0] for path in issues({field: value}, rich)] == [f"$.{field}"]


def test_text_for_bytes_is_refused_with_the_remedy(rich: Any) -> None:
    assert "base64" in hint({"some_bytes": "hi"}, rich)


@pytest.mark.parametrize("value", [b"hi", bytearray(b"hi"), memoryview(b"hi")])
def test_bytes_of_any_kind_are_taken(rich: Any, value: object) -> None:
    assert from_dict({"some_bytes": value, "blobs": [value]}, rich) == rich(some_bytes=b"hi", blobs=[b"hi"])


def test_an_int_is_taken_for_a_float_field_only_when_exact(rich: Any) -> None:
    assert from_dict({"a_double": 2**53, "a_float": 2**24}, rich) == rich(a_double=2.0**53, a_float=2.0**24)
    assert issues({"a_double": 2**53 + 1, "a_float": 2**24 + 1}, rich) == {
        "$.a_double": "the int has no exact double",
        "$.a_float": "the int has no exact float (32 bits)",
    }
    assert "out of range" in issues({"a_double": 10**400}, rich)["$.a_double"]


def test_a_float_that_overflows_32_bits_is_refused_and_infinity_is_not(rich: Any) -> None:
    assert "out of range" in issues({"a_float": 1e39}, rich)["$.a_float"]
    assert "out of range" in issues({"a_float": 2**200}, rich)["$.a_float"]
    assert from_dict({"a_float": -math.inf}, rich).a_float == -math.inf
    assert math.isnan(from_dict({"a_float": math.nan}, rich).a_float)
    assert from_dict({"a_float": 3.4028234663852886e38}, rich).a_float == 3.4028234663852886e38


def test_a_lone_surrogate_is_refused(rich: Any) -> None:
    data = {"a_string": "ok\ud800", "words": ["é", "\udfff"], "by_word": {"\ud800": 1}, "facts": {"a": "\ud800"}}
    assert list(issues(data, rich)) == ["$.a_string", "$.words[1]", '$.by_word["\\ud800"]', '$.facts["a"]']


def test_an_enum_is_given_by_name_or_number(rich: Any) -> None:
    class Color(IntEnum):
        RED = 1

    data = {"color": "COLOR_VERDANT", "colors": [Color.RED, 77, "COLOR_RED"], "maybe_color": 0}
    assert from_dict(data, rich) == rich(color=2, colors=[1, 77, 1], maybe_color=0)
    assert issues({"color": "COLOR_REDD"}, rich)["$.color"].endswith("did you mean 'COLOR_RED'?")


def test_a_closed_enum_refuses_unknown_numbers(old: Any) -> None:
    assert issues({"id": "", "closed": 9}, old) == {"$.closed": "old.v1.Closed is closed and has no such number"}


# ── oneofs and required fields ───────────────────────────────────────────────────────────────────


def test_two_members_of_a_oneof_are_refused(rich: Any) -> None:
    assert issues({"choice_text": "", "choiceNumber": 0}, rich) == {
        "$.choiceNumber": "oneof 'choice' is set already, by 'choice_text'"
    }


def test_one_member_of_a_oneof_may_stand_among_nones(rich: Any) -> None:
    message = from_dict({"choice_text": None, "choice_nothing": {}, "choice_number": None}, rich)
    assert message.WhichOneof("choice") == "choice_nothing"


def test_missing_required_fields_are_told_with_their_paths(old: Any) -> None:
    assert issues({"line": [{"text": "x"}, {}], "leaf": {}, "leaves": {"k": {}}}, old) == {
        "$.id": "the required field is missing",
        "$.line[1].text": "the required field is missing",
        "$.leaf.weight": "the required field is missing",
        '$.leaves["k"].weight': "the required field is missing",
    }


def test_a_required_field_with_a_wrong_value_is_one_issue(old: Any) -> None:
    assert issues({"id": 3}, old) == {"$.id": "needs a str, not an int"}


# ── times ────────────────────────────────────────────────────────────────────────────────────────


def test_a_naive_datetime_is_refused_with_the_remedy(rich: Any) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  (the point of the test)
    assert issues({"at": naive}, rich) == {"$.at": "the datetime has no time zone"}
    assert "UTC" in hint({"at": naive}, rich)


@pytest.mark.parametrize(
    "value",
    [
        AT,
        AT.astimezone(timezone(timedelta(hours=-11, minutes=-30))),
        "2026-01-31T12:00:00.000001Z",
        "2026-01-31t12:00:00.0000010z",
        "2026-02-01T01:30:00.000001+13:30",
        "2026-01-31T00:30:00.000001-11:30",
        {"seconds": 1769860800, "nanos": 1000},
        timestamp_pb2.Timestamp(seconds=1769860800, nanos=1000),
    ],
)
def test_a_timestamp_is_taken_as_datetime_text_fields_or_message(rich: Any, value: object) -> None:
    assert to_dict(from_dict({"at": value}, rich))["at"] == AT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.0000000001Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00Z\n",
        "20260131T120000Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "٢٠٢٦-01-31T12:00:00Z",
    ],
)
def test_text_that_is_no_rfc_3339_time_is_refused(rich: Any, text: str) -> None:
    assert list(issues({"at": text}, rich)) == ["$.at"]


def test_a_datetime_outside_the_years_in_utc_is_refused(rich: Any) -> None:
    for value, hours in ((datetime(1, 1, 1), 1), (datetime(9999, 12, 31, 23, 59), -1)):  # noqa: DTZ001  (set below)
        assert list(issues({"at": value.replace(tzinfo=timezone(timedelta(hours=hours)))}, rich)) == ["$.at"]


@pytest.mark.parametrize("text", ["", "1", "1.s", ".5s", "+1s", "1.0000000001s", "1e3s", "-s", "1s\n", "315576000001s"])
def test_text_that_is_no_duration_is_refused(rich: Any, text: str) -> None:
    assert list(issues({"lasts": text}, rich)) == ["$.lasts"]


def test_a_timedelta_beyond_ten_thousand_years_is_refused(rich: Any) -> None:
    for value in (timedelta.max, timedelta.min):
        assert issues({"lasts": value}, rich) == {"$.lasts": "the duration is longer than 10,000 years"}


# ── messages inside ──────────────────────────────────────────────────────────────────────────────


def test_a_message_of_the_same_class_is_copied(rich: Any) -> None:
    part = rich.Part(sku="x")
    message = from_dict({"part": part, "parts": [part], "part_by_word": {"k": part}}, rich)
    message.part.sku = message.parts[0].sku = "changed"
    assert part == rich.Part(sku="x")
    assert message.part_by_word["k"] == part


def test_global_well_known_messages_go_into_a_private_pool(rich: Any) -> None:
    struct = struct_pb2.Struct()
    struct.update({"a": 1})
    data = {
        "at": timestamp_pb2.Timestamp(seconds=1),
        "lasts": duration_pb2.Duration(),
        "facts": struct,
        "any_value": struct_pb2.Value(string_value="x"),
        "wrapped_int64": wrappers_pb2.Int64Value(),
        "times": [timestamp_pb2.Timestamp(seconds=2)],
        "time_by_id": {3: timestamp_pb2.Timestamp(seconds=3)},
    }
    before = copy.deepcopy(data)
    values = to_dict(from_dict(data, rich))
    assert data == before
    assert values["facts"] == {"a": 1.0}
    assert values["lasts"] == timedelta(0)
    assert values["wrapped_int64"] == 0
    assert values["time_by_id"] == {3: datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)}


def test_a_message_of_another_type_is_refused(rich: Any) -> None:
    assert issues({"part": rich(), "at": duration_pb2.Duration()}, rich) == {
        "$.part": "needs a rich.v1.Rich.Part message, not rich.v1.Rich",
        "$.at": "needs a google.protobuf.Timestamp message, not google.protobuf.Duration",
    }


def test_a_message_that_lacks_required_fields_is_refused(old: Any) -> None:
    leaf = type(old().leaf)()
    assert issues({"id": "", "leaf": leaf}, old) == {"$.leaf.weight": "the required field is missing"}


def test_the_callers_values_are_not_touched(rich: Any) -> None:
    data = {"parts": [{"sku": "a", "inner": {"count": 1}}], "facts": {"a": [1, {"b": None}]}, "by_word": {"k": 1}}
    before = copy.deepcopy(data)
    from_dict(data, rich)
    assert data == before


def test_any_mapping_and_any_sequence_will_do(rich: Any) -> None:
    data = MappingProxyType({"numbers": (1, 2), "by_word": OrderedDict(a=1), "parts": rich(parts=[{"count": 1}]).parts})
    assert from_dict(data, rich) == rich(numbers=[1, 2], by_word={"a": 1}, parts=[{"count": 1}])


def test_an_empty_mapping_sets_a_sub_message(rich: Any) -> None:
    message = from_dict({"part": {}, "facts": {}, "listed": [], "choice_nothing": {}, "at": {}}, rich)
    assert all(message.HasField(name) for name in ("part", "facts", "listed", "choice_nothing", "at"))


# ── depth ────────────────────────────────────────────────────────────────────────────────────────

NESTINGS = {
    "below": lambda inner: {"below": inner},
    "all_below": lambda inner: {"all_below": [inner]},
    "below_by_word": lambda inner: {"below_by_word": {"k": inner}},
}


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("leaf", [{}, {"by_word": {"a": 1}}, {"at": AT}, {"any_value": [{}]}, {"facts": {"a": None}}])
def test_a_dict_is_refused_exactly_where_a_reader_would_refuse_its_bytes(rich: Any, nesting: str, leaf: object) -> None:
    accepted = 0
    data = leaf
    for depth in range(1, 110):
        data = NESTINGS[nesting](data)
        try:
            message = from_dict(data, rich)
        except ConversionError as refused:
            assert "100 deep" in str(refused)  # noqa: PT017  (where it starts is the point)
            break
        rich.FromString(message.SerializeToString())
        accepted = depth
    inner = message
    wrapped = rich()
    getattr(wrapped, nesting)  # the field exists
    if nesting == "below":
        wrapped.below.CopyFrom(inner)
    elif nesting == "all_below":
        wrapped.all_below.add().CopyFrom(inner)
    else:
        wrapped.below_by_word["k"].CopyFrom(inner)
    assert accepted > 40
    with pytest.raises(DecodeError):
        rich.FromString(wrapped.SerializeToString())


@pytest.mark.parametrize("value", [lambda inner: [inner], lambda inner: {"k": inner}])
def test_plain_values_nested_too_deep_are_a_conversion_error(rich: Any, value: Any) -> None:
    data = None
    for _ in range(5000):
        data = value(data)
    assert "100 deep" in next(iter(issues({"any_value": data}, rich).values()))


def test_a_cycle_is_a_conversion_error(rich: Any) -> None:
    data: dict[str, object] = {}
    data["below"] = data
    assert "100 deep" in next(iter(issues(data, rich).values()))


def test_an_encoder_is_built_once_per_class(rich: Any) -> None:
    assert dict_encoder(rich) is dict_encoder(rich)


# ── names in JSON ────────────────────────────────────────────────────────────────────────────────

FEW = """
    syntax = "proto2";
    package few.v1;
    message Few {
      optional int32 the_id = 1;
      optional Few the_part = 2;
      repeated string the_tags = 3;
      oneof the_one { string the_text = 4; bool the_flag = 5; }
    }
    message Strict { required int32 the_id = 1; optional Strict the_part = 2; }
"""


@pytest.fixture(scope="module")
def few() -> FileSet:
    return compile_text(FEW, file_name="few.proto")


def test_a_message_of_few_fields_takes_names_in_json_beside_its_own(few: FileSet) -> None:
    cls: Any = message_class(few, "few.v1.Few")
    given = {"the_id": 1, "thePart": {"theId": 0, "theTags": []}, "theTags": ["a", "b"], "the_flag": False}
    message = from_dict(given, cls)
    assert message == cls(the_id=1, the_part={"the_id": 0}, the_tags=["a", "b"], the_flag=False)
    assert message.the_part.HasField("the_id")
    assert from_dict({"theFlag": True}, cls) == cls(the_flag=True)


def test_a_message_of_few_fields_refuses_what_is_given_by_both_names(few: FileSet) -> None:
    data = {"the_id": 1, "theId": 2, "the_text": "x", "theFlag": True, "other": 1}
    assert list(issues(data, message_class(few, "few.v1.Few"))) == ["$.theId", "$.theFlag", "$.other"]


@pytest.mark.parametrize("empty", [{}, {"the_id": None}, {"theId": None}, {"thePart": None, "the_tags": None}])
def test_a_part_is_set_when_its_dict_sets_nothing(few: FileSet, empty: dict[str, object]) -> None:
    cls: Any = message_class(few, "few.v1.Few")
    assert from_dict({"the_part": empty}, cls).HasField("the_part")
    assert from_dict({"thePart": empty}, cls).HasField("the_part")
    assert from_dict(empty, cls) == cls()


def test_a_required_field_may_have_its_name_in_json_and_may_not_be_missing(few: FileSet) -> None:
    cls: Any = message_class(few, "few.v1.Strict")
    assert from_dict({"theId": 1, "thePart": {"theId": 2}}, cls) == cls(the_id=1, the_part={"the_id": 2})
    assert list(issues({"thePart": {"theId": None}}, cls)) == ["$.thePart.the_id", "$.the_id"]
