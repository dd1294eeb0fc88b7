"""What is counted, asked for, logged, and told of the registry's health."""

from __future__ import annotations

import builtins
import json
import logging
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from protopact.errors import StoreError
from protopact.flow import Call, perform
from protopact.server import Registry, open_store
from protopact.server.http.logs import JsonLines, log_json_lines, log_request, logs_requests
from protopact.server.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator


def told(registry: Registry, accept: str = "") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    reply = perform(registry.exchange(Call("GET", "/metrics", headers={"accept": accept} if accept else {})))
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    samples = [sample for family in text_string_to_metric_families(reply.body.decode()) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def value(samples: dict[Any, float], name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_answers_are_counted_by_route_and_status(registry: Registry) -> None:
    for path in ("/subjects", "/subjects", "/schemas/ids/7", "/schemas/ids/8", "/nowhere", "/elsewhere"):
        perform(registry.exchange(Call("GET", path)))
    perform(registry.exchange(Call("BREW", "/subjects")))
    samples = told(registry)
    counted = "protopact_requests_total"
    assert value(samples, counted, method="GET", route="/subjects", status="200") == 2
    assert value(samples, counted, method="GET", route="/schemas/ids/{id}", status="404") == 2
    assert value(samples, counted, method="", route="unknown", status="404") == 2
    assert value(samples, counted, method="", route="unknown", status="405") == 1
    took = value(samples, "protopact_request_seconds_bucket", method="GET", route="/subjects", le="+Inf")
    assert took == value(samples, "protopact_request_seconds_count", method="GET", route="/subjects") == 2
    assert ("process_open_fds", frozenset()) in samples


def test_buckets_add_up() -> None:
    metrics = Metrics()
    for took_s in (0.0005, 0.0006, 0.3, 100.0):
        metrics.answered("GET", "/", 200, took_s)
    (family,) = [family for family in metrics.collect() if family.name == "protopact_request_seconds"]
    buckets = {sample.labels["le"]: sample.value for sample in family.samples if sample.name.endswith("_bucket")}
    assert [buckets[bound] for bound in ("0.0005", "0.001", "0.25", "0.5", "10.0", "+Inf")] == [1, 2, 2, 3, 3, 4]


def test_prepared_and_refused_calls_are_counted_and_gauges_measured(registry: Registry) -> None:
    registry.metrics.refused(413)
    registry.metrics.watch("depth", "A depth", lambda: 42)
    assert registry.find_prepared("/schemas/ids/1", b"") is None
    samples = told(registry)
    assert value(samples, "protopact_refused_total", status="413") == 1
    assert value(samples, "protopact_depth") == 42
    assert value(samples, "protopact_prepared_total") == 0


def test_prometheus_own_accept_header_is_served(registry: Registry) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    reply = perform(registry.exchange(Call("GET", "/metrics", headers={"accept": accept})))
    assert (reply.status, reply.headers["content-type"].split(";")[0]) == (200, "application/openmetrics-text")


def test_without_prometheus_client_there_are_no_metrics(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    own = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ImportError(name)
        return own(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    reply = perform(registry.exchange(Call("GET", "/metrics")))
    assert reply.status == 404
    assert b"protopact[metrics]" in reply.body


def test_a_registry_lives_and_is_ready_while_its_store_answers() -> None:
    with closing(Registry(open_store("memory:"))) as registry:

        def status(path: str) -> int:
            return perform(registry.exchange(Call("GET", path))).status

        assert (status("/health/live"), status("/health/ready")) == (200, 200)
        registry.close()
        assert (status("/health/live"), status("/health/ready")) == (200, 503)


@pytest.fixture
def clean_logging() -> Iterator[None]:
    root, requests = logging.getLogger(), logging.getLogger("protopact.server.requests")
    before = (root.handlers[:], root.level, requests.level)
    yield
    root.handlers[:], root.level, requests.level = before
    for logger in (root, requests):
        logger.setLevel(logger.level)  # forgets what was looked up


def test_a_log_is_one_json_object_a_line(clean_logging: None, capsys: pytest.CaptureFixture[str]) -> None:
    log_json_lines(requests=True)
    assert logs_requests()
    log_request("GET", "/sub\njects\x1b[31m", 200, request_id="abc", took_s=0.0012345)
    logging.getLogger("x").warning("a\nb \ud800", extra={"who": "ann", "password": "secret"})
    logging.getLogger("x").info("not said")
    logging.getLogger("x").error("failed", exc_info=StoreError("broken"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["answered", "a\nb \ud800", "failed"]
    assert lines[0] | {"time": ""} == {
        "time": "",
        "level": "info",
        "logger": "protopact.server.requests",
        "message": "answered",
        "request": "abc",
        "method": "GET",
        "path": "/sub\njects\x1b[31m",
        "status": 200,
        "took_ms": 1.234,
    }
    assert (lines[1]["who"], "password" in lines[1]) == ("ann", False)
    assert "StoreError: broken" in lines[2]["trace"]
    assert lines[0]["time"].endswith("Z")


def test_requests_are_logged_only_where_that_is_wanted(clean_logging: None, capsys: pytest.CaptureFixture[str]) -> None:
    log_json_lines()
    assert not logs_requests()
    log_request("GET", "/", 200, request_id="abc", took_s=0)
    assert capsys.readouterr().err == ""


def test_a_long_message_is_cut() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "m" * 100_000, None, None)
    assert len(JsonLines().format(record)) < 10_000


def test_the_registry_starts_without_prometheus_client() -> None:
    import subprocess

    script = "import sys; from protopact.server import Registry; print('prometheus_client' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"


def test_who_takes_plain_text_alone_gets_the_counts(registry: Registry) -> None:
    reply = perform(registry.exchange(Call("GET", "/metrics", headers={"accept": "text/plain"})))
    assert (reply.status, reply.headers["content-type"].split(";")[0]) == (200, "text/plain")
