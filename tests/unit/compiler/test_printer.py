"""Printing: the recorded layout, imports, and what cannot be written."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FieldOptions,
    FileDescriptorProto,
    UninterpretedOption,
)

from protopact.compiler import compile_text, print_file
from protopact.descriptor import FileSet
from protopact.errors import SchemaLinkError

STRING, GROUP, ENUM = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_GROUP, FieldDescriptorProto.TYPE_ENUM
OPTIONAL = FieldDescriptorProto.LABEL_OPTIONAL
OPTION_50001 = b"\x8a\xb5\x18\x01x"


def test_confluents_recorded_example_prints_as_it_is_stored() -> None:
    money = 'syntax = "proto3"; package m; message Money {}'
    text = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'

    printed = print_file(compile_text(text, sources={"money.proto": money}))

    assert printed == ('syntax = "proto3";\n\nimport "money.proto";\n\nmessage Order {\n  m.Money price = 1;\n}\n')


def test_an_empty_file_prints_its_syntax_alone() -> None:
    assert print_file(compile_text('syntax = "proto3";')) == 'syntax = "proto3";\n'


def test_a_file_without_a_syntax_is_proto2() -> None:
    file = FileDescriptorProto(name="a.proto", message_type=[DescriptorProto(name="A")])

    assert print_file(FileSet.link("a.proto", [file])) == 'syntax = "proto2";\n\nmessage A {}\n'


def test_any_file_of_the_set_can_be_printed() -> None:
    sources = {"b.proto": 'syntax = "proto3"; package b; message B {}'}
    file_set = compile_text('syntax = "proto3"; import "b.proto"; message A { b.B b = 1; }', sources=sources)

    assert print_file(file_set, "b.proto") == 'syntax = "proto3";\npackage b;\n\nmessage B {}\n'
    with pytest.raises(SchemaLinkError, match=r"does not import c\.proto"):
        print_file(file_set, "c.proto")


def test_public_imports_stand_behind_the_others() -> None:
    sources = {f"{name}.proto": f'syntax = "proto3"; package {name}; message M {{}}' for name in "abc"}
    text = """
        syntax = "proto2";
        import public "c.proto"; import weak "b.proto"; import "a.proto";
        message Of { optional c.M m = 1; }
    """

    printed = print_file(compile_text(text, sources=sources))

    assert '\nimport weak "b.proto";\nimport "a.proto";\nimport public "c.proto";\n' in printed


def test_a_type_reached_through_a_public_import_keeps_a_right_spelling() -> None:
    sources = {
        "inner.proto": 'syntax = "proto3"; package shop.inner; message M {}',
        "middle.proto": 'syntax = "proto3"; package middle; import public "inner.proto";',
    }
    text = 'syntax = "proto3"; package shop.orders; import "middle.proto"; message Order { inner.M m = 1; }'

    printed = print_file(compile_text(text, sources=sources))

    assert "  shop.inner.M m = 1;\n" in printed


def test_a_leading_dot_stands_only_where_a_nearer_name_is_in_the_way() -> None:
    text = """
        syntax = "proto3"; package acme.shop;
        import "google/protobuf/timestamp.proto";
        message Free { google.protobuf.Timestamp at = 1; }
        message Blocked { message google {} .google.protobuf.Timestamp at = 1; }
    """

    printed = print_file(compile_text(text))

    assert printed.count("  google.protobuf.Timestamp at = 1;\n") == 1
    assert printed.count("  .google.protobuf.Timestamp at = 1;\n") == 1


def test_a_package_nearer_by_takes_the_first_part_of_a_name() -> None:
    sources = {"near.proto": 'syntax = "proto3"; package acme.google; message Near {}'}
    text = """
        syntax = "proto3"; package acme.shop;
        import "google/protobuf/timestamp.proto"; import "near.proto";
        message A { .google.protobuf.Timestamp at = 1; .acme.google.Near near = 2; }
    """

    printed = print_file(compile_text(text, sources=sources))

    assert "  .google.protobuf.Timestamp at = 1;\n  acme.google.Near near = 2;\n" in printed


def test_relative_type_names_of_a_handmade_descriptor_are_resolved() -> None:
    field = FieldDescriptorProto(name="b", number=1, type_name="B", label=OPTIONAL)
    message = DescriptorProto(name="A", field=[field], nested_type=[DescriptorProto(name="B")])
    file = FileDescriptorProto(name="a.proto", package="p", syntax="proto3", message_type=[message])

    assert "  B b = 1;\n" in print_file(FileSet.link("a.proto", [file]))


def optioned(option: bytes) -> FileSet:
    field = FieldDescriptorProto(name="f", number=1, type=STRING, label=OPTIONAL)
    field.options.MergeFromString(option)
    message = DescriptorProto(name="A", field=[field])
    return FileSet.link(
        "a.proto",
        [
            FileDescriptorProto(
                name="a.proto",
                package="p",
                syntax="proto3",
                message_type=[message],
                dependency=["confluent/meta.proto"],
            )
        ],
    )


def test_an_option_that_no_file_defines_is_refused_by_its_number() -> None:
    with pytest.raises(SchemaLinkError, match=r"a\.proto: p\.A\.f has option 50001 of google\.protobuf\.FieldOptions"):
        print_file(optioned(OPTION_50001))


def test_an_unknown_field_inside_an_option_is_refused_too() -> None:
    with pytest.raises(SchemaLinkError, match=r"p\.A\.f has option 15 of confluent\.Meta, which no file"):
        print_file(optioned(b"\x82\x44\x02\x78\x01"))


def test_an_option_that_protoc_never_interpreted_is_refused_by_its_name() -> None:
    parts = [UninterpretedOption.NamePart(name_part=part, is_extension=False) for part in ("later", "on")]
    options = FieldOptions(uninterpreted_option=[UninterpretedOption(name=parts, identifier_value="true")])

    with pytest.raises(SchemaLinkError, match=r"option later\.on of p\.A\.f was never interpreted"):
        print_file(optioned(options.SerializeToString()))


def test_an_enum_value_that_the_enum_does_not_define_is_refused() -> None:
    options = """
        syntax = "proto3"; package o;
        import "google/protobuf/descriptor.proto";
        enum E { ZERO = 0; }
        extend google.protobuf.FieldOptions { E e = 50001; }
    """
    dependency = compile_text(options, file_name="o.proto").root_file
    field = FieldDescriptorProto(name="f", number=1, type=STRING, label=OPTIONAL)
    field.options.MergeFromString(b"\x88\xb5\x18\x07")
    message = DescriptorProto(name="A", field=[field])
    file = FileDescriptorProto(name="a.proto", syntax="proto3", message_type=[message], dependency=["o.proto"])

    with pytest.raises(SchemaLinkError, match=r"option o\.e of A\.f has the value 7, which o\.E does not define"):
        print_file(FileSet.link("a.proto", [file, dependency]))


def test_a_group_whose_body_stands_elsewhere_is_refused() -> None:
    field = FieldDescriptorProto(name="other", number=1, type=GROUP, type_name=".B", label=OPTIONAL)
    file = FileDescriptorProto(
        name="a.proto", message_type=[DescriptorProto(name="A", field=[field]), DescriptorProto(name="B")]
    )

    with pytest.raises(SchemaLinkError, match=r"field A\.other is a group"):
        print_file(FileSet.link("a.proto", [file]))


def test_an_edition_from_the_future_is_refused() -> None:
    file = FileDescriptorProto(name="a.proto", syntax="editions")
    file.MergeFromString(b"\x70\xb8\x17")

    with pytest.raises(SchemaLinkError):
        print_file(FileSet.link("a.proto", [file]))
