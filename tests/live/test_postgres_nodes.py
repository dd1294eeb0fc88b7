"""Several registry processes on one PostgreSQL: one truth, also when the database is killed."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from protopact.server.store.postgres import REMOVALS_SEEN_S
from registry_node import READY_S, Client, History, Node, nodes, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres_service import PostgresService

NODES = 3
CLIENTS = 8  # of each node
RATES_PER_S = (200, 300)  # loads that leave processors idle: latency then tells of the registry and not of a queue
READY_AFTER_S = 3.0
HANGS_S = 10.0


@pytest.fixture(scope="module")
def database(postgres: PostgresService) -> str:
    return postgres.new_database("nodes")


@pytest.fixture
def cluster(database: str, tmp_path: Path) -> Iterator[list[Node]]:
    with psycopg.connect(database) as admin:
        admin.execute("DROP SCHEMA IF EXISTS protopact CASCADE")
    with nodes(database, tmp_path, NODES) as running:
        yield running


def at_once(cluster: list[Node], work: Callable[[int, Client], None]) -> float:
    """Have every client of every node do its work; gives the seconds that it took."""

    def run(number: int) -> None:
        with closing(Client(cluster[number % len(cluster)].port)) as client:
            work(number, client)

    start = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS * len(cluster)) as threads:
        list(threads.map(run, range(CLIENTS * len(cluster))))
    return time.perf_counter() - start


def processor_s(cluster: list[Node], postgres: PostgresService) -> float:
    """Give the processor time that nodes, their compilers and the database have used, the ended children's too."""
    used, parents = {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            parents[int(process.name)], used[int(process.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    roots = {postgres.pid, *(node.pid for node in cluster)}
    return sum(used[pid] for pid in used if roots & {pid, parents[pid]}) / os.sysconf("SC_CLK_TCK")


def check_all_were_kept(history: History, cluster: list[Node]) -> None:
    """Every registration was acknowledged, none contradicts another, and every node knows them all."""
    assert history.cut == 0
    assert history.wrong == []
    assert set(history.statuses) == {200}
    assert history.contradictions() == []
    for node in cluster:
        with closing(Client(node.port)) as client:
            assert history.lost(client) == []


def percentiles(seconds: list[float]) -> str:
    in_order = sorted(1000 * each for each in seconds)
    return f"p50 {in_order[len(in_order) // 2]:.0f} ms, p99 {in_order[len(in_order) * 99 // 100]:.0f} ms"


def status_of(node: Node, path: str) -> int:
    with closing(Client(node.port)) as client:
        return client.ask("GET", path)[0]


def test_one_content_has_one_id_and_versions_are_dense_whoever_registers(
    cluster: list[Node], postgres: PostgresService, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    rounds = count(30, 1000)
    late_s: dict[int, list[float]] = {rate: [] for rate in RATES_PER_S}

    def same(number: int, client: Client) -> None:
        order = random.Random(number).sample(range(rounds), rounds)
        for each in order:
            history.register(client, f"same-{each % 5}", schema(each))

    def different(number: int, client: Client) -> None:
        for each in range(rounds):
            subject = f"own-{number}-{each % 3}" if each % 2 else f"shared-{each % 4}"
            history.register(client, subject, schema(rounds * (number + 1) + each))

    def paced(rate: int) -> Callable[[int, Client], None]:
        def work(number: int, client: Client) -> None:
            for each in range(rounds):
                due = began + (each * CLIENTS * NODES + number) / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                history.register(client, f"paced-{number % 12}", schema(rounds * (number + rate) + each))
                late_s[rate].append(time.perf_counter() - due)

        return work

    works = {"same": same, "different": different} | {
        f"different, {rate}/s of them": paced(rate) for rate in RATES_PER_S
    }
    for name, work in works.items():
        history, began, used_s = History(), time.perf_counter(), processor_s(cluster, postgres)
        took_s = at_once(cluster, work)
        used_s = processor_s(cluster, postgres) - used_s
        check_all_were_kept(history, cluster)
        say(
            f"{NODES} nodes with {CLIENTS} clients each, {name} schemas: {history.acknowledged} registered in"
            f" {took_s:.1f} s, {history.acknowledged / took_s:.0f}/s, p50 {history.percentile(0.5):.0f} ms,"
            f" p99 {history.percentile(0.99):.0f} ms, {len({fact.id for fact in history.facts})} ids, 0 contradictions,"
            f" {1000 * used_s / history.acknowledged:.1f} ms of processor time each"
        )
    for rate, late in late_s.items():
        say(f"{rate} arrivals a second, from each one's due time: {percentiles(late)}")


def test_what_one_node_acknowledged_every_other_node_knows(
    cluster: list[Node], count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    reads = itertools.count()
    missed: list[str] = []

    def write_and_read_elsewhere(number: int, client: Client) -> None:
        others = [Client(cluster[(number + step) % NODES].port) for step in range(1, NODES)]
        for each in range(count(10, 1100)):
            subject, text = f"mine-{number}", schema(10_000 * (number + 1) + each)
            status, kept = client.ask(
                "POST", f"/subjects/{subject}/versions", {"schemaType": "PROTOBUF", "schema": text}
            )
            assert status == 200
            for other in others:
                for path in (f"/schemas/ids/{kept['id']}", f"/subjects/{subject}/versions/latest"):
                    status, found = other.ask("GET", path)
                    next(reads)
                    if status != 200 or found["guid"] != kept["guid"]:
                        missed.append(f"{path}: {status} {found}")
        for other in others:
            other.close()

    at_once(cluster, write_and_read_elsewhere)
    say(f"read your writes on another node: {next(reads)} reads, {len(missed)} misses")
    assert missed == []


def test_what_another_node_removed_for_good_is_not_served_for_long(
    cluster: list[Node], count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    with closing(Client(cluster[0].port)) as one, closing(Client(cluster[1].port)) as two:
        longest_s = 0.0
        for number in range(count(4, 40)):
            body = {"schemaType": "PROTOBUF", "schema": schema(number)}
            path = f"/schemas/ids/{one.ask('POST', '/subjects/gone/versions', body)[1]['id']}"
            assert [client.ask("GET", path)[0] for client in (one, one, two, two)] == [200] * 4
            for query in ("", "?permanent=true"):
                assert two.ask("DELETE", f"/subjects/gone{query}")[0] == 200
            start = time.monotonic()
            assert two.ask("GET", path)[0] == 404
            while one.ask("GET", path)[0] != 404:
                assert time.monotonic() - start < 3 * REMOVALS_SEEN_S
                time.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - start)
        say(f"a removed schema was served by another node for {longest_s:.2f} s at most")


def test_nothing_acknowledged_is_lost_when_the_database_is_killed(
    cluster: list[Node], postgres: PostgresService, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    history, stop, numbers = History(), threading.Event(), itertools.count()

    def write(number: int, client: Client) -> None:
        chance = random.Random(number)
        while not stop.is_set():
            subject = chance.choice([f"own-{number}", "shared-1", "shared-2"])
            if not history.register(client, subject, schema(next(numbers))):
                time.sleep(0.02)

    ready_s: list[float] = []
    with ThreadPoolExecutor(1) as load:
        writing = load.submit(at_once, cluster, write)
        try:
            for _ in range(count(2, 10)):
                before = history.acknowledged
                while history.acknowledged < before + 100:
                    time.sleep(0.05)
                    assert not writing.done()
                postgres.kill()
                time.sleep(random.Random(before).uniform(0.2, 1.5))
                assert [status_of(node, "/health/live") for node in cluster] == [200] * NODES
                assert [status_of(node, "/health/ready") for node in cluster] == [503] * NODES
                postgres.start()
                ready_s += [node.wait_ready(READY_S) for node in cluster]
        finally:
            stop.set()
        writing.result()
    longest_s = max(history.seconds)
    say(
        f"database killed {len(ready_s) // NODES} times: {history.acknowledged} acknowledged,"
        f" {history.statuses.get(503, 0)} times 503, {len(history.wrong)} other answers, {history.cut} cut,"
        f" ready {max(ready_s):.2f} s after it at most, longest answer {longest_s:.1f} s"
    )
    assert history.wrong == []
    assert history.cut == 0
    assert history.statuses[503] > 0
    assert max(ready_s) <= READY_AFTER_S
    assert longest_s < HANGS_S
    assert history.contradictions() == []
    for node in cluster:
        with closing(Client(node.port)) as client:
            assert history.lost(client) == []
