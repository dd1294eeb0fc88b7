"""Random messages of rich and of random schemas: nothing is lost to a dict and back, and json_format agrees."""

from __future__ import annotations

import base64
import contextlib
import math
import random
import re
import struct
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings, strategies as st

from protopact.compiler import compile_text
from protopact.convert import from_dict, to_dict
from protopact.convert.dicts.walker import Walker
from protopact.descriptor import message_class
from protopact.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

SCHEMAS = Path(__file__).parents[1] / "schemas"
RICH, AWKWARD = (
    message_class(compile_text((SCHEMAS / "rich.proto").read_text(), file_name="rich.proto"), f"rich.v1.{name}")
    for name in ("Rich", "Awkward")
)
OLD = message_class(compile_text((SCHEMAS / "old.proto").read_text(), file_name="old.proto"), "old.v1.Old")

# ── random messages of any descriptor ────────────────────────────────────────────────────────────

FLOAT32 = st.floats(width=32, allow_nan=False)
SCALARS: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.CPPTYPE_FLOAT: FLOAT32,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SECONDS_MIN, SECONDS_MAX = -62135596800, 253402300799


def scalars(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.type == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        known = st.sampled_from([value.number for value in field.enum_type.values])
        if field.enum_type.full_name == "google.protobuf.NullValue":
            return st.just(0)
        return known if field.enum_type.is_closed else known | st.integers(-(2**31), 2**31 - 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        return TEXT
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=8)
    return SCALARS[field.cpp_type]


@st.composite
def filled(draw: st.DrawFn, cls: type[Message], *, depth: int = 3, sane: bool = False) -> Any:
    message = cls()
    fill(draw, message, depth, sane=sane)
    return message


def fill(draw: st.DrawFn, message: Any, depth: int, *, sane: bool) -> None:
    descriptor = type(message).DESCRIPTOR
    special = SPECIAL.get(descriptor.full_name)
    if special is not None:
        special(draw, message, depth, sane)
        return
    fields = list(descriptor.fields)
    wanted = draw(st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda field: field.number)) if fields else []
    for field in [*wanted, *(field for field in fields if field.is_required and field not in wanted)]:
        if depth > 0 or field.message_type is None:
            fill_field(draw, message, field, depth, sane=sane)


def fill_field(draw: st.DrawFn, message: Any, field: FieldDescriptor, depth: int, *, sane: bool) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        fill_map(draw, getattr(message, field.name), field.message_type, depth, sane=sane)
    elif field.message_type is not None and field.is_repeated:
        for _ in range(draw(st.integers(0, 2))):
            fill(draw, getattr(message, field.name).add(), depth - 1, sane=sane)
    elif field.message_type is not None:
        child = getattr(message, field.name)
        type(child).SetInParent(child)
        fill(draw, child, depth - 1, sane=sane)
    elif field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(scalars(field), max_size=3)))
    else:
        setattr(message, field.name, draw(scalars(field)))


def fill_map(draw: st.DrawFn, entries: Any, entry: Descriptor, depth: int, *, sane: bool) -> None:
    value = entry.fields_by_name["value"]
    for key in draw(st.lists(scalars(entry.fields_by_name["key"]), max_size=2)):
        if value.message_type is not None:
            fill(draw, entries[key], depth - 1, sane=sane)
        else:
            entries[key] = draw(scalars(value))


def fill_timestamp(draw: st.DrawFn, message: Any, _depth: int, sane: bool) -> None:  # noqa: FBT001
    seconds, nanos = st.integers(SECONDS_MIN, SECONDS_MAX), st.integers(0, 10**9 - 1)
    micros = st.integers(0, 10**6 - 1).map(lambda number: number * 1000)
    if not sane:
        seconds, nanos = seconds | st.integers(-(2**63), 2**63 - 1), nanos | st.integers(-(2**31), 2**31 - 1)
    message.seconds, message.nanos = draw(seconds), draw(micros | nanos)


def fill_duration(draw: st.DrawFn, message: Any, _depth: int, sane: bool) -> None:  # noqa: FBT001
    if sane:
        sign = draw(st.sampled_from([-1, 1]))
        message.seconds = sign * draw(st.integers(0, 315_576_000_000))
        message.nanos = sign * draw(st.integers(0, 10**9 - 1))
    else:
        message.seconds, message.nanos = draw(st.integers(-(2**63), 2**63 - 1)), draw(st.integers(-(2**31), 2**31 - 1))


def fill_value(draw: st.DrawFn, message: Any, depth: int, sane: bool) -> None:  # noqa: FBT001
    leaves = ["null_value", "number_value", "string_value", "bool_value"]
    kind = draw(st.sampled_from([*leaves, "struct_value", "list_value"] if depth > 0 else leaves))
    field = type(message).DESCRIPTOR.fields_by_name[kind]
    if kind == "number_value" and sane:
        message.number_value = draw(st.floats(allow_nan=False, allow_infinity=False))
    else:
        fill_field(draw, message, field, depth, sane=sane)


def fill_any(draw: st.DrawFn, message: Any, _depth: int, sane: bool) -> None:  # noqa: FBT001
    if not sane:
        message.type_url, message.value = draw(TEXT), draw(st.binary(max_size=4))


def fill_mask(draw: st.DrawFn, message: Any, _depth: int, sane: bool) -> None:  # noqa: FBT001
    message.paths.extend(draw(st.lists(st.sampled_from(["a", "b.c"]) if sane else TEXT, max_size=2)))


SPECIAL: dict[str, Any] = {
    "google.protobuf.Timestamp": fill_timestamp,
    "google.protobuf.Duration": fill_duration,
    "google.protobuf.Value": fill_value,
    "google.protobuf.Any": fill_any,
    "google.protobuf.FieldMask": fill_mask,
}

# ── the law ──────────────────────────────────────────────────────────────────────────────────────

OPTIONS: list[dict[str, Any]] = [
    {},
    {"enums": "number"},
    {"timestamps": "rfc3339"},
    {"enums": "number", "timestamps": "rfc3339"},
]


@pytest.mark.parametrize("cls", [RICH, AWKWARD, OLD], ids=lambda cls: cls.__name__)
@given(data=st.data(), options=st.sampled_from(OPTIONS))
def test_a_message_comes_back_from_its_dict(cls: type[Message], data: st.DataObject, options: dict[str, Any]) -> None:
    message = data.draw(filled(cls))
    back = from_dict(to_dict(message, **options), cls)
    assert back == message
    assert serialized(back) == serialized(message)


def serialized(message: Message) -> bytes:
    return type(message).SerializeToString(message, deterministic=True)


@given(data=st.data())
def test_json_format_tells_the_same(data: st.DataObject) -> None:
    message = data.draw(filled(RICH, sane=True))
    told = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert_same(to_dict(message), told, "$")


def assert_same(ours: object, theirs: Any, path: str) -> None:
    """Compare a plain value with its form in Protobuf's JSON."""
    if isinstance(ours, dict):
        told = {str(key).lower() if isinstance(key, bool) else str(key): value for key, value in ours.items()}
        if set(told) == {"type_url", "value"}:
            assert theirs == {}, path  # the JSON of an empty Any
        elif set(told) == {"paths"}:
            assert ",".join(told["paths"]) == theirs, path
        else:
            assert told.keys() == theirs.keys(), path
            for key, value in told.items():
                assert_same(value, theirs[key], f"{path}.{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), path
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{path}[{index}]")
    else:
        assert same_scalar(ours, theirs), (path, ours, theirs)


def same_scalar(ours: object, theirs: Any) -> bool:
    if isinstance(ours, bytes):
        return base64.b64encode(ours).decode() == theirs
    if isinstance(ours, datetime):
        expected = Timestamp()
        expected.FromDatetime(ours)
        return bool(expected.ToJsonString() == theirs)
    if isinstance(ours, timedelta):
        span = Duration()
        span.FromTimedelta(ours)
        return bool(span.ToJsonString() == theirs)
    if isinstance(ours, float):
        return same_float(ours, float(theirs))
    if isinstance(ours, int) and not isinstance(ours, bool):
        return ours == int(theirs)
    return bool(ours == theirs) or (ours == "NULL_VALUE" and theirs is None)


def same_float(ours: float, theirs: float) -> bool:
    """Take JSON's shortest form of a 32-bit float for the float itself."""
    if ours == theirs:
        return math.copysign(1, ours) == math.copysign(1, theirs)
    with contextlib.suppress(OverflowError):
        return struct.pack("<f", ours) == struct.pack("<f", theirs)
    return False


# ── anything else is a ConversionError ───────────────────────────────────────────────────────────

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.datetimes()
    | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=10,
)
FIELD_NAMES = st.sampled_from([field.name for field in RICH.DESCRIPTOR.fields])


@given(st.dictionaries(FIELD_NAMES | st.text(max_size=5), PLAIN, max_size=5))
def test_random_values_are_taken_or_refused_with_a_conversion_error(data: dict[str, object]) -> None:
    try:
        message = from_dict(data, RICH)
    except ConversionError as error:
        refused = error
    else:
        assert partial(from_dict(to_dict(message), RICH)) == partial(message)
        return
    assert refused.issues
    assert all(issue.path.startswith("$") for issue in refused.issues)


def partial(message: Message) -> bytes:
    return type(message).SerializePartialToString(message, deterministic=True)


# ── random schemas: generated code, the walker and json_format tell the same ─────────────────────

EXAMPLES = 50_000 if settings().max_examples > 50 else 50
SCHEMAS_MAX = 400
COMPOUND = {"group", "message", "enum"}
TYPES = [
    kind.removeprefix("TYPE_").lower()
    for kind in FieldDescriptorProto.DESCRIPTOR.enum_types_by_name["Type"].values_by_name
]
TYPES = [name for name in TYPES if name not in COMPOUND]
KEYS = [name for name in TYPES if name not in {"double", "float", "bytes"}]
KNOWN = re.findall(
    r"\w+",
    "Timestamp Duration Struct Value ListValue Any FieldMask Empty StringValue Int64Value FloatValue BytesValue",
)
IMPORTS = "".join(
    f'import "google/protobuf/{name}.proto";\n'
    for name in ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
)
counted: Counter[str] = Counter()


def schema_text(seed: int) -> str:
    """Write a schema of three messages that hold each other, or do not; every third one is of proto2."""
    chance = random.Random(seed)
    syntax = "proto2" if seed % 3 == 0 else "proto3"
    messages = [f"M{number}" for number in range(3)]
    enum = "enum E { E_ZERO = 0; E_ONE = 1; E_MINUS = -1; E_MANY = 2147483647; }"

    def single(below: list[str]) -> str:
        return chance.choice(chance.choice([TYPES, TYPES, ["E"], [f"google.protobuf.{name}" for name in KNOWN], below]))

    def field(number: int, below: list[str]) -> str:
        kind, name = single(below), f"f_{number}"
        label = chance.choice({"proto2": ["optional", "optional", "required"], "proto3": ["", "", "optional"]}[syntax])
        if label == "required" and kind not in TYPES:
            label = "optional"
        return chance.choice(
            [
                f"{label} {kind} {name} = {number};",
                f"{label} {kind} {name} = {number};",
                f"repeated {kind} {name} = {number};",
                f"map<{chance.choice(KEYS)}, {kind}> {name} = {number};",
                f"oneof o{number} {{ {kind} {name} = {number}; {single(below)} g_{number} = {number + 100}; }}",
            ]
        )

    bodies = []
    for place, name in enumerate(messages):
        below = messages if chance.random() < 0.5 else messages[place + 1 :] or ["string"]
        numbers = chance.sample(range(1, 40), chance.randint(0, 9))
        bodies.append(f"message {name} {{ {' '.join(field(number, below) for number in numbers)} }}")
    return f'syntax = "{syntax}";\npackage random.v{seed};\n{IMPORTS}{enum}\n' + "\n".join(bodies)


@cache
def random_class(seed: int) -> type[Message]:
    return message_class(compile_text(schema_text(seed), file_name=f"random{seed}.proto"), f"random.v{seed}.M0")


@cache
def walk(cls: type[Message]) -> Callable[[object], Message]:
    return Walker().encoder(cls.DESCRIPTOR)  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def _figure(say: Callable[[str], None]) -> Iterator[None]:
    yield
    if EXAMPLES > 50:
        say(f"converters: {dict(counted)}")


SEEDS = st.integers(0, min(SCHEMAS_MAX, EXAMPLES // 2))


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS, options=st.sampled_from(OPTIONS))
def test_messages_of_any_schema_come_back_from_their_dicts(
    data: st.DataObject, seed: int, options: dict[str, Any]
) -> None:
    message = data.draw(filled(random_class(seed)))
    told = to_dict(message, **options)
    back = from_dict(told, type(message))
    assert back == message
    assert serialized(back) == serialized(message) == serialized(walk(type(message))(told))
    counted["there and back"] += 1


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS)
def test_json_format_tells_the_same_of_any_schema(data: st.DataObject, seed: int) -> None:
    message = data.draw(filled(random_class(seed), sane=True))
    told = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert_same(to_dict(message), told, "$")
    counted["like json_format"] += 1


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS)
def test_generated_code_takes_what_the_walker_takes_and_refuses_the_same(data: st.DataObject, seed: int) -> None:
    cls = random_class(seed)
    names = [name for field in cls.DESCRIPTOR.fields for name in (field.name, field.json_name)]
    values = to_dict(data.draw(filled(cls)))
    changes = st.dictionaries(st.sampled_from([*names, "other"]), PLAIN, max_size=2)
    changed = values | data.draw(changes)
    before = repr(changed)
    ours, theirs = outcome(lambda: from_dict(changed, cls)), outcome(lambda: walk(cls)(changed))
    assert ours == theirs
    assert repr(changed) == before
    counted["refused alike" if isinstance(ours, str) else "taken alike"] += 1


def outcome(convert: Callable[[], Message]) -> bytes | str:
    try:
        return partial(convert())
    except ConversionError as error:
        return f"{error.issues}{error.hint}"


@pytest.mark.parametrize("number", [-0.0, 0.0, math.nan, math.inf, -math.inf, 5e-324, 3.4028234663852886e38])
def test_numbers_at_the_edge_keep_their_bits(number: float) -> None:
    message: Any = RICH(a_double=number, a_float=number, maybe_double=number, doubles=[number])
    message.any_value.number_value = message.value_by_word["k"].number_value = number
    assert partial(from_dict(to_dict(message), RICH)) == partial(message)
