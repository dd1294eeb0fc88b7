from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, MessageNotFoundError, SchemaLinkError, SchemaSyntaxError
from protopact.schema import ProtoMessage, ProtoSchema, load_schema, schema_of

if TYPE_CHECKING:
    from pathlib import Path

SEVERAL = (
    'syntax = "proto3"; package p; message A { message Inner {} } message B { message Inner {} } enum E { X = 0; }'
)


def test_a_str_is_text() -> None:
    schema = load_schema('syntax = "proto3"; package p; message A { int32 x = 1; }')
    assert isinstance(schema, ProtoSchema)
    assert (schema.name, schema.file_name, schema.message_index) == ("p.A", "schema.proto", (0,))
    assert schema.deserialize(schema.serialize({"x": 5})) == {"x": 5}


def test_a_path_is_a_file_and_its_directory_holds_its_imports(tmp_path: Path, money_text: str) -> None:
    (tmp_path / "money.proto").write_text(money_text)
    file = tmp_path / "price.proto"
    file.write_text('syntax = "proto3"; import "money.proto"; message Price { money.v1.Money amount = 1; }')
    schema = load_schema(file)
    assert (schema.name, schema.file_name) == ("Price", "price.proto")
    assert schema.file_set.imports() == ("money.proto",)


def test_a_file_is_named_from_the_directory_of_imports_that_holds_it(protos: Path) -> None:
    schema = load_schema(protos / "shop/v1/order.proto", imports=protos)
    assert schema.file_name == "shop/v1/order.proto"
    assert schema.file_set.imports() == ("money/v1/money.proto",)


def test_imports_come_from_texts_directories_and_schemas_alike(
    protos: Path, order_text: str, money_text: str, money: ProtoMessage
) -> None:
    name = "shop/v1/order.proto"
    schemas = [
        load_schema(order_text, imports={"money/v1/money.proto": money_text}, file_name=name),
        load_schema(order_text, imports=protos, file_name=name),
        load_schema(order_text, imports=[str(protos)], file_name=name),
        load_schema(order_text, imports=[money], file_name=name),
        load_schema(protos / name, imports=[protos]),
    ]
    assert len({schema.file_set.fingerprint for schema in schemas}) == 1


def test_directories_are_searched_in_order(tmp_path: Path) -> None:
    for directory, kind in (("a", "int32"), ("b", "string")):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "part.proto").write_text(f'syntax = "proto3"; message Part {{ {kind} x = 1; }}')
    text = 'syntax = "proto3"; import "part.proto"; message Whole { Part part = 1; }'
    schema = load_schema(text, imports=[tmp_path / "b", tmp_path / "a"])
    assert schema.deserialize(schema.serialize({"part": {"x": "text"}})) == {"part": {"x": "text"}}


def test_without_a_name_the_first_message_is_the_root() -> None:
    assert load_schema(SEVERAL).name == "p.A"


@pytest.mark.parametrize(
    ("wanted", "name", "index"),
    [
        ("p.B", "p.B", (1,)),
        ("B", "p.B", (1,)),
        ("A.Inner", "p.A.Inner", (0, 0)),
        ("p.B.Inner", "p.B.Inner", (1, 0)),
    ],
)
def test_a_message_is_named_in_full_or_by_the_end(wanted: str, name: str, index: tuple[int, ...]) -> None:
    schema = load_schema(SEVERAL, message=wanted)
    assert (schema.name, schema.message_index) == (name, index)


def test_a_name_that_fits_several_messages_is_refused_with_them() -> None:
    with pytest.raises(MessageNotFoundError) as caught:
        load_schema(SEVERAL, message="Inner")
    assert "p.A.Inner, p.B.Inner" in caught.value.hint


@pytest.mark.parametrize("wanted", ["C", "p.C", "E", "nner", "p", ".p.A"])
def test_a_name_that_fits_none_is_refused_with_those_that_are(wanted: str) -> None:
    with pytest.raises(MessageNotFoundError) as caught:
        load_schema(SEVERAL, message=wanted)
    assert "p.A" in caught.value.hint


def test_a_file_without_a_message_is_no_schema() -> None:
    with pytest.raises(MessageNotFoundError, match="no message"):
        load_schema('syntax = "proto3"; enum E { X = 0; }')


def test_text_that_the_compiler_refuses_is_shown_with_its_place() -> None:
    with pytest.raises(SchemaSyntaxError) as caught:
        load_schema('syntax = "proto3";\nmessage A { int32 x = ; }', file_name="a.proto")
    assert (caught.value.diagnostics[0].file, caught.value.diagnostics[0].line) == ("a.proto", 2)


def test_an_import_that_nobody_has_is_a_link_error(order_text: str, tmp_path: Path) -> None:
    for imports in (None, tmp_path, {}, []):
        with pytest.raises(SchemaLinkError, match="money/v1/money"):
            load_schema(order_text, imports=imports)


def test_a_file_that_is_not_there_is_a_wrong_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_schema(tmp_path / "none.proto")
    assert caught.value.option == "source"
    with pytest.raises(ConfigError) as caught:
        load_schema("message A {}", imports=tmp_path / "none")
    assert caught.value.option == "imports"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_bytes(b'syntax = "proto3"; // \xff')
    with pytest.raises(SchemaSyntaxError, match="UTF-8"):
        load_schema(tmp_path / "a.proto")


def test_a_file_can_be_given_another_import_path(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text('syntax = "proto3"; message A {}')
    assert load_schema(tmp_path / "a.proto", file_name="p/b.proto").file_name == "p/b.proto"


@pytest.mark.parametrize("source", ['syntax = "proto2"; message A { required int32 x = 1; }',
                                    'edition = "2023"; message A { int32 x = 1; }'])  # fmt: skip
def test_every_syntax_is_read(source: str) -> None:
    schema = load_schema(source)
    assert schema.deserialize(schema.serialize({"x": 0})) == {"x": 0}


def test_the_schema_of_a_class_is_the_schema_it_came_from(order: ProtoMessage) -> None:
    schema = schema_of(order.message_class)
    assert (schema.name, schema.file_set) == (order.name, order.file_set)
    assert schema.message_class is order.message_class
