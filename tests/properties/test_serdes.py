"""Random records: a reader gives a value or refuses them in one family of errors, and nothing written is lost."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from protopact.connect import connect_registry
from protopact.errors import SerdeError
from protopact.schema import load_schema
from protopact.serdes import Deserializer, Serializer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient

SCHEMA = load_schema("""
    syntax = "proto3";
    package pair.v1;
    message First { string text = 1; repeated int64 numbers = 2; map<string, First> below = 3; }
    message Second { bytes data = 1; message Inner { sint32 number = 1; } }
""")
MESSAGES = st.one_of(
    st.fixed_dictionaries({"text": st.text(), "numbers": st.lists(st.integers(-(2**63), 2**63 - 1))}).map(
        lambda values: SCHEMA.for_message("First").new_message(values)
    ),
    st.binary().map(lambda data: SCHEMA.for_message("Second").new_message({"data": data})),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: SCHEMA.for_message("Inner").new_message({"number": n})),
)


@pytest.fixture(scope="module")
def registry() -> Iterator[SchemaRegistryClient]:
    with connect_registry("memory:") as client:
        Serializer(client, SCHEMA).bind("t")
        yield client


@given(message=MESSAGES)
def test_any_message_of_the_file_comes_back(registry: SchemaRegistryClient, message: object) -> None:
    raw = Serializer(registry, SCHEMA).serialize(message, topic="t")  # type: ignore[call-overload]
    assert Deserializer(registry, into=type(message)).deserialize(raw, topic="t") == message


@given(raw=st.binary(max_size=40), prefixed=st.sampled_from([b"", bytes(4), b"\0\0\0\0\1", b"\0\0\0\0\1\0"]))
def test_random_bytes_raise_nothing_but_serde_errors(
    registry: SchemaRegistryClient, raw: bytes, prefixed: bytes
) -> None:
    for into in (None, dict, SCHEMA.message_class):
        with contextlib.suppress(SerdeError):
            Deserializer(registry, into=into).deserialize(prefixed + raw, topic="t")  # type: ignore[arg-type]
