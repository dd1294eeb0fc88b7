"""Examples are true: protobuf itself reads the payload as the example says."""

from __future__ import annotations

from functools import cache

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError
from hypothesis import given, strategies as st

from protopact.compat.payloads import many_for_one, misreading
from protopact.compat.shapes import FieldShape, SchemaShape
from protopact.descriptor import FileSet, message_class

SCALARS = [name for name, _ in FieldDescriptorProto.Type.items() if name not in {"TYPE_GROUP", "TYPE_MESSAGE"}]
PAIRS = [(one, other) for one in SCALARS for other in SCALARS]
VALUES = {
    "INT32": st.integers(-(2**31), 2**31 - 1),
    "INT64": st.integers(-(2**63), 2**63 - 1),
    "UINT32": st.integers(0, 2**32 - 1),
    "UINT64": st.integers(0, 2**64 - 1),
}
VALUES |= {
    "BOOL": st.booleans(),
    "STRING": st.text(st.characters(exclude_categories=["Cs"])),
    "BYTES": st.binary(),
    "FLOAT": st.floats(width=32, allow_nan=False),
    "DOUBLE": st.floats(allow_nan=False),
    "ENUM": st.sampled_from([0, 2]),
    "SINT32": VALUES["INT32"],
    "SFIXED32": VALUES["INT32"],
    "SINT64": VALUES["INT64"],
    "SFIXED64": VALUES["INT64"],
    "FIXED32": VALUES["UINT32"],
    "FIXED64": VALUES["UINT64"],
}


@cache
def file_set(type_: str, *, repeated: bool = False) -> FileSet:
    file = FileDescriptorProto(name="a.proto", syntax="proto3")
    enum = file.enum_type.add(name="E")
    enum.value.add(name="Z", number=0)
    enum.value.add(name="Y", number=2)
    label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    field = file.message_type.add(name="A").field.add(name="f", number=3, label=label)
    field.type = FieldDescriptorProto.Type.Value(type_)
    if type_ == "TYPE_ENUM":
        field.type_name = ".E"
    return FileSet.link("a.proto", [file])


def shape(file_set: FileSet) -> FieldShape:
    return SchemaShape(file_set, {}).root.messages["A"].fields[3]


def read(file_set: FileSet, payload: bytes) -> object:
    """What protobuf reads, in an example's words."""
    try:
        message = message_class(file_set, "A").FromString(payload)
    except DecodeError:
        return "no text: the record cannot be read at all"
    if not message.ListFields():
        return "not set: the bytes end among the unknown fields"
    return message.f


@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_an_example_of_a_misreading_is_read_so_by_protobuf(writer: str, reader: str) -> None:
    written, wanted = file_set(writer), file_set(reader)
    example = misreading(shape(written), shape(wanted))
    if example is None:
        return
    value = read(wanted, example.payload)
    assert example.reads == (value if str(value).startswith(("no text", "not set")) else repr(value))
    assert repr(read(written, example.payload)) == example.means or read(written, example.payload) == 1


@given(st.data())
def test_a_change_without_an_example_loses_no_value(data: st.DataObject) -> None:
    harmless = [
        (one, other) for one, other in PAIRS if misreading(shape(file_set(one)), shape(file_set(other))) is None
    ]
    writer, reader = data.draw(st.sampled_from(harmless))
    written, wanted = file_set(writer), file_set(reader)
    value = data.draw(VALUES[writer.removeprefix("TYPE_")])
    payload = message_class(written, "A")(f=value).SerializeToString()
    got = message_class(wanted, "A").FromString(payload).f
    assert (got.decode() if isinstance(got, bytes) and isinstance(value, str) else got) == value


@pytest.mark.parametrize("type_", SCALARS)
def test_an_example_of_many_values_is_read_so_by_protobuf(type_: str) -> None:
    many, one = file_set(type_, repeated=True), file_set(type_)
    example = many_for_one(shape(many), shape(one))
    assert len(message_class(many, "A").FromString(example.payload).f) == 2
    value = read(one, example.payload)
    assert example.reads in {value, f"{value!r} alone"}
