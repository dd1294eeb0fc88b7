"""What generated converters must keep: text from schemas never becomes code, and plain values never leave them."""

from __future__ import annotations

import ast
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto as Field,
    FileDescriptorProto,
    OneofDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value

from protopact.convert import converter_source, depth_check, dict_decoder, dict_encoder, from_dict, to_dict
from protopact.errors import ConversionError, EncodeError
from protopact.schema import load_schema

if TYPE_CHECKING:
    from google.protobuf.message import Message

AT = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
PLAIN: dict[str, object] = {
    "a_double": -0.0,
    "a_float": 3.4028234663852886e38,
    "an_int64": -(2**63),
    "a_uint64": 2**64 - 1,
    "a_bool": True,
    "a_string": "é",
    "some_bytes": b"\xff",
    "color": "COLOR_RED",
    "maybe_color": 77,
    "part": {"sku": "x"},
    "numbers": [1, 2],
    "words": [],
    "colors": ["COLOR_GREEN", 77],
    "parts": [{"sku": "a"}, {}],
    "by_word": {"a": 1},
    "by_flag": {True: "COLOR_RED"},
    "part_by_word": {"k": {"sku": "b"}},
    "time_by_id": {7: AT},
    "at": AT,
    "lasts": timedelta(seconds=-1, microseconds=1),
    "wrapped_int64": 0,
    "facts": {"a": [1.5, None, {"b": True}]},
    "any_value": None,
    "below": {"below": {}, "choice_text": ""},
}

# ── the plain way ────────────────────────────────────────────────────────────────────────────────


def test_plain_values_are_written_by_generated_code_alone(rich: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = dict_encoder(rich)
    expected, functions = encode(PLAIN), encode.__globals__
    for name in functions:
        if name == "explain" or name.startswith(("put_", "fill_", "check_")):
            monkeypatch.setitem(functions, name, None)  # which cannot be called
    assert encode(PLAIN) == expected


def test_the_code_of_a_type_can_be_read(rich: Any) -> None:
    text = converter_source(rich)
    ast.parse(text)
    assert "def write_rich_v1_Rich_Part(message, data, room):" in text
    assert "if type(value) is str:\n        message.a_string = value\n" in text
    assert "'a_string': message.a_string," in text
    assert "names_of_Color" not in converter_source(rich, enums="number")


# ── names from outside ───────────────────────────────────────────────────────────────────────────

HOSTILE = [
    "'",
    '"',
    "\n",
    "\\",
    "']+[1/0]+['",
    "{message}",
    "%s",
    "\u2028",
    "é",
    "'" * 3,
    "#",
    "message",
    "data",
]
AWKWARD = ["class", "None", "__debug__", "__class__", "items", "SerializeToString", "get", "add", "value", "message"]
HIDING = ["data", "type", "str", "dict", "message", "keys", "datetime", "encode", "explain", "EPOCH", "chosen"]


def message_classes(*messages: DescriptorProto) -> list[type[Message]]:
    file = FileDescriptorProto(name="odd.proto", package="odd", syntax="proto3", message_type=messages)
    pool = DescriptorPool()
    pool.Add(file)
    return [GetMessageClass(pool.FindMessageTypeByName(f"odd.{message.name}")) for message in messages]


def field(number: int, name: str, **options: Any) -> Field:
    return Field(**{"name": name, "number": number, "type": Field.TYPE_INT32, "label": 1, **options})


def test_a_json_name_is_text_and_never_code() -> None:
    fields = [field(number, f"f{number}", json_name=text) for number, text in enumerate(HOSTILE, 1)]
    (cls,) = message_classes(DescriptorProto(name="Odd", field=fields))
    data = {text: number for number, text in enumerate(HOSTILE, 1)}
    assert to_dict(from_dict(data, cls)) == {f"f{number}": number for number in data.values()}
    assert from_dict(data, cls) == ParseDict(data, cls())
    code = ast.parse(converter_source(cls))
    assert not [node for node in ast.walk(code) if isinstance(node, ast.Div)]


@pytest.mark.parametrize("label", [Field.LABEL_OPTIONAL, Field.LABEL_REPEATED])
def test_field_names_may_be_words_of_python_and_names_of_methods_and_variables(label: int) -> None:
    names = sorted({*AWKWARD, *HIDING})
    (cls,) = message_classes(
        DescriptorProto(name="Odd", field=[field(n, name, label=label) for n, name in enumerate(names, 1)])
    )
    data: dict[str, object] = {name: [1, 2] if label == Field.LABEL_REPEATED else 1 for name in names}
    assert to_dict(from_dict(data, cls)) == data


@pytest.mark.parametrize("name", [*HIDING, "class", "None"])
def test_a_type_of_any_name_is_converted_by_generated_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = DescriptorProto(name=name, field=[field(1, "own")], oneof_decl=[OneofDescriptorProto(name="keys")])
    inner.field.extend([field(2, "one", oneof_index=0), field(3, "two", oneof_index=0)])
    outer = DescriptorProto(name="Outer", field=[field(1, name, type=11, type_name=f".odd.{name}")])
    for cls, data in zip(
        message_classes(inner, outer), [{"own": 1, "one": 2}, {name: {"own": 1, "two": 2}}], strict=True
    ):
        encode = dict_encoder(cls)
        monkeypatch.setitem(encode.__globals__, "explain", None)
        held = to_dict(encode(data))
        assert held == data
        ast.parse(converter_source(cls))


def test_names_in_json_are_taken_beside_own_names_at_every_level() -> None:
    inner = DescriptorProto(name="In", field=[field(1, "a_b"), field(2, "c_d", label=3), field(3, "e_f", label=3)])
    outer = DescriptorProto(name="Out", field=[field(1, "in_it", type=11, type_name=".odd.In", label=3)])
    _, cls = message_classes(inner, outer)
    data = {"inIt": [{"aB": 1, "c_d": [1, 2], "eF": [3]}, {"aB": None, "a_b": 2}]}
    assert to_dict(from_dict(data, cls)) == {
        "in_it": [{"a_b": 1, "c_d": [1, 2], "e_f": [3]}, {"a_b": 2, "c_d": [], "e_f": []}]
    }


# ── few keys of many ─────────────────────────────────────────────────────────────────────────────


def test_a_type_of_many_fields_takes_few_keys_and_many() -> None:
    inner = DescriptorProto(name="Wide", field=[field(number, f"f{number}") for number in range(1, 201)])
    outer = DescriptorProto(name="Out", field=[field(1, "wide", type=11, type_name=".odd.Wide")])
    _, cls = message_classes(inner, outer)
    for keys in (0, 1, 30, 200):
        data = {"wide": {f"f{number}": number for number in range(1, keys + 1)}}
        unset = {f"f{number}": 0 for number in range(keys + 1, 201)}
        assert to_dict(from_dict(data, cls)) == {"wide": data["wide"] | unset}
    with pytest.raises(ConversionError, match=r"\$\.wide\.f1: needs an int"):
        from_dict({"wide": {"f1": "x"}}, cls)


# ── how long converters live ─────────────────────────────────────────────────────────────────────


def test_converters_live_as_long_as_their_class() -> None:
    (cls,) = message_classes(DescriptorProto(name="Brief", field=[field(1, "a")]))
    assert dict_encoder(cls) is dict_encoder(cls)
    assert dict_decoder(cls) is dict_decoder(cls) is not dict_decoder(cls, enums="number")
    assert to_dict(from_dict({"a": 1}, cls)) == {"a": 1}
    gone = weakref.ref(cls)
    del cls
    gc.collect()
    assert gone() is None


def test_threads_may_meet_a_new_type_together() -> None:
    messages = [DescriptorProto(name="M49", field=[field(1, "a")])]
    for number in reversed(range(49)):
        below = field(1, "m", type=11, type_name=f".odd.M{number + 1}", label=3)
        messages.append(DescriptorProto(name=f"M{number}", field=[below]))
    cls = message_classes(*messages)[-1]
    data: dict[str, object] = {"a": 1}
    for _ in range(49):
        data = {"m": [data, data] if len(str(data)) < 200 else [data]}
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: to_dict(from_dict(data, cls)) == data, range(16))) == [True] * 16


# ── nothing is written that no reader accepts ────────────────────────────────────────────────────


def nested(cls: Any, levels: int) -> Any:
    message = inner = cls()
    for _ in range(levels):
        inner.below.SetInParent()
        inner = inner.below
    return message


def test_the_depth_check_refuses_what_the_parser_refuses(rich: Any) -> None:
    check = depth_check(rich)
    assert check is not None
    for levels in (0, 50, 100):
        payload = nested(rich, levels).SerializeToString()
        check(payload)
        assert rich.FromString(payload) == nested(rich, levels)
    for levels in (101, 150):
        with pytest.raises(EncodeError, match="100 deep"):
            check(nested(rich, levels).SerializeToString())


def test_the_shortest_payload_that_is_too_deep_is_refused() -> None:
    (cls,) = message_classes(DescriptorProto(name="T", field=[field(1, "below", type=11, type_name=".odd.T")]))
    check = depth_check(cls)
    assert check is not None
    payload = b""
    for _ in range(101):
        payload = (
            b"\x0a" + (bytes([len(payload)]) if len(payload) < 128 else bytes([len(payload) & 127 | 128, 1])) + payload
        )
    with pytest.raises(EncodeError):
        check(payload)


def test_only_types_that_can_be_nested_too_deep_are_checked(old: Any) -> None:
    assert depth_check(old) is None
    assert depth_check(Struct) is not None
    assert depth_check(Value) is not None
    extended = 'syntax = "proto2"; message M { extensions 100; } extend M { optional M inner = 100; }'
    assert depth_check(load_schema(extended).message_class) is not None
    chain = [DescriptorProto(name="M0", field=[field(1, "a")])]
    chain += [
        DescriptorProto(name=f"M{one}", field=[field(1, "m", type=11, type_name=f".odd.M{one - 1}")])
        for one in range(1, 110)
    ]
    classes = message_classes(*chain)
    assert [depth_check(cls) is None for cls in classes] == [True] * 101 + [False] * 9


@pytest.mark.parametrize("kind", ["below", "all_below", "below_by_word", "any_value", "facts"])
def test_a_dict_nested_as_deep_as_readers_accept_is_taken_and_no_deeper(rich: Any, kind: str) -> None:
    deepest = 0
    for levels in range(20, 102):
        try:
            message = from_dict(deep(kind, levels), rich)
        except ConversionError:
            break
        deepest = levels
        assert rich.FromString(message.SerializeToString()) == message
        assert from_dict(to_dict(message), rich) == message
    assert deepest == {"below": 100, "all_below": 100, "below_by_word": 50, "any_value": 33, "facts": 33}[kind]
    with pytest.raises(ConversionError, match="100 deep"):
        from_dict(deep(kind, 101), rich)


def deep(kind: str, levels: int) -> dict[str, object]:
    data: Any = {}
    for _ in range(levels if kind in {"below", "all_below", "below_by_word"} else 0):
        data = {kind: {"below": data, "all_below": [data], "below_by_word": {"k": data}}[kind]}
    if kind in {"any_value", "facts"}:
        data = {"a": 1}
        for _ in range(levels - 1):
            data = {"a": data}
        data = {kind: data}
    return data  # type: ignore[no-any-return]
