"""Whatever is sent, the answer is one that `/openapi.json` describes, and no error of the server's."""

from __future__ import annotations

import json
import logging
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20
SYNTAX = 'syntax = "proto3";\n'
TEXTS = (
    f"{SYNTAX}message Order {{ int64 id = 1; }}",
    f"{SYNTAX}message Order {{ int64 id = 1; string note = 2; }}",
    f"{SYNTAX}message Order {{ string id = 1; }}",
    f'{SYNTAX}import "order.proto"; message Box {{ Order order = 1; }}',
    f"{SYNTAX}message Order {{",
)
SUBJECTS = ("orders", "boxes", ":.eu:orders", "no one's")
VERSIONS = ("1", "2", "latest", "-1")
REFERENCE = {"name": "order.proto", "subject": "orders", "version": -1}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "errors_speak_the_dialect",
)

_log = logging.getLogger(__name__)


@dataclass
class Campaign:
    """What was sent and answered; `failures` are told with the call that shows each."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def note(self, scenario: events.ScenarioFinished) -> None:
        recorder = scenario.recorder
        self.cases[scenario.phase.value] += len(recorder.interactions)
        for interaction in recorder.interactions.values():
            if interaction.response is not None:
                self.statuses[interaction.response.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    told = f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}"
                    self.failures.setdefault(f"{recorder.label}: {check.name}", f"{told}\n{recorder.cases[case_id]}")


@schemathesis.check
def errors_speak_the_dialect(_context: object, response: Any, _case: object) -> None:
    assert response.headers.get("x-request-id")
    if response.status_code >= 400:
        told = json.loads(response.content)
        assert set(told) == {"error_code", "message"}
        assert str(told["error_code"]).startswith(str(response.status_code))


@pytest.fixture
def registry() -> Iterator[str]:
    with background_registry() as url:
        yield url


def test_no_call_gets_an_answer_that_is_not_described(registry: str, count: Callable[[int, int], int]) -> None:
    full = count(0, 1) == 1
    config = SchemathesisConfig.from_dict(_settings(examples_max=count(1, 60), full=full))
    schema: Any = schemathesis.openapi.from_url(f"{registry}/openapi.json", config=config)
    _close_replies(schema.raw_schema)
    schema.hook("map_path_parameters")(_known_places)
    schema.hook("map_body")(_known_schemas)
    if not full:
        schema = schema.exclude(path_regex="^/contexts/[^/]+/")
    _prepare(registry)
    campaign = Campaign()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            campaign.note(event)
            _prepare(registry)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            campaign.errors.append(str(event))
    _log.info("cases %s, statuses %s", dict(campaign.cases), dict(campaign.statuses))
    assert not campaign.errors
    assert not campaign.failures, "\n\n".join(f"{what}\n{told}" for what, told in campaign.failures.items())
    assert set(campaign.cases) == {"examples", "coverage", "fuzzing", "stateful"}
    assert campaign.cases.total() >= count(500, 20_000)
    assert campaign.statuses[200] >= campaign.cases.total() / 20, "too few calls got to something"
    assert not [status for status in campaign.statuses if status >= 500]


def _settings(*, examples_max: int, full: bool) -> dict[str, object]:
    """Give the campaign's settings; only the long one enumerates what each parameter and each body can be."""
    rarely = {"exclude-path-regex": "^/(subjects|config|audit)", "phases": {"coverage": {"enabled": False}}}
    briefly = {"include-method": ["POST", "PUT"], "phases": {"coverage": {"enabled": False}}}
    return {
        "seed": SEED,
        "generation": {"max-examples": examples_max, "database": "none", "no-shrink": True},
        "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        "operations": [] if full else [briefly, rarely],
    }


def _close_replies(document: Any) -> None:
    """Have a field that is not described count as an answer that is not described."""
    for shape in document["components"]["schemas"].values():
        if "properties" in shape:
            shape["additionalProperties"] = False


def _known_places(_context: object, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Send most calls to places that there are."""
    for name, known in (
        ("subject", SUBJECTS),
        ("version", VERSIONS),
        ("id", ("1", "2", "3")),
        ("context", (".eu", ".")),
    ):
        if parameters and name in parameters:
            parameters[name] = _chosen(parameters[name], known)
    return parameters


def _known_schemas(_context: object, body: Any) -> Any:
    """Have most schemas be some."""
    if isinstance(body, dict) and isinstance(body.get("schema"), str):
        body = {**body, "schema": _chosen(body["schema"], TEXTS)}
        if body["schema"] in TEXTS:
            body |= {"schemaType": "PROTOBUF", "references": [REFERENCE] if "import" in body["schema"] else []}
            body = {name: value for name, value in body.items() if name not in {"id", "version"}}
    return body


def _chosen(value: object, known: tuple[str, ...]) -> object:
    number = sum(str(value).encode("utf-8", "replace"))
    return known[number % len(known)] if number % 4 else value


def _prepare(registry: str) -> None:
    """Have a schema where it is looked for, and no modes and configs, by which nearly all would be refused."""
    address = urlsplit(registry)
    schema = json.dumps({"schemaType": "PROTOBUF", "schema": TEXTS[0]})
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=10)) as wire:
        for method, path, body in (
            ("DELETE", "/mode?recursive=true", None),
            ("DELETE", "/config", None),
            ("POST", "/subjects/orders/versions?force=true", schema),
            ("POST", "/subjects/%3A.eu%3Aorders/versions?force=true", schema),
        ):
            wire.request(method, path, body)
            wire.getresponse().read()
