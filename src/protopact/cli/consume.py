"""`protopact consume`: records become lines, decoded by the schemas that they name; kcat's letters."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from protopact.cli.interruption import interruptible
from protopact.cli.kafka_options import FORMS, MESSAGE_BYTES_MAX, add_kafka_options, count, kafka_conf, shown
from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import Counter, print_note
from protopact.errors import (
    ConfigError,
    ConversionError,
    RuleError,
    SchemaError,
    SchemaNotFoundError,
    SerdeError,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator

    from protopact.cli.interruption import Interruption
    from protopact.client import SchemaRegistryClient
    from protopact.integrations.kafka import KafkaRecord, Start

    Read = Callable[[KafkaRecord], bytes]

_SHOWN_BYTES = 32
_WORDS = ("beginning", "end", "stored")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_consume)
    add_kafka_options(parser)
    parser.add_argument(
        "-o",
        "--offset",
        type=offset,
        metavar="OFFSET",
        help="where to begin: beginning (the default), end, stored (with -G, and the default there), an offset,"
        " -N for N records before the end, or s@MILLISECONDS for a time since 1970",
    )
    parser.add_argument("-p", "--partition", type=int, metavar="N", help="read one partition; default: all")
    parser.add_argument("-c", "--count", type=count, metavar="N", help="end after so many records")
    parser.add_argument("-e", "--exit", action="store_true", help="end when everything was read that is there")
    parser.add_argument(
        "-G", "--group", metavar="GROUP", help="read as a member of a group, and commit what was printed"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "-J", "--envelopes", action="store_true", help="print topic, partition, offset, ts, key, headers and value"
    )
    shape.add_argument("-K", "--key-delimiter", metavar="DELIM", help="print the key and DELIM before each value")
    parser.add_argument("--raw", action="store_true", help="print values as they are: no schema, no registry")
    parser.add_argument("--as", dest="form", choices=tuple(FORMS), default="text", help="how raw bytes are shown")
    add_registry_option(parser)


def _consume(options: argparse.Namespace) -> int:
    conf = kafka_conf(options)
    unread = 0
    with ExitStack() as stack, interruptible() as interruption:
        read = _raw_reader(options) if options.raw else _reader(options, stack.enter_context(connect(options)))
        records = stack.enter_context(closing(_records(options, conf, interruption)))
        counter = stack.enter_context(Counter("records", beside=sys.stdout))
        for record in records:
            try:
                _print(_line(options, record, read(record)))
            except _UNREADABLE as error:
                unread += 1
                print_note(_told(record, error))
            counter.count()
    if unread:
        print_note(f"error: {unread} of {counter.total} records could not be decoded")
    if interruption.asked():
        raise KeyboardInterrupt
    return 1 if unread else 0


def _print(line: bytes) -> None:
    """Print one record at once: with -G it is committed next."""
    sys.stdout.flush()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


# ── where from ───────────────────────────────────────────────────────────────────────────────────


def _records(
    options: argparse.Namespace, conf: dict[str, object], interruption: Interruption
) -> Generator[KafkaRecord, None, None]:
    from protopact.integrations.kafka import kafka_records, read_topic

    if options.group is None:
        if options.offset == "stored":
            raise ConfigError("a group's stored offsets need the group", option="-o", hint="-G GROUP")
        return read_topic(
            conf,
            options.topic,
            start="beginning" if options.offset is None else options.offset,
            partitions=None if options.partition is None else [options.partition],
            until_end=options.exit,
            max_records=options.count,
            until=interruption.asked,
            timeout_s=options.timeout,
        )
    if options.partition is not None:
        raise ConfigError("a group gives its members their partitions", option="-p", hint="leave out -p or -G")
    if options.offset not in {None, *_WORDS}:
        raise ConfigError(
            "a group goes on where it was", option="-o", hint="-o beginning or -o end say where a new group begins"
        )
    if options.offset in {"beginning", "end"}:
        conf = {**conf, "auto.offset.reset": {"beginning": "earliest", "end": "latest"}[options.offset]}
    return kafka_records(
        conf,
        options.topic,
        group_id=options.group,
        until_end=options.exit,
        max_records=options.count,
        until=interruption.asked,
        timeout_s=options.timeout,
    )


def offset(text: str) -> Start | str:
    """Read `-o`; ValueError, which argparse words, for what it does not take."""
    if text in _WORDS:
        return text
    if text.startswith("s@"):
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text[2:]))
        except OverflowError:
            raise ValueError(text) from None
    return int(text)


# ── what is printed ──────────────────────────────────────────────────────────────────────────────

_UNREADABLE = (SerdeError, ConversionError, RuleError, SchemaError, SchemaNotFoundError)


def _raw_reader(options: argparse.Namespace) -> Read:
    """Give what makes a raw value's line: the bytes themselves as text, a JSON value in an envelope."""
    to_text = FORMS[options.form][0]

    def read(record: KafkaRecord) -> bytes:
        if options.envelopes:
            return _json(shown(record.value, options.form))
        value = record.value or b""
        return value if options.form == "text" else to_text(value).encode()

    return read


def _reader(options: argparse.Namespace, registry: SchemaRegistryClient) -> Read:
    from protopact.serdes import Deserializer
    from protopact.settings import SerdeSettings

    deserializer = Deserializer(registry, into="json", settings=SerdeSettings(message_bytes_max=MESSAGE_BYTES_MAX))

    def read(record: KafkaRecord) -> bytes:
        text: str | None = deserializer.deserialize(record.value, topic=options.topic, headers=record.headers)
        return b"null" if text is None else text.encode()

    return read


def _line(options: argparse.Namespace, record: KafkaRecord, value: bytes) -> bytes:
    if options.envelopes:
        envelope = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "ts": record.timestamp_ms,
            "key": shown(record.key),
            "headers": [each for name, data in record.headers for each in (name, shown(data))],
        }
        name = b"payload" if options.raw else b"value"
        return _json(envelope)[:-1] + b', "' + name + b'": ' + value + b"}"
    delimiter: str | None = options.key_delimiter
    return value if delimiter is None else (record.key or b"") + delimiter.encode() + value


def _told(record: KafkaRecord, error: Exception) -> str:
    """Tell which record could not be decoded, why, and how its bytes are seen."""
    place = f"{record.topic}-{record.partition}@{record.offset}"
    data = record.value or b""
    head = data[:_SHOWN_BYTES].hex(" ") + (" …" if len(data) > _SHOWN_BYTES else "")
    return (
        f"error: {place}: {error} ({len(data)} bytes: {head})\n"
        f"hint: consume -t {record.topic} -p {record.partition} -o {record.offset} -c 1 --raw --as hex shows all of it"
    )


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
