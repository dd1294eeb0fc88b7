"""File sets: what belongs to one, in which order, and when two are equal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from protopact.descriptor import BUILT_IN_FILES, FileSet, built_in_file, is_built_in, pool_of
from protopact.errors import SchemaLinkError

STRING = FieldDescriptorProto.TYPE_STRING
OPTIONAL = FieldDescriptorProto.LABEL_OPTIONAL


def file(name: str, *imports: str, message: str = "") -> FileDescriptorProto:
    made = FileDescriptorProto(name=name, package=name.partition(".")[0], syntax="proto3", dependency=imports)
    if message:
        made.message_type.add(name=message).field.add(name="text", number=1, type=STRING, label=OPTIONAL)
    return made


def names(file_set: FileSet) -> list[str]:
    return [known.name for known in file_set.files]


def test_dependencies_stand_before_dependents_and_the_root_last() -> None:
    files = [file("a.proto", "b.proto", "c.proto"), file("b.proto", "c.proto"), file("c.proto"), file("other.proto")]

    linked = FileSet.link("a.proto", files)

    assert names(linked) == ["c.proto", "b.proto", "a.proto"]
    assert linked.root_file.name == "a.proto"


def test_built_in_imports_are_added_and_are_not_listed_as_imports() -> None:
    linked = FileSet.link("a.proto", [file("a.proto", "google/type/datetime.proto", "b.proto"), file("b.proto")])

    assert names(linked) == ["google/protobuf/duration.proto", "google/type/datetime.proto", "b.proto", "a.proto"]
    assert linked.imports() == ("b.proto",)


def test_the_runtimes_own_files_come_from_the_runtime_unless_one_is_the_root() -> None:
    own = file("google/protobuf/empty.proto", message="Other")

    used = FileSet.link("a.proto", [file("a.proto", "google/protobuf/empty.proto"), own])

    assert used.file("google/protobuf/empty.proto") is built_in_file("google/protobuf/empty.proto")
    assert FileSet.link("google/protobuf/empty.proto", [own]).root_file is own


@pytest.mark.parametrize("name", sorted(BUILT_IN_FILES))
def test_every_built_in_file_links_and_is_accepted_by_protobuf(name: str) -> None:
    linked = FileSet.link(name, [])

    assert is_built_in(name)
    assert pool_of(linked).FindFileByName(name).name == name


def test_a_missing_import_is_refused_with_its_importer() -> None:
    with pytest.raises(SchemaLinkError, match=r"^b\.proto imports c\.proto, which is missing$"):
        FileSet.link("a.proto", [file("a.proto", "b.proto"), file("b.proto", "c.proto")])


def test_a_missing_root_is_refused() -> None:
    with pytest.raises(SchemaLinkError, match=r"root file a\.proto is not among"):
        FileSet.link("a.proto", [])


def test_an_import_cycle_is_refused_with_its_path() -> None:
    files = [file("a.proto", "b.proto"), file("b.proto", "c.proto"), file("c.proto", "b.proto")]

    with pytest.raises(SchemaLinkError, match=r"b\.proto → c\.proto → b\.proto"):
        FileSet.link("a.proto", files)


def test_two_different_files_of_one_name_are_refused_and_two_equal_ones_are_not() -> None:
    root = file("a.proto", "b.proto")

    assert names(FileSet.link("a.proto", [root, file("b.proto"), file("b.proto")])) == ["b.proto", "a.proto"]
    with pytest.raises(SchemaLinkError, match=r"two different files are named b\.proto"):
        FileSet.link("a.proto", [root, file("b.proto"), file("b.proto", message="Other")])


def test_a_long_chain_of_imports_needs_no_recursion() -> None:
    chain = [file(f"f{index}.proto", f"f{index + 1}.proto") for index in range(3000)]

    assert len(FileSet.link("f0.proto", [*chain, file("f3000.proto")]).files) == 3001


def test_a_file_set_survives_its_bytes() -> None:
    linked = FileSet.link("a.proto", [file("a.proto", "google/protobuf/timestamp.proto", message="A")])

    assert FileSet.from_bytes("a.proto", linked.to_bytes()) == linked
    assert FileDescriptorSet.FromString(linked.to_bytes()).file[-1].name == "a.proto"


def test_bytes_that_are_no_file_set_are_refused() -> None:
    with pytest.raises(SchemaLinkError, match="not a FileDescriptorSet"):
        FileSet.from_bytes("a.proto", b"\xff\xff")


def test_a_text_that_is_not_utf_8_is_refused() -> None:
    data = file("a.proto", message="Order").SerializeToString().replace(b"Order", b"Or\xffer")

    with pytest.raises(SchemaLinkError, match="holds a text that is not UTF-8"):
        FileSet.link("a.proto", [FileDescriptorProto.FromString(data)])


def test_a_mark_on_an_import_that_is_not_there_is_refused() -> None:
    marked = file("a.proto", "b.proto")
    marked.public_dependency.append(1)

    with pytest.raises(SchemaLinkError, match=r"a\.proto marks import 1, but has 1 imports"):
        FileSet.link("a.proto", [marked, file("b.proto")])


def test_a_subset_holds_what_its_root_needs() -> None:
    files = [file("a.proto", "b.proto", "c.proto"), file("b.proto", "c.proto"), file("c.proto")]
    linked = FileSet.link("a.proto", files)

    assert names(linked.subset("b.proto")) == ["c.proto", "b.proto"]
    with pytest.raises(SchemaLinkError, match=r"a\.proto does not import d\.proto"):
        linked.subset("d.proto")


def test_the_fingerprint_ignores_what_means_nothing() -> None:
    plain = file("a.proto", "b.proto", "c.proto", message="A")
    dressed = file("a.proto", "c.proto", "b.proto", message="A")
    dressed.message_type[0].field[0].json_name = "text"
    dressed.source_code_info.location.add(leading_comments="a comment")
    others = [file("b.proto"), file("c.proto")]

    one, two = FileSet.link("a.proto", [plain, *others]), FileSet.link("a.proto", [*others, dressed])

    assert one.fingerprint == two.fingerprint
    assert one == two
    assert len({one, two}) == 1


def test_the_fingerprint_minds_a_json_name_of_its_own() -> None:
    plain, named = file("a.proto", message="A"), file("a.proto", message="A")
    named.message_type[0].field[0].json_name = "TEXT"

    assert FileSet.link("a.proto", [plain]) != FileSet.link("a.proto", [named])


def test_the_fingerprint_does_not_depend_on_what_the_process_has_imported() -> None:
    script = """
import sys
if "early" in sys.argv:
    from google.api import annotations_pb2, client_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from protopact.descriptor import FileSet
file = FileDescriptorProto(name="a.proto", syntax="proto3")
method = file.service.add(name="S").method.add(name="M", input_type=".E", output_type=".E")
file.message_type.add(name="E")
http, unknown, signature = bytes([0x82, 0xD3, 0xE4, 0x93, 2, 0]), bytes([0xC2, 0x3E, 0]), bytes([0xDA, 0x41, 0])
method.options.MergeFromString(http + unknown + signature)
print(FileSet.link("a.proto", [file]).fingerprint)
"""
    late, early = (
        subprocess.run([sys.executable, "-c", script, when], capture_output=True, check=True, text=True).stdout.strip()
        for when in ("late", "early")
    )

    assert late == early
    assert len(late) == 64


def test_the_pure_python_backend_is_refused() -> None:
    script = """
import protopact.errors
try:
    import protopact.descriptor
except protopact.errors.ConfigError as error:
    print(error.option, error.hint)
"""
    environment = {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, env=environment)

    assert done.stdout.startswith("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION unset ")
