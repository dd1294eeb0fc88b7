"""`protopact produce`: lines become records, by the schema that the registry has for the topic; kcat's letters."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from protopact.cli.interruption import interruptible
from protopact.cli.kafka_options import FORMS, MESSAGE_BYTES_MAX, add_kafka_options, count, kafka_conf, meant
from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import Counter, add_format_option, is_json, print_json, print_line
from protopact.errors import ConfigError, DeliveryError, ProtopactError, SubjectNotFoundError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from protopact.cli.interruption import Interruption
    from protopact.client import SchemaRegistryClient
    from protopact.integrations.kafka import OutgoingRecord
    from protopact.schema import DescribedSchema
    from protopact.serdes import Serializer

    Write = Callable[[str], bytes | None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_produce)
    parser.add_argument(
        "file", nargs="*", default=["-"], metavar="FILE", help="a record on each line; default: -, the standard input"
    )
    add_kafka_options(parser)
    key = parser.add_mutually_exclusive_group()
    key.add_argument("-k", "--key", dest="record_key", metavar="KEY", help="the key of every record")
    key.add_argument("-K", "--key-delimiter", metavar="DELIM", help="what stands between key and value on a line")
    parser.add_argument(
        "-H", "--header", action="append", default=[], metavar="NAME=VALUE", help="a header of every record"
    )
    parser.add_argument("-p", "--partition", type=int, metavar="N", help="default: what the key decides")
    parser.add_argument("-c", "--count", type=count, metavar="N", help="end after so many records")
    parser.add_argument("-Z", "--tombstones", action="store_true", help="make a tombstone of an empty line")
    parser.add_argument(
        "-J", "--envelopes", action="store_true", help="take key, headers and value of a record from one JSON object"
    )
    schema = parser.add_argument_group(
        "schema", "Values are proto JSON, written by the latest schema of the subject, unless one of these is given."
    )
    schema.add_argument("--subject", metavar="SUBJECT", help="default: TOPIC-value")
    schema.add_argument(
        "--schema", metavar="PROTO", dest="schema_file", type=Path, help="register this .proto file and write by it"
    )
    schema.add_argument(
        "-I", "--import-dir", action="append", type=Path, default=[], metavar="DIR", help="where imports are found"
    )
    schema.add_argument("--message", metavar="NAME", help="which message of the schema; default: its first")
    schema.add_argument("--raw", action="store_true", help="values are bytes: no schema, no registry")
    schema.add_argument("--as", dest="form", choices=tuple(FORMS), default="text", help="how lines hold raw bytes")
    add_registry_option(parser)
    add_format_option(parser)


def _produce(options: argparse.Namespace) -> int:
    from protopact.integrations.kafka import produce_all

    conf = kafka_conf(options)
    with ExitStack() as stack, interruptible() as interruption:
        write = _raw_writer(options) if options.raw else _schema_writer(options, stack.enter_context(connect(options)))
        source = _Source(options, write, interruption)
        try:
            confirmed = produce_all(conf, options.topic, source.records(), timeout_s=options.timeout)
        except DeliveryError as error:
            _print_result(options, error.confirmed)
            raise
        _print_result(options, confirmed)
        source.check()
    return 0


def _print_result(options: argparse.Namespace, records: int) -> None:
    if is_json(options.format):
        print_json({"topic": options.topic, "records": records})
    else:
        print_line(f"produced  {records} records to {options.topic}, all confirmed")


# ── values ───────────────────────────────────────────────────────────────────────────────────────


def _raw_writer(options: argparse.Namespace) -> Write:
    to_bytes = FORMS[options.form][1]

    def write(line: str) -> bytes:
        try:
            return to_bytes(line)
        except ValueError as error:
            raise ConfigError(f"the value is no {options.form}: {error}", option="--as") from error

    return write


def _schema_writer(options: argparse.Namespace, registry: SchemaRegistryClient) -> Write:
    """Give what turns proto JSON into records, by the file's schema or the subject's latest."""
    from protopact.convert import json_decoder

    schema, serializer = (_by_file if options.schema_file else _by_subject)(options, registry)
    decode, serialize = json_decoder(schema.message_class), serializer.bind(options.topic)

    def write(line: str) -> bytes | None:
        if not _is_utf8(line):
            raise ConfigError("the line is no UTF-8", option="FILE")
        return None if line.strip() == "null" else serialize(decode(line))

    return write


def _by_file(options: argparse.Namespace, registry: SchemaRegistryClient) -> tuple[DescribedSchema, Serializer]:
    from protopact.schema import load_schema
    from protopact.serdes import Serializer
    from protopact.settings import SerdeSettings

    if not options.schema_file.is_file():
        raise ConfigError(f"there is no file {options.schema_file}", option="--schema")
    schema = load_schema(options.schema_file, message=options.message, imports=options.import_dir)
    settings = SerdeSettings(message_bytes_max=MESSAGE_BYTES_MAX)
    subject = _subject(options)
    return schema, Serializer(registry, schema, subject_name_strategy=lambda *_: subject, settings=settings)


def _by_subject(options: argparse.Namespace, registry: SchemaRegistryClient) -> tuple[DescribedSchema, Serializer]:
    from protopact.descriptor import message_at
    from protopact.schema import DescribedSchema
    from protopact.serdes import Serializer
    from protopact.settings import SerdeSettings

    subject = _subject(options)
    try:
        latest = registry.get_version(subject)
    except SubjectNotFoundError as error:
        error.hint = error.hint or "give --schema FILE to register one, --subject NAME, or --raw for bytes"
        raise
    assert latest.id is not None  # a version of a subject has one
    files = registry.fetch_file_set(latest.id, subject=subject)
    schema = DescribedSchema(files, options.message or message_at(files.root_file, (0,)))
    settings = SerdeSettings(message_bytes_max=MESSAGE_BYTES_MAX)
    return schema, Serializer(
        registry,
        schema,
        use_schema_id=latest.id,
        subject_name_strategy=lambda *_: subject,
        settings=settings,
    )


def _subject(options: argparse.Namespace) -> str:
    return options.subject or f"{options.topic}-value"


# ── records ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Line:
    """One line and where it stands."""

    place: str
    text: str


class _Source:
    """The records that lines make. The first line that makes none ends them, so that what came before is confirmed."""

    def __init__(self, options: argparse.Namespace, write: Write, interruption: Interruption) -> None:
        self._options = options
        self._write = write
        self._interruption = interruption
        self._headers = [_header(text) for text in options.header]
        self._fault: ProtopactError | None = None
        self._interrupted = False

    def records(self) -> Iterator[OutgoingRecord]:
        """Give the records, until the input ends, fails, or is not wanted any more."""
        make = self._from_envelope if self._options.envelopes else self._from_line
        with Counter("records") as counter:
            for line in self._lines():
                try:
                    record = make(line.text)
                except ProtopactError as error:
                    self._fault = ConfigError(f"{line.place}: {error}", option="FILE", hint=error.hint)
                    return
                yield record
                if counter.count() == self._options.count:
                    return

    def check(self) -> None:
        """Raise what ended the records before their end."""
        if self._fault is not None:
            raise self._fault
        if self._interrupted:
            raise KeyboardInterrupt

    def _lines(self) -> Iterator[_Line]:
        for name in self._options.file:
            try:
                yield from self._lines_of(name)
            except OSError as error:
                self._fault = ConfigError(f"{name} cannot be read: {error}", option="FILE")
            except KeyboardInterrupt:
                self._interrupted = True
            if self._fault is not None or self._interrupted:
                return

    def _lines_of(self, name: str) -> Iterator[_Line]:
        place = "standard input" if name == "-" else name
        with _opened(name) as file:
            number = 0
            while not self._interruption.asked():
                with self._interruption.at_once():
                    line = file.readline()
                if not line:
                    return
                number += 1
                yield _Line(f"{place}:{number}", line.removesuffix(b"\n").decode(errors="surrogateescape"))
        self._interrupted = True

    def _from_line(self, line: str) -> OutgoingRecord:
        key, value = self._options.record_key, line
        if self._options.key_delimiter:
            before, delimiter, after = line.partition(self._options.key_delimiter)
            key, value = (FORMS["text"][1](before), after) if delimiter else (None, line)
        return self._record(key, self._value(value), self._headers)

    def _value(self, text: str) -> bytes | None:
        if text == "":
            if self._options.tombstones:
                return None
            if not self._options.raw:
                raise ConfigError("the value is empty", option="FILE", hint="-Z makes tombstones of empty values")
        return self._write(text)

    def _from_envelope(self, line: str) -> OutgoingRecord:
        try:
            envelope = json.loads(line)
            if not isinstance(envelope, dict):
                raise ConfigError("an envelope is a JSON object", option="-J")
            key = meant(envelope.get("key", self._options.record_key))
            names, values = _halves(envelope.get("headers", []))
            headers = [*zip(names, map(meant, values), strict=True)]
            if self._options.raw:
                value = meant(envelope.get("payload"), self._options.form)
            else:
                value = None if envelope.get("value") is None else self._write(json.dumps(envelope["value"]))
        except ValueError as error:
            raise ConfigError(f"no envelope as consume -J prints them: {error}", option="-J") from error
        return self._record(key, value, [*headers, *self._headers])

    def _record(
        self, key: bytes | str | None, value: bytes | None, headers: Iterable[tuple[str, bytes | str | None]]
    ) -> OutgoingRecord:
        from protopact.integrations.kafka import OutgoingRecord

        return OutgoingRecord(value, key, tuple(headers), self._options.partition)


def _is_utf8(line: str) -> bool:
    """Say whether a line was UTF-8: other bytes stand in it as lone surrogates."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _halves(headers: object) -> tuple[list[str], list[object]]:
    """Take kcat's list of headers apart: names and values by turns."""
    if not isinstance(headers, list) or len(headers) % 2 or not all(isinstance(name, str) for name in headers[::2]):
        raise ValueError("headers are a list of names and values by turns")
    return headers[::2], headers[1::2]


def _header(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    return name, value if separator else None


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
    else:
        with Path(name).open("rb") as file:
            yield file
