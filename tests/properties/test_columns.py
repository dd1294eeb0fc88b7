"""Random messages of rich and of random schemas as columns: each row says what the message says, read by reflection."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from properties.test_convert import EXAMPLES as CONVERTER_EXAMPLES, OLD, RICH, SEEDS, filled, random_class
from protopact.convert import column_writer
from protopact.convert.dicts import read_list_value, read_struct, read_value
from protopact.convert.values import EPOCH
from protopact.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

EXAMPLES = min(CONVERTER_EXAMPLES, 5000)
counted: Counter[str] = Counter()
OPTIONS: list[dict[str, Any]] = [{}, {"enums": "number"}]
SPECIAL: dict[str, Callable[[Any], object]] = {
    "Timestamp": lambda at: EPOCH + timedelta(seconds=at.seconds, microseconds=at.nanos // 1000),
    "Duration": lambda span: timedelta(seconds=span.seconds, microseconds=int(span.nanos / 1000)),
    "Struct": lambda struct: json.dumps(read_struct(struct), ensure_ascii=False),
    "Value": lambda value: json.dumps(read_value(value), ensure_ascii=False),
    "ListValue": lambda values: json.dumps(read_list_value(values), ensure_ascii=False),
    **{
        f"{kind}Value": lambda box: box.value
        for kind in ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
    },
}


@pytest.fixture(scope="module", autouse=True)
def _figure(say: Callable[[str], None]) -> Iterator[None]:
    yield
    if EXAMPLES > 50:
        say(f"columns: {dict(counted)}")


def row_of(message: Any, options: dict[str, Any], above: tuple[str, ...] = ()) -> dict[str, object]:
    """Give the row that a message should be."""
    descriptor: Descriptor = type(message).DESCRIPTOR
    within = (*above, descriptor.full_name)
    row: dict[str, object] = {}
    for field in sorted(descriptor.fields, key=lambda field: field.number):
        held = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
            row[field.name] = [
                (one(key, each, options, within), one(value, held[each], options, within)) for each in held
            ]
        elif field.is_repeated:
            row[field.name] = [one(field, each, options, within) for each in held]
        elif field.has_presence and not message.HasField(field.name):
            row[field.name] = None
        else:
            row[field.name] = one(field, held, options, within)
    return row


def one(field: FieldDescriptor, value: Any, options: dict[str, Any], within: tuple[str, ...]) -> object:
    if field.message_type is not None:
        name = field.message_type.full_name
        if name.startswith("google.protobuf.") and field.message_type.name in SPECIAL:
            return SPECIAL[field.message_type.name](value)
        return value.SerializePartialToString() if name in within else row_of(value, options, within)
    if field.enum_type is not None and not options:
        known = field.enum_type.values_by_number.get(value)
        return str(value) if known is None else known.name
    return value


def told(row: dict[str, object]) -> str:
    return repr(row).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc")


def check(message: Any, options: dict[str, Any]) -> None:
    cls = type(message)
    batch = column_writer(cls, **options).batch([cls(), message, message])
    batch.validate(full=True)
    if not batch.num_columns:
        return
    _, first, second = batch.to_pylist()
    # by repr: NaN is told like itself, and -0.0 unlike 0.0
    assert told(first) == told(second) == told(row_of(message, options))
    counted["rows"] += 1


@settings(max_examples=EXAMPLES)
@given(data=st.data(), cls=st.sampled_from([RICH, OLD]), options=st.sampled_from(OPTIONS))
def test_rows_of_rich_messages_say_what_the_messages_say(
    data: st.DataObject, cls: Any, options: dict[str, Any]
) -> None:
    check(data.draw(filled(cls, sane=True)), options)


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS, options=st.sampled_from(OPTIONS))
def test_rows_of_messages_of_any_schema_say_what_the_messages_say(
    data: st.DataObject, seed: int, options: dict[str, Any]
) -> None:
    check(data.draw(filled(random_class(seed), sane=True)), options)


@settings(max_examples=EXAMPLES)
@given(data=st.data(), seed=SEEDS)
def test_what_has_no_place_in_columns_is_refused_with_its_path(data: st.DataObject, seed: int) -> None:
    message = data.draw(filled(random_class(seed)))
    refused: list[ConversionError] = []
    try:
        column_writer(type(message)).batch([message]).validate(full=True)
    except ConversionError as error:
        refused.append(error)
    assert all(issue.path.startswith("$.") for error in refused for issue in error.issues)
    counted["refused"] += len(refused)
