"""Random messages of rich and of random schemas in JSON: nothing is lost there and back, and json_format agrees."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import duration_pb2, json_format, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings, strategies as st

from properties.test_convert import AWKWARD, EXAMPLES, OLD, RICH, SEEDS, filled, partial, random_class, serialized
from protopact.convert import from_json, to_json
from protopact.convert.json.taker import Taker
from protopact.convert.json.teller import Form, Teller
from protopact.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

FLOAT_MAX = 3.4028234663852886e38
NUMBERS_AT_THE_EDGE = [math.nan, math.inf, -math.inf, -0.0, FLOAT_MAX, -FLOAT_MAX, 1e-45, 0.1]
DESCRIPTOR = attrgetter("DESCRIPTOR")
counted: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _figure(say: Callable[[str], None]) -> Iterator[None]:
    yield
    if EXAMPLES > 50:
        say(f"JSON: {dict(counted)}")


# ── messages of any descriptor, with Anys and numbers at the edge ────────────────────────────────


def in_any(draw: st.DrawFn) -> Message:
    """Give a message that every schema knows."""
    kind = draw(st.sampled_from(["time", "span", "text", "number", "struct"]))
    if kind == "struct":
        struct = struct_pb2.Struct()
        struct.update({"a": [1.5, None, {"b": True}]})
        return struct
    return {
        "time": timestamp_pb2.Timestamp(seconds=1, nanos=5),
        "span": duration_pb2.Duration(seconds=-1),
        "text": wrappers_pb2.StringValue(value="é"),
        "number": wrappers_pb2.FloatValue(value=draw(st.sampled_from(NUMBERS_AT_THE_EDGE))),
    }[kind]


def sharpen(draw: st.DrawFn, message: Any) -> None:
    """Fill the Anys of a message, and set some of its numbers to those at the edge."""
    name = DESCRIPTOR(type(message)).full_name
    if name == "google.protobuf.Any" and draw(st.booleans()):
        inner = in_any(draw)
        message.type_url = f"type.googleapis.com/{inner.DESCRIPTOR.full_name}"
        message.value = serialized(inner)
    elif name not in {"google.protobuf.Any", "google.protobuf.Value"}:
        for field, value in type(message).ListFields(message):
            sharpen_field(draw, message, field, value)


def sharpen_field(draw: st.DrawFn, message: Any, field: FieldDescriptor, value: Any) -> None:
    if field.message_type is not None:
        entry = field.message_type if field.message_type.GetOptions().map_entry else None
        if entry is None:
            for each in value if field.is_repeated else [value]:
                sharpen(draw, each)
        elif entry.fields_by_name["value"].message_type is not None:
            for key in value:
                sharpen(draw, value[key])
    elif field.cpp_type in {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}:
        edge = st.sampled_from(NUMBERS_AT_THE_EDGE)
        if field.is_repeated:
            value.append(draw(edge))
        else:
            setattr(message, field.name, draw(edge | st.just(value)))


@st.composite
def sharp(draw: st.DrawFn, cls: type[Message]) -> Any:
    message = draw(filled(cls, sane=True))
    sharpen(draw, message)
    return message


# ── the law ──────────────────────────────────────────────────────────────────────────────────────

OPTIONS: list[dict[str, Any]] = [{}, {"names": "proto", "enums": "number"}, {"defaults": True}]
THEIRS = {
    "names": ("preserving_proto_field_name", True),
    "enums": ("use_integers_for_enums", True),
    "defaults": ("always_print_fields_with_no_presence", True),
}
THEIR_REFUSALS = re.compile(
    "Float value too|null is not allowed to be used|NullValue|NoneType|'null_value'|SystemError"
)
"""What json_format cannot read of what it writes, null for a list of Values, and lone surrogates."""


def check(message: Any, options: dict[str, Any]) -> None:
    cls, told = type(message), to_json(message, **options)
    form = Form("names" not in options, "enums" not in options, "defaults" in options)
    assert Teller(DESCRIPTOR(cls).file.pool, form).whole(message) == told
    assert serialized(from_json(told, cls)) == serialized(message) == serialized(walked(json.loads(told), cls))
    if cls is not AWKWARD:  # it has a field called DESCRIPTOR, which is more than json_format bears
        theirs = json_format.MessageToJson(message, **dict(THEIRS[name] for name in options))
        assert json.loads(told) == json.loads(theirs)
        try:
            assert serialized(json_format.Parse(told, cls())) == serialized(message)
        except json_format.ParseError as error:
            assert THEIR_REFUSALS.search(str(error)), error  # noqa: PT017  (what it refuses is known)
            counted["refused by json_format alone"] += 1
    counted["there and back"] += 1


def walked(value: object, cls: type[Message], *, ignore_unknown: bool = False) -> Message:
    return Taker(DESCRIPTOR(cls).file.pool, ignore_unknown=ignore_unknown).whole(cls, value)


@pytest.mark.parametrize("cls", [RICH, AWKWARD, OLD], ids=lambda cls: cls.__name__)
@given(data=st.data(), options=st.sampled_from(OPTIONS))
def test_a_message_comes_back_from_its_json(cls: type[Message], data: st.DataObject, options: dict[str, Any]) -> None:
    check(data.draw(sharp(cls)), options)


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS, options=st.sampled_from(OPTIONS))
def test_messages_of_any_schema_come_back_from_their_json(
    data: st.DataObject, seed: int, options: dict[str, Any]
) -> None:
    check(data.draw(sharp(random_class(seed))), options)


# ── what is not as it should be ──────────────────────────────────────────────────────────────────

ODD: list[Any] = [
    *(None, True, False, 0, -1, 7, 1.0, 1.5, 1e18, 1e300, 2**31, 2**63, 2**64, -(2**63), 10**400, FLOAT_MAX, 3.5e38),
    *("", "1", "-1", "+1", "007", "1.0", "1e3", " 1", "1_0", "x", "NaN", "Infinity", "-Infinity", "nan", "1e999"),
    *("AAA=", "_-", "AA", "A", "a_b", "fooBar", "E_ONE", "COLOR_RED", "NULL_VALUE", "true", "\ud800", "é", "1.5s"),
    *("2026-01-01T00:00:00Z", "2026-01-01t00:00:00Z", "2026-01-01T00:00:00.1+01:00", "0000-01-01T00:00:00Z"),
    *([], {}, [None], [1], ["1", 2.0], [[]], {"a": 1}, {"1": "1"}, {"1": {}}, {"true": None}, {"a": None}, [{}]),
    *({"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}, {"@type": "x/no.Such"}),
    *({"@type": "type.googleapis.com/google.protobuf.Duration"}, {"@type": 1}, {"paths": ["a"]}),
]

STRICTER = re.compile(
    "needs an object, not|is no base64|for an enum, as|given twice|is out of range for|no RFC 3339|no duration"
    "|no such key here|no moment of the calendar|needs an array, not|is missing, which holds"
    "|needs a number, not a bool"
)
"""The reasons why JSON is refused that json_format takes: it reads an empty list or text as a message without fields,
drops what is no base64, truncates enum numbers, takes true for 1.0, lets the last of two values win, reads infinity
where text has too great a number, and takes looser times."""


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=st.none() | SEEDS, ignore_unknown=st.booleans())
def test_odd_json_is_taken_as_json_format_takes_it_or_refused(
    data: st.DataObject,
    seed: int | None,
    ignore_unknown: bool,  # noqa: FBT001
) -> None:
    cls = RICH if seed is None else random_class(seed)
    value = json.loads(to_json(data.draw(sharp(cls))))
    names = [name for field in cls.DESCRIPTOR.fields for name in (field.name, field.json_name)]
    changes = st.dictionaries(st.sampled_from([*names, "other"]), st.sampled_from(ODD), min_size=1, max_size=2)
    text = json.dumps(value | data.draw(changes))
    ours = outcome(lambda: from_json(text, cls, ignore_unknown=ignore_unknown), ConversionError)
    theirs = outcome(
        lambda: json_format.Parse(text, cls(), ignore_unknown_fields=ignore_unknown), json_format.ParseError
    )
    slow = outcome(lambda: walked(json.loads(text), cls, ignore_unknown=ignore_unknown), ConversionError)
    assert ours == slow
    if isinstance(ours, bytes):
        assert ours == theirs or (isinstance(theirs, str) and THEIR_REFUSALS.search(theirs))
        counted["taken alike"] += 1
    else:
        assert isinstance(theirs, str) or STRICTER.search(ours), (ours, text)
        counted["refused" if isinstance(theirs, str) else "refused by us alone"] += 1


def outcome(convert: Callable[[], Message], refusal: type[Exception]) -> bytes | str:
    try:
        return partial(convert())
    except refusal as error:
        return str(error)


@given(st.text(max_size=30) | st.binary(max_size=30))
def test_random_text_is_taken_or_refused_with_a_conversion_error(data: str | bytes) -> None:
    try:
        message = from_json(data, RICH)
    except ConversionError as error:
        assert all(issue.path.startswith("$") for issue in error.issues)  # noqa: PT017
    else:
        assert json.loads(data) == {} or message


@given(data=st.data())
def test_any_message_has_json_or_a_conversion_error(data: st.DataObject) -> None:
    message = data.draw(filled(RICH))
    try:
        told = to_json(message)
    except ConversionError as error:
        assert error.issues  # noqa: PT017
    else:
        assert serialized(from_json(told, RICH)) == serialized(message)
