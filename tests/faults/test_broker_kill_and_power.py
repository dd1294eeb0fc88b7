"""A broker keeps what it acknowledged: through `kill -9`, a torn end of a file, and a loss of power."""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from disk_record import NEVER, wait_complete
from tree_record import UNKEPT, Tree, read_tree_record, recording_tree

from broker_load import Load, committed, out_of_order
from broker_node import ApacheKafka, EmbeddedBroker, create_topic, read_copies, running
from protopact.broker import background_broker
from protopact.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from disk_record import Event

    from broker_node import Broker

TOPIC, GROUP = "orders", "readers"
WRITERS, PARTITIONS = 4, 3
INTERVAL_S = 0.3


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest, tmp_path: Path, count: Callable[[int, int], int]) -> Broker:
    """Give a broker that is not started; Apache Kafka, which shows that the tests are right, with the full counts."""
    if request.param == "kafka":
        if not count(0, 1):
            pytest.skip("Apache Kafka is asked with the full counts")
        return ApacheKafka(tmp_path)
    return EmbeddedBroker(tmp_path / "data", tmp_path / "broker.log", settings={"flush": "every"})


def test_nothing_acknowledged_is_lost_or_doubled_when_the_broker_is_killed(
    broker: Broker, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    """The same idempotent producers go on over every restart."""
    rounds = count(3, 50) if isinstance(broker, EmbeddedBroker) else 3
    forgotten: list[str] = []
    with running(broker):
        create_topic(broker.bootstrap_servers, TOPIC, PARTITIONS)
        with Load(broker.bootstrap_servers, TOPIC, GROUP, writers=WRITERS, partitions=PARTITIONS) as load:
            for number in range(rounds):
                load.wait_for(200)
                time.sleep(random.Random(number).uniform(0, 0.5))
                broker.kill()
                known = load.committer.last()
                broker.start()
                held = committed(broker.bootstrap_servers, TOPIC, GROUP, list(known))
                if any(held[partition] < offset for partition, offset in known.items()):
                    forgotten.append(f"{known} was committed, {held} is held")
            load.wait_for(200)
        copies = read_copies(broker.bootstrap_servers, TOPIC)
    lost = copies.lost(value for value, _ in load.acknowledged())
    say(
        f"broker killed {rounds} times under {WRITERS} producers: {load.records} acknowledged, {len(lost)} lost,"
        f" {len(copies.doubled())} doubled, {len(out_of_order(copies))} out of order,"
        f" {len(forgotten)} times offsets forgotten"
    )
    assert load.failures() == []
    assert lost == []
    assert copies.doubled() == []
    assert out_of_order(copies) == []
    assert forgotten == []


def cut_short(file: Path) -> int:
    os.truncate(file, file.stat().st_size - 7)
    return 1


def garble(file: Path) -> int:
    with file.open("r+b") as opened:
        opened.seek(-20, os.SEEK_END)
        opened.write(random.Random(4).randbytes(20))
    return 1


def add_noise(file: Path) -> int:
    with file.open("ab") as opened:
        opened.write(random.Random(5).randbytes(300))
    return 0


def add_zeros(file: Path) -> int:
    with file.open("ab") as opened:
        opened.write(bytes(5000))
    return 0


def add_half_a_batch(file: Path) -> int:
    whole = file.read_bytes()
    with file.open("ab") as opened:
        opened.write(whole[: len(whole) // 400])
    return 0


def ruin_indexes(file: Path) -> int:
    """Leave the records alone, but put noise into all files beside them that are indexes."""
    for index in file.parent.glob("*index*"):
        index.write_bytes(random.Random(6).randbytes(1000))
    return 0


@pytest.mark.parametrize(
    "damage", [cut_short, garble, add_noise, add_zeros, add_half_a_batch, ruin_indexes], ids=lambda each: each.__name__
)
def test_what_is_whole_is_served_after_a_segments_end_is_torn(broker: Broker, damage: Callable[[Path], int]) -> None:
    sent = [b"record-%d" % number for number in range(200)]
    with running(broker):
        create_topic(broker.bootstrap_servers, TOPIC, 1)
        assert write_singly(broker, sent) == list(range(200))
        broker.kill()
        segment = file_with(broker.data_dir, sent[-1])
        gone = damage(segment)
        before = len(broker.log())
        broker.start()
        kept = len(sent) - gone
        assert read_copies(broker.bootstrap_servers, TOPIC).in_order() == sent[:kept]
        assert write_singly(broker, [b"later"]) == [kept]
        assert read_copies(broker.bootstrap_servers, TOPIC).in_order() == [*sent[:kept], b"later"]
        told = broker.log()[before:]
    if isinstance(broker, EmbeddedBroker) and damage is not ruin_indexes:
        warnings = [line for line in told.splitlines() if "WARNING" in line]
        assert any(str(segment) in line for line in warnings), told


def write_singly(broker: Broker, values: list[bytes]) -> list[int]:
    """Write each value in a batch of its own and give the offsets."""
    offsets: list[int] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "acks": "all", "linger.ms": 0, "log_level": 0})
    for value in values:
        producer.produce(TOPIC, value, on_delivery=lambda _error, message: offsets.append(message.offset()))
        assert producer.flush(30) == 0
    return offsets


def file_with(folder: Path, text: bytes) -> Path:
    [found] = [file for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]
    return found


def test_nothing_acknowledged_is_lost_when_the_power_goes(
    tmp_path: Path,
    count: Callable[[int, int], int],
    absent: Callable[[str, str], None],
    say: Callable[[str], None],
) -> None:
    """With flush `every`; with `interval`, at most what came within about the interval is."""
    if shutil.which("strace") is None:
        absent("faults", "strace is not installed")
    points = count(10, 200)
    every = PowerLoss(tmp_path / "every", {"flush": "every"}, points)
    say(f"power lost at {points} points, flush=every: {every}")
    interval = PowerLoss(
        tmp_path / "interval", {"flush": "interval", "flush_interval_s": INTERVAL_S}, points, run_s=10 * INTERVAL_S
    )
    say(f"power lost at {points} points, flush=interval of {INTERVAL_S} s: {interval}")
    assert every.worst == 0
    assert every.offsets_forgotten == 0
    assert interval.worst > 0
    assert interval.oldest_s <= 4 * INTERVAL_S, "lost although it was acknowledged long before"


class PowerLoss:
    """A recorded run of a broker under load, and what it holds after a loss of power at many points of it."""

    def __init__(self, folder: Path, settings: dict[str, Any], points: int, *, run_s: float = 3) -> None:
        self.worst = 0
        self.oldest_s = 0.0
        self.offsets_forgotten = 0
        folder.mkdir()
        self._data, self._after = folder / "data", folder / "after"
        record = folder / "record"
        # Small segments: some points lie where a segment is begun.
        self._settings = {**settings, "segment_bytes": 64 * 1024}
        under = recording_tree(str(shutil.which("strace")), record)
        broker = EmbeddedBroker(self._data, folder / "broker.log", settings=self._settings, under=under)
        with running(broker):
            create_topic(broker.bootstrap_servers, TOPIC, PARTITIONS)
            self._load = Load(broker.bootstrap_servers, TOPIC, GROUP, writers=2, partitions=PARTITIONS)
            with self._load as load:
                load.wait_for(10 * points)
                time.sleep(run_s)
                pid = broker.pid
                broker.kill()
                load.give_up()
        wait_complete(record, pid)
        self._lose_power(read_tree_record(record, self._data), points)

    def __str__(self) -> str:
        return (
            f"of {self._load.records} acknowledged records at most {self.worst} lost, the oldest of them acknowledged"
            f" {self.oldest_s:.2f} s before; {self.offsets_forgotten} committed offsets forgotten"
        )

    def _lose_power(self, events: list[Event], points: int) -> None:
        """Lose power at many points, twice at each: without and with some of what was not synchronised."""
        chance = random.Random(7)
        first = next(number for number, event in enumerate(events) if event.time > min(self._load.times()))
        chosen = set(chance.sample(range(first, len(events)), points - 1)) | {len(events) - 1}
        tree = Tree()
        for number, event in enumerate(events):
            tree.reach(event)
            if number in chosen:
                for some_of_it in (None, chance):
                    self._look(tree.after_loss(some_of_it), event.time)
            tree.begin(event)
        cut_off = {event.path for event in events if event.ended == NEVER}  # by the kill: done in part, or not
        files = [file for file in self._data.rglob("*") if file.is_file() and not file.name.endswith(UNKEPT)]
        told = {path: data for path, data in tree.whole().items() if path not in cut_off}
        held = {str(file): file.read_bytes() for file in files if str(file) not in cut_off}
        assert told == held, "the record does not tell all that was done to the files"

    def _look(self, files: dict[str, bytes], at: float) -> None:
        """Start a broker on what was left, and compare."""
        shutil.rmtree(self._after, ignore_errors=True)
        for path, data in files.items():
            place = self._after / Path(path).relative_to(self._data)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        self._after.mkdir(exist_ok=True)
        # In this process: it is only looked into, and a process for each would take most of the time.
        with background_broker(self._after, settings=BrokerSettings(**self._settings)) as broker:
            copies = read_copies(broker.bootstrap_servers, TOPIC)
            known = self._load.committer.last(at)
            held = committed(broker.bootstrap_servers, TOPIC, GROUP, list(known)) if known else {}
        assert copies.doubled() == []
        assert out_of_order(copies) == []
        assert set(copies.offsets) <= self._load.values(), "a record that nobody wrote"
        lost = [told_at for value, told_at in self._load.acknowledged(at) if value not in copies.offsets]
        self.worst = max(self.worst, len(lost))
        self.oldest_s = max(self.oldest_s, at - min(lost, default=at))
        self.offsets_forgotten += sum(held[partition] < offset for partition, offset in known.items())
