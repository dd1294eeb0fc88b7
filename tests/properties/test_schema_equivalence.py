"""One schema built in Python, loaded from its text and compiled from its file: equal values, equal bytes."""

from __future__ import annotations

import datetime as dt
import tempfile

from hypothesis import given, settings, strategies as st

from protopact.schema import ProtoEnum, ProtoField, ProtoMessage, load_compiled_message, load_schema

Values = dict[str, object]

INT32, INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
UINT32, UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAP_KEYS = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), INT32),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), INT64),
    **dict.fromkeys(("uint32", "fixed32"), UINT32),
    **dict.fromkeys(("uint64", "fixed64"), UINT64),
    "bool": st.booleans(),
    "string": TEXT,
}
VALUES_OF = MAP_KEYS | {
    "double": st.floats(allow_nan=False),
    "float": st.floats(allow_nan=False, width=32),
    "bytes": st.binary(max_size=8),
    "google.protobuf.Timestamp": st.datetimes(
        dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC)  # noqa: DTZ001  (timezones adds it)
    ),
    "google.protobuf.StringValue": TEXT,
}  # fmt: skip
NUMBERS = st.one_of(st.integers(1, 40), st.integers(1, 2**29 - 1).filter(lambda n: not 19_000 <= n < 20_000))
ITEM_VALUES = st.fixed_dictionaries({}, optional={"sku": TEXT, "count": INT32})
STATUS_VALUES = st.sampled_from(["UNKNOWN", "PAID", "LOST"])


@st.composite
def types(draw: st.DrawFn) -> tuple[object, st.SearchStrategy[object]]:
    name = draw(st.sampled_from(["Item", "Status", *VALUES_OF]))
    return name, {"Item": ITEM_VALUES, "Status": STATUS_VALUES, **VALUES_OF}[name]


@st.composite
def fields(draw: st.DrawFn, name: str, number: int, shape: str) -> tuple[ProtoField, st.SearchStrategy[object]]:
    kind, values = draw(types())
    if shape == "list":
        return ProtoField(name, kind, number, repeated=True), st.lists(values, max_size=3)  # type: ignore[arg-type]
    if shape == "map":
        key = draw(st.sampled_from(sorted(MAP_KEYS)))
        entries = st.dictionaries(MAP_KEYS[key], values, max_size=4)
        return ProtoField(name, kind, number, map_key=key), entries  # type: ignore[arg-type]
    return ProtoField(name, kind, number, optional=shape == "optional"), values  # type: ignore[arg-type]


@st.composite
def schemas_with_values(draw: st.DrawFn) -> tuple[ProtoMessage, list[Values]]:
    numbers = draw(st.lists(NUMBERS, min_size=1, max_size=8, unique=True))
    shapes = [draw(st.sampled_from(["plain", "optional", "list", "map", "member"])) for _ in numbers]
    plain, members, values = [], [], {}
    for position, (number, shape) in enumerate(zip(numbers, shapes, strict=True)):
        field, strategy = draw(fields(f"field_{position}", number, shape))
        (members if shape == "member" else plain).append(field)
        values[field.name] = strategy
    chosen = draw(st.sampled_from(members)).name if members else None
    values = {name: each for name, each in values.items() if name == chosen or name not in {m.name for m in members}}
    schema = ProtoMessage(
        "Root",
        package=draw(st.sampled_from(["", "shop.v1"])),
        syntax=draw(st.sampled_from(["proto2", "proto3", "2023"])),
        fields=plain,
        oneofs={"choice": members} if members else {},
        messages=draw(st.sampled_from([[], [_item()]])),
        siblings=[_item(), ProtoEnum("Status", ["UNKNOWN", "PAID", "LOST"])],
    )
    return schema, draw(st.lists(st.fixed_dictionaries({}, optional=values), min_size=1, max_size=4))


def _item() -> ProtoMessage:
    return ProtoMessage("Item", fields=[ProtoField("sku", "string", 1), ProtoField("count", "int32", 2)])


@settings(print_blob=True)
@given(schemas_with_values())
def test_every_form_of_a_schema_writes_the_same_bytes(case: tuple[ProtoMessage, list[Values]]) -> None:
    built, all_values = case
    loaded = load_schema(built.to_schema_string(), message="Root", file_name=built.file_name)
    with tempfile.TemporaryDirectory() as directory:
        compiled = load_compiled_message(built.save_schema(directory), built.name, imports=directory)
    assert built.file_set.fingerprint == loaded.file_set.fingerprint == compiled.file_set.fingerprint
    for values in all_values:
        written = {schema.serialize(values, deterministic=True) for schema in (built, loaded, compiled)}
        assert len(written) == 1
        assert built.deserialize(*written) == loaded.deserialize(*written) == compiled.deserialize(*written)
        assert built.serialize(built.deserialize(*written), deterministic=True) in written
