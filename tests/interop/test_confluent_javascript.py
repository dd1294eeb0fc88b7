"""Confluent's JavaScript registry client on our server."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from peer import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer

    Their = Callable[..., Any]

NOT_DELETED, PERMANENT = False, True  # what their last arguments mean
HEAD = 'syntax = "proto3";\npackage parts;\n\n'
TEXT = f"{HEAD}message Part {{\n  string name = 1;\n}}\n"
LONGER = f"{HEAD}message Part {{\n  string name = 1;\n  int32 size = 2;\n}}\n"
OTHER_TYPE = f"{HEAD}message Part {{\n  int32 name = 1;\n}}\n"
WHOLE = 'syntax = "proto3";\n\nimport "part.proto";\n\nmessage Whole {\n  parts.Part part = 1;\n}\n'
WITH_DELETED = PERMANENTLY = True
TO_PARTS = {"name": "part.proto", "subject": "parts", "version": 1}


def schema(text: str, *references: dict[str, object], **more: object) -> dict[str, object]:
    return {"schemaType": "PROTOBUF", "schema": text, "references": list(references), **more}


@pytest.fixture
def their(javascript: Peer, registry: str) -> Their:
    """Call a method of their client: `their("getAllVersions", "parts")`."""

    def call(method: str, *arguments: object) -> Any:
        return javascript("client", registry=registry, method=method, arguments=arguments)

    return call


def refused(code: int) -> Any:
    """Expect their error for a code."""

    def matches(error: PeerError) -> bool:
        return (error.kind, error.code, error.status) == ("RestError", code, int(str(code)[:3]))

    return pytest.RaisesExc(PeerError, check=matches)


def test_they_register_look_up_and_read_back(their: Their) -> None:
    full = their("registerFullResponse", "parts", schema(TEXT))
    assert (full["version"], len(full["guid"])) == (1, 36)
    assert their("getId", "parts", schema(TEXT)) == full["id"]
    assert their("getVersion", "parts", schema(TEXT)) == 1
    assert their("getBySubjectAndId", "parts", full["id"])["schema"] == TEXT
    assert their("getByGuid", full["guid"])["schema"] == TEXT
    assert their("getAllSubjects") == ["parts"]
    whole = their("register", "whole", schema(WHOLE, TO_PARTS))
    latest = their("getLatestSchemaMetadata", "whole")
    assert (latest["id"], latest["references"]) == (whole, [TO_PARTS])
    with refused(42206):
        their("deleteSubject", "parts")


def test_they_get_the_serialized_form(their: Their) -> None:
    their("register", "parts", schema(TEXT))
    serialized = their("getSchemaMetadata", "parts", 1, NOT_DELETED, "serialized")["schema"]
    assert FileDescriptorProto.FromString(b64decode(serialized)).message_type[0].name == "Part"


def test_they_keep_metadata_and_tags(their: Their) -> None:
    metadata = {"tags": {"Part.name": ["PII"]}, "properties": {"owner": "ann"}, "sensitive": ["owner"]}
    their("register", "parts", schema(TEXT, metadata=metadata))
    assert their("getLatestWithMetadata", "parts", {"owner": "ann"})["metadata"] == metadata
    with refused(40403):
        their("getLatestWithMetadata", "parts", {"owner": "bob"})


def test_they_check_compatibility_and_set_levels(their: Their) -> None:
    their("register", "parts", schema(TEXT))
    assert their("testSubjectCompatibility", "parts", schema(LONGER)) is True
    assert their("testCompatibility", "parts", 1, schema(OTHER_TYPE)) is False
    with refused(409):
        their("register", "parts", schema(OTHER_TYPE))
    assert their("getDefaultCompatibility") == "BACKWARD"
    assert their("updateDefaultCompatibility", "FULL") == "FULL"
    assert their("updateCompatibility", "parts", "NONE") == "NONE"
    assert their("getCompatibility", "parts") == "NONE"
    their("register", "parts", schema(OTHER_TYPE))
    their("updateConfig", "parts", {"compatibility": "FORWARD", "compatibilityGroup": "major"})
    assert their("getConfig", "parts") == {"compatibilityLevel": "FORWARD", "compatibilityGroup": "major"}
    assert their("getDefaultConfig")["compatibilityLevel"] == "FULL"
    with refused(40408):
        their("getCompatibility", "whole")


def test_they_delete_softly_and_for_good(their: Their) -> None:
    for text in (TEXT, LONGER):
        their("register", "parts", schema(text))
    assert their("deleteSubjectVersion", "parts", 1) == 1
    assert their("getAllVersions", "parts") == [2]
    assert their("deleteSubjectVersion", "parts", 1, PERMANENT) == 1
    assert their("deleteSubject", "parts") == [2]
    assert their("getAllSubjects") == []
    assert their("deleteSubject", "parts", PERMANENT) == [2]
    with refused(40401):
        their("getAllVersions", "parts")


def test_they_work_in_contexts(their: Their) -> None:
    assert their("register", "parts", schema(TEXT)) == their("register", ":.eu:parts", schema(LONGER)) == 1
    assert their("getAllSubjects") == [":.eu:parts", "parts"]
    assert their("getBySubjectAndId", ":.eu:parts", 1)["schema"] == LONGER
