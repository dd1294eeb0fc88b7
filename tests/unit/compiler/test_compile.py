"""Texts become linked file sets, or errors that say where and why."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.type import money_pb2

from protopact.compiler import Workers, compile_files, compile_text, load_sources
from protopact.descriptor import BUILT_IN_FILES, built_in_file, canonical_file
from protopact.errors import Diagnostic, ProtopactError, SchemaLinkError, SchemaSyntaxError
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOGLEAPIS = Path(money_pb2.__file__).parent.parent.parent
MONEY = 'syntax = "proto3"; package m; message Money { int64 units = 1; }'
ORDER = """syntax = "proto3";
package shop;
import "m/money.proto";
import "google/protobuf/timestamp.proto";
message Order {
  m.Money price = 1;
  google.protobuf.Timestamp at = 2;
  optional string note_text = 3;
}
"""


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[bool, Workers]]:
    with Workers() as scanning, Workers(CompilerSettings(prescan=False)) as trusting:
        yield {True: scanning, False: trusting}


@pytest.fixture(params=[True, False], ids=["prescan", "no prescan"])
def workers(request: pytest.FixtureRequest, pools: dict[bool, Workers]) -> Workers:
    return pools[request.param]


def names(files: object) -> list[str]:
    assert isinstance(files, tuple)
    return [file.name for file in files]


def test_a_text_becomes_a_file_set_with_every_import(workers: Workers) -> None:
    file_set = compile_text(ORDER, file_name="order.proto", sources={"m/money.proto": MONEY}, workers=workers)
    assert file_set.root == "order.proto"
    assert sorted(names(file_set.files)) == ["google/protobuf/timestamp.proto", "m/money.proto", "order.proto"]
    assert file_set.files[-1].message_type[0].field[2].json_name == "noteText"


def test_dependencies_may_come_compiled(workers: Workers) -> None:
    money = compile_text(MONEY, file_name="m/money.proto", workers=workers)
    from_source = compile_text(ORDER, sources={"m/money.proto": MONEY}, workers=workers)
    assert compile_text(ORDER, dependencies=money.files, workers=workers) == from_source
    assert compile_text(ORDER, dependencies=[*money.files, *from_source.files[:-1]], workers=workers) == from_source


def test_sources_that_are_not_imported_do_not_count(workers: Workers) -> None:
    file_set = compile_text(MONEY, sources={"other.proto": "message {"}, workers=workers)
    assert names(file_set.files) == ["schema.proto"]


def test_every_built_in_import_needs_nothing_given(workers: Workers) -> None:
    text = 'syntax = "proto3";' + "".join(f'import "{name}";' for name in sorted(BUILT_IN_FILES))
    file_set = compile_text(text, workers=workers)
    assert set(names(file_set.files)) >= BUILT_IN_FILES


def test_an_import_is_found_however_its_path_is_written(workers: Workers) -> None:
    text = 'syntax = "proto3"; import "google/protobuf/" \'any.proto\'; message M { google.protobuf.Any a = 1; }'
    assert "google/protobuf/any.proto" in names(compile_text(text, workers=workers).files)


def test_built_in_imports_are_found_in_a_text_too_long_to_scan(workers: Workers) -> None:
    text = 'syntax = "proto3";' + "/**/" * 20_000 + 'import "google/type/date.proto";'
    assert "google/type/date.proto" in names(compile_text(text, workers=workers).files)


def test_options_for_the_source_alone_are_kept(workers: Workers) -> None:
    text = """
        edition = "2023";
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MessageOptions { string why = 50001 [retention = RETENTION_SOURCE]; }
        message M { option (why) = "kept"; }
    """
    message = compile_text(text, workers=workers).files[-1].message_type[0]
    assert b"kept" in message.options.SerializeToString()


def test_several_files_are_compiled_at_once(workers: Workers) -> None:
    sources = {"m/money.proto": MONEY, "order.proto": ORDER}
    order, money = compile_files(["order.proto", "m/money.proto"], sources, workers=workers)
    assert (order.root, money.root) == ("order.proto", "m/money.proto")
    assert names(money.files) == ["m/money.proto"]


@pytest.mark.parametrize("name", ["-I.proto", "@args.proto", "--help", "größe/a b.proto", "subject-value", "ab:1:2: c"])
def test_any_possible_path_can_name_a_file(name: str, workers: Workers) -> None:
    assert compile_text(MONEY, file_name=name, workers=workers).root == name


@pytest.mark.parametrize("file_name", ["../a.proto", "/a.proto", "a//b.proto", "", "a\0.proto"])
def test_no_other_path_can(file_name: str, workers: Workers) -> None:
    with pytest.raises(SchemaLinkError, match="import path"):
        compile_text(MONEY, file_name=file_name, workers=workers)
    with pytest.raises(SchemaLinkError, match="import path"):
        compile_text(MONEY, sources={file_name: MONEY}, workers=workers)


def test_a_syntax_error_has_its_place(workers: Workers) -> None:
    with pytest.raises(SchemaSyntaxError) as refused:
        compile_text('syntax = "proto3";\nmessage M {\n  strin x = 1\n}\n', workers=workers)
    assert refused.value.diagnostics[0] == Diagnostic("schema.proto", 4, 1, 'Expected ";".')
    assert str(refused.value).startswith("schema.proto:4:1: ")


def test_an_error_in_an_imported_source_names_that_file(workers: Workers) -> None:
    with pytest.raises(SchemaSyntaxError) as refused:
        compile_text(ORDER, sources={"m/money.proto": "message"}, workers=workers)
    assert refused.value.diagnostics[0].file == "m/money.proto"


def test_a_missing_import_is_a_link_error_with_its_place(workers: Workers) -> None:
    with pytest.raises(SchemaLinkError, match=r"m/money\.proto") as refused:
        compile_text(ORDER, workers=workers)
    assert any((d.file, d.line) == ("schema.proto", 3) for d in refused.value.diagnostics)


def test_a_missing_import_of_a_dependency_is_a_link_error(workers: Workers) -> None:
    money = FileDescriptorProto(name="m/money.proto", package="m", dependency=["nowhere.proto"])
    with pytest.raises(SchemaLinkError, match=r"nowhere\.proto|money\.proto"):
        compile_text(ORDER, dependencies=[money], workers=workers)


def test_a_name_given_twice_is_refused(workers: Workers) -> None:
    other = FileDescriptorProto(name="m/money.proto", package="other")
    money = compile_text(MONEY, file_name="m/money.proto", workers=workers).files
    for given in (
        {"file_name": "a.proto", "sources": {"a.proto": MONEY}},
        {"file_name": "m/money.proto", "dependencies": money},
        {"sources": {"m/money.proto": MONEY}, "dependencies": money},
        {"dependencies": [*money, other]},
    ):
        with pytest.raises(SchemaLinkError, match="given twice"):
            compile_text(ORDER, workers=workers, **given)  # type: ignore[arg-type]


def test_a_name_that_is_not_among_the_sources_is_refused(workers: Workers) -> None:
    with pytest.raises(SchemaLinkError, match=r"nope\.proto: file not found"):
        compile_files(["nope.proto"], {"a.proto": MONEY}, workers=workers)


@pytest.mark.parametrize("text", ["\0", "\ud800", "message \0 {}", "/*", '"', "\N{BOM}x", "}" * 1_000, "import"])
def test_text_that_is_no_schema_is_refused_by_one_family_without_private_paths(text: str, workers: Workers) -> None:
    with pytest.raises(SchemaSyntaxError) as refused:
        compile_text(text, workers=workers)
    assert isinstance(refused.value, ProtopactError)
    assert refused.value.diagnostics
    assert not any("/tmp" in d.message or "protopact-" in d.message for d in refused.value.diagnostics)


def test_no_file_of_the_machine_is_read(workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "near.proto").write_text(MONEY)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SchemaLinkError):
        compile_text('syntax = "proto3"; import "near.proto";', workers=workers)
    with pytest.raises(SchemaLinkError):
        compile_text('syntax = "proto3"; import "stderr";', workers=workers)


def test_a_tree_of_real_files_compiles_to_what_its_own_generated_code_holds(pools: dict[bool, Workers]) -> None:
    files = sorted(path.relative_to(GOOGLEAPIS).as_posix() for path in (GOOGLEAPIS / "google").rglob("*.proto"))
    compiled = compile_files(files, load_sources(files, [GOOGLEAPIS]), workers=pools[True])
    assert len(compiled) > 50
    for file_set in compiled:
        module = import_module(file_set.root.removesuffix(".proto").replace("/", ".") + "_pb2")
        theirs = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        theirs.name = file_set.root  # one module stands for a copy of its file under another name
        assert canonical_file(file_set.root_file) == canonical_file(theirs)


def test_a_built_in_file_can_be_a_root(workers: Workers) -> None:
    text = (GOOGLEAPIS / "google/type/money.proto").read_text()
    file_set = compile_text(text, file_name="google/type/money.proto", workers=workers)
    assert canonical_file(file_set.root_file) == canonical_file(built_in_file("google/type/money.proto"))


def test_protoc_is_never_loaded_into_the_calling_process() -> None:
    program = f"""
import sys
from protopact.compiler import compile_text
compile_text({MONEY!r})
print([name for name in sys.modules if name.startswith("grpc_tools")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
