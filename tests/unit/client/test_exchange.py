from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from protopact import errors
from protopact.client import calls, catalog_calls
from protopact.client.exchange import Exchange
from protopact.errors import RegistryError, TransportError
from protopact.flow import Reply
from protopact.registry import TagDefinition, error_body
from protopact.settings import ClientSettings
from unit.client.scripted import Script, answer, silence

if TYPE_CHECKING:
    from protopact.client.asks import Ask

SETTINGS = ClientSettings()
OK = answer(["PROTOBUF"])
DOWN = answer({"error_code": 50001, "message": "down"}, 500)


def exchange(servers: int = 1, settings: ClientSettings = SETTINGS) -> Exchange:
    return Exchange(settings, servers, draw=lambda low, high: high)


def test_an_answer_is_given_as_it_is_read() -> None:
    script = Script(OK)

    assert script.perform(exchange().ask(calls.get_types())) == ["PROTOBUF"]
    assert script.slept == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_a_status_that_says_not_now_is_tried_again(status: int) -> None:
    script = Script(answer({}, status), OK)

    assert script.perform(exchange().ask(calls.get_types())) == ["PROTOBUF"]
    assert len(script.calls) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_final(status: int) -> None:
    script = Script(answer({}, status))

    with pytest.raises(RegistryError) as caught:
        script.perform(exchange().ask(calls.get_types()))

    assert caught.value.status == status
    assert len(script.calls) == 1


def test_silence_is_tried_again_and_counted() -> None:
    script = Script(*[silence() for _ in range(4)])

    with pytest.raises(TransportError) as caught:
        script.perform(exchange().ask(calls.get_types()))

    assert caught.value.attempts == 4
    assert str(caught.value) == "no answer (after 4 attempts)"
    assert isinstance(caught.value.__cause__, TransportError)


def test_the_last_failure_is_the_one_that_is_told() -> None:
    script = Script(silence(), silence(), silence(), DOWN)

    with pytest.raises(RegistryError, match="down"):
        script.perform(exchange().ask(calls.get_types()))


def test_waits_grow_and_stay_within_their_bounds() -> None:
    settings = replace(SETTINGS, retries_max=9)
    script = Script(*[DOWN] * 10)

    with pytest.raises(RegistryError):
        script.perform(exchange(settings=settings).ask(calls.get_types()))

    assert script.slept == [0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0]


def test_waits_are_drawn_by_chance() -> None:
    firsts = set()
    for _ in range(20):
        script = Script(DOWN, OK)
        script.perform(Exchange(SETTINGS).ask(calls.get_types()))
        firsts.add(script.slept[0])

    assert len(firsts) > 10
    assert all(SETTINGS.retry_delay_s_min <= wait <= 4 * SETTINGS.retry_delay_s_min for wait in firsts)


def test_the_next_server_is_asked_at_once_and_stays_the_first() -> None:
    servers = exchange(servers=3)
    script = Script(silence(), DOWN, OK, OK)

    script.perform(servers.ask(calls.get_types()))
    script.perform(servers.ask(calls.get_types()))

    assert script.servers == [0, 1, 2, 2]
    assert script.slept == []


def test_every_server_is_tried_even_when_there_are_more_than_tries() -> None:
    script = Script(*[silence() for _ in range(6)], OK)

    script.perform(exchange(servers=7).ask(calls.get_types()))

    assert script.servers == list(range(7))


def test_all_servers_down_are_waited_for_between_rounds() -> None:
    script = Script(silence(), silence(), OK)

    script.perform(exchange(servers=2).ask(calls.get_types()))

    assert script.servers == [0, 1, 0]
    assert script.slept == [0.4]


def test_retry_after_is_waited_for_in_seconds_and_as_a_date() -> None:
    when = datetime.now(UTC).replace(microsecond=0)
    date = format_datetime(when + timedelta(seconds=7), usegmt=True)
    script = Script(answer({}, 429, retry_after="3"), answer({}, 503, retry_after=date), OK)
    clocked = Exchange(SETTINGS, draw=lambda low, high: 0.0, now=when.timestamp)

    script.perform(clocked.ask(calls.get_types()))

    assert script.slept == [3.0, 7.0]


@pytest.mark.parametrize("text", ["soon", "", "-5", "nan", "1e999", "Mon, 99 Foo", "0"])
def test_a_retry_after_that_says_nothing_is_passed_over(text: str) -> None:
    script = Script(answer({}, 503, retry_after=text), OK)

    script.perform(exchange().ask(calls.get_types()))

    assert script.slept == [0.4]


def test_a_server_that_wants_a_long_wait_is_not_waited_for() -> None:
    script = Script(answer({}, 503, retry_after="3600"))

    with pytest.raises(RegistryError):
        script.perform(exchange().ask(calls.get_types()))

    assert script.slept == []


def test_a_redirect_is_refused_and_not_followed() -> None:
    script = Script(answer(b"", 302, location="http://elsewhere/"))

    with pytest.raises(RegistryError, match="redirect") as caught:
        script.perform(exchange().ask(calls.get_types()))

    assert caught.value.status == 302
    assert caught.value.hint


@pytest.mark.parametrize("body", [b"", b"[", b"<html>hello</html>", b"{}", b"\xff", b"[" * 100_000])
def test_an_unreadable_answer_is_50005_and_not_tried_again(body: bytes) -> None:
    script = Script(answer(body))

    with pytest.raises(RegistryError, match="cannot be used") as caught:
        script.perform(exchange().ask(calls.get_types()))

    assert (caught.value.error_code, caught.value.status) == (50005, 200)


@pytest.mark.parametrize(
    "family",
    [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, RegistryError)],
)
def test_every_class_of_the_table_comes_out_of_an_exchange(family: type[RegistryError]) -> None:
    raised = family("why")
    script = Script(*[Reply(raised.status, {}, error_body(raised))] * 4)

    with pytest.raises(RegistryError) as caught:
        script.perform(exchange().ask(calls.get_types()))

    assert type(caught.value) is family
    assert caught.value.error_code == raised.error_code


# ── answers that were lost ───────────────────────────────────────────────────────────────────────

EXISTS = answer([{"name": "PII", "error": {"error_code": 409, "message": "exists already"}}])
PII = TagDefinition("PII", "d", ("sr_field",))


def test_a_tag_that_a_lost_try_has_defined_is_given() -> None:
    script = Script(silence(), EXISTS, answer({**PII.to_object(), "version": 1}))

    assert script.perform(exchange().ask(catalog_calls.create_tag(PII))) == PII
    assert script.asked[-1] == "GET /catalog/v1/types/tagdefs/PII"


def test_a_tag_that_was_there_before_is_refused_lost_answer_or_not() -> None:
    other = answer({**PII.to_object(), "description": "another"})
    for script in (Script(EXISTS), Script(silence(), EXISTS, other)):
        with pytest.raises(RegistryError, match="exists already") as caught:
            script.perform(exchange().ask(catalog_calls.create_tag(PII)))
        assert caught.value.error_code == 409


@pytest.mark.parametrize(
    "ask",
    [catalog_calls.delete_tag("PII"), catalog_calls.untag_entity("sr_field", "e", "PII")],
    ids=["definition", "tag of an entity"],
)
def test_a_tag_that_a_lost_try_has_deleted_is_gone(ask: Ask[None]) -> None:
    gone = answer({"error_code": 404, "message": "not found"}, 404)

    script = Script(silence(), gone)
    script.perform(exchange().ask(ask))
    assert len(script.calls) == 2

    with pytest.raises(RegistryError, match="not found"):
        Script(gone).perform(exchange().ask(ask))
