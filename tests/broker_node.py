"""A Kafka-protocol broker as a process of its own, to be killed and looked into: the embedded one, or Apache Kafka."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_service import running_kafka
from service_process import Daemon, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

READY_S = 30.0
ASK_S = 30.0
READ_S = 120.0
KIB = 1024
MIB = 1024 * KIB

PROGRAM = """
import json, logging, signal, sys, threading
from pathlib import Path
from protopact.broker import background_broker
from protopact.settings import BrokerSettings

folder, port, settings = Path(sys.argv[1]) if sys.argv[1] else None, int(sys.argv[2]), json.loads(sys.argv[3])
stopped = threading.Event()
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda *_: stopped.set())
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
with background_broker(folder, port=port, settings=BrokerSettings(**settings)) as broker:
    print("ready", broker.bootstrap_servers, flush=True)
    stopped.wait()
"""


class Broker(Protocol):
    """One broker on a port and a data directory that outlive its process."""

    data_dir: Path

    @property
    def bootstrap_servers(self) -> str: ...

    @property
    def pid(self) -> int: ...

    def start(self) -> float:
        """Start it and give the seconds until it answered."""
        ...

    def kill(self) -> None:
        """`kill -9`."""
        ...

    def stop(self) -> None:
        """End it in order; nothing where it does not run."""
        ...

    def log(self) -> str:
        """Give all that it has written to its log, over all starts."""
        ...


class EmbeddedBroker:
    """protopact's broker; `under` stands before its command, `settings` are those of `BrokerSettings` by name."""

    def __init__(
        self,
        data_dir: Path | None,
        log_file: Path,
        *,
        settings: Mapping[str, object] | None = None,
        under: Sequence[str] = (),
    ) -> None:
        self.data_dir = data_dir or Path()
        self.port = free_ports(1)[0]
        self._log_file = log_file
        folder = "" if data_dir is None else str(data_dir)
        self._command = [
            *under,
            sys.executable,
            "-c",
            PROGRAM,
            folder,
            str(self.port),
            json.dumps(dict(settings or {})),
        ]
        self._daemon: Daemon | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid

    def start(self) -> float:
        self._daemon = Daemon("broker", self._command, log_file=self._log_file)
        return self._daemon.wait_ready(
            lambda: answers(self.bootstrap_servers), timeout_s=READY_S, say=lambda _line: None
        )

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert self._daemon is not None
        self._daemon.process.wait()

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()

    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    @property
    def runs(self) -> bool:
        return self._daemon is not None and self._daemon.process.poll() is None


class ApacheKafka:
    """Apache Kafka, whose behaviour shows whether a test asks for what is right."""

    def __init__(self, folder: Path, properties: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self.data_dir = folder / "data"
        self._port = free_ports(1)[0]
        self._properties = properties or {}
        self._running = ExitStack()
        self._pid = 0

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        return self._pid

    def start(self) -> float:
        running = running_kafka(
            port=self._port, data_dir=self._folder, properties=self._properties, say=lambda _line: None
        )
        service = self._running.enter_context(running)
        self._pid = service.pid
        return service.start_s

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self._running.close()

    def log(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self._folder.glob("kafka-*.log"))


def answers(bootstrap_servers: str) -> bool:
    """Tell whether a broker answers a question for its metadata."""
    with suppress(KafkaException):
        return bool(admin(bootstrap_servers).list_topics(timeout=2).brokers)
    return False


def admin(bootstrap_servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0, "reconnect.backoff.ms": 20})


def create_topic(bootstrap_servers: str, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
    client = admin(bootstrap_servers)
    client.create_topics([new], request_timeout=ASK_S)[topic].result()


def memory_bytes(pid: int, kind: str) -> int:
    """Give `VmRSS`, what a process has in memory, or `VmHWM`, the most that it ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{kind}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None, status
    return int(found[1]) * KIB


def read_all(
    bootstrap_servers: str, topic: str, take: Callable[[Message], None], *, timeout_s: float = READ_S
) -> dict[int, tuple[int, int]]:
    """Hand over every record of a topic, each partition's in order; give each partition's first and next offset."""
    conf = {
        "bootstrap.servers": bootstrap_servers,
        "group.id": "read-all",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "log_level": 0,
        "reconnect.backoff.ms": 20,
        "fetch.wait.max.ms": 50,
        "queued.max.messages.kbytes": 16384,
    }
    consumer = Consumer(conf)
    try:
        partitions = consumer.list_topics(topic, timeout=ASK_S).topics[topic].partitions
        bounds = {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ASK_S)
            for number in partitions
        }
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        at_end: set[int] = set()
        end_at = time.monotonic() + timeout_s
        while len(at_end) < len(partitions):
            assert time.monotonic() < end_at, f"{topic} is not read whole within {timeout_s:g} s"
            for message in consumer.consume(1000, timeout=0.05):  # it waits so long where fewer are left
                error = message.error()
                if error is None:
                    take(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    at_end.add(message.partition())
                else:
                    raise KafkaException(error)
        return bounds
    finally:
        consumer.close()


@dataclass
class Copies:
    """What was read back: the offsets at which each value stands."""

    offsets: dict[bytes, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, message: Message) -> None:
        value = message.value()
        assert value is not None
        self.offsets[value].append((message.partition(), message.offset()))

    def lost(self, acknowledged: Iterable[bytes]) -> list[bytes]:
        return [value for value in acknowledged if value not in self.offsets]

    def doubled(self) -> list[bytes]:
        return [value for value, places in self.offsets.items() if len(places) > 1]

    def in_order(self) -> list[bytes]:
        return sorted(self.offsets, key=lambda value: self.offsets[value][0])


def read_copies(bootstrap_servers: str, topic: str) -> Copies:
    copies = Copies()
    read_all(bootstrap_servers, topic, copies.take)
    return copies


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """Start a broker, and stop it at the end."""
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
