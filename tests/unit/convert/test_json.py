from __future__ import annotations

import ast
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, json_format, struct_pb2, timestamp_pb2, wrappers_pb2

from protopact.compiler import compile_text
from protopact.convert import from_dict, from_json, json_decoder, json_encoder, to_dict, to_json
from protopact.convert.json import json_decoder_code, json_encoder_code
from protopact.descriptor import message_class
from protopact.errors import ConfigError, ConversionError, WrongTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

FLOAT_MAX = 3.4028234663852886e38
ANY = "type.googleapis.com/google.protobuf"
EXTENDED = """
    syntax = "proto2";
    package ext.v1;
    message Base { optional int32 a = 1; extensions 100 to 200; }
    message Part { optional Base base = 1; required string name = 2; }
    extend Base { optional string note = 100; repeated Part parts = 101; optional Base below = 102; }
    message Scope { extend Base { optional float inner = 103; } }
"""


@pytest.fixture(scope="module")
def base() -> Any:
    return message_class(compile_text(EXTENDED, file_name="ext.proto"), "ext.v1.Base")


def issues(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(ConversionError) as caught:
        call()
    return {issue.path: issue.reason for issue in caught.value.issues}


# ── forms ────────────────────────────────────────────────────────────────────────────────────────


def test_json_has_lower_camel_case_and_int64_as_text(rich: Any) -> None:
    message = rich(an_int64=-(2**63), some_bytes=b"\xfb\xff", color=1, by_flag={True: 2}, maybe_color=77)
    assert json.loads(to_json(message)) == {
        "anInt64": "-9223372036854775808",
        "someBytes": "+/8=",
        "color": "COLOR_RED",
        "maybeColor": 77,
        "byFlag": {"true": "COLOR_GREEN"},
    }


NAMED = """
    syntax = "proto3";
    package named.v1;
    import "google/protobuf/json_enumvalue_options.proto";
    message Paint { Color color = 1; repeated Color more = 2; map<string, Color> by_room = 3; }
    enum Color {
      option allow_alias = true;
      COLOR_UNKNOWN = 0 [(pb.enumvalue.json).string = "none"];
      COLOR_GREEN = 1 [(pb.enumvalue.json).string = "gr\\u00fcn"];
      COLOR_LEAF = 1 [(pb.enumvalue.json).string = "leaf"];
      COLOR_BLUE = 2 [(pb.enumvalue.json) = {}];
      COLOR_RED = 3;
    }
"""
OPTION = """
    syntax = "proto3";
    package pb.enumvalue;
    import "google/protobuf/descriptor.proto";
    message JsonEnumValueOptions { optional string string = 1; }
    extend google.protobuf.EnumValueOptions { JsonEnumValueOptions json = 998; }
"""


def paint(option: str = OPTION, field: str = "string") -> Any:
    sources = {"google/protobuf/json_enumvalue_options.proto": option}
    text = NAMED.replace(").string =", f").{field} =")
    return message_class(compile_text(text, file_name="named.proto", sources=sources), "named.v1.Paint")


def test_an_enum_value_has_the_name_in_json_that_its_option_sets() -> None:
    message = paint()(color=1, more=[0, 1, 2, 3, 77], by_room={"hall": 1})
    written = {"color": "grün", "more": ["none", "grün", "COLOR_BLUE", "COLOR_RED", 77], "byRoom": {"hall": "grün"}}
    assert json.loads(to_json(message)) == written
    assert json.loads(to_json(message, enums="number"))["color"] == 1
    assert from_json(to_json(message), type(message)) == message
    assert to_dict(message)["color"] == "COLOR_GREEN"


def test_an_enum_value_is_read_by_the_name_of_its_option_and_by_its_own() -> None:
    cls = paint()
    text = '{"color": "leaf", "more": ["COLOR_GREEN", "none", "COLOR_LEAF", "3"], "byRoom": {"hall": "gr\\u00fcn"}}'
    assert from_json(text, cls) == cls(color=1, more=[1, 0, 1, 3], by_room={"hall": 1})
    assert issues(lambda: from_json('{"color": "leav"}', cls)) == {
        "$.color": "named.v1.Color has no such name; did you mean 'leaf'?"
    }
    assert from_json('{"color": "leav"}', cls, ignore_unknown=True) == cls()


def test_json_names_of_enum_values_are_those_of_json_format() -> None:
    pytest.importorskip("google.protobuf.json_enumvalue_options_pb2")  # json_format looks for it in the default pool
    cls = paint()
    message = cls(color=1, more=[0, 1, 3, 77], by_room={"hall": 0})
    assert json.loads(to_json(message)) == json_format.MessageToDict(message)
    text = '{"color": "leaf", "more": ["none", "COLOR_RED"]}'
    assert from_json(text, cls) == json_format.Parse(text, cls())


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("string string", "bytes string"),
        ("string string", "string text"),
        ("optional string string", "repeated string string"),
    ],
)
def test_an_option_of_the_same_name_and_another_shape_names_nothing(wanted: str, given: str) -> None:
    cls = paint(OPTION.replace("998", "50998").replace(wanted, given), given.rpartition(" ")[2])
    assert json.loads(to_json(cls(color=1))) == {"color": "COLOR_GREEN"}


def test_names_enums_and_defaults_can_be_chosen(rich: Any) -> None:
    part = type(rich().part)
    assert to_json(rich(an_int64=1, color=1), names="proto", enums="number") == '{"an_int64":"1","color":1}'
    assert to_json(part(), defaults=True) == '{"sku":"","count":0}'
    assert to_json(part(count=1), indent=1) == '{\n "count": 1\n}'
    with pytest.raises(ConfigError, match="names is 'json' or 'proto'"):
        to_json(rich(), names="camel")  # type: ignore[arg-type]


def test_original_names_are_taken_too(rich: Any) -> None:
    assert from_json('{"an_int64": 5, "aString": "x"}', rich) == rich(an_int64=5, a_string="x")


def test_text_from_schemas_stays_text(awkward: Any) -> None:
    message = awkward(spelled=5)
    told = to_json(message)
    assert json.loads(told) == {"an odd \"name'\n": 5}
    assert from_json(told, awkward) == message


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (timestamp_pb2.Timestamp(seconds=1, nanos=20_000_000), '"1970-01-01T00:00:01.020Z"'),
        (timestamp_pb2.Timestamp(nanos=1), '"1970-01-01T00:00:00.000000001Z"'),
        (duration_pb2.Duration(seconds=-1, nanos=-500_000_000), '"-1.500s"'),
        (field_mask_pb2.FieldMask(paths=["foo_bar.baz", "a"]), '"fooBar.baz,a"'),
        (wrappers_pb2.Int64Value(value=1), '"1"'),
        (wrappers_pb2.FloatValue(value=FLOAT_MAX), "3.4028235e+38"),
        (wrappers_pb2.FloatValue(value=-0.0), "-0.0"),
        (wrappers_pb2.DoubleValue(value=-math.inf), '"-Infinity"'),
        (struct_pb2.Value(null_value=0), "null"),  # type: ignore[arg-type]
        (any_pb2.Any(), "{}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_well_known_types_have_forms_of_their_own(message: Message, text: str) -> None:
    assert to_json(message) == text
    assert from_json(text, type(message)) == message


@pytest.mark.parametrize("number", [math.nan, math.inf, -0.0, FLOAT_MAX, -FLOAT_MAX, 1e-45, 0.1])
def test_floats_keep_their_bits(rich: Any, number: float) -> None:
    message = rich(a_float=number, a_double=number, doubles=[number])
    assert from_json(to_json(message), rich).SerializeToString() == message.SerializeToString()


def test_an_any_holds_what_its_schema_knows_and_well_known_types(rich: Any) -> None:
    message = rich()
    message.packed.Pack(type(rich().part)(sku="x"))
    inner = any_pb2.Any()
    inner.Pack(duration_pb2.Duration(seconds=1))
    message.below.packed.Pack(inner)
    told = to_json(message)
    assert json.loads(told)["packed"] == {"@type": "type.googleapis.com/rich.v1.Rich.Part", "sku": "x"}
    assert json.loads(told)["below"]["packed"]["value"] == {"@type": f"{ANY}.Duration", "value": "1s"}
    assert from_json(told, rich) == message


def test_extensions_stand_between_brackets(base: Any) -> None:
    text = (
        '{"a": 1, "[ext.v1.note]": "n", "[ext.v1.parts]": [{"name": "p", "base": {"[ext.v1.note]": "m"}}],'
        ' "[ext.v1.Scope.inner]": 0.1, "[ext.v1.below]": {"a": 2}}'
    )
    message = from_json(text, base)
    assert json.loads(to_json(message)) == json.loads(text)
    assert issues(lambda: from_json('{"[ext.v1.none]": 1, "[ext.v1.note]": 1}', base)) == {
        '$["[ext.v1.none]"]': "ext.v1.Base has no such field",
        '$["[ext.v1.note]"]': "needs text, not this number",
    }


def test_text_that_is_not_utf8_is_refused_with_its_path() -> None:
    cls: Any = message_class(
        compile_text('syntax = "proto2"; message T { optional string t = 1; map<string, string> m = 2; }'), "T"
    )
    assert issues(lambda: to_json(cls.FromString(b"\x0a\x01\xff"))) == {
        "$.t": "the text is not valid UTF-8, which JSON needs"
    }


@pytest.mark.parametrize(
    "text", ["Struct { int32 a = 1; }", "Any { int32 a = 1; }", "Value { Struct a = 1; } message Struct {}"]
)
def test_a_type_that_is_only_called_like_a_well_known_one_is_a_message(text: str) -> None:
    file = compile_text(f'syntax = "proto3"; package google.protobuf; message {text}', file_name="mine.proto")
    cls: Any = message_class(file, f"google.protobuf.{text.split(maxsplit=1)[0]}")
    assert to_json(cls()) == "{}"
    assert from_json('{"a": null}', cls) == cls() == from_dict(to_dict(cls()), cls)


def test_the_code_of_a_type_can_be_read(rich: Any, awkward: Any) -> None:
    for cls in (rich, awkward):
        ast.parse(json_encoder_code(cls))
        ast.parse(json_decoder_code(cls))


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_all_misfits_are_told_each_with_its_path(rich: Any) -> None:
    text = """{"anInt32": 1.5, "aBool": "true", "parts": [{}, {"sku": 1, "size": 2}], "numbers": [1, "x"],
        "byNumber": {"x": "y"}, "color": "COLOR_REDD", "facts": {"a": [1e999]}, "at": "2026-13-01T00:00:00Z",
        "someBytes": "*", "below": [], "aFloat": 3.5e38, "choiceText": "", "choiceNumber": 1}"""
    assert issues(lambda: from_json(text, rich)) == {
        "$.anInt32": "needs an integer for int32, as a number or as text, not this number",
        "$.aBool": "needs true or false, not this text",
        "$.parts[1].sku": "needs text, not this number",
        "$.parts[1].size": "rich.v1.Rich.Part has no such field",
        "$.numbers[1]": "needs an integer for int32, as a number or as text, not this text",
        '$.byNumber["x"]': "needs an integer for int32, as a number or as text, not this text",
        "$.color": "rich.v1.Color has no such name; did you mean 'COLOR_RED'?",
        "$.facts.a[0]": "the number is out of range for double",
        "$.at": "the text names no moment of the calendar",
        "$.someBytes": "the text is no base64",
        "$.below": "needs an object, not an array",
        "$.aFloat": "the number is out of range for float (32 bits)",
        "$.choiceNumber": "oneof 'choice' is set already, by 'choiceText'",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "needs an object, not an array"),
        ("null", "needs an object, not null"),
        ("{", "no JSON: "),
        ('{"numbers": [NaN]}', "NaN and Infinity are text"),
        ('{"aBool": true, "aBool": true}', "an object has the same key twice"),
        ('{"aBool": true, "a_bool": true}', "the field is given twice, also as 'aBool'"),
        ('{"byNumber": {"1": "", "01": ""}}', "the key is given twice, spelled otherwise"),
        ("{} {}", "more text follows its end, from character 2"),
        (b"\xff", "the bytes are not UTF-8, from byte 0"),
        ("9" * 5000, "a number has too many digits"),
        ('{"packed": {"@type": "x/no.Such"}}', "the Any holds a no.Such, which this schema does not define"),
        ('{"packed": {"sku": 1}}', "'@type' is missing"),
        ('{"packed": {"@type": "x/google.protobuf.Duration"}}', "'value' is missing"),
        ('{"aString": "\\ud800"}', "a lone surrogate at 0"),
        (5, "needs JSON as str or bytes, not int"),
    ],
    ids=str,
)
def test_what_is_no_json_of_the_message_is_refused(rich: Any, text: Any, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason.replace("(", r"\(")):
        from_json(text, rich)


def test_what_json_cannot_hold_is_refused_with_every_path(rich: Any) -> None:
    message = rich(at={"seconds": 2**60}, lasts={"seconds": 1, "nanos": -1})
    message.facts.fields["a"].number_value = math.nan
    message.mask.paths.append("fooBar")
    message.packed.type_url = "x/no.Such"
    message.parts.add()
    message.below.packed.type_url, message.below.packed.value = f"{ANY}.Duration", b"\xff"
    assert issues(lambda: to_json(message)).keys() == {
        "$.at",
        "$.lasts",
        "$.facts",
        "$.mask",
        "$.packed",
        "$.below.packed",
    }


def test_unknown_fields_and_enum_names_can_be_ignored(rich: Any) -> None:
    text = '{"other": [[{}]], "color": "COLOR_PINK", "colors": ["COLOR_RED", "COLOR_PINK"], "aString": "x"}'
    assert from_json(text, rich, ignore_unknown=True) == rich(a_string="x", colors=[1])
    assert issues(lambda: from_json(text, rich)).keys() == {"$.other", "$.color", "$.colors[1]"}


def test_a_message_of_another_class_is_refused(rich: Any, awkward: Any) -> None:
    with pytest.raises(WrongTypeError):
        json_encoder(rich)(awkward())
    with pytest.raises(WrongTypeError):
        to_json({})  # type: ignore[arg-type]


# ── depth ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"below":'])
def test_a_megabyte_of_brackets_is_refused(rich: Any, opening: str) -> None:
    for text in (opening * (1_000_000 // len(opening)), opening * 900 + "1"):
        with pytest.raises(ConversionError, match=r"nested too deep|no JSON"):
            from_json(text, rich)


@pytest.mark.parametrize("depth", range(30, 52))
def test_json_that_is_taken_can_be_read_from_its_bytes(depth: int) -> None:
    text = '{"a":' * depth + "1" + "}" * depth
    if depth > 33:
        assert "more than 100 deep" in "".join(issues(lambda: from_json(text, struct_pb2.Struct)).values())
    else:
        message = from_json(text, struct_pb2.Struct)
        assert struct_pb2.Struct.FromString(message.SerializeToString()) == message
        assert json.loads(to_json(message)) == json.loads(text)


@pytest.mark.parametrize(("depth", "fits"), [(100, True), (101, False), (300, False)])
def test_messages_are_taken_and_told_to_the_depth_that_readers_accept(rich: Any, depth: int, fits: bool) -> None:  # noqa: FBT001
    text = '{"below":' * depth + "{}" + "}" * depth
    message = rich()
    child = message
    for _ in range(depth):
        child = child.below
    child.SetInParent()
    if fits:
        assert from_json(text, rich) == rich.FromString(message.SerializeToString())
        assert to_json(message) == text
    else:
        assert "more than 100 deep" in "".join(issues(lambda: from_json(text, rich)).values())
        assert "more than 100 deep" in "".join(issues(lambda: to_json(message)).values())


def test_anys_in_anys_end_before_the_stack_does() -> None:
    message = any_pb2.Any()
    for _ in range(1000):
        outer = any_pb2.Any()
        outer.Pack(message)
        message = outer
    assert "more than 100 deep" in "".join(issues(lambda: to_json(message)).values())
    opening = f'{{"@type": "{ANY}.Any", "value": '
    assert "100 deep" in "".join(issues(lambda: from_json(opening * 150 + "{}" + "}" * 150, any_pb2.Any)).values())


def test_little_stack_left_is_a_conversion_error() -> None:
    text = '{"a":' * 30 + "1" + "}" * 30
    message = from_json(text, struct_pb2.Struct)
    encode, decode = json_encoder(struct_pb2.Struct), json_decoder(struct_pb2.Struct)
    outcomes: set[str] = set()

    def below(levels: int) -> None:
        if levels:
            below(levels - 1)
            return
        for call in (lambda: encode(message), lambda: decode(text)):
            try:
                call()
            except ConversionError:
                outcomes.add("refused")
            else:
                outcomes.add("done")

    used, frame = 0, sys._getframe()
    while frame is not None:
        used, frame = used + 1, frame.f_back  # type: ignore[assignment]
    for left in (40, 60, 80, 100, 300):
        below(sys.getrecursionlimit() - used - left)
    assert outcomes == {"refused", "done"}


# ── like json_format ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        '{"anInt32": "1e2", "anInt64": 1e3, "aUint64": "18446744073709551615", "aDouble": "1.5", "aFloat": 1}',
        '{"aDouble": "NaN", "aFloat": "-Infinity", "doubles": [1, "2", "Infinity"]}',
        '{"someBytes": "_-8", "maybeBytes": "_-8=", "blobs": ["", "AA", "AA=="]}',
        '{"color": 1, "colors": ["COLOR_GREEN", 2, "2"], "maybeColor": 99, "byFlag": {"false": 1}}',
        '{"aString": null, "part": null, "numbers": null, "byWord": null, "anyValue": null, "wrappedInt64": null}',
        '{"nothing": null, "anyValues": [null, 1], "valueByWord": {"a": null}, "wrappedList": [1]}',
        '{"choiceText": null, "choiceNumber": 1}',
        '{"at": "2026-01-31T12:00:00.5+01:30", "lasts": "-0.000000001s", "mask": "", "facts": {}, "listed": []}',
        '{"packed": {}, "choiceNothing": {}, "part": {"inner": {}}}',
    ],
    ids=str,
)
def test_each_form_is_taken_as_json_format_takes_it(rich: Any, text: str) -> None:
    expected = json_format.Parse(text, rich())
    assert from_json(text, rich).SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    assert json.loads(to_json(expected)) == json.loads(json_format.MessageToJson(expected))
