"""`protopact up`: a registry and a Kafka-protocol broker on this machine, in one process, on one data directory."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import parse_address
from protopact.cli.output import print_line
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import FrameType

REGISTRY_DEFAULT = "127.0.0.1:8081"
KAFKA_DEFAULT = "127.0.0.1:9092"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_up)
    parser.add_argument(
        "--data-dir", type=Path, default=Path("protopact-data"), metavar="DIR", help="default ./protopact-data"
    )
    parser.add_argument("--registry", metavar="HOST:PORT", default=REGISTRY_DEFAULT, help=f"default {REGISTRY_DEFAULT}")
    parser.add_argument("--kafka", metavar="HOST:PORT", default=KAFKA_DEFAULT, help=f"default {KAFKA_DEFAULT}")
    parser.add_argument(
        "--kafka-advertised",
        metavar="HOST:PORT",
        help="where clients are told to come to; default: the address by which they came",
    )
    parser.add_argument(
        "--kafka-flush",
        choices=("every", "interval"),
        default="interval",
        help="when a confirmed record is safe from a loss of power: before it is confirmed, or (the default) a second"
        " later; a killed process loses none either way",
    )
    parser.add_argument(
        "--partitions", type=int, default=1, metavar="N", help="what a topic gets that does not say; default 1"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="let others reach the addresses, though nobody is asked who he is"
    )


def _up(options: argparse.Namespace) -> int:
    from protopact.broker import background_broker
    from protopact.server import serve_registry
    from protopact.settings import BrokerSettings

    registry_host, registry_port = parse_address(options.registry, option="--registry")
    kafka_host, kafka_port = parse_address(options.kafka, option="--kafka")
    advertised = options.kafka_advertised and parse_address(options.kafka_advertised, option="--kafka-advertised")
    if options.partitions < 1:
        raise ConfigError(f"a topic has 1 partition or more, not {options.partitions}", option="--partitions")
    directory = _made(options.data_dir)
    print_line(f"data      {directory.resolve()}")
    with (
        _ended_by_sigterm(),
        background_broker(
            directory / "kafka",
            host=kafka_host,
            port=kafka_port,
            advertised=advertised or None,
            insecure=options.insecure,
            settings=BrokerSettings(flush=options.kafka_flush, partitions=options.partitions),
        ) as broker,
    ):
        print_line(f"broker    {broker.bootstrap_servers}")
        serve_registry(
            f"sqlite:{directory / 'registry.db'}",
            host=registry_host,
            port=registry_port,
            insecure=options.insecure,
            say=print_line,
        )
    print_line("broker    stopped")
    return 0


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the data directory {directory}: {error.strerror}", option="--data-dir"
        ) from error
    return directory


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does, also while the registry does not yet serve or serves no more."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
