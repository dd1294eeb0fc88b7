"""Nothing that is wrong on its way is believed: neither given nor kept, and the truth is given when it comes again."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from fault_proxy import CUT, Answer, Fault, altered, faulty_way_to, other_body

from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from protopact.client.cache import Cache
from protopact.errors import ProtopactError, SchemaNotFoundError
from protopact.registry import content_guid
from protopact.settings import ClientSettings
from registry_node import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from fault_proxy import Proxy, Request

    from protopact.registry import RegisteredSchema

TRIES = 2
QUICK = ClientSettings(retries_max=TRIES - 1, retry_delay_s_min=0, retry_delay_s_max=0.001, timeout_s=20)
TEXT = 'syntax = "proto3";\npackage shop;\n\nmessage Order {\n  string name = 1;\n}\n'
EVIL = TEXT.replace("name", "evil")
NEXT = TEXT.replace("}", "  string more = 2;\n}")


class OnLoop:
    """The asynchronous client, asked from here."""

    def __init__(self, url: str, settings: ClientSettings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._client = AsyncSchemaRegistryClient(url, settings=settings)
        self.session = self._client.session

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object, **more: object) -> object:
            asked: Coroutine[object, object, object] = getattr(self._client, name)(*arguments, **more)
            return asyncio.run_coroutine_threadsafe(asked, self._loop).result()

        return call

    def close(self) -> None:
        self.__getattr__("close")()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class World:
    """A registry with one schema, the way to it, and how a client is made."""

    way: Proxy
    kind: type[SchemaRegistryClient | OnLoop]
    known: RegisteredSchema

    @contextmanager
    def client(self, settings: ClientSettings = QUICK) -> Iterator[SchemaRegistryClient]:
        made = self.kind(self.way.url, settings=settings)
        try:
            yield made  # type: ignore[misc]
        finally:
            made.close()


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("poison")
    with nodes("memory:", folder, 1) as (node,), faulty_way_to(node.port) as proxy:
        yield proxy


@pytest.fixture(params=[SchemaRegistryClient, OnLoop], ids=["sync", "async"])
def world(way: Proxy, request: pytest.FixtureRequest) -> World:
    way.reset()
    with SchemaRegistryClient(way.url) as registry:
        registry.register("truth", TEXT)
        return World(way, request.param, registry.get_version("truth"))


# ── what may go wrong with an answer ─────────────────────────────────────────────────────────────


def _misplaced(answer: Answer) -> Answer:
    """Give the answer for another id, version and content, whole in itself."""
    told = {**json.loads(answer.body), "id": 4711, "version": 4711, "guid": content_guid(EVIL), "schema": EVIL}
    return Answer(200, {"content-type": "application/json"}, json.dumps(told).encode())


def _with_other_text(answer: Answer) -> Answer:
    """Give the answer with another schema in the same form, and no digest: a device that writes answers anew."""
    body = json.loads(answer.body)
    known = body["schema"]
    evil = base64.b64encode(base64.b64decode(known).replace(b"name", b"evil")).decode() if " " not in known else EVIL
    return Answer(200, {"content-type": "application/json"}, json.dumps({**body, "schema": evil}).encode())


def _kept_digest(change: Callable[[Answer], Answer]) -> Callable[[Answer], Answer]:
    return lambda answer: replace(answer, body=change(answer).body)


FAULTS: dict[str, Fault] = {
    "500": other_body(b'{"error_code": 50001, "message": "broken"}', 500),
    "502 of a gateway": other_body(b"<html>Bad Gateway</html>", 502, content_type="text/html"),
    "503": other_body(b"", 503),
    "404 of a gateway": other_body(b"<html>Not Found</html>", 404, content_type="text/html"),
    "a page of a login": other_body(b"<html>Log in</html>", content_type="text/html"),
    "a redirect": other_body(b"", 302, location="http://127.0.0.1:9/"),
    "nothing": CUT,
    "an empty body": other_body(b""),
    "another kind of JSON": other_body(b"[]"),
    "an empty object": other_body(b"{}"),
    "the answer of another id": Fault(change=_misplaced),
    "half of the body": Fault(keep_bytes=30),
    "half of the body with its length": Fault(change=lambda answer: replace(answer, body=answer.body[:30])),
    "an altered body": Fault(change=_kept_digest(_with_other_text)),
    "an altered body of the same length": altered(b'"schema":"', b'"schemA":"'),
    "another encoding": Fault(change=lambda a: replace(a, headers={**a.headers, "content-encoding": "gzip"})),
}
ASKS: dict[str, Callable[[SchemaRegistryClient, World], object]] = {
    "by id": lambda c, w: c.get_schema_by_id(w.known.id).schema,
    "by id, as descriptors": lambda c, w: c.fetch_file_set(w.known.id).root_file.message_type[0].field[0].name,
    "by GUID": lambda c, w: c.get_schema_by_guid(w.known.guid).schema,
    "the newest": lambda c, w: c.get_version("truth").schema,
    "by version": lambda c, w: c.get_version("truth", 1).schema,
    "look-up": lambda c, w: c.lookup("truth", TEXT).schema,
    "registration": lambda c, w: c.register("truth", TEXT).schema,
}


# What such an answer cannot be told by: its question names no id, version or content that it must have.
ANYTHING_MAY_COME = {("the answer of another id", name) for name in ("the newest", "look-up", "registration")}


def test_a_wrong_answer_is_neither_given_nor_kept(world: World, say: Callable[[str], None]) -> None:
    tried, wrong = 0, []
    for fault_name, fault in FAULTS.items():
        for ask_name, ask in ASKS.items():
            if (fault_name, ask_name) in ANYTHING_MAY_COME:
                continue
            with world.client() as client:
                world.way.reset()
                truth = ask(client, world)
                client.session.forget()
                client.session.text_only.clear()
                for times in (1, 100):
                    tried += 1
                    world.way.reset()
                    left = iter([fault] * times)
                    world.way.fault = lambda _request, _before, left=left: next(left, None)
                    try:
                        found = ask(client, world)
                    except ProtopactError:
                        found = None
                    world.way.reset()
                    after = ask(client, world)
                    if found not in (None, truth) or after != truth:
                        wrong.append(f"{fault_name}, {ask_name}, {times} times: {found!r}, then {after!r}")
                    client.session.forget()
                    client.session.text_only.clear()
    say(f"{tried} times a wrong answer: {len(wrong)} believed")
    assert wrong == []


@pytest.mark.parametrize("form", ["by id", "by GUID", "the newest", "by version"])
def test_a_text_that_is_written_anew_on_its_way_is_not_believed(world: World, form: str) -> None:
    """The body's digest may go with the body, the content's hash does not."""
    world.way.fault = lambda _request, _before: Fault(change=_with_other_text)
    with world.client() as client, pytest.raises(ProtopactError, match="GUID"):
        ASKS[form](client, world)


def test_one_failure_is_asked_again_and_not_noticed(world: World) -> None:
    for name in ("502 of a gateway", "nothing", "half of the body", "an altered body"):
        world.way.reset()
        world.way.fault = lambda _request, before, f=FAULTS[name]: f if before == 0 else None
        with world.client() as client:
            assert client.get_schema_by_id(world.known.id or 0).schema == TEXT, name
        assert sum(world.way.asked.values()) == TRIES


# ── what may become true ─────────────────────────────────────────────────────────────────────────


def test_an_id_that_comes_into_being_is_found_within_a_second(world: World) -> None:
    now = [100.0]
    missing = other_body(b'{"error_code": 40403, "message": "Schema 9 not found"}', 404)
    world.way.fault = lambda _request, _before: missing
    ttl_s = ClientSettings().missing_ttl_s
    assert 0 < ttl_s <= 1
    for ask in (ASKS["by id"], ASKS["by id, as descriptors"]):
        with world.client() as client:
            client.session.missing = Cache(10, ttl_s=ttl_s, clock=lambda: now[0])
            world.way.asked.clear()
            world.way.fault = lambda _request, _before: missing
            for passed_s in (0, ttl_s / 2, ttl_s / 2.01):
                now[0] += passed_s
                with pytest.raises(SchemaNotFoundError):
                    ask(client, world)
            assert sum(world.way.asked.values()) == 1
            world.way.fault = lambda _request, _before: None
            now[0] += ttl_s / 2
            assert ask(client, world)


def test_a_registration_makes_the_newest_true_at_once_even_for_an_answer_on_its_way(world: World) -> None:
    """The registry answers with the newest version, the answer is held back, and meanwhile the client registers."""
    subject = f"race-{world.kind.__name__}"
    held = Fault(until=threading.Event())

    def fault(request: Request, before: int) -> Fault | None:
        return held if request.target.endswith("/latest") and before == 0 else None

    with world.client() as client:
        client.register(subject, TEXT)
        world.way.fault = fault
        early: list[int | None] = []
        reader = threading.Thread(target=lambda: early.append(client.get_version(subject).version))
        reader.start()
        held.reached.wait()
        assert client.register(subject, NEXT).version == 2
        held.until.set()
        reader.join()
        assert early == [1]
        assert [client.get_version(subject).version for _ in range(3)] == [2, 2, 2]
    assert world.way.asked["", "GET", f"/subjects/{subject}/versions/latest"] == 2


def test_what_another_client_registers_is_the_newest_when_the_time_is_over(world: World) -> None:
    subject, now = f"others-{world.kind.__name__}", [100.0]
    with world.client() as client, world.client() as other:
        client.session.latest = Cache(10, ttl_s=QUICK.latest_ttl_s, clock=lambda: now[0])
        client.register(subject, TEXT)
        assert client.get_version(subject).version == 1
        assert other.register(subject, NEXT).version == 2
        now[0] += QUICK.latest_ttl_s
        assert client.get_version(subject).version == 2


def test_no_cache_grows_beyond_its_bound(world: World) -> None:
    bound = 5
    with world.client(replace(QUICK, cache_entries_max=bound)) as client:
        for n in range(1, 4 * bound):
            client.register(f"many-{n}", TEXT.replace("name", f"n{n}"))
            client.lookup(f"many-{n}", TEXT.replace("name", f"n{n}"))
            client.get_version(f"many-{n}")
            client.get_schema_by_id(n)
            client.fetch_file_set(n)
        for n in range(4 * bound):
            with pytest.raises(SchemaNotFoundError):
                client.get_schema_by_id(10_000 + n)
        session = client.session
        caches = [one for one in vars(session).values() if isinstance(one, Cache)]
        assert len(caches) == 8
        assert max(len(cache) for cache in caches) == bound
        assert len(session.missing) == len(session.schemas) == len(session.latest) == bound
