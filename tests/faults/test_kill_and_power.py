"""A registry on SQLite keeps what it acknowledged: through `kill -9` of its process, and through a loss of power."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from disk_record import Disk, read_record, recording, wait_complete

from protopact.server.store import open_store
from registry_node import Client, History, Node, schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from disk_record import Event

WRITERS = 8
READY_S = 2.0

# The same server, but for what makes a commit durable: a test that cannot fail proves nothing.
CARELESS = """
import sys
from protopact.cli.main import main
from protopact.server.store.sqlite import SqliteStore

connect, SqliteStore._write_ahead = SqliteStore._connect, lambda self, c: c.execute("PRAGMA journal_mode = WAL")

def connect_carelessly(self):
    connection = connect(self)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection

SqliteStore._connect = connect_carelessly
sys.exit(main(sys.argv[1:]))
"""


def write_until_cut(node: Node, history: History, numbers: itertools.count[int]) -> ThreadPoolExecutor:
    """Have eight clients register until the server is gone."""

    def write(number: int) -> None:
        chance = random.Random(number)
        with closing(Client(node.port)) as client:
            while not history.cut:
                subject = chance.choice([f"own-{number}", "shared-1", "shared-2"])
                text = next(numbers) if chance.random() < 0.8 else chance.randrange(50)
                history.register(client, subject, schema(text))

    threads = ThreadPoolExecutor(WRITERS)
    for number in range(WRITERS):
        threads.submit(write, number)
    return threads


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(
    tmp_path: Path, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    node = Node(f"sqlite:{tmp_path / 'registry.db'}", tmp_path / "node.log")
    history, numbers, ready_s = History(), itertools.count(), []
    rounds = count(3, 100)
    try:
        for number in range(rounds):
            ready_s.append(node.start())
            history.cut = 0
            before = history.acknowledged
            threads = write_until_cut(node, history, numbers)
            while history.acknowledged < before + 20:
                time.sleep(0.01)
            time.sleep(random.Random(number).uniform(0, 0.5))
            node.kill()
            threads.shutdown()
        ready_s.append(node.start())
        with closing(Client(node.port)) as client:
            lost = history.lost(client)
    finally:
        node.stop()
    say(
        f"server killed {rounds} times under {WRITERS} writers: {history.acknowledged} acknowledged, {len(lost)} lost,"
        f" {len(history.contradictions())} contradictions, ready after {max(ready_s):.2f} s at most"
    )
    assert lost == []
    assert history.contradictions() == []
    assert history.wrong == []
    assert max(ready_s) <= READY_S


def test_nothing_acknowledged_is_lost_when_the_power_goes(
    tmp_path: Path,
    count: Callable[[int, int], int],
    absent: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    points = count(20, 250)
    careful = replay(tmp_path / "full", points, absent)
    careless = replay(tmp_path / "normal", points, absent, program=("-c", CARELESS))
    say(
        f"power lost at {points} points: synchronous=FULL loses {careful}; synchronous=NORMAL loses {careless}"
        " (at most, of what was acknowledged by then)"
    )
    assert careful[0] == 0
    assert careless[0] > 0


def replay(
    folder: Path, points: int, absent: Callable[[str, str], None], *, program: tuple[str, ...] = ()
) -> tuple[int, int]:
    """Give how many acknowledged versions a loss of power loses at worst, and how many were acknowledged."""
    strace = shutil.which("strace")
    if strace is None:
        absent("faults", "strace is not installed")
    folder.mkdir()
    database, record = folder / "registry.db", folder / "record"
    files = [folder / f"registry.db{end}" for end in ("", "-wal", "-journal")]
    open_store(f"sqlite:{database}").close()
    start = {str(database): database.read_bytes()}
    more = {"program": program} if program else {}
    node = Node(f"sqlite:{database}", folder / "node.log", under=recording(str(strace), files, record), **more)
    history = History()
    try:
        node.start()
        pid = node.pid
        threads = write_until_cut(node, history, itertools.count())
        while history.acknowledged < 2 * points:
            time.sleep(0.02)
        node.kill()
        threads.shutdown()
    finally:
        node.stop()
    assert history.wrong == []
    wait_complete(record, pid)
    return lose_power(folder / "after", start, read_record(record), history, points), history.acknowledged


def lose_power(folder: Path, start: dict[str, bytes], events: list[Event], history: History, points: int) -> int:
    """Lose power at many points, twice at each: without and with some of what was not synchronised."""
    chance = random.Random(7)
    chosen = set(chance.sample(range(len(events)), points - 1)) | {len(events) - 1}
    disk, worst = Disk(start), 0
    for number, event in enumerate(events):
        disk.reach(event)
        if number in chosen:
            for some_of_it in (None, chance):
                worst = max(worst, missing(folder, dict(disk.after_loss(some_of_it)), history, event.time))
        disk.begin(event)
    return worst


def missing(folder: Path, files: dict[str, bytes], history: History, before: float) -> int:
    """Give how many versions that were acknowledged before this time a registry with these files does not have."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, data in files.items():
        (folder / path.rsplit("/", 1)[1]).write_bytes(data)
    with closing(open_store(f"sqlite:{folder / 'registry.db'}")) as store:
        held = {}
        for subject in store.subjects(None):
            versions = store.versions(subject)
            assert [version.version for version in versions] == list(range(len(versions), 0, -1))
            held |= {(subject.name, v.version): (v.schema.id, v.schema.content.guid) for v in versions}
    with closing(sqlite3.connect(folder / "registry.db")) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    known = [fact for fact, told_at in history.facts.items() if told_at < before]
    return sum(held.get((fact.subject, fact.version)) != (fact.id, fact.guid) for fact in known)
