"""`inspect`: bytes explained on the command line, with a schema from a file, a registry, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.framing import encode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran

TEXT = """syntax = "proto3";
package shop;
message Item { int64 id = 1; Price price = 2; message Price { string currency = 1; } }
"""
ITEM = b"\x08\x2a\x12\x05\x0a\x03EUR"


@pytest.fixture
def proto(tmp_path: Path) -> Path:
    path = tmp_path / "item.proto"
    path.write_text(TEXT)
    return path


@pytest.fixture
def payload(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "payload.bin"
        path.write_bytes(data)
        return path

    return write


def test_a_message_is_explained_by_its_schema(
    run: Callable[..., Ran], proto: Path, payload: Callable[[bytes], Path]
) -> None:
    ran = run("inspect", payload(ITEM), "--schema", proto, "--format", "json")
    assert ran.code == 0
    assert [(row["offset"], row["bytes"], row["field"], row["value"]) for row in ran.said] == [
        (0, "08 2a", "id", "42"),
        (2, "12 05", "price", "5 bytes"),
        (4, "0a 03 45 55 52", "  currency", '"EUR"'),
    ]


def test_a_record_is_explained_from_its_prefix_on(
    run: Callable[..., Ran], proto: Path, payload: Callable[[bytes], Path]
) -> None:
    record = payload((encode_prefix(7, [0, 0]) + ITEM[4:]).hex(" ").encode())
    ran = run("inspect", record, "--as", "hex", "--schema", proto)
    assert [row["field"] for row in ran.said] == ["magic byte", "schema id", "message indexes", "currency"]


def test_the_schema_of_a_record_comes_from_the_registry(
    run: Callable[..., Ran], store: str, proto: Path, payload: Callable[[bytes], Path]
) -> None:
    assert run("schema", "register", "items-value", proto).code == 0
    ran = run("inspect", payload(encode_prefix(1, [0]) + ITEM), "--registry", store)
    assert [row["field"].strip() for row in ran.said][3:] == ["id", "price", "currency"]
    by_name = run("inspect", payload(ITEM[4:]), "--registry", store, "--id", "1", "--message", "Price")
    assert [row["field"] for row in by_name.said] == ["currency"]


def test_what_is_wrong_is_a_finding(run: Callable[..., Ran], payload: Callable[[bytes], Path]) -> None:
    ran = run("inspect", payload(ITEM[:-1]))
    assert ran.code == 100
    assert ran.said[-1]["remark"] == "WRONG: the length says 5 bytes, 4 are there"
    assert run("inspect", payload(b"\0\0\0")).code == 100


def test_input_that_cannot_be_read_is_refused_with_the_option(
    run: Callable[..., Ran], proto: Path, payload: Callable[[bytes], Path]
) -> None:
    assert "the input is no hex" in run("inspect", payload(b"xyz"), "--as", "hex").err
    assert "there is no file" in run("inspect", proto.with_name("absent")).err
    assert "there is no file" in run("inspect", payload(b""), "--schema", proto.with_name("absent")).err


def test_the_code_that_converts_a_message_is_shown(run: Callable[..., Ran], proto: Path) -> None:
    assert "'currency'" in run("inspect", "--code", "--schema", proto).out
    assert "--schema or --id says which" in run("inspect", "--code").err
