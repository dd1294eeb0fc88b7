"""Apache Kafka 4 as one KRaft node on loopback: a context manager for tests, a script for people."""

from __future__ import annotations

import argparse
import base64
import logging
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maven_jars import jars_of
from service_process import (
    Daemon,
    ServiceError,
    free_ports,
    require_program,
    say_on_stderr,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PARTS = Path(__file__).parent / "kafka"
START_S = 90.0
FORMAT_S = 60.0
TRIES = 3
PORT_TAKEN = "Address already in use"
JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # half the start-up time; a test never runs long enough for the second compiler
    "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={PARTS / 'log4j2.xml'}",
)
# One node holds every internal topic; the group's first rebalance waits for nobody.
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",  # a test of a silent member need not wait for the usual 6 s
    "auto.create.topics.enable": "false",
}


@dataclass(frozen=True)
class KafkaService:
    """A running broker: its address, process id, files, and the seconds that its start took."""

    bootstrap_servers: str
    pid: int
    log_file: Path
    data_dir: Path
    start_s: float


@contextmanager
def running_kafka(
    *,
    port: int | None = None,
    data_dir: Path | None = None,
    properties: Mapping[str, str] | None = None,
    say: Callable[[str], None] = say_on_stderr,
) -> Iterator[KafkaService]:
    """Run a broker for the length of the block; its data is private and goes with it unless a directory is given."""
    require_program("java", used_for="running Apache Kafka")
    jars = jars_of(PARTS / "pom.xml", say=say)
    home = data_dir or Path(tempfile.mkdtemp(prefix="protopact-kafka-"))
    home.mkdir(parents=True, exist_ok=True)
    try:
        daemon, service = _start(jars, home, port, properties or {}, say)
        try:
            yield service
        finally:
            daemon.stop()
            say(f"kafka: stopped (pid {service.pid})")
    finally:
        if data_dir is None:
            shutil.rmtree(home, ignore_errors=True)


def _start(
    jars: Path, home: Path, port: int | None, extra: Mapping[str, str], say: Callable[[str], None]
) -> tuple[Daemon, KafkaService]:
    """Start on free ports; another program may take one first, and then others are tried."""
    for attempt in range(1, TRIES + 1):
        free, controller_port = free_ports(2)
        broker_port = port or free
        log_file, conf = home / f"kafka-{attempt}.log", home / "server.properties"
        conf.write_text(_properties_text(home / "data", broker_port, controller_port, extra))
        _format(jars, conf, home / "data")
        daemon = Daemon("kafka", _java(jars, "kafka.Kafka", str(conf)), log_file=log_file)
        address = f"127.0.0.1:{broker_port}"
        try:
            start_s = daemon.wait_ready(lambda address=address: _answers(address), timeout_s=START_S, say=say)
        except BaseException as error:
            daemon.stop()
            if port is None and attempt < TRIES and PORT_TAKEN in str(error):
                continue
            raise
        say(f"kafka: ready at {address} after {start_s:.1f} s (pid {daemon.pid}, log {log_file})")
        return daemon, KafkaService(address, daemon.pid, log_file, home / "data", start_s)
    raise AssertionError("the last try returns or raises")


def _properties_text(data_dir: Path, broker_port: int, controller_port: int, extra: Mapping[str, str]) -> str:
    placed = {
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
        "listeners": f"BROKER://127.0.0.1:{broker_port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"BROKER://127.0.0.1:{broker_port}",
        "log.dirs": str(data_dir),
    }
    return "".join(f"{name}={value}\n" for name, value in {**PROPERTIES, **placed, **extra}.items())


def _format(jars: Path, conf: Path, data_dir: Path) -> None:
    """Prepare an empty data directory; one that was used before is kept as it is."""
    if (data_dir / "meta.properties").exists():
        return
    shutil.rmtree(data_dir, ignore_errors=True)
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        _java(jars, "kafka.tools.StorageTool", "format", "--standalone", f"--cluster-id={cluster_id}", "-c", str(conf)),
        capture_output=True,
        text=True,
        timeout=FORMAT_S,
        check=False,
    )
    if done.returncode != 0:
        raise ServiceError(f"kafka's storage cannot be formatted:\n{done.stdout}{done.stderr}")


def _java(jars: Path, main: str, *arguments: str) -> list[str]:
    return [shutil.which("java") or "java", *JAVA_OPTIONS, "-cp", f"{jars}/*", main, *arguments]


def _answers(address: str) -> bool:
    """Ask for a group that is not there: who answers has joined, and its coordinator has loaded the offsets.

    The first such question creates the internal topic of the offsets; until that one is loaded the answer is
    NOT_COORDINATOR, which clients take as final in requests of an admin.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    quiet = logging.getLogger("protopact.tests.kafka-readiness")
    quiet.setLevel(logging.CRITICAL)
    with suppress(KafkaException):
        admin = AdminClient({"bootstrap.servers": address, "logger": quiet})
        admin.list_topics(timeout=1)  # a broker that is not there fails here in a second, the next call in twenty
        (group,) = admin.describe_consumer_groups(["readiness"], request_timeout=5).values()
        return group.result() is not None
    return False


def main() -> None:
    """Run a broker until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run Apache Kafka (KRaft, one node) on loopback until Ctrl-C.")
    parser.add_argument("--port", type=int, help="the broker's port (default: a free one)")
    parser.add_argument("--data-dir", type=Path, help="keep the data here (default: private, removed at the end)")
    parser.add_argument("--fetch-only", action="store_true", help="fetch the jars into the cache and end")
    options = parser.parse_args()
    if options.fetch_only:
        print(jars_of(PARTS / "pom.xml"))  # noqa: T201  (the script's answer)
        return
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    with running_kafka(port=options.port, data_dir=options.data_dir) as service:
        print(service.bootstrap_servers, flush=True)  # noqa: T201  (the script's answer)
        stopped.wait()


if __name__ == "__main__":
    try:
        main()
    except ServiceError as error:
        raise SystemExit(f"error: {error}") from None
