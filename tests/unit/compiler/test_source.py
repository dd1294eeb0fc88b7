"""Names and texts are checked before protoc sees them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from protopact.compiler import check_import_path, load_sources
from protopact.compiler.source import check_sources, scan_text
from protopact.errors import SchemaLinkError, SchemaSyntaxError
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = CompilerSettings()


def scan(text: str) -> None:
    check_sources({"a.proto": text}, SETTINGS)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "is empty"),
        ("../a.proto", "has a part . or .."),
        ("a/../b.proto", "has a part . or .."),
        ("./a.proto", "has a part . or .."),
        ("/etc/passwd", "is absolute"),
        ("a//b.proto", "has an empty part"),
        ("a/", "has an empty part"),
        ("http://example.com/a.proto", "has an empty part"),
        ("C:a.proto", "names a drive"),
        ("a\\b.proto", "holds a backslash"),
        ("a\0.proto", "holds a control character"),
        ("a\n.proto", "holds a control character"),
        ("\ud800.proto", "no valid Unicode"),
        ("a/" * 600 + "b.proto", "is too long"),
        ("a" * 256, "a part that is too long"),
    ],
)
def test_a_path_that_no_import_can_have_is_refused(path: str, reason: str) -> None:
    with pytest.raises(SchemaLinkError, match=reason) as refused:
        check_import_path(path)
    assert refused.value.diagnostics


@pytest.mark.parametrize(
    "path", ["a.proto", "shop/v1/order.proto", "-a.proto", "@a.proto", "größe/a b.proto", "subject"]
)
def test_every_other_path_is_accepted(path: str) -> None:
    check_import_path(path)


def test_a_file_cannot_be_a_directory_too() -> None:
    with pytest.raises(SchemaLinkError, match="file and a directory"):
        check_sources({"a.proto": "", "a.proto/b.proto": ""}, SETTINGS)


def test_a_lone_surrogate_is_refused_with_its_place_whether_or_not_the_text_is_scanned() -> None:
    for settings in (SETTINGS, CompilerSettings(prescan=False)):
        with pytest.raises(SchemaSyntaxError) as refused:
            check_sources({"a.proto": 'syntax = "proto3";\n// \ud800'}, settings)
        (diagnostic,) = refused.value.diagnostics
        assert (diagnostic.file, diagnostic.line, diagnostic.column) == ("a.proto", 2, 4)


def test_a_text_is_measured_in_bytes() -> None:
    settings = CompilerSettings(text_bytes_max=10)
    check_sources({"a.proto": "ü" * 5}, settings)
    for text in ("ü" * 6, "u" * 11):
        with pytest.raises(SchemaSyntaxError, match="longer than 10 bytes"):
            check_sources({"a.proto": text}, settings)


def test_a_nul_is_refused_with_its_place() -> None:
    with pytest.raises(SchemaSyntaxError, match=r"a\.proto:2:3: a NUL"):
        scan("x\nab\0")


@pytest.mark.parametrize(
    "text",
    [
        "{" * 65,
        "<" * 65,
        "[" * 65,
        "{<[" * 22,
        "{ > } ]" + "{ >" * 65,
        "option (o)" + ".a" * 65,
        "option (o)" + " . /* . */ a" * 65,
        "option (o)" + ".(x.y)" * 33,
        "{" * 60 + "a.b.c.d.e.f",
    ],
)
def test_brackets_and_the_dots_of_one_name_count_together_as_depth(text: str) -> None:
    with pytest.raises(SchemaSyntaxError, match="nested more than 64 deep") as refused:
        scan(f"\n {text}")
    assert refused.value.diagnostics[0].line == 2


@pytest.mark.parametrize(
    "text",
    [
        "{" * 64,
        "{}" * 1000,
        "map<int32, string> m = 1;" * 1000,
        "// " + "{" * 100,
        "/* " + "{" * 100 + "*/",
        "'" + "{" * 100 + "'",
        '"\\"' + "{" * 100 + '"',
        "a.b; " * 1000,
        "float f = 1 [default = 1.5];" * 100,
    ],
)
def test_what_is_closed_or_inside_comments_and_strings_does_not_count(text: str) -> None:
    scan(text)


def crowded_at(text: str, most: int = 3) -> int | None:
    return scan_text(text, reserved_numbers_max=most).crowded_at


@pytest.mark.parametrize(
    "text",
    [
        "message A { reserved 1, 2, 3, ¡4; }",
        "message A { reserved 1; reserved 2; reserved 3; reserved ¡4; }",
        "message A { reserved 1, 2; } message B { extensions 1, ¡4 to max; }",
        "enum E { reserved -1, 0x2, 7 to 9, -¡4; }",
        "message A { /* 9 */ reserved // 8\n 1, /* 7 */ 2 to 3, 5\n, ¡4",
        "message A { int32 a = 7; reserved 1,2,3; int32 b = 8; reserved ¡4; }",
        "message A { optional /* */ reserved r = 9; extensions 1 [declaration = { number: 5 }]; reserved 2, 3, ¡4; }",
    ],
)
def test_the_number_that_is_one_too_many_is_found_with_its_place(text: str) -> None:
    assert crowded_at(text.replace("¡", "")) == text.index("¡")


@pytest.mark.parametrize(
    "text",
    [
        "message A { reserved 1, 2, 3; }",
        "message A { reserved 1 to 2, 3 to 4, 5 to max; }",
        'message A { reserved "a1", "b2", "c3", "d4"; }',
        "message A { reserved a1, b2, c3, d4; }",
        "message A { int32 reserved1 = 1; int32 b = 2; int32 c = 3; int32 d = 4; }",
        "// reserved 1, 2, 3, 4;\n/* reserved 1, 2, 3, 4; */ option a = 'reserved 1, 2, 3, 4;';",
        "enum E { A = 1; B = 2; C = 3; D = 4; reserved 5; }",
    ],
)
def test_only_numbers_and_ranges_of_reserved_and_extensions_statements_are_counted(text: str) -> None:
    assert crowded_at(text) is None


def test_too_many_reserved_numbers_are_refused_with_the_place_of_the_first_one_too_many() -> None:
    numbers = ",".join(map(str, range(1, 40_001)))
    with pytest.raises(SchemaSyntaxError, match="more than 38,000 numbers and ranges are reserved") as refused:
        scan(f"message A {{ reserved\n{numbers}; }}")
    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == (2, numbers.index(",38001,") + 2)


@pytest.mark.parametrize(
    "text",
    [
        'import "../a.proto";',
        "import '../a.proto';",
        'import public "../a.proto";',
        'import weak/**/"../a.proto";',
        'import // why\n "../a.proto";',
        'import".." "/a.proto";',
        'import "/etc/passwd";',
        'import "\\x2e./a.proto";',
    ],
)
def test_an_impossible_import_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(SchemaLinkError, match="import path") as refused:
        scan(f'syntax = "proto3";\n  {text}')
    (diagnostic,) = refused.value.diagnostics
    quote = min(column for column in (text.find("'"), text.find('"')) if column >= 0)
    line, before = 2 + text.count("\n", 0, quote), text[:quote].rpartition("\n")[2]
    assert (diagnostic.file, diagnostic.line) == ("a.proto", line)
    assert diagnostic.column == len(before) + 1 + (2 if line == 2 else 0)


def test_import_paths_are_those_of_the_statements_alone() -> None:
    text = """
        // import "comment.proto";
        /* import "block.proto"; */
        import "a.proto"; import public 'b.proto'; import /* " */ weak "c.proto";import'd'".proto";
        option java_package = 'import "string.proto";';
        message M { string import = 1 [json_name = "x"]; }
    """
    assert [path for _, path in scan_text(text).imports] == ["a.proto", "b.proto", "c.proto", "d.proto"]


@pytest.mark.parametrize(
    "piece",
    [
        "/*",
        "/* * /",
        "//",
        '"',
        "'\\",
        "import ",
        "import/**/",
        "a.",
        ". /**/",
        "{",
        "<>",
        "import '",
        "\n",
        "* /",
        "/",
        "reserved ",
        "reserved 1 ",
        "reserved 1;",
        "; extensions 1    to",
    ],
)
def test_the_scan_is_linear_and_bounded(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    start_s = time.thread_time()
    scan_text(text)
    assert time.thread_time() - start_s < 1.0  # quadratic would be hours


def test_what_lies_beyond_the_scanned_part_is_left_to_protoc() -> None:
    text = "{}" * 20_000 + 'import "a.proto";'
    assert not scan_text(text).complete
    assert scan_text("{}").complete


def test_sources_are_loaded_with_what_they_import_from_the_first_root_that_has_them(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path, text in {
        first / "a.proto": 'import "shop/b.proto"; import "google/protobuf/any.proto";',
        first / "unused.proto": "",
        second / "a.proto": "hidden",
        second / "shop" / "b.proto": 'import "a.proto";',
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = load_sources(["a.proto"], [first, second])
    assert set(sources) == {"a.proto", "shop/b.proto"}
    assert sources["a.proto"] != "hidden"


def test_a_named_file_that_no_root_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaLinkError, match=r"a\.proto: file not found"):
        load_sources(["a.proto"], [tmp_path])
    with pytest.raises(SchemaLinkError, match="has a part"):
        load_sources(["../a.proto"], [tmp_path])


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_bytes(b"\xff")
    with pytest.raises(SchemaSyntaxError, match="not UTF-8"):
        load_sources(["a.proto"], [tmp_path])


def test_an_import_that_leads_out_of_the_roots_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.proto").write_text("")
    (root / "a.proto").write_text('import "../secret.proto";')
    assert set(load_sources(["a.proto"], [root])) == {"a.proto"}
