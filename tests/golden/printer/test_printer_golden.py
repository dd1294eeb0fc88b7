"""Printed text against files, and the law: printed and compiled again, a file is the same."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import opentelemetry.proto
import pytest
from google import api as google_api
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compiler import compile_files, print_file
from protopact.descriptor import FileSet, canonical_file, message_names, options_in_pool, pool_of

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in (HERE / "inputs").glob("*.proto"))
SITE_PACKAGES = Path(google_api.__path__[0]).parent.parent
# Found, not imported: protoc has no place in the process of the tests.
SHIPPED = Path(str(find_spec("grpc_tools").origin)).parent / "_proto"
# Fields print before oneofs, which in these files stand between fields.
FIELDS_MOVE_IN = {
    "google/api/auth.proto",
    "google/api/backend.proto",
    "google/api/http.proto",
    "google/type/phone_number.proto",
}


def texts_under(directory: Path) -> dict[str, str]:
    paths = sorted(directory.rglob("*.proto"))
    return {path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def shipped_texts() -> dict[str, str]:
    """Every .proto of googleapis-common-protos, and protobuf's own as protoc carries them."""
    googleapis = {f"google/{path}": text for path, text in texts_under(SITE_PACKAGES / "google").items()}
    return googleapis | texts_under(SHIPPED)


def assert_law(originals: dict[str, FileSet], imports: dict[str, str]) -> None:
    printed = {name: print_file(file_set) for name, file_set in originals.items()}
    again = compile_files(printed, imports | printed)
    for name, compiled in zip(printed, again, strict=True):
        assert_same(whole_options(originals[name]), whole_options(compiled))
        assert print_file(compiled) == printed[name], f"{name}: printing is not stable"


def whole_options(file_set: FileSet) -> FileDescriptorProto:
    """Give the root with each custom option in one part: in texts it may stand in several statements."""
    known = options_in_pool(file_set.root_file, pool_of(file_set))
    return FileDescriptorProto.FromString(known.SerializeToString(deterministic=True))


def assert_same(before: FileDescriptorProto, after: FileDescriptorProto) -> None:
    expected, actual = canonical_file(before), canonical_file(after)
    assert str(actual) == str(expected)
    assert actual.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)
    assert message_names(after) == message_names(before)


def field_order(file_set: FileSet) -> list[list[int]]:
    return [[field.number for field in message.field] for message in file_set.root_file.message_type]


@pytest.mark.parametrize("name", NAMES)
def test_a_text_prints_as_its_golden_file(name: str) -> None:
    imports = texts_under(SHIPPED) | texts_under(HERE / "imports")
    source = (HERE / "inputs" / f"{name}.proto").read_text(encoding="utf-8")
    (file_set,) = compile_files(["golden.proto"], {**imports, "golden.proto": source})

    printed = print_file(file_set)

    expected = HERE / "printed" / f"{name}.proto"
    if "PROTOPACT_ACCEPT_GOLDEN" in os.environ:
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
    assert_law({"golden.proto": file_set}, imports)


def test_googleapis_and_protobufs_own_files_survive_printing_and_compiling() -> None:
    texts = shipped_texts()
    originals = dict(zip(texts, compile_files(texts, texts), strict=True))

    assert len(texts) > 70
    assert_law(originals, texts)


def test_only_fields_that_oneofs_parted_change_places() -> None:
    texts = shipped_texts()
    originals = dict(zip(texts, compile_files(texts, texts), strict=True))
    printed = {name: print_file(file_set) for name, file_set in originals.items()}
    again = dict(zip(texts, compile_files(printed, printed), strict=True))

    assert {name for name in texts if field_order(originals[name]) != field_order(again[name])} == FIELDS_MOVE_IN


def test_opentelemetrys_files_survive_printing_and_compiling() -> None:
    root = Path(opentelemetry.proto.__path__[0])
    modules = [".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(root.rglob("*_pb2.py"))]
    serialized = [import_module(f"opentelemetry.proto.{module}").DESCRIPTOR.serialized_pb for module in modules]
    files = [FileDescriptorProto.FromString(data) for data in serialized]

    assert len(files) == 10
    assert_law({file.name: FileSet.link(file.name, files) for file in files}, {})
