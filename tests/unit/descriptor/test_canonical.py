"""The canonical form of a file."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from protopact.descriptor import built_in_file, canonical_file, derived_json_name
from protopact.descriptor.wire_order import in_number_order


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", "plain"),
        ("two_words", "twoWords"),
        ("_lead", "Lead"),
        ("trail_", "trail"),
        ("a__b", "aB"),
        ("Upper_Case", "UpperCase"),
        ("with_1_digit", "with1Digit"),
        ("_", ""),
    ],
)
def test_the_json_name_is_derived_as_protoc_derives_it(name: str, expected: str) -> None:
    assert derived_json_name(name) == expected


def test_fields_are_sorted_and_messages_and_enums_are_not() -> None:
    file = FileDescriptorProto(name="a.proto")
    first = file.message_type.add(name="Z")
    for number in (3, 1, 2):
        first.field.add(name=f"f{number}", number=number)
    file.message_type.add(name="A")
    file.enum_type.add(name="Z2").value.add(name="ONE", number=1)
    file.enum_type.add(name="A2")

    canonical = canonical_file(file)

    assert [field.number for field in canonical.message_type[0].field] == [1, 2, 3]
    assert [message.name for message in canonical.message_type] == ["Z", "A"]
    assert [enum.name for enum in canonical.enum_type] == ["Z2", "A2"]
    assert [field.number for field in first.field] == [3, 1, 2], "the given file stays as it was"


def test_indexes_of_public_imports_follow_the_sorted_dependencies() -> None:
    file = FileDescriptorProto(
        name="a.proto", dependency=["z.proto", "a/b.proto", "m.proto"], public_dependency=[0, 1], weak_dependency=[2]
    )

    canonical = canonical_file(file)

    assert list(canonical.dependency) == ["a/b.proto", "m.proto", "z.proto"]
    assert list(canonical.public_dependency) == [0, 2]
    assert list(canonical.weak_dependency) == [1]


def test_synthetic_oneofs_follow_the_sorted_fields() -> None:
    message = DescriptorProto(name="A")
    message.oneof_decl.add(name="real")
    message.oneof_decl.add(name="_late")
    message.oneof_decl.add(name="_early")
    message.field.add(name="late", number=9, oneof_index=1, proto3_optional=True)
    message.field.add(name="member", number=5, oneof_index=0)
    message.field.add(name="early", number=1, oneof_index=2, proto3_optional=True)

    canonical = canonical_file(FileDescriptorProto(name="a.proto", message_type=[message])).message_type[0]

    assert [oneof.name for oneof in canonical.oneof_decl] == ["real", "_early", "_late"]
    assert {field.name: canonical.oneof_decl[field.oneof_index].name for field in canonical.field} == {
        "early": "_early",
        "member": "real",
        "late": "_late",
    }


def test_a_written_out_proto2_and_empty_options_mean_nothing() -> None:
    plain = FileDescriptorProto(name="a.proto", message_type=[DescriptorProto(name="A")])
    dressed = FileDescriptorProto(name="a.proto", syntax="proto2", message_type=[DescriptorProto(name="A")])
    dressed.message_type[0].options.SetInParent()

    assert canonical_file(dressed) == canonical_file(plain)


def test_custom_options_keep_their_bytes_in_the_order_of_their_numbers() -> None:
    field = FieldDescriptorProto(name="f", number=1)
    field.options.MergeFromString(b"\xca\x3e\x01b" + b"\xc2\x3e\x01a" + b"\xca\x3e\x01c" + b"\x18\x01")
    file = FileDescriptorProto(name="a.proto", message_type=[DescriptorProto(name="A", field=[field])])

    options = canonical_file(file).message_type[0].field[0].options

    assert options.deprecated
    assert options.SerializeToString() == b"\x18\x01" + b"\xc2\x3e\x01a" + b"\xca\x3e\x01b" + b"\xca\x3e\x01c"


def test_fields_of_every_wire_type_are_ordered() -> None:
    group = b"\x33" + b"\x08\x01" + b"\x3b\x3c" + b"\x12\x02\x34\x34" + b"\x34"
    parts = [b"\x08\x96\x01", b"\x11" + bytes(8), b"\x1a\x02ab", b"\x2d" + bytes(4), group]

    assert in_number_order(b"".join(reversed(parts))) == b"".join(parts)


def test_the_canonical_form_is_its_own_canonical_form() -> None:
    once = canonical_file(built_in_file("google/protobuf/descriptor.proto"))

    assert canonical_file(once).SerializeToString(deterministic=True) == once.SerializeToString(deterministic=True)
