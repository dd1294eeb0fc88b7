"""A disk that is full or slow stops registrations, not the registry: what is there is served, and nothing breaks."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from disks import slow_writes, small_disk
from postgres_service import SUPERUSER, running_postgres
from service_process import ServiceMissingError

from registry_node import Client, History, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgres_service import PostgresService

MIB = 1024 * 1024
WRITERS = 4
DISK_MIB = 24
BALLAST_MIB = 12
READ_MS_MAX = 20.0
ROUNDS = 5
WRITES_PER_S = 20
ACCEPTED, FAILING = ((200, {"status": "ready", "writes": writes}) for writes in ("accepted", "failing"))


def wide(number: int) -> str:
    """Give a schema of its own for each number, of some kilobytes; every two of them are compatible."""
    fields = "".join(f"  string {'long' * 10}_{at} = {at};\n" for at in range(1, 120))
    return f'syntax = "proto3";\npackage shop;\n\nmessage Order {{\n{fields}  string f{number} = {200 + number};\n}}\n'


@contextmanager
def registering(node: Node, history: History) -> Iterator[None]:
    """Have clients register one schema after the other until the block ends, whatever they are answered."""
    numbers, over = itertools.count(), []

    def write(writer: int) -> None:
        with closing(Client(node.port)) as client:
            while not over:
                if not history.register(client, f"own-{writer}", wide(next(numbers))):
                    time.sleep(0.02)

    with ThreadPoolExecutor(WRITERS) as threads:
        done = [threads.submit(write, number) for number in range(WRITERS)]
        try:
            yield
        finally:
            over.append(True)
            for each in done:
                each.result()


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    end_at = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_at, what
        time.sleep(0.02)


def read_ms(node: Node, ids: list[int], reads: int) -> float:
    """Give the 99th percentile of reading schemas by id in milliseconds."""
    chance, took = random.Random(7), []
    with closing(Client(node.port)) as client:
        for _ in range(ROUNDS * reads):
            start = time.perf_counter()
            status, answer = client.ask("GET", f"/schemas/ids/{chance.choice(ids)}")
            took.append(1000 * (time.perf_counter() - start))
            assert (status, answer["schema"][:6]) == (200, "syntax")
    return statistics.quantiles(took, n=100)[98]


def ready(node: Node) -> object:
    with closing(Client(node.port)) as client:
        return client.ask("GET", "/health/ready")


def test_a_full_disk_stops_registrations_alone_and_only_until_there_is_room(
    tmp_path: Path,
    count: Callable[[int, int], int],
    absent: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    reads, history = count(200, 4000), History()
    with small_disk(tmp_path, DISK_MIB, absent) as (disk, kind):
        (disk / "ballast").write_bytes(bytes(BALLAST_MIB * MIB))
        node = Node(f"sqlite:{disk / 'registry.db'}", tmp_path / "node.log")
        try:
            node.start()
            with registering(node, history):
                wait_until(lambda: history.refused >= 20, "the disk did not fill")
                ids = sorted({fact.id for fact in history.facts})
                read_at = read_ms(node, ids, reads)
                wait_until(lambda: ready(node) == FAILING, "it is not told that nothing can be written")
                kept, refused = history.acknowledged, history.refused
                (disk / "ballast").unlink()
                wait_until(lambda: history.acknowledged > kept + 20, "nothing is registered after room was made")
            after = ready(node)
            with closing(Client(node.port)) as client:
                lost = history.lost(client)
            node.stop()
            with closing(sqlite3.connect(disk / "registry.db")) as database:
                checked = database.execute("PRAGMA integrity_check").fetchall()
        finally:
            node.stop()
    say(
        f"disk of {DISK_MIB} MiB ({kind}) full: {refused} registrations refused, GET by id p99 {read_at:.1f} ms;"
        f" after room was made {history.acknowledged - kept} registered without a restart,"
        f" {len(lost)} of {history.acknowledged} acknowledged lost, integrity {checked[0][0]}"
    )
    assert history.wrong == []
    assert (lost, history.contradictions(), history.cut) == ([], [], 0)
    assert checked == [("ok",)]
    assert after == ACCEPTED
    assert read_at <= READ_MS_MAX


def test_a_slow_disk_makes_registrations_slow_and_no_reads(
    tmp_path: Path,
    count: Callable[[int, int], int],
    absent: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    reads, history = count(200, 4000), History()
    with small_disk(tmp_path, 2 * DISK_MIB, absent) as (disk, _):
        node = Node(f"sqlite:{disk / 'registry.db'}", tmp_path / "node.log")
        try:
            node.start()
            with registering(node, history):
                wait_until(lambda: history.acknowledged >= 100, "nothing is registered")
                ids = sorted({fact.id for fact in history.facts})
                fast_at, fast = read_ms(node, ids, reads), rate(history)
                with slow_writes(node.pid, disk, WRITES_PER_S, absent):
                    time.sleep(1)
                    slow_at, slow = read_ms(node, ids, reads), rate(history)
        finally:
            node.stop()
    say(
        f"disk slowed to {WRITES_PER_S} writes a second: {fast:.0f} -> {slow:.1f} registrations a second,"
        f" GET by id p99 {fast_at:.1f} -> {slow_at:.1f} ms"
    )
    assert (history.wrong, history.cut) == ([], 0)
    assert slow < fast / 2, "the disk was not slowed"  # several registrations share one of its writes
    assert slow_at <= READ_MS_MAX


def rate(history: History) -> float:
    """Give how many schemas are registered in a second."""
    before, start = history.acknowledged, time.monotonic()
    time.sleep(2)
    return (history.acknowledged - before) / (time.monotonic() - start)


def test_a_registry_starts_on_a_full_disk_and_serves(
    tmp_path: Path, absent: Callable[[str, str], None], say: Callable[[str], None]
) -> None:
    history = History()
    with small_disk(tmp_path, DISK_MIB, absent) as (disk, _):
        node = Node(f"sqlite:{disk / 'registry.db'}", tmp_path / "node.log")
        try:
            node.start()
            with registering(node, history):
                wait_until(lambda: history.acknowledged >= 50, "nothing is registered")
            node.kill()
            fill(disk)
            ready_s = node.start()
            with closing(Client(node.port)) as client:
                cold = [client.ask("GET", f"/schemas/ids/{fact.id}")[0] for fact in history.facts]
                more = {"schemaType": "PROTOBUF", "schema": wide(9999)}
                refused = client.ask("POST", "/subjects/more/versions", more)
                (disk / "ballast").unlink()
                taken = client.ask("POST", "/subjects/more/versions", more)
                lost = history.lost(client)
        finally:
            node.stop()
    say(f"killed, its disk filled to the last byte, started in {ready_s:.2f} s: {len(cold)} schemas read, {refused}")
    assert (set(cold), lost) == ({200}, [])
    assert (refused[0], taken[0]) == (503, 200)


@pytest.fixture
def postgres(absent: Callable[[str, str], None]) -> Iterator[PostgresService]:
    try:
        with running_postgres(say=lambda _line: None) as service:
            yield service
    except ServiceMissingError as error:
        absent("faults", str(error))


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Give a directory that the database's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="protopact-disk-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_database_whose_disk_is_full_stops_registrations_alone_and_only_until_there_is_room(
    postgres: PostgresService,
    public_folder: Path,
    count: Callable[[int, int], int],
    absent: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    reads, history = count(200, 4000), History()
    with small_disk(public_folder, DISK_MIB, absent) as (disk, kind), database_on(postgres, disk) as url:
        (disk / "ballast").write_bytes(bytes(11 * MIB))
        node = Node(url, public_folder / "node.log")
        try:
            node.start()
            with registering(node, history):
                wait_until(lambda: history.refused >= 20, "the disk did not fill")
                ids = sorted({fact.id for fact in history.facts})
                read_at = read_ms(node, ids, reads)
                wait_until(lambda: ready(node) == FAILING, "it is not told that nothing can be written")
                kept = history.acknowledged
                with closing(Client(node.port)) as client:
                    told = client.ask("PUT", "/config/orders", {"compatibility": "NONE"})
                (disk / "ballast").unlink()
                wait_until(lambda: history.acknowledged > kept + 20, "nothing is registered after room was made")
            with closing(Client(node.port)) as client:
                lost = history.lost(client)
        finally:
            node.stop()
    say(
        f"PostgreSQL's disk of {DISK_MIB} MiB ({kind}) full: {history.refused} registrations refused, a config {told},"
        f" GET by id p99 {read_at:.1f} ms; {len(lost)} of {history.acknowledged} acknowledged lost"
    )
    assert history.wrong == []
    assert (lost, history.contradictions(), history.cut) == ([], [], 0)
    assert "the store is full" in (public_folder / "node.log").read_text()


@contextmanager
def database_on(postgres: PostgresService, disk: Path) -> Iterator[str]:
    """Make a database whose tables are on a disk, its log on another; give its address."""
    place = disk / "tables"
    place.mkdir()
    shutil.chown(place, SUPERUSER, SUPERUSER)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        admin.execute("CREATE DATABASE small TEMPLATE template0 ENCODING 'UTF8' TABLESPACE small")
        try:
            yield postgres.url("small")
        finally:
            admin.execute("DROP DATABASE small WITH (FORCE)")
            admin.execute("DROP TABLESPACE small")


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(MIB))
    with (disk / "ballast").open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
