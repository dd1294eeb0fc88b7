"""The registry's surface, asked in the same process."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from protopact.errors import StoreError
from protopact.registry import Metadata, Reference, content_guid
from protopact.server import Registry, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.compiler import Workers

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
B = 'syntax = "proto3";\n\nmessage B {\n  string b = 1;\n}\n'
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'
ORDER_STORED = 'syntax = "proto3";\n\nimport "money.proto";\n\nmessage Order {\n  m.Money price = 1;\n}\n'


# ── registering ──────────────────────────────────────────────────────────────────────────────────


def test_a_registered_schema_is_given_back_by_id_version_and_guid(ask: Any) -> None:
    registered = ask.register("s", A)
    guid = content_guid(A)
    assert registered["ts"] > 1_600_000_000_000
    expected = {"id": 1, "version": 1, "guid": guid, "schemaType": "PROTOBUF", "schema": A, "ts": registered["ts"]}
    assert registered == expected
    by_version = {"subject": "s", **expected}
    assert ask.get("/subjects/s/versions/1") == ask.get("/subjects/s/versions/latest") == by_version
    assert ask.get("/subjects/s/versions/-1") == by_version
    by_id = {name: expected[name] for name in ("guid", "schemaType", "schema", "ts")}
    assert ask.get("/schemas/ids/1") == ask.get(f"/schemas/guids/{guid}") == by_id
    assert ask.get("/schemas/ids/1", subject="s") == {**by_id, "subject": "s", "version": 1}
    assert ask.raw("GET", "/schemas/ids/1/schema").body == A.encode()
    assert ask.raw("GET", "/subjects/s/versions/1/schema").body == A.encode()


def test_layout_and_comments_do_not_make_a_new_schema(ask: Any) -> None:
    assert ask.register("s", A)["id"] == 1
    again = ask.register("s", 'syntax="proto3"; /* same */ message A{ int32 a=1; } // end')
    assert (again["id"], again["version"], again["schema"]) == (1, 1, A)
    assert ask.get("/subjects/s/versions") == [1]


def test_one_content_has_one_id_in_every_subject(ask: Any) -> None:
    assert [ask.register(subject, A)["id"] for subject in ("s", "t")] == [1, 1]
    assert ask.register("t", B)["id"] == 2
    assert ask.get("/schemas/ids/1/subjects") == ["s", "t"]
    assert ask.get("/schemas/ids/1/versions") == [{"subject": "s", "version": 1}, {"subject": "t", "version": 1}]


def test_contexts_count_ids_for_themselves(ask: Any) -> None:
    assert ask.register("s", A)["id"] == 1
    assert ask.register(":.eu:s", B)["id"] == 1
    assert ask.get("/contexts/eu/schemas/ids/1")["schema"] == B
    assert ask.get("/contexts/.eu/subjects") == [":.eu:s"]
    assert ask.get("/contexts/eu/subjects/s/versions/1")["subject"] == ":.eu:s"
    assert ask.get("/schemas/ids/1", subject=":.eu:")["schema"] == B
    assert ask.get("/schemas/ids/1")["schema"] == A
    assert ask.get("/contexts") == [".", ".eu"]


def test_an_id_is_looked_for_in_other_contexts_when_a_plain_subject_is_named(ask: Any) -> None:
    ask.register(":.eu:s", B)
    found = ask.get("/schemas/ids/1", subject="s")
    assert (found["schema"], found["subject"], found["version"]) == (B, ":.eu:s", 1)


def test_an_id_that_the_named_subject_does_not_hold_is_still_given(ask: Any) -> None:
    ask.register("s", A)
    found = ask.get("/schemas/ids/1", subject="other")
    assert found["schema"] == A
    assert "subject" not in found


def test_the_largest_id_is_told_on_request(ask: Any) -> None:
    ask.register("s", A)
    ask.register("s", B)
    assert ask.get("/schemas/ids/1", fetchMaxId="true")["maxId"] == 2


def test_metadata_is_part_of_the_content_and_is_inherited(ask: Any) -> None:
    metadata = {"properties": {"owner": "me"}}
    first = ask.register("s", A, metadata=metadata)
    assert first["guid"] == content_guid(A, metadata=Metadata(properties={"owner": "me"}))
    assert ask.register("s", A)["id"] == first["id"]
    assert ask.register("t", A)["id"] == 2
    second = ask.register("s", B)
    assert second["metadata"] == metadata


def test_a_request_with_metadata_alone_takes_the_newest_text(ask: Any) -> None:
    ask.register("s", A)
    changed = ask.register("s", "", metadata={"properties": {"owner": "me"}})
    assert (changed["version"], changed["schema"], changed["id"]) == (2, A, 2)


def test_an_empty_schema_needs_one_before_it(ask: Any) -> None:
    assert ask.register("s", " ") == {"error_code": 42201, "message": "Invalid schema: Empty schema"}


def test_a_wanted_version_must_be_the_next_one(ask: Any) -> None:
    ask.register("s", A)
    refused = ask.register("s", B, version=3)
    assert refused == {"error_code": 42201, "message": "Invalid schema: Version is not one more than previous version"}
    taken = ask.register("s", B, version=2)
    assert (taken["version"], taken["metadata"]) == (2, {"properties": {"confluent:version": "2"}})
    assert ask.register("s", B)["version"] == 2
    assert ask.register("s", B, version=2) == taken
    assert ask.register("s", A, version=2)["error_code"] == 42201


def test_a_wanted_id_needs_import_mode(ask: Any) -> None:
    refused = ask.register("s", A, id=7)
    assert refused == {"error_code": 42205, "message": "Subject s is not in import mode"}
    assert ask.register("s", A)["id"] == 1
    assert ask.register("s", A, id=1)["id"] == 1


@pytest.mark.parametrize("schema_type", ["AVRO", "JSON", None])
def test_a_schema_of_another_kind_is_refused(ask: Any, schema_type: str | None) -> None:
    for path in ("/subjects/s/versions", "/subjects/s"):
        refused = ask.post(path, {"schema": A, "schemaType": schema_type} if schema_type else {"schema": A})
        assert refused["error_code"] == 42201
        assert f"Invalid schema type {schema_type or 'AVRO'}" in refused["message"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('syntax = "proto3"; message A { int32 a = 1 }', "schema.proto:1:44"),
        ('syntax = "proto3"; message A { Nope a = 1; }', "Nope"),
        ('syntax = "proto3"; import "gone.proto";', "gone.proto"),
        ('syntax = "proto3"; import "../a.proto";', "../a.proto"),
        ("AAAA", "schema.proto"),
        ("\0", "NUL"),
    ],
)
def test_a_schema_that_does_not_compile_is_refused_with_the_place(ask: Any, text: str, reason: str) -> None:
    refused = ask.register("s", text)
    assert refused["error_code"] == 42201
    assert refused["message"].startswith("Invalid schema")
    assert reason in refused["message"]
    assert ask.get("/subjects") == []


def test_ids_and_versions_outlive_the_process(
    tmp_path: Path, workers: Workers, asker: Callable[[Registry], Any]
) -> None:
    url = f"sqlite:{tmp_path / 'r.db'}"
    first = Registry(open_store(url), workers=workers)
    asker(first).put("/config", {"compatibility": "NONE"})
    before = [asker(first).register("s", A), asker(first).register("s", B)]
    first.close()
    second = Registry(open_store(url), workers=workers)
    ask = asker(second)
    assert [ask.register("s", A), ask.register("s", B)] == before
    assert ask.register("t", MONEY)["id"] == 3
    assert ask.register("s", MONEY)["version"] == 3
    second.close()


# ── descriptors ──────────────────────────────────────────────────────────────────────────────────


def encoded(file: FileDescriptorProto) -> str:
    return base64.b64encode(file.SerializeToString()).decode()


def test_a_descriptor_in_base64_is_the_same_schema_as_its_text(ask: Any) -> None:
    first = ask.register("s", A)
    file = FileDescriptorProto.FromString(base64.b64decode(ask.get("/schemas/ids/1", format="serialized")["schema"]))
    assert [message.name for message in file.message_type] == ["A"]
    file.name = "any/name.proto"
    assert ask.register("s", encoded(file))["id"] == first["id"]
    assert ask.look_up("s", encoded(file))["version"] == 1


def test_a_schema_sent_as_a_descriptor_is_answered_as_one(ask: Any) -> None:
    ask.register("s", A)
    sent = ask.get("/schemas/ids/1", format="serialized")["schema"]
    assert ask.register("s", sent)["schema"] == sent
    assert ask.register("s", A)["schema"] == ask.get("/schemas/ids/1")["schema"]


def test_the_serialized_form_is_one_file_without_its_imports(ask: Any) -> None:
    ask.register("money.proto", MONEY)
    ask.register("s", ORDER, ("money.proto", "money.proto", 1))
    for path in ("/schemas/ids/2", "/subjects/s/versions/latest"):
        found = ask.get(path, format="serialized")
        file = FileDescriptorProto.FromString(base64.b64decode(found["schema"]))
        assert (file.name, list(file.dependency), len(file.message_type)) == ("default", ["money.proto"], 1)
        assert not file.HasField("source_code_info")
    raw = ask.raw("GET", "/schemas/ids/2/schema", format="serialized").body
    assert FileDescriptorProto.FromString(base64.b64decode(raw)) == file


def test_an_unknown_form_is_the_default_one(ask: Any) -> None:
    ask.register("s", A)
    assert ask.get("/schemas/ids/1", format="nonsense")["schema"] == A


@pytest.mark.parametrize("module", [duration_pb2, timestamp_pb2])
def test_descriptors_of_the_well_known_types_can_be_registered(ask: Any, module: Any) -> None:
    file = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    registered = ask.register(file.name, encoded(file))
    assert (registered["id"], registered["version"]) == (1, 1)


HOSTILE_FILES = [
    FileDescriptorProto(name="a.proto", dependency=["gone.proto"]),
    FileDescriptorProto(name="../a.proto", message_type=[DescriptorProto(name="A { } message B")], syntax="odd"),
    FileDescriptorProto(message_type=[DescriptorProto()]),
    FileDescriptorProto(message_type=[DescriptorProto(name="A", field=[{"name": "f", "number": 0, "type": 11}])]),
    FileDescriptorProto(message_type=[DescriptorProto(name="A", field=[{"name": "f", "number": 1, "oneof_index": 9}])]),
    FileDescriptorProto(
        syntax="proto3",
        message_type=[
            DescriptorProto(
                name="A",
                field=[{"name": "f", "number": 1, "type": 11, "type_name": ".A.E", "label": 3}],
                nested_type=[DescriptorProto(name="E", options={"map_entry": True})],
            )
        ],
    ),
    FileDescriptorProto(public_dependency=[5], weak_dependency=[7], dependency=["google/protobuf/any.proto"]),
]


@pytest.mark.parametrize("file", HOSTILE_FILES, ids=range(len(HOSTILE_FILES)))
def test_a_descriptor_that_makes_no_sense_is_refused(ask: Any, file: FileDescriptorProto) -> None:
    refused = ask.register("s", encoded(file))
    assert refused["error_code"] == 42201, refused
    assert ask.get("/subjects") == []


# ── references ───────────────────────────────────────────────────────────────────────────────────


def test_imports_are_resolved_by_references(ask: Any) -> None:
    ask.register("money-value", MONEY)
    registered = ask.register("s", ORDER, ("money.proto", "money-value", 1))
    assert registered["schema"] == ORDER_STORED
    assert registered["references"] == [{"name": "money.proto", "subject": "money-value", "version": 1}]
    assert registered["guid"] == content_guid(ORDER_STORED, [Reference("money.proto", "money-value", 1)])
    assert ask.get("/subjects/money-value/versions/1/referencedby") == [2]
    assert ask.get("/subjects/s/versions/1/referencedby") == []
    assert ask.register("s", ORDER, ("money.proto", "money-value", 1))["version"] == 1


def test_references_of_references_are_followed(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("o", ORDER, ("money.proto", "m", 1))
    both = 'syntax="proto3"; import "o.proto"; import "money.proto"; message C{Order o=1; m.Money m=2;}'
    assert ask.register("c", both, ("o.proto", "o", 1))["id"] == 3


def test_a_reference_to_the_newest_version_is_kept_by_its_number(ask: Any) -> None:
    ask.register("m", B)
    ask.register("m", MONEY)
    registered = ask.register("s", ORDER, ("money.proto", "m", -1))
    assert registered["references"][0]["version"] == 2
    assert registered["guid"] == content_guid(ORDER_STORED, [Reference("money.proto", "m", 2)])


def test_other_references_make_another_schema(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("n", MONEY)
    ids = [ask.register("s", ORDER, ("money.proto", subject, 1))["id"] for subject in ("m", "n")]
    assert ids == [2, 3]


def test_references_belong_to_the_context_of_the_referrer(ask: Any) -> None:
    ask.register(":.eu:m", MONEY)
    assert ask.register("s", ORDER, ("money.proto", "m", 1))["error_code"] == 42201
    assert ask.register(":.eu:s", ORDER, ("money.proto", "m", 1))["id"] == 2
    assert ask.register("s", ORDER, ("money.proto", ":.eu:m", 1))["id"] == 1
    assert ask.get("/contexts/eu/subjects/m/versions/1/referencedby") == [1, 2]


@pytest.mark.parametrize("version", [2, 0, -5, 2**31 - 1])
def test_a_reference_to_nothing_is_refused(ask: Any, version: int) -> None:
    ask.register("m", MONEY)
    refused = ask.register("s", ORDER, ("money.proto", "m", version))
    assert refused["error_code"] == 42201
    assert f'No schema reference found for subject "m" and version {version}' in refused["message"]


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a.proto", "a/../b.proto", "a\\b.proto", "a\nb", "a" * 2000])
def test_the_name_of_a_reference_must_be_an_import_path(ask: Any, name: str) -> None:
    ask.register("m", MONEY)
    assert ask.register("s", A, (name, "m", 1))["error_code"] == 42201


def test_a_reference_under_the_roots_own_name_is_no_cycle(ask: Any) -> None:
    ask.register("m", MONEY)
    text = ORDER.replace("money.proto", "schema.proto")
    assert ask.register("s", text, ("schema.proto", "m", 1))["id"] == 2


def test_built_in_imports_need_no_reference_and_cannot_be_replaced(ask: Any) -> None:
    text = (
        'syntax="proto3"; import "google/protobuf/timestamp.proto"; import "google/type/money.proto"; '
        'import "confluent/meta.proto"; message A{google.protobuf.Timestamp t=1; google.type.Money m=2;}'
    )
    assert ask.register("s", text)["id"] == 1
    ask.register("m", MONEY)
    assert ask.register("s", text, ("google/protobuf/timestamp.proto", "m", 1))["version"] == 2


def test_the_number_of_imported_files_is_bounded(
    workers: Workers, small_registry: Callable[..., Registry], asker: Callable[[Registry], Any]
) -> None:
    ask = asker(small_registry(reference_files_max=3))
    for number in range(4):
        ask.register(f"m{number}", f'syntax = "proto3"; message M{number} {{}}')
    assert ask.register("s", A, *((f"m{n}.proto", f"m{n}", 1) for n in range(3)))["version"] == 1
    refused = ask.register("s", A, *((f"m{n}.proto", f"m{n}", 1) for n in range(4)))
    assert refused["error_code"] == 42201
    assert "more than 3 files" in refused["message"]


# ── look-up ──────────────────────────────────────────────────────────────────────────────────────


def test_look_up_finds_the_version_and_changes_nothing(ask: Any) -> None:
    ask.register("s", B)
    ask.register("s", A)
    found = ask.look_up("s", 'syntax="proto3";message A{int32 a=1;}')
    assert (found["subject"], found["version"], found["id"]) == ("s", 2, 2)
    assert ask.look_up("s", MONEY) == {"error_code": 40403, "message": "Schema not found"}
    assert ask.look_up("t", A) == {"error_code": 40401, "message": "Subject 't' not found."}
    assert ask.get("/subjects") == ["s"]


def test_look_up_by_text_alone_finds_a_schema_with_references(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    ask.register("s", B)
    assert ask.look_up("s", ORDER)["version"] == 1
    assert ask.look_up("s", ORDER, ("money.proto", "m", -1))["version"] == 1


def test_look_up_by_text_alone_that_imports_what_no_version_refers_to_finds_nothing(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    other = ORDER.replace("money.proto", "other.proto")
    assert ask.look_up("s", other)["error_code"] == 40403
    assert ask.look_up("s", ORDER + "message X {")["error_code"] == 42201
    ask.register("t", A)
    assert ask.look_up("t", ORDER)["error_code"] == 42201


def test_look_up_takes_the_metadata_of_the_newest_version(ask: Any) -> None:
    ask.register("s", A, metadata={"properties": {"owner": "me"}})
    assert ask.look_up("s", A)["version"] == 1
    assert ask.look_up("s", A, metadata={"properties": {"owner": "you"}})["error_code"] == 40403


def test_look_up_of_a_plain_subject_tries_every_context(ask: Any) -> None:
    ask.register(":.eu:s", A)
    assert ask.look_up("s", A)["subject"] == ":.eu:s"
    assert ask.look_up(":.us:s", A)["error_code"] == 40401


def test_look_up_of_a_schema_that_does_not_compile_is_refused(ask: Any) -> None:
    ask.register("s", A)
    assert ask.look_up("s", "message {")["error_code"] == 42201


# ── lists and misses ─────────────────────────────────────────────────────────────────────────────


def test_types_are_those_that_are_kept(ask: Any) -> None:
    assert ask.get("/schemas/types") == ["PROTOBUF"]
    assert ask.get("/") == ask.post("/", {}) == {}


def test_subjects_are_listed_by_prefix(ask: Any) -> None:
    for subject in ("b", "a", ":.eu:a2"):
        ask.register(subject, A)
    assert ask.get("/subjects") == [":.eu:a2", "a", "b"]
    assert ask.get("/subjects", subjectPrefix="") == ["a", "b"]
    assert ask.get("/subjects", subjectPrefix="a") == ["a"]
    assert ask.get("/subjects", subjectPrefix=":*:a") == [":.eu:a2", "a"]
    assert ask.get("/subjects", subjectPrefix=":.eu:") == [":.eu:a2"]


def test_lists_come_in_pages(ask: Any) -> None:
    for subject in "abcd":
        ask.register(subject, A)
    assert ask.get("/subjects", offset=1, limit=2) == ["b", "c"]
    assert ask.get("/subjects", offset=3) == ["d"]
    assert ask.get("/subjects", limit=0) == ask.get("/subjects", limit=-1, offset=-4) == ["a", "b", "c", "d"]
    assert ask.get("/schemas/ids/1/subjects", limit=1) == ["a"]
    assert ask.get("/subjects", limit="x")["error_code"] == 404


@pytest.mark.parametrize(
    ("path", "error_code", "message"),
    [
        ("/subjects/t/versions", 40401, "Subject 't' not found."),
        ("/subjects/t/versions/1", 40401, "Subject 't' not found."),
        ("/subjects/t/versions/latest", 40401, "Subject 't' not found."),
        ("/subjects/s/versions/2", 40402, "Version 2 not found."),
        ("/subjects/s/versions/2/schema", 40402, "Version 2 not found."),
        ("/subjects/s/versions/2/referencedby", 40402, "Version 2 not found."),
        ("/subjects/s/versions/0", 42202, "The specified version '0' is not a valid version id."),
        ("/subjects/s/versions/x", 42202, "The specified version 'x' is not a valid version id."),
        ("/subjects/s/versions/2147483648", 42202, "The specified version '2147483648'"),
        ("/schemas/ids/2", 40403, "Schema 2 not found"),
        ("/schemas/ids/2/schema", 40403, "Schema 2 not found"),
        ("/schemas/ids/2/subjects", 40403, "Schema 2 not found"),
        ("/schemas/ids/2/versions", 40403, "Schema 2 not found"),
        ("/schemas/ids/-2", 40403, "Schema -2 not found"),
        ("/schemas/ids/abc", 404, "HTTP 404 Not Found"),
        ("/schemas/ids/99999999999999999999", 404, "HTTP 404 Not Found"),
        ("/schemas/ids/" + "9" * 5000, 404, "HTTP 404 Not Found"),
        ("/schemas/ids/\u0661", 404, "HTTP 404 Not Found"),
        ("/schemas/guids/nope", 40403, "Schema nope not found"),
        ("/subjects/__GLOBAL/versions", 42208, "The specified subject '__GLOBAL' is not a valid."),
        ("/subjects/a%01b/versions", 42208, "The specified subject 'a?b' is not a valid."),
        ("/subjects/a%FFb/versions", 400, "the path is not UTF-8"),
        ("/contexts/a:b/subjects", 42208, "The specified subject 'a:b'"),
    ],
)
def test_what_is_not_there_is_told_in_the_dialects_words(ask: Any, path: str, error_code: int, message: str) -> None:
    ask.register("s", A)
    answer = ask.get(path)
    assert answer["error_code"] == error_code
    assert answer["message"].startswith(message)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/associations", "/associations/x", "/associations:batchGet", "/no", "/schemas/ids"])
def test_a_path_that_is_not_served_is_404_for_every_method(ask: Any, method: str, path: str) -> None:
    assert ask.raw(method, path).status == 404


def test_a_method_that_a_path_does_not_serve_is_405_and_the_reply_says_which_are(ask: Any) -> None:
    reply = ask.raw("PATCH", "/subjects/s/versions")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    assert ask.raw("PATCH", "/contexts/eu/subjects/s/versions").headers["allow"] == "GET, POST"
    assert json.loads(reply.body) == {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}


def test_names_are_decoded_after_the_path_is_split(ask: Any) -> None:
    name = "a/b c%20ä?"
    ask.register(name, A)
    assert ask.get("/subjects") == [name]
    assert ask.get("/subjects/a%2Fb%20c%2520%C3%A4%3F/versions") == [1]
    assert ask.get("/subjects/a/b/versions")["error_code"] == 404


def test_the_empty_subject_is_a_subject_and_a_final_slash_is_nothing(ask: Any) -> None:
    assert ask.post("/subjects//versions", {"schema": A, "schemaType": "PROTOBUF"})["version"] == 1
    assert ask.get("/subjects/") == [""]
    assert ask.get("/subjects//versions/1/") == ask.get("/subjects//versions/1")


@pytest.mark.parametrize("prefix", ["", "/contexts/.eu"])
def test_the_empty_subject_is_looked_up_and_deleted_as_any_other(ask: Any, prefix: str) -> None:
    body = {"schema": A, "schemaType": "PROTOBUF"}
    assert ask.post(f"{prefix}/subjects/", body)["error_code"] == 40401
    kept = ask.post(f"{prefix}/subjects//versions", body)
    found = ask.post(f"{prefix}/subjects/", body)
    assert (found["id"], found["version"]) == (kept["id"], 1)
    assert ask.delete(f"{prefix}/subjects/") == [1]
    assert ask.post(f"{prefix}/subjects/", body)["error_code"] == 40401
    assert ask.delete(f"{prefix}/subjects/", permanent="true") == [1]
    assert ask.get("/subjects", deleted="true") == []
    assert ask.post(f"{prefix}/subjects", body)["error_code"] == 405


# ── bodies and media types ───────────────────────────────────────────────────────────────────────

DEEP = b'{"schema":' * 100_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"  ", 422),
        (b"null", 422),
        (b"[]", 400),
        (b'"text"', 400),
        (b"{", 400),
        (b"\xff\xfe{", 400),
        (b'{"schema": 1}', 400),
        (b'{"schema": "x", "references": {}}', 400),
        (b'{"schema": "x", "references": [1]}', 400),
        (b'{"schema": "x", "version": 1e400}', 400),
        (b'{"schema": "x", "version": ' + b"9" * 100_000 + b"}", 400),
        (b'{"schema": "x", "version": NaN}', 400),
        (b'{"schema": "\\ud800", "schemaType": "PROTOBUF"}', 400),
        (b'{"schema": "", "schemaType": "PROTOBUF", "metadata": {"properties": {"\\udfff": "x"}}}', 400),
        (DEEP, 400),
        (b"[" * 1_000_000, 400),
        (b'{"schemaType": "PROTOBUF"}', 422),
        (b"{}", 422),
    ],
    ids=range(19),
)
@pytest.mark.parametrize("path", ["/subjects/s/versions", "/subjects/s"])
def test_a_body_that_cannot_be_read_is_refused(ask: Any, path: str, body: bytes, status: int) -> None:
    reply = ask.raw("POST", path, body)
    if path == "/subjects/s" and body.endswith(b'PROTOBUF"}'):
        status = 404 if b"ud800" not in body else status
    assert reply.status == status


def test_unknown_fields_and_parameters_are_ignored(ask: Any) -> None:
    registered = ask.post(
        "/subjects/s/versions", {"schema": A, "schemaType": "PROTOBUF", "more": [1]}, normalize="false", odd=1
    )
    assert registered["id"] == 1


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("", "application/vnd.schemaregistry.v1+json"),
        ("*/*", "application/vnd.schemaregistry.v1+json"),
        ("application/json", "application/json"),
        ("application/json, application/vnd.schemaregistry.v1+json;q=0.4", "application/json"),
        ("application/json;q=0.5, */*", "application/vnd.schemaregistry.v1+json"),
        ("application/*;q=0.1", "application/vnd.schemaregistry.v1+json"),
        ("APPLICATION/JSON", "application/json"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        (";;,,", None),
    ],
)
def test_the_reply_is_typed_as_the_caller_accepts_it(ask: Any, accept: str, given: str | None) -> None:
    ask.headers = {"accept": accept}
    reply = ask.raw("GET", "/subjects")
    assert (reply.status, reply.headers["content-type"]) == (
        (200, given) if given else (406, "application/vnd.schemaregistry.v1+json")
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("application/vnd.schemaregistry.v1+json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/octet-stream", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_must_be_of_the_dialects_types(ask: Any, sent: str, status: int) -> None:
    ask.headers = {"content-type": sent}
    reply = ask.raw("POST", "/subjects/s/versions", json.dumps({"schema": A, "schemaType": "PROTOBUF"}).encode())
    assert reply.status == status


# ── failures ─────────────────────────────────────────────────────────────────────────────────────


def test_a_store_that_fails_is_50001_and_is_logged(
    ask: Any, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.close()
    answer = ask.get("/subjects")
    assert answer["error_code"] == 50001
    assert isinstance(caplog.records[0].exc_info[1], StoreError)


def test_what_nobody_foresaw_is_logged_and_not_told(
    ask: Any, registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("secret")

    store: Store = registry._store
    monkeypatch.setattr(store, "subjects", fail)
    ask.headers = {"x-request-id": "abc"}
    reply = ask.raw("GET", "/subjects")
    assert (reply.status, b"secret" in reply.body) == (500, False)
    assert "abc" in caplog.text
    assert "secret" in caplog.text


def test_many_threads_registering_get_one_id_per_content_and_dense_versions(
    ask: Any, registry: Registry, asker: Callable[[Registry], Any]
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    texts = [f'syntax="proto3"; message M{n} {{}}' for n in range(6)]

    def work(worker: int) -> list[tuple[str, int, int]]:
        answers = []
        for number in range(len(texts)):
            text = texts[(number + worker) % len(texts)]
            registered = asker(registry).register("s", text)
            answers.append((text, registered["id"], registered["version"]))
        return answers

    with ThreadPoolExecutor(8) as pool:
        answers = {answer for part in pool.map(work, range(8)) for answer in part}
    assert len(answers) == len(texts)
    assert {schema_id for _, schema_id, _ in answers} == set(range(1, len(texts) + 1))
    assert ask.get("/subjects/s/versions") == list(range(1, len(texts) + 1))
