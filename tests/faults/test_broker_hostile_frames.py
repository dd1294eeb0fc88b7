"""No client harms the broker by what it sends: it is closed with a log line, memory stays, others are served."""

from __future__ import annotations

import gzip
import json
import random
import resource
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import ConfigResource, NewTopic
from kafka_frames import (
    API_VERSIONS,
    CORRUPT_MESSAGE,
    FETCH,
    GZIP,
    LIST_OFFSETS,
    METADATA,
    NOW_MS,
    PRODUCE,
    Recorder,
    Wire,
    batch,
    fetch,
    framed,
    metadata,
    produce,
    record,
    request,
    round_trip,
    text,
)
from processor import processor_s

from broker_node import MIB, EmbeddedBroker, admin, create_topic, memory_bytes, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOPIC = "bystander"
VICTIM = "victim"
UNREAD = "unread"  # its first batch is large, and so is every answer, however little room is left for answers
REQUEST_S = 2.0
CONNECTIONS_MAX = 4000
REQUEST_BYTES_MAX = 64 * MIB
REQUESTS_BYTES_MAX = 128 * MIB
MEMORY_BYTES_MAX = 64 * MIB  # what an attack with small frames may add
GOAL_S = 0.05  # of the broker's processor time between a bystander's request and its answer

# Another process: what the attack itself takes of this one must not count as the broker's slowness.
BYSTANDER = """
import json, select, sys, time
sys.path.insert(0, sys.argv[4])
from kafka_frames import Wire, round_trip

clock = (~int(sys.argv[3]) << 3) | 2  # the broker's processor time, as clock_getcpuclockid names it
work_s, wrong = [], []
while len(work_s) + len(wrong) < 20 or not select.select([sys.stdin], [], [], 0.005)[0]:
    start_s = time.clock_gettime(clock)
    try:
        with Wire((sys.argv[1], int(sys.argv[2]))) as wire:
            if not round_trip(wire, "bystander", b"value-%d" % len(work_s)):
                wrong.append("no record")
    except OSError as error:
        wrong.append(repr(error))
    work_s.append(time.clock_gettime(clock) - start_s)
    if len(work_s) == 1:
        print("ready", flush=True)
print(json.dumps([work_s, wrong]))
"""


class Attacked:
    """The broker under attack."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.address = ("127.0.0.1", broker.port)
        self.frames: list[bytes] = []  # a request of each kind, as real clients sent them

    def wire(self) -> Wire:
        return Wire(self.address)

    @property
    def bootstrap_servers(self) -> str:
        return self.broker.bootstrap_servers

    def told_since(self, before: int) -> str:
        return self.broker.log()[before:]

    def waits_for_line(self, before: int, part: str) -> bool:
        """Tell whether the broker writes a line with these words; it may do so after it closed the connection."""
        return self.waits_for_lines(before, part, 1)

    def waits_for_lines(self, before: int, part: str, number: int) -> bool:
        for _ in range(400):
            if self.told_since(before).count(part) >= number:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, CONNECTIONS_MAX * 2)), hard))
    folder = tmp_path_factory.mktemp("hostile")
    settings = {
        "request_s": REQUEST_S,
        "connections_max": CONNECTIONS_MAX,
        "request_bytes_max": REQUEST_BYTES_MAX,
        "requests_bytes_max": REQUESTS_BYTES_MAX,
    }
    broker = EmbeddedBroker(folder / "data", folder / "broker.log", settings=settings)
    with running(broker):
        create_topic(broker.bootstrap_servers, TOPIC, 1)
        create_topic(broker.bootstrap_servers, VICTIM, 1)
        create_topic(broker.bootstrap_servers, UNREAD, 1)
        attacked = Attacked(broker)
        # What the first request of a kind loads is no attack's doing, so each kind is asked for before.
        attacked.frames = frames_of_real_clients(attacked)
        with attacked.wire() as wire:
            assert round_trip(wire, TOPIC, b"first")
            assert offset_of_time(wire, TOPIC, 0) == (0, 0)
        yield attacked
        assert broker.runs
    assert "Traceback" not in broker.log(), broker.log()


@contextmanager
def unharmed(
    attacked: Attacked,
    name: str,
    say: Callable[[str], None],
    *,
    memory_max: int = MEMORY_BYTES_MAX,
    goal_s: float = GOAL_S,
) -> Iterator[None]:
    """Another client is served all the while, by new connections, and memory does not grow beyond bounds."""
    pid = attacked.broker.pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak counts from here
    before = memory_bytes(pid, "VmRSS")
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", BYSTANDER, *map(str, attacked.address), str(pid), here]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as bystander:
        assert bystander.stdout is not None
        assert bystander.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            told = bystander.communicate("stop\n", timeout=120)[0]
    work_s, wrong = json.loads(told)
    grown = memory_bytes(pid, "VmHWM") - before
    p99 = sorted(work_s)[int(len(work_s) * 0.99)]
    say(
        f"{name}: memory +{grown / MIB:.1f} MiB, {len(work_s)} bystanders, p99 {p99 * 1000:.1f} ms of the broker's work"
    )
    assert wrong == []
    assert grown < memory_max
    assert p99 < goal_s
    assert attacked.broker.runs


HUGE = 2**31 - 1
NO_REQUESTS = {
    "negative length": struct.pack(">i", -1),
    "most negative length": struct.pack(">i", -(2**31)),
    "two gigabytes": struct.pack(">i", HUGE) + b"x" * 1000,
    "one byte too many": struct.pack(">i", REQUEST_BYTES_MAX + 1),
    "nothing": struct.pack(">i", 0),
    "half a head": framed(b"\0\x03\0"),
    "no client id": framed(struct.pack(">hhi", METADATA, 5, 1)),
    "a client id that is longer than the frame": framed(struct.pack(">hhih", METADATA, 5, 1, 1000) + b"x"),
    "a client id of negative length": framed(struct.pack(">hhih", METADATA, 5, 1, -7)),
    "an unknown request": request(999, 0),
    "a negative request": request(-1, 0),
    "an unknown version": request(METADATA, 99, struct.pack(">i", 0)),
    "a negative version": request(METADATA, -1, struct.pack(">i", 0)),
    "an old version": request(PRODUCE, 0, bytes(10)),
    "no body": request(FETCH, 4),
    "half a body": framed(metadata(TOPIC)[4:-4]),
    "two milliard topics": request(METADATA, 5, struct.pack(">i", HUGE) + text(TOPIC)),
    "a negative number of topics": request(METADATA, 5, struct.pack(">i", -5)),
    "a compact list of four milliard": request(METADATA, 9, b"\0\xff\xff\xff\xff\x0f"),
    "four milliard tagged fields": request(METADATA, 9, b"\xff\xff\xff\xff\x0f"),
    "a tagged field of four gigabytes": request(METADATA, 9, b"\x01\x63\xff\xff\xff\xff\x0f"),
    "a tagged field that hides a list of four milliard": request(
        # Its value is a UUID and it announces no bytes; what stands in the text at the end is a list to who reads on.
        FETCH,
        17,
        b"\0" + bytes(21) + b"\x02" + bytes(16) + b"\x02" + bytes(32) + b"\x01\x00\x00"
        b"\0\x01\x14" + bytes(13) + b"\0\xff\xff\xff\xff\x0f\0",
    ),
    "a varint without end": request(METADATA, 9, b"\0" + b"\xff" * 20),
    "a name of negative length": request(METADATA, 5, struct.pack(">ih", 1, -3) + b"\0"),
    "records of two gigabytes": produce(VICTIM, b"")[:-4] + struct.pack(">i", HUGE),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
}


@pytest.mark.parametrize("data", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_what_is_no_request_ends_the_connection_with_a_line_in_the_log(attacked: Attacked, data: bytes) -> None:
    before = len(attacked.broker.log())
    with attacked.wire() as wire, attacked.wire() as other:
        wire.send(data)
        assert wire.is_closed_by_the_broker()
        assert round_trip(other, TOPIC, b"served")
    assert attacked.waits_for_line(before, "WARNING"), attacked.told_since(before)


def test_a_newer_question_for_versions_is_answered_in_the_oldest_form(attacked: Attacked) -> None:
    """As KIP-511 wants it: error 35, and the list, so that a newer client can ask again."""
    with attacked.wire() as wire:
        wire.send(request(API_VERSIONS, 99, b"\xff\xff"))
        told = wire.answer()
        assert told is not None
        assert struct.unpack_from(">ih", told) == (7, 35)
        wire.send(request(API_VERSIONS, 0))
        assert wire.answer() is not None


NO_BATCHES = {
    "nothing": b"",
    "half a head": batch(record(b"x"))[:30],
    "a wrong checksum": batch(record(b"x"))[:-1] + b"\x7f",
    "an old format": batch(record(b"x"))[:16] + b"\0" + batch(record(b"x"))[17:],
    "an unknown format": batch(record(b"x"))[:16] + b"\x09" + batch(record(b"x"))[17:],
    "more bytes than it says": batch(record(b"x")) + b"more",
    "a length of two gigabytes": struct.pack(">qi", 0, HUGE) + batch(record(b"x"))[12:],
    "a negative length": struct.pack(">qi", 0, -1) + batch(record(b"x"))[12:],
    "no records": batch(b"", count=0),
    "a milliard records": batch(record(b"x"), count=10**9),
    "a negative number of records": batch(record(b"x"), count=-3),
    "random bytes": random.Random(3).randbytes(500),
}


@pytest.mark.parametrize("data", NO_BATCHES.values(), ids=NO_BATCHES.keys())
def test_what_is_no_batch_is_refused_and_not_kept(attacked: Attacked, data: bytes) -> None:
    with attacked.wire() as wire:
        assert round_trip(wire, VICTIM, b"before")
        wire.send(produce(VICTIM, data))
        told = wire.answer()
        if told is not None:
            error = struct.unpack_from(">h", told, 4 + 4 + 2 + len(VICTIM) + 4 + 4)[0]
            assert error != 0 or data == b""
    with attacked.wire() as wire:
        assert round_trip(wire, VICTIM, b"after")


def test_a_batch_that_unfolds_to_a_gigabyte_takes_no_memory(attacked: Attacked, say: Callable[[str], None]) -> None:
    first = record(b"v" * 1000)
    bomb = gzip.compress(first + bytes(1 << 30), compresslevel=1)
    topic = "bombed"  # its first batches, since an offset of a time is looked for from the first one on
    create_topic(attacked.bootstrap_servers, topic, 1)
    with unharmed(attacked, "gzip bomb", say), attacked.wire() as wire:
        for _ in range(3):
            wire.send(produce(topic, batch(bomb, count=1, attributes=GZIP)))
            assert wire.answer(60) is not None
        assert offset_of_time(wire, topic, NOW_MS - 1) == (0, 0)


def test_a_batch_of_countless_records_that_are_none_holds_nobody_up(
    attacked: Attacked, say: Callable[[str], None]
) -> None:
    topic = "countless"
    create_topic(attacked.bootstrap_servers, topic, 1)
    nothing = gzip.compress(bytes(200 * MIB), compresslevel=1)
    with unharmed(attacked, "countless records", say), attacked.wire() as wire:
        for count in (1_000_000, 100_000_000):
            late = batch(nothing, count=count, attributes=GZIP, newest_ms=NOW_MS + 10)
            wire.send(produce(topic, late))
            assert wire.answer(60) is not None
        assert offset_of_time(wire, topic, NOW_MS + 5) == (CORRUPT_MESSAGE, -1)


def offset_of_time(wire: Wire, topic: str, time_ms: int) -> tuple[int, int]:
    """Ask for the offset of a time, and give the answer's error and offset."""
    place = struct.pack(">i", 1) + text(topic) + struct.pack(">iiq", 1, 0, time_ms)
    wire.send(request(LIST_OFFSETS, 1, struct.pack(">i", -1) + place))
    told = wire.answer(60)
    assert told is not None
    error, _, offset = struct.unpack_from(">hqq", told, 4 + 4 + 2 + len(topic) + 4 + 4)
    return error, offset


def test_ever_more_topics_and_partitions_are_refused(attacked: Attacked, say: Callable[[str], None]) -> None:
    with unharmed(attacked, "a hundred thousand partitions", say):
        client = admin(attacked.bootstrap_servers)
        with pytest.raises(KafkaException):
            client.create_topics([NewTopic("wide", 100_000, 1)], request_timeout=20)["wide"].result()


def test_random_bytes_do_no_harm(
    attacked: Attacked, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    chance = random.Random(11)
    number = count(2000, 20_000)  # in which a bystander comes often enough for a percentile
    with unharmed(attacked, f"{number} times random bytes", say):
        for _ in range(number):
            data = chance.randbytes(chance.randint(1, 2000))
            with attacked.wire() as wire:
                wire.send(framed(data) if chance.random() < 0.7 else data)


def frames_of_real_clients(attacked: Attacked) -> list[bytes]:
    """Have real clients do all sorts of things and give every kind of frame that they sent, in each version once."""
    recorder = Recorder(attacked.address)
    at = {"bootstrap.servers": f"127.0.0.1:{recorder.port}", "log_level": 0}
    conf = {**at, "group.id": "recorded", "auto.offset.reset": "earliest", "enable.auto.commit": False}
    producer = Producer({**at, "enable.idempotence": True, "compression.type": "gzip"})
    producer.produce(VICTIM, b"value", key=b"key", headers={"a": b"b"})
    producer.flush(10)
    consumer = Consumer(conf)
    consumer.subscribe([VICTIM])
    got = consumer.poll(10)
    if got is not None:
        consumer.commit(got, asynchronous=False)
    client = admin(at["bootstrap.servers"])
    client.create_topics([NewTopic("recorded", 1, 1)])["recorded"].result(10)
    resource_ = ConfigResource(ConfigResource.Type.TOPIC, VICTIM)
    client.describe_configs([resource_])[resource_].result(10)
    client.list_consumer_groups().result(10)
    client.describe_consumer_groups(["recorded"])["recorded"].result(10)
    consumer.close()
    recorder.close()
    return list({frame[:4]: frame for frame in recorder.frames}.values())


def test_real_requests_that_were_changed_are_answered_or_end_the_connection(
    attacked: Attacked, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    """Cut, with bytes flipped, or with four bytes that say something large: each by a seed."""
    frames = attacked.frames
    kinds = sorted({struct.unpack_from(">h", frame)[0] for frame in frames})
    number = count(2000, 20_000)
    answered = closed = silent = 0
    with unharmed(attacked, f"{number} changed requests of the kinds {kinds}", say):
        for seed in range(number):
            chance = random.Random(seed)
            with attacked.wire() as wire:
                wire.send(framed(changed(chance.choice(frames), chance)))
                try:
                    told = wire.answer(0.2)
                except TimeoutError:  # a long poll, or no answer asked for
                    silent += 1
                    continue
            answered, closed = answered + (told is not None), closed + (told is None)
    say(f"{answered} answered, {closed} closed, {silent} waited")
    assert len(kinds) >= 15
    assert closed > 0


def changed(frame: bytes, chance: random.Random) -> bytes:
    data = bytearray(frame)
    kind = chance.randrange(3)
    if kind == 0:
        del data[chance.randrange(len(data)) :]
    elif kind == 1:
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
    else:
        at = chance.randrange(8, max(9, len(data) - 4))
        data[at : at + 4] = struct.pack(">i", chance.choice([HUGE, -(2**31), -1, 1 << 24, 0]))
    return bytes(data)


def test_half_a_request_is_closed_in_time(
    attacked: Attacked, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    number = count(200, 2000)
    before = len(attacked.broker.log())
    halves = [b"\0\0", struct.pack(">i", 1000), struct.pack(">i", 1000) + b"\0" * 500, metadata(TOPIC)[:-1]]
    with unharmed(attacked, f"{number} half requests", say), ExitStack() as opened:
        wires = [opened.enter_context(attacked.wire()) for _ in range(number)]
        for at, wire in enumerate(wires):
            wire.send(halves[at % len(halves)])
        assert all(wire.is_closed_by_the_broker(30) for wire in wires)
    assert attacked.waits_for_line(before, "WARNING")


def test_a_crowd_that_only_connects_does_not_keep_others_out(
    attacked: Attacked, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    number = count(1000, 3500)
    with unharmed(attacked, f"{number} idle connections", say), ExitStack() as opened:
        for _ in range(number):
            opened.enter_context(attacked.wire())
        time.sleep(0.3)


def test_connections_beyond_the_limit_are_closed_and_those_before_are_served(tmp_path: Path) -> None:
    broker = EmbeddedBroker(None, tmp_path / "broker.log", settings={"connections_max": 20})
    with running(broker), ExitStack() as opened:
        attacked = Attacked(broker)
        create_topic(broker.bootstrap_servers, TOPIC, 1)
        first = opened.enter_context(attacked.wire())
        assert round_trip(first, TOPIC, b"before")
        wires = [opened.enter_context(attacked.wire()) for _ in range(40)]
        assert sum(wire.is_closed_by_the_broker(0.2) for wire in wires) >= 20
        assert round_trip(first, TOPIC, b"after")
        assert attacked.waits_for_line(0, "WARNING")
        for wire in wires:
            wire.socket.close()
        assert any(answered(attacked) for _ in range(50))


def answered(attacked: Attacked) -> bool:
    time.sleep(0.05)
    with attacked.wire() as wire:
        wire.send(metadata(TOPIC))
        return wire.answer() is not None


def test_a_client_that_never_reads_is_let_go_and_takes_bounded_memory(
    attacked: Attacked, say: Callable[[str], None]
) -> None:
    fill(attacked, 40)
    asks = fetch(UNREAD, 0) * 50
    before = len(attacked.broker.log())
    with unharmed(attacked, "ten clients that do not read", say, memory_max=320 * MIB), ExitStack() as opened:
        wires = [opened.enter_context(attacked.wire()) for _ in range(10)]
        for wire in wires:
            wire.socket.settimeout(1)
            wire.send(asks)
        assert attacked.waits_for_lines(before, "still for too long", len(wires))  # who reads on is not let go
        for wire in wires:
            assert wire.is_closed_by_the_broker(30)


def fill(attacked: Attacked, mebibytes: int) -> None:
    """Have so much be there to be read."""
    producer = Producer({"bootstrap.servers": attacked.bootstrap_servers, "log_level": 0, "linger.ms": 5})
    for _ in range(mebibytes * 2):
        producer.produce(UNREAD, random.Random(1).randbytes(MIB // 2))
        producer.poll(0)
    assert producer.flush(60) == 0


def test_many_requests_at_a_time_are_answered_in_their_order(attacked: Attacked, say: Callable[[str], None]) -> None:
    number = 5000
    body = struct.pack(">i", 1) + text(TOPIC) + b"\0"
    asks = b"".join(request(METADATA, 5, body, correlation_id=at) for at in range(number))
    with (
        unharmed(attacked, f"{number} requests in flight", say),
        attacked.wire() as wire,
        ThreadPoolExecutor() as threads,
    ):
        sent = threads.submit(wire.send, asks)
        order = [int.from_bytes((wire.answer() or b"")[:4], "big") for _ in range(number)]
        assert sent.result()
    assert order == list(range(number))


def test_large_requests_take_turns_in_a_bounded_memory(attacked: Attacked, say: Callable[[str], None]) -> None:
    """Each is refused by an answer, for a batch may not be that large; whoever waits for his turn is not let go."""
    number = 12
    large = produce(VICTIM, bytes(60 * MIB))

    def ask(_: int) -> bool:
        with attacked.wire() as wire:
            wire.socket.settimeout(60)
            return wire.send(large) and wire.answer(60) is not None

    memory_max = 3 * REQUESTS_BYTES_MAX
    with (
        # A request is taken apart in one piece: about 1 ms for each MB, two of them at a time.
        unharmed(attacked, f"{number} requests of 60 MB at a time", say, memory_max=memory_max, goal_s=0.15),
        ThreadPoolExecutor(number) as threads,
    ):
        served = list(threads.map(ask, range(number)))
    assert all(served), served


def test_nothing_is_done_while_nobody_asks(attacked: Attacked) -> None:
    """After all of it the broker rests: no loop spins."""
    start_s = processor_s(attacked.broker.pid)
    time.sleep(2)
    assert processor_s(attacked.broker.pid) - start_s < 0.2
