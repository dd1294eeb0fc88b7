"""An answer that is lost after its work was done is asked for again by the client: the work is there once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from fault_proxy import CUT, faulty_way_to

from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from protopact.errors import RegistryError
from protopact.registry import CatalogTag, Config, SchemaRequest, TagDefinition
from protopact.settings import ClientSettings
from registry_node import Client, nodes, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fault_proxy import Fault, Proxy, Request

THREADS = 4
VERSIONS = 20  # of each subject
QUICK = ClientSettings(retry_delay_s_min=0, retry_delay_s_max=0.001, timeout_s=60)


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("lost")
    with nodes(f"sqlite:{folder / 'registry.db'}", folder, 1) as (node,), faulty_way_to(node.port) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _first_answers_are_lost(way: Proxy) -> None:
    """Lose the first answer to each request that changes something."""
    way.reset()

    def fault(request: Request, before: int) -> Fault | None:
        return CUT if request.method != "GET" and before == 0 else None

    way.fault = fault


def test_a_registration_whose_answer_is_lost_is_one_version_under_one_id(
    way: Proxy, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    number = count(100, 10_000)

    def subject_of(n: int) -> str:
        return f"lost-{n // VERSIONS}"

    def register(first: int) -> list[tuple[int, int | None, int | None]]:
        with SchemaRegistryClient(way.url, settings=QUICK) as registry:
            told = []
            for n in range(first, min(first + VERSIONS, number)):
                found = registry.register(subject_of(n), schema(n))
                told.append((n, found.id, found.version))
            return told

    with ThreadPoolExecutor(THREADS) as threads:
        told = [fact for facts in threads.map(register, range(0, number, VERSIONS)) for fact in facts]

    wrong = []
    with closing(Client(way.upstream_port)) as client:
        for n, schema_id, version in told:
            status, answer = client.ask("GET", f"/subjects/{subject_of(n)}/versions/{version}")
            if (status, answer.get("id"), answer.get("schema")) != (200, schema_id, schema(n)):
                wrong.append((n, schema_id, version, answer))
        for subject in {subject_of(n) for n, _, _ in told}:
            size = sum(subject_of(n) == subject for n, _, _ in told)
            if client.ask("GET", f"/subjects/{subject}/versions")[1] != list(range(1, size + 1)):
                wrong.append(subject)
    requests = sum(way.answered.values())
    say(f"{number} registrations, each answer lost once: {requests} requests, {len(wrong)} wrong ids or versions")
    assert wrong == []
    assert len({schema_id for _, schema_id, _ in told}) == number
    assert requests == 2 * number


# A way to do each change, and what must hold of what it gives; `{n}` is new for each round.
CHANGES: list[tuple[str, Callable[[SchemaRegistryClient, int], object], Callable[[object, int], bool]]] = [
    ("delete a version", lambda c, n: c.delete_version(f"c{n}", 1), lambda found, n: found == 1),
    ("delete it for good", lambda c, n: c.delete_version(f"c{n}", 1, permanent=True), lambda found, n: found == 1),
    ("delete the newest", lambda c, n: c.delete_version(f"c{n}", "latest"), lambda found, n: found == 3),
    ("delete a subject", lambda c, n: c.delete_subject(f"c{n}"), lambda found, n: found == []),
    ("delete it for good", lambda c, n: c.delete_subject(f"c{n}", permanent=True), lambda found, n: found == []),
    ("delete another at once", lambda c, n: c.delete_subject_permanent(f"d{n}"), lambda found, n: found == []),
    ("set a level", lambda c, n: c.set_compatibility("FULL", f"c{n}"), lambda found, n: found == "FULL"),
    ("delete a config", lambda c, n: c.delete_config(f"c{n}"), lambda found, n: found == Config()),
    ("set a mode", lambda c, n: c.set_mode("READONLY", f"c{n}"), lambda found, n: found == "READONLY"),
    ("delete a mode", lambda c, n: c.delete_mode(f"c{n}"), lambda found, n: found is None),
    (
        "create a tag",
        lambda c, n: c.create_tag(f"T{n}", description="d"),
        lambda found, n: found == TagDefinition(f"T{n}", "d", ("sr_field",)),
    ),
    (
        "change a tag",
        lambda c, n: c.update_tag(TagDefinition(f"T{n}", "e", ("sr_field",))),
        lambda found, n: found == TagDefinition(f"T{n}", "e", ("sr_field",)),
    ),
    (
        "tag an entity",
        lambda c, n: c.tag_entities([CatalogTag(f"T{n}", "sr_field", f"e{n}")]),
        lambda found, n: found == [CatalogTag(f"T{n}", "sr_field", f"e{n}")],
    ),
    ("untag it", lambda c, n: c.untag_entity("sr_field", f"e{n}", f"T{n}"), lambda found, n: found is None),
    ("delete a tag", lambda c, n: c.delete_tag(f"T{n}"), lambda found, n: found is None),
    (
        "tag a version",
        lambda c, n: c.tag_schema(f"e{n}", new_version=3, rules_to_remove=["none"]).version,
        lambda found, n: found == 3,
    ),
    (
        "import with an id",
        lambda c, n: c.register(f":.i{n}:s", SchemaRequest(schema(n), id=70 + n, version=4)).version,
        lambda found, n: found == 4,
    ),
    ("delete a context", lambda c, n: c.delete_context(f".e{n}"), lambda found, n: found is None),
]


def prepare(registry: SchemaRegistryClient, n: int) -> None:
    for subject, versions in ((f"c{n}", 3), (f"d{n}", 1), (f"e{n}", 2), (f":.e{n}:s", 1)):
        for version in range(versions):
            registry.register(subject, schema(1000 * version + n))
    registry.delete_subject_permanent(f":.e{n}:s")
    registry.set_mode("IMPORT", f":.i{n}:")


def test_a_change_whose_answer_is_lost_is_told_as_done(
    way: Proxy, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    rounds, wrong = count(1, 50), []
    with SchemaRegistryClient(way.url, settings=QUICK) as registry:
        for n in range(rounds):
            prepare(registry, n)
            for name, change, is_right in CHANGES:
                asked = sum(way.answered.values())
                try:
                    found = change(registry, n)
                except RegistryError as error:
                    found = error
                if isinstance(found, RegistryError) or not is_right(found, n):
                    wrong.append(f"{name}: {found!r}")
                assert sum(way.answered.values()) >= asked + 2, f"{name}: no answer was lost"
    say(f"{rounds * len(CHANGES)} other changes, the answer to each lost once: {len(wrong)} wrong")
    assert wrong == []


def test_what_is_refused_stays_refused_when_an_answer_is_lost(way: Proxy) -> None:
    with SchemaRegistryClient(way.url, settings=QUICK) as registry:
        registry.create_tag("Mine", description="one")
        with pytest.raises(RegistryError, match="exists already"):
            registry.create_tag("Mine", description="another")
        with pytest.raises(RegistryError) as caught:
            registry.register("refused", "this is no schema")
    assert caught.value.error_code == 42201


def test_the_client_on_a_loop_asks_again_too(way: Proxy) -> None:
    async def work() -> list[tuple[int | None, int | None]]:
        async with AsyncSchemaRegistryClient(way.url, settings=QUICK) as registry:
            found = await asyncio.gather(*[registry.register("loop", schema(5000 + n % 5)) for n in range(20)])
            assert await registry.create_tag("Loop") == TagDefinition("Loop", "", ("sr_field",))
            assert await registry.delete_version("loop", "latest") == 5
            return [(one.id, one.version) for one in found]

    found = asyncio.run(work())
    assert len(set(found)) == 5
    assert sorted(version or 0 for _, version in set(found)) == [1, 2, 3, 4, 5]
