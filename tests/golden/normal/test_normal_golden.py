"""Normal text against files, and its laws: stable, equal in meaning, one for all spellings."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from google import api as google_api
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compiler import compile_files, normal_text, print_file
from protopact.compiler.normal import normal_file
from protopact.descriptor import FileSet, canonical_file, message_index, message_names, options_in_pool, pool_of

HERE = Path(__file__).parent
PRINTER = HERE.parent / "printer"
PLAIN = sorted((PRINTER / "inputs").glob("*.proto"))
SPELLINGS = sorted((HERE / "spellings").iterdir())
PROTOC = find_spec("grpc_tools")  # found, not loaded: another test minds that
assert PROTOC is not None
SHIPPED = Path(PROTOC.origin or "").parent / "_proto"


def texts_under(directory: Path) -> dict[str, str]:
    paths = sorted(directory.rglob("*.proto"))
    return {path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8") for path in paths}


IMPORTS = texts_under(SHIPPED) | texts_under(PRINTER / "imports")


def compiled(text: str) -> FileSet:
    (file_set,) = compile_files(["golden.proto"], {**IMPORTS, "golden.proto": text})
    return file_set


def is_golden(name: str, text: str) -> bool:
    expected = HERE / "texts" / f"{name}.proto"
    if "PROTOPACT_ACCEPT_GOLDEN" in os.environ:
        expected.write_text(text, encoding="utf-8")
    return text == expected.read_text(encoding="utf-8")


def meaning(file_set: FileSet) -> str:
    """Show the root in canonical form, sorted as normal text is, with each custom option in one part."""
    known = options_in_pool(file_set.root_file, pool_of(file_set))
    whole = FileDescriptorProto.FromString(known.SerializeToString(deterministic=True))
    return str(canonical_file(normal_file(whole)))


def assert_law(before: FileSet, normal: str, again: FileSet) -> None:
    assert normal_text(again) == normal, "normal text is not stable"
    assert meaning(again) == meaning(before)
    assert indexes(again) == indexes(before)


def indexes(file_set: FileSet) -> dict[str, tuple[int, ...]]:
    file, pool = file_set.root_file, pool_of(file_set)
    names = [n for n in message_names(file) if not pool.FindMessageTypeByName(n).GetOptions().map_entry]
    return {name: message_index(file, name) for name in names}


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_a_text_becomes_its_golden_file(path: Path) -> None:
    file_set = compiled(path.read_text(encoding="utf-8"))

    normal = normal_text(file_set)

    assert is_golden(path.stem, normal)
    assert_law(file_set, normal, compiled(normal))


@pytest.mark.parametrize("folder", SPELLINGS, ids=lambda path: path.name)
def test_all_spellings_of_one_schema_become_one_text(folder: Path) -> None:
    spellings = [compiled(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]

    normal = {normal_text(file_set) for file_set in spellings}

    assert len(spellings) >= 2
    assert len(normal) == 1, "\n".join(normal)
    assert is_golden(f"spelling-{folder.name}", *normal)
    for file_set in spellings:
        assert_law(file_set, *normal, compiled(*normal))


def test_googleapis_and_protobufs_own_files_keep_their_meaning() -> None:
    root = Path(google_api.__path__[0]).parent
    texts = {f"google/{path}": text for path, text in texts_under(root).items()} | texts_under(SHIPPED)
    before = compile_files(texts, texts)
    normal = [normal_text(file_set) for file_set in before]
    again = compile_files(texts, dict(zip(texts, normal, strict=True)))

    assert len(texts) > 70
    for old, text, new in zip(before, normal, again, strict=True):
        assert_law(old, text, new)


def test_a_message_that_stands_between_two_groups_stays_there() -> None:
    between = compiled("""
        message Foo { extensions 100 to 200; }
        extend Foo { optional group B = 102 {} optional int32 plain = 110; }
        message Between {}
        extend Foo { optional group A = 101 {} }
        message M {
          oneof choice { group Y = 3 {} group X = 2 {} }
          message Z {}
          map<int32, int32> b = 5;
          message Inside {}
          map<int32, int32> a = 4;
        }
    """)

    for text in (normal_text, print_file):
        assert indexes(compiled(text(between))) == indexes(between)
    assert normal_text(compiled(normal_text(between))) == normal_text(between)
