"""`produce` and `consume` say everything that a record has, by a schema or raw, and lose nothing at a fault."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from protopact.errors import BrokerError
from protopact.integrations.kafka import OutgoingRecord, produce_all, read_topic
from protopact.testing import running_kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from protopact.testing import RunningKafka
    from unit.cli.running import Ran

PROTO = (
    'syntax = "proto3"; package shop; message Order { int64 id = 1; string item = 2; } message Other { int32 x = 1; }'
)

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningKafka]:
    with running_kafka() as kafka:
        yield kafka


@pytest.fixture
def topic(running: RunningKafka, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic on the broker that commands find by themselves."""
    monkeypatch.setenv("PROTOPACT_BOOTSTRAP_SERVERS", running.bootstrap_servers)
    return running.create_topic(partitions=2)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    file = tmp_path / "order.proto"
    file.write_text(PROTO)
    return file


@pytest.fixture
def feed(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run a command with lines on its standard input: `feed("a\\n", "produce", …)`."""

    def command(lines: str | bytes, *words: object) -> Ran:
        data = lines.encode() if isinstance(lines, str) else lines
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return run(*words)

    return command


def envelopes(ran: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def test_values_go_there_and_back_by_the_schema_that_a_file_registers(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    made = feed(
        '{"id": 7, "item": "tea"}\n{"id": "9007199254740993"}\n', "produce", "-t", topic, "-p", 0, "--schema", schema
    )
    assert (made.code, made.said) == (0, {"topic": topic, "records": 2})
    assert run("schema", "list").said[0]["subject"] == f"{topic}-value"
    read = run("consume", "-t", topic, "-e")
    assert (read.code, envelopes(read)) == (0, [{"id": "7", "item": "tea"}, {"id": "9007199254740993"}])


def test_without_a_file_the_subjects_latest_version_writes(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    run("schema", "register", "theirs", schema)
    assert feed('{"x": 5}\n', "produce", "-t", topic, "--subject", "theirs", "--message", "Other").code == 0
    assert envelopes(run("consume", "-t", topic, "-e")) == [{"x": 5}]


def test_a_subject_that_is_not_there_is_named_with_the_ways_out(topic: str, feed: Callable[..., Ran]) -> None:
    ran = feed("{}\n", "produce", "-t", topic)
    assert ran.code == 1
    assert f"{topic}-value" in ran.err
    assert "--schema" in ran.err
    assert "--raw" in ran.err


def test_key_headers_partition_and_tombstone_are_kcats(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    words = ("-p", 1, "-H", "a=1", "-H", "none", "--schema", schema)
    assert feed('k:{"id":1}\nk:\n{"id":2}\n', "produce", "-t", topic, "-K", ":", "-Z", *words).code == 1
    assert feed('k|{"id":1}\nk|\n', "produce", "-t", topic, "-K", "|", "-Z", *words).code == 0
    found = envelopes(run("consume", "-t", topic, "-e", "-J", "-o", -2))
    assert [(each["partition"], each["key"], each["value"]) for each in found] == [
        (1, "k", {"id": "1"}),
        (1, "k", None),
    ]
    assert found[0]["headers"] == ["a", "1", "none", None]
    assert found[0]["ts"] > 1_700_000_000_000


def test_envelopes_of_consume_are_read_by_produce(
    running: RunningKafka, topic: str, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    sent = [
        OutgoingRecord(b"text", b"key", [("h", b"1"), ("h", b"\xff"), ("n", None)], partition=0),
        OutgoingRecord(b"\xff\x00", b"\xfe", partition=0),
        OutgoingRecord(None, None, partition=0),
        OutgoingRecord(b"", b"", partition=0),
    ]
    produce_all(running.bootstrap_servers, topic, sent)
    shown = run("consume", "-t", topic, "-e", "-J", "--raw")
    assert envelopes(shown)[1]["payload"] == {"base64": "/wA="}
    other = running.create_topic()
    assert feed(shown.out, "produce", "-t", other, "-J", "--raw").code == 0
    again = run("consume", "-t", other, "-e", "-J", "--raw")
    kept = ("offset", "key", "headers", "payload")
    assert [[each[name] for name in kept] for each in envelopes(again)] == [
        [each[name] for name in kept] for each in envelopes(shown)
    ]


def test_envelopes_carry_values_by_the_schema_too(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    lines = '{"key": "a", "value": {"id": "1"}}\n{"key": "b", "value": null}\n'
    assert feed(lines, "produce", "-t", topic, "-p", 0, "-J", "--schema", schema).code == 0
    found = envelopes(run("consume", "-t", topic, "-e", "-J"))
    assert [(each["key"], each["value"]) for each in found] == [("a", {"id": "1"}), ("b", None)]


@pytest.mark.parametrize(
    "line", ["[]", "{", '{"headers": ["a"]}', '{"key": 7}', '{"payload": {"base64": "!"}}', '{"headers": [1, 2]}']
)
def test_what_is_no_envelope_is_refused_with_its_line(topic: str, line: str, feed: Callable[..., Ran]) -> None:
    ran = feed(line + "\n", "produce", "-t", topic, "-J", "--raw")
    assert (ran.code, ran.said["records"]) == (1, 0)
    assert "standard input:1" in ran.err


@pytest.mark.parametrize(("form", "line"), [("text", "tea"), ("hex", "746561"), ("base64", "dGVh")])
def test_raw_bytes_have_three_forms(
    topic: str, form: str, line: str, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    assert feed(f"{line}\n", "produce", "-t", topic, "--raw", "--as", form).code == 0
    assert run("consume", "-t", topic, "-e", "--raw").out == "tea\n"
    assert run("consume", "-t", topic, "-e", "--raw", "--as", form).out == f"{line}\n"
    assert run("consume", "-t", topic, "-e", "--raw", "--as", form, "-K", "=").out == f"={line}\n"


def test_raw_lines_keep_every_byte_and_a_schemas_lines_are_utf8(
    running: RunningKafka, topic: str, schema: Path, feed: Callable[..., Ran]
) -> None:
    assert feed(b"\xfe:\xff\r\x00\n", "produce", "-t", topic, "-p", 0, "--raw", "-K", ":").code == 0
    (record,) = read_topic(running.bootstrap_servers, topic, until_end=True)
    assert (record.key, record.value) == (b"\xfe", b"\xff\r\x00")
    ran = feed(b'{"item": "\xff"}\n', "produce", "-t", topic, "--schema", schema)
    assert (ran.code, "standard input:1: the line is no UTF-8" in ran.err) == (1, True)


def test_the_first_line_that_is_no_record_ends_the_input_and_what_came_before_is_confirmed(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    lines = '{"id": 1}\n{"id": 2}\n{"id": "x"}\n{"id": 4}\n'
    ran = feed(lines, "produce", "-t", topic, "-k", "same", "--schema", schema)
    assert (ran.code, ran.said["records"]) == (1, 2)
    assert "standard input:3: value does not fit shop.Order: $.id" in ran.err
    assert envelopes(run("consume", "-t", topic, "-e")) == [{"id": "1"}, {"id": "2"}]


def test_an_empty_line_is_no_value_unless_it_is_raw(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    ran = feed("\n", "produce", "-t", topic, "--schema", schema)
    assert (ran.code, "-Z" in ran.err) == (1, True)
    assert feed("\n", "produce", "-t", topic, "--raw").code == 0
    assert envelopes(run("consume", "-t", topic, "-e", "-J", "--raw"))[0]["payload"] == ""


def test_files_are_read_in_their_order_and_a_missing_one_is_named(
    topic: str, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    (tmp_path / "a").write_text("1\n2")
    (tmp_path / "b").write_text("3\n")
    assert run("produce", "-t", topic, "-p", 0, "--raw", "a", "b").said["records"] == 3
    assert run("consume", "-t", topic, "-e", "--raw").out == "1\n2\n3\n"
    ran = run("produce", "-t", topic, "--raw", "a", "nowhere")
    assert (ran.code, ran.said["records"]) == (1, 2)
    assert "nowhere" in ran.err


def test_a_count_ends_both_commands(topic: str, feed: Callable[..., Ran], run: Callable[..., Ran]) -> None:
    assert feed("1\n2\n3\n", "produce", "-t", topic, "-p", 0, "--raw", "-c", 2).said["records"] == 2
    assert run("consume", "-t", topic, "-c", 1, "--raw").out == "1\n"


@pytest.mark.parametrize(
    ("where", "wanted"),
    [("beginning", "0123456789"), ("end", ""), ("7", "789"), ("-2", "89"), ("99", ""), ("-99", "0123456789")],
)
def test_reading_begins_where_it_is_told(
    running: RunningKafka, topic: str, where: str, wanted: str, run: Callable[..., Ran]
) -> None:
    records = [OutgoingRecord(str(number), partition=0) for number in range(10)]
    produce_all(running.bootstrap_servers, topic, records)
    assert run("consume", "-t", topic, "-e", "-o", where, "--raw").out.replace("\n", "") == wanted


def test_reading_begins_at_a_time(running: RunningKafka, topic: str, run: Callable[..., Ran]) -> None:
    produce_all(running.bootstrap_servers, topic, [b"early"])
    time.sleep(0.01)
    now_ms = time.time_ns() // 1_000_000
    assert run("consume", "-t", topic, "-e", "-o", f"s@{now_ms}", "--raw").out == ""
    produce_all(running.bootstrap_servers, topic, [b"late"])
    assert run("consume", "-t", topic, "-e", "-o", f"s@{now_ms}", "--raw").out == "late\n"
    assert sorted(run("consume", "-t", topic, "-e", "-o", "s@0", "--raw").out.split()) == ["early", "late"]


def test_one_partition_is_read_alone_and_one_that_is_not_there_is_refused(
    running: RunningKafka, topic: str, run: Callable[..., Ran]
) -> None:
    produce_all(
        running.bootstrap_servers, topic, [OutgoingRecord(b"zero", partition=0), OutgoingRecord(b"one", partition=1)]
    )
    assert run("consume", "-t", topic, "-e", "-p", 1, "--raw").out == "one\n"
    ran = run("consume", "-t", topic, "-e", "-p", 2, "--raw")
    assert (ran.code, "no partition 2" in ran.err) == (1, True)


def test_a_group_goes_on_after_what_was_printed(running: RunningKafka, topic: str, run: Callable[..., Ran]) -> None:
    produce_all(running.bootstrap_servers, topic, [OutgoingRecord(str(number), partition=0) for number in range(3)])
    words = ("consume", "-t", topic, "-G", "readers", "--raw")
    assert run(*words, "-c", 2).out == "0\n1\n"
    assert run(*words, "-e").out == "2\n"
    assert run(*words, "-e", "-o", "stored").out == ""
    assert run("consume", "-t", topic, "-G", "late", "--raw", "-e", "-o", "end").out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "stored"), "-G GROUP"),
        (("-G", "g", "-p", 0), "leave out -p or -G"),
        (("-G", "g", "-o", 7), "a group goes on where it was"),
        (("-X", "sasl.password=hush"), "-F"),
        (("-X", "nonsense"), "NAME=VALUE"),
        (("-F", "nowhere"), "nowhere"),
        (("-X", "no.such.property=1"), "no.such.property"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_remedy(
    topic: str, words: tuple[object, ...], said: str, run: Callable[..., Ran]
) -> None:
    ran = run("consume", "-t", topic, "--raw", "-e", *words)
    assert (ran.code, said in ran.err) == (1, True), ran.err
    assert "hush" not in ran.err


@pytest.mark.parametrize("words", [("-o", "soon"), ("-o", "s@"), ("-o", f"s@{10**30}"), ("-c", "0"), ("-c", "many")])
def test_a_place_or_a_number_that_is_none_is_wrong_usage(
    topic: str, words: tuple[str, str], run: Callable[..., Ran]
) -> None:
    with pytest.raises(SystemExit) as left:
        run("consume", "-t", topic, *words)
    assert left.value.code == 2


def test_properties_come_from_a_file_too(
    running: RunningKafka, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: Callable[..., Ran]
) -> None:
    monkeypatch.delenv("PROTOPACT_BOOTSTRAP_SERVERS")
    (tmp_path / "kafka.properties").write_text(f"# where\nbootstrap.servers = {running.bootstrap_servers}\n\n")
    assert feed("1\n", "produce", "-t", topic, "--raw", "-F", "kafka.properties").code == 0


def test_a_topic_that_is_not_there_is_an_error_when_it_is_read(topic: str, run: Callable[..., Ran]) -> None:
    ran = run("consume", "-t", "no-such-topic", "-e", "--raw")
    assert (ran.code, "no-such-topic" in ran.err) == (1, True)


def test_records_that_cannot_be_decoded_are_told_and_the_others_printed(
    running: RunningKafka, topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    feed('{"id": 1}\n', "produce", "-t", topic, "-p", 0, "--schema", schema)
    bad = [b"plain", b"", bytes.fromhex("00000000 63 00 0801"), bytes.fromhex("00000000 01 00 08")]
    produce_all(running.bootstrap_servers, topic, [OutgoingRecord(value, partition=0) for value in bad])
    feed('{"id": 2}\n', "produce", "-t", topic, "-p", 0)
    ran = run("consume", "-t", topic, "-e")
    assert (ran.code, envelopes(ran)) == (1, [{"id": "1"}, {"id": "2"}])
    assert [f"{topic}-0@{offset}" in ran.err for offset in range(6)] == [False, True, True, True, True, False]
    assert "70 6c 61 69 6e" in ran.err
    assert "4 of 6 records could not be decoded" in ran.err


def test_a_registry_that_does_not_answer_ends_the_reading_and_nothing_is_committed(
    topic: str, schema: Path, feed: Callable[..., Ran], run: Callable[..., Ran]
) -> None:
    feed('{"id": 1}\n', "produce", "-t", topic, "--schema", schema)
    words = ("consume", "-t", topic, "-e", "-G", "careful")
    assert run(*words, "--registry", "http://127.0.0.1:1").code == 1
    assert envelopes(run(*words)) == [{"id": "1"}]


def test_ctrl_c_ends_producing_with_what_was_confirmed(running: RunningKafka, topic: str) -> None:
    command = [sys.executable, "-m", "protopact.cli", "produce", "-t", topic, "-p", "0", "--raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"one\ntwo\n")
        process.stdin.flush()
        wait_for_records(running, topic, 2)
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        assert (process.wait(30), json.loads(out)["records"]) == (130, 2), process.stderr.read()


def test_ctrl_c_ends_consuming_and_what_was_printed_is_committed(
    running: RunningKafka, topic: str, run: Callable[..., Ran]
) -> None:
    produce_all(running.bootstrap_servers, topic, [OutgoingRecord(b"one", partition=0)])
    command = [sys.executable, "-m", "protopact.cli", "consume", "-t", topic, "-G", "stopped", "--raw"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout.readline() == b"one\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130, process.stderr.read()
    assert run("consume", "-t", topic, "-G", "stopped", "--raw", "-e").out == ""


def test_a_broker_that_is_gone_is_an_error(topic: str, run: Callable[..., Ran]) -> None:
    with socket.socket() as held:  # a port that no other broker gets meanwhile
        held.bind(("127.0.0.1", 0))
        gone = f"127.0.0.1:{held.getsockname()[1]}"
        ran = run("consume", "-t", topic, "-b", gone, "--raw", "-e", "--timeout", 1)
    assert (ran.code, "check bootstrap.servers" in ran.err) == (1, True)


def wait_for_records(running: RunningKafka, topic: str, count: int) -> None:
    found = list(read_topic(running.bootstrap_servers, topic, max_records=count))
    if len(found) != count:
        raise BrokerError("records are missing")
