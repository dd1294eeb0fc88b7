"""What models say about themselves stands in the text for people, and in none that a registry keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from protopact.schema import load_schema, proto, proto_message, schema_of

if TYPE_CHECKING:
    from pathlib import Path

    from protopact.schema import ModelSchema


class Size(IntEnum):
    """How large."""

    SMALL = 0
    LARGE = 1


@proto_message(package="parts.v1")
class Part(BaseModel):
    """A part that other files import."""

    sku: str = Field(description="as printed on the box")


@dataclass
class Plain:
    number: Annotated[int, Field(description="of a dataclass")]


class Order(BaseModel):
    """An order.

    It has two paragraphs; \u2028 and \x00 and "*/" mean nothing.
    """

    id: int = Field(description="given by the shop")
    note: Annotated[str | None, Field(description="two\nlines"), proto(name="remark", tags=("PII",))] = None
    sizes: dict[str, Size] = Field(default={}, description="by the name of the part")
    means: int | str = Field(description="how it is paid")
    part: Part
    plain: Plain
    silent: bool = False


READABLE = """\
// An order.
//
// It has two paragraphs;
//  and   and "*/" mean nothing.
message Order {
  // given by the shop
  int64 id = 1;
"""


def order() -> ModelSchema:
    return schema_of(Order, onto=None)


def test_docstrings_and_descriptions_stand_before_what_they_describe() -> None:
    text = order().to_commented_string()
    assert READABLE in text
    for said in (
        "  // two\n  // lines\n  optional string remark = 2 [",
        "  // by the name of the part\n  map<string, Size> sizes = ",
        "  // how it is paid\n  oneof means {\n",
        "  // of a dataclass\n  int64 number = 1;\n",
        "// How large.\nenum Size {\n",
    ):
        assert said in text
    assert text.count("//") == 11


def test_the_canonical_text_has_no_comments_and_says_the_same() -> None:
    assert "//" not in order().to_schema_string()
    lines = [line for line in order().to_commented_string().splitlines() if not line.lstrip().startswith("//")]
    assert lines == order().to_schema_string().splitlines()


def test_saved_files_have_the_comments_and_compile_to_the_same_schema(tmp_path: Path) -> None:
    saved = order().save_schema(tmp_path)
    assert saved.read_text(encoding="utf-8") == order().to_commented_string()
    imported = next(path for path in tmp_path.rglob("*.proto") if "part" in path.name)
    assert "// A part that other files import.\nmessage Part {\n  // as printed on the box\n" in imported.read_text()
    again = load_schema(saved, imports=tmp_path, message="Order")
    assert again.to_schema_string() == order().to_schema_string()


def test_a_model_adds_nothing_to_a_schema_that_existed_before_it() -> None:
    schema = load_schema('syntax = "proto3"; message Part { string sku = 1; }')
    assert schema_of(Part, onto=schema).to_commented_string() == schema.to_schema_string()
