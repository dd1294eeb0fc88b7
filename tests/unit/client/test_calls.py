from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from protopact.client import calls
from protopact.errors import InvalidSubjectError, InvalidVersionError, RegistryError
from protopact.flow import Reply
from protopact.registry import SchemaRequest

if TYPE_CHECKING:
    from protopact.client.asks import Ask

REQUEST = SchemaRequest("x")


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (calls.get_types(), "GET /schemas/types"),
        (calls.get_subjects(), "GET /subjects"),
        (calls.get_versions("s"), "GET /subjects/s/versions"),
        (calls.get_version("s", 3), "GET /subjects/s/versions/3"),
        (calls.get_version("s", "latest"), "GET /subjects/s/versions/latest"),
        (calls.get_version("s", -1), "GET /subjects/s/versions/latest"),
        (calls.get_schema_by_id(7), "GET /schemas/ids/7"),
        (calls.get_versions_for_schema(7), "GET /schemas/ids/7/versions"),
        (calls.register("s", REQUEST), "POST /subjects/s/versions"),
        (calls.lookup("s", REQUEST), "POST /subjects/s"),
    ],
)
def test_a_call_goes_to_its_route(ask: Ask[object], wanted: str) -> None:
    assert f"{ask.call.method} {ask.call.path}" == wanted
    assert ask.call.headers["accept"].startswith("application/vnd.schemaregistry.v1+json")


@pytest.mark.parametrize(
    ("subject", "segment"),
    [
        ("a/b.proto", "a%2Fb.proto"),
        (":.ctx:a", "%3A.ctx%3Aa"),
        ("a b?c#d%", "a%20b%3Fc%23d%25"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("", "%3A.%3A"),
        ("a;b=c&d+e", "a%3Bb%3Dc%26d%2Be"),
    ],
)
def test_a_subject_is_one_segment_of_the_path_whatever_it_holds(subject: str, segment: str) -> None:
    assert calls.get_versions(subject).call.path == f"/subjects/{segment}/versions"
    assert unquote(segment) in {subject, ":.:"}


def test_query_parameters_are_sent_only_where_they_say_something() -> None:
    assert calls.get_subjects().call.query == ()
    assert calls.get_subjects("", deleted=True).call.query == (("subjectPrefix", ""), ("deleted", "true"))
    assert calls.register("s", REQUEST, normalize=True).call.query == (("normalize", "true"),)
    assert calls.get_version("s", 1, deleted=True, serialized=True).call.query == (
        ("deleted", "true"),
        ("format", "serialized"),
    )


def test_what_cannot_be_asked_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidSubjectError):
        calls.get_versions("a\nb")
    with pytest.raises(InvalidSubjectError):
        calls.get_subjects("\ud800")
    with pytest.raises(InvalidVersionError):
        calls.get_version("s", 0)
    with pytest.raises(InvalidVersionError):
        calls.get_version("s", "newest")
    with pytest.raises(RegistryError):
        calls.get_schema_by_id(-5)


@pytest.mark.parametrize(
    ("ask", "body"),
    [
        (calls.get_types(), b"{}"),
        (calls.get_types(), b"[1]"),
        (calls.get_types(), b'["PROTOBUF"'),
        (calls.get_types(), b"<html>"),
        (calls.get_versions("s"), b"[true]"),
        (calls.get_version("s", 2), b'{"version":1,"schema":"x"}'),
        (calls.get_version("s", 2), b'{"version":2}'),
        (calls.get_schema_by_id(7), b'{"id":8,"schema":"x"}'),
        (calls.get_schema_by_id(7), b"{}"),
        (calls.get_schema_by_id(7), b""),
        (calls.get_versions_for_schema(7), b'[{"subject":"s"}]'),
        (calls.register("s", REQUEST), b"{}"),
        (calls.register("s", REQUEST), b'{"id":"7"}'),
        (calls.lookup("s", REQUEST), b"[]"),
    ],
)
def test_an_answer_that_is_not_what_the_route_promises_is_refused(ask: Ask[object], body: bytes) -> None:
    with pytest.raises(RegistryError):
        ask.read(Reply(200, {}, body))


def test_what_a_short_answer_leaves_out_is_taken_from_the_question() -> None:
    found = calls.register("s", REQUEST).read(Reply(200, {}, b'{"id":7}'))

    assert (found.id, found.subject, found.schema, found.schema_type, found.version) == (7, "s", "x", "PROTOBUF", None)
    assert calls.get_schema_by_id(7).read(Reply(200, {}, b'{"schema":"x"}')).id == 7
