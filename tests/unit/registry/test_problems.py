from __future__ import annotations

import json

import pytest

from protopact import errors
from protopact.errors import ConfigError, ProtopactError, RegistryError, SchemaSyntaxError, StoreError
from protopact.flow import Reply
from protopact.registry import Problem, error_body, error_from_reply, problem_of

CLASSES = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, RegistryError)]


@pytest.mark.parametrize("family", CLASSES)
def test_the_class_that_a_server_raises_is_the_class_that_its_client_raises(family: type[RegistryError]) -> None:
    raised = family("what and why")

    found = error_from_reply(Reply(raised.status, {}, error_body(raised)))

    assert type(found) is family
    assert (found.status, found.error_code, found.message) == (raised.status, raised.error_code, "what and why")


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_travels_with_its_code_and_text(problem: Problem) -> None:
    words = dict.fromkeys(("subject", "version", "id", "details", "reason", "schema_type"), "x")

    raised = problem.error(**words)
    found = error_from_reply(Reply(raised.status, {}, error_body(raised)))

    assert (type(found), found.error_code, found.message) == (type(raised), raised.error_code, raised.message)
    assert raised.status == int(str(raised.error_code)[:3])
    assert "{subject" not in raised.message


def test_the_texts_that_client_suites_compare() -> None:
    assert Problem.SUBJECT_NOT_FOUND.error(subject="s").message == "Subject 's' not found."
    assert Problem.VERSION_SOFT_DELETED.error(subject="s", version=1).message == (
        "Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently"
    )
    assert Problem.REFERENCE_EXISTS.error(subject="s", version=1).message == (
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=s,version=1}."
    )
    assert Problem.INCOMPATIBLE.error(subject="s", details="").message.startswith(
        'Schema being registered is incompatible with an earlier schema for subject "s", details: ['
    )


def test_both_codes_of_an_incompatible_schema_give_one_class() -> None:
    for code in (409, 40901):
        reply = Reply(409, {}, json.dumps({"error_code": code, "message": "no"}).encode())
        assert type(error_from_reply(reply)) is errors.IncompatibleSchemaError


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>bad\n gateway</html>", b"null", b"[]", b'{"error_code":"x"}', b'{"error_code":true}', b"\xff\xfe"],
)
def test_an_answer_that_is_not_the_dialects_keeps_its_status(body: bytes) -> None:
    found = error_from_reply(Reply(502, {}, body))

    assert type(found) is RegistryError
    assert (found.status, found.error_code) == (502, 502)
    assert "\n" not in found.message
    assert len(found.message) < 300


def test_a_huge_error_text_is_cut() -> None:
    body = json.dumps({"error_code": 42201, "message": "x" * 10**6}).encode()

    assert len(error_from_reply(Reply(422, {}, body)).message) <= 16 * 1024


def test_an_error_can_quote_a_lone_surrogate() -> None:
    assert json.loads(error_body(RegistryError("\ud800")))["error_code"] == 50001


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SchemaSyntaxError("line 1"), 42201),
        (StoreError("disk full"), 50001),
        (ConfigError("no", option="x"), 500),
        (ProtopactError("odd"), 500),
    ],
)
def test_every_family_has_an_answer_and_keeps_its_cause(error: ProtopactError, code: int) -> None:
    found = problem_of(error)

    assert found.error_code == code
    assert found.__cause__ is error
    assert problem_of(found) is found


def test_an_unforeseen_error_tells_a_client_nothing_of_the_inside() -> None:
    assert "secret" not in problem_of(ProtopactError("secret path")).message
