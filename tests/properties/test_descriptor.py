"""Descriptors from outside: whatever the bytes are, one family of errors comes out."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given, strategies as st

from protopact.compiler import print_file
from protopact.descriptor import FileSet, built_in_file, canonical_file
from protopact.errors import SchemaError

SOURCES = ["confluent/meta.proto", "google/protobuf/struct.proto", "google/type/postal_address.proto"]


def renamed(name: str) -> bytes:
    file = FileDescriptorProto.FromString(built_in_file(name).SerializeToString())
    file.name = "a.proto"
    return FileDescriptorSet(file=[file]).SerializeToString()


WHOLE = [renamed(name) for name in SOURCES]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(WHOLE)))
    for place in draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=4)):
        data[place] = draw(st.integers(0, 255))
    return bytes(data)


@given(damaged())
def test_a_damaged_descriptor_is_refused_with_a_schema_error_or_can_be_printed(data: bytes) -> None:
    try:
        file_set = FileSet.from_bytes("a.proto", data)
        printed = print_file(file_set)
    except SchemaError:
        return
    assert printed.endswith("\n")
    assert canonical_file(canonical_file(file_set.root_file)) == canonical_file(file_set.root_file)
