"""A version of a registry as files: itself and all its imports, each under its import path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from protopact.client import SchemaRegistryClient
from protopact.errors import ConfigError, SchemaError, SchemaLinkError
from protopact.flow import Reply
from protopact.rollout import fetch_texts
from protopact.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.flow import Call

EMPTY = 'syntax = "proto3";\n'


def fake(subjects: dict[str, dict[str, object]]) -> SchemaRegistryClient:
    """A registry that says whatever it likes."""

    def send(call: Call, _server: int) -> Reply:
        from urllib.parse import unquote

        subject = unquote(call.path.split("/")[2])
        if subject not in subjects:
            return Reply(404, body=json.dumps({"error_code": 40401, "message": "no"}).encode())
        said = {"subject": subject, "version": 1, "id": 1, "schemaType": "PROTOBUF", "schema": EMPTY}
        return Reply(200, body=json.dumps({**said, **subjects[subject]}).encode())

    return SchemaRegistryClient(sender=send)


def refer(*names: str) -> dict[str, object]:
    return {"references": [{"name": name, "subject": name, "version": 1} for name in names]}


def test_a_version_comes_with_all_its_imports_as_the_registry_keeps_them(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    directory = shop()
    registry.register("orders-value", load_schema(directory / "shop/order.proto", imports=directory))
    texts = fetch_texts(registry, "orders-value")
    assert list(texts) == ["orders-value.proto", "shop/money.proto"]
    assert texts["shop/money.proto"] == registry.get_version("shop/money.proto").schema
    assert "message Order" in texts["orders-value.proto"]


@pytest.mark.parametrize(
    ("subject", "name", "path"),
    [
        ("orders-value", None, "orders-value.proto"),
        ("shop/money.proto", None, "shop/money.proto"),
        ("a/b", None, "a_b.proto"),
        (":.eu:orders-value", None, "orders-value.proto"),
        ("orders-value", "shop/order.proto", "shop/order.proto"),
    ],
)
def test_the_schema_itself_is_called_by_its_subject_or_as_told(subject: str, name: str | None, path: str) -> None:
    assert list(fetch_texts(fake({subject: {}}), subject, name=name)) == [path]


def test_circles_end_and_what_is_built_in_is_left_out() -> None:
    registry = fake(
        {"a": refer("b.proto", "google/protobuf/any.proto"), "b.proto": refer("c.proto"), "c.proto": refer("b.proto")}
    )
    assert sorted(fetch_texts(registry, "a")) == ["a.proto", "b.proto", "c.proto"]


@pytest.mark.parametrize("path", ["../b.proto", "/etc/b.proto", "a/../../b.proto", "a\\b.proto", ""])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(SchemaLinkError):
        fetch_texts(fake({"a": refer(path), path: {}}), "a")
    with pytest.raises(SchemaLinkError):
        fetch_texts(fake({"a": {}}), "a", name=path or "..")


def test_two_contents_of_one_path_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"would both be b\.proto"):
        fetch_texts(fake({"a": refer("b.proto"), "b.proto": {"schema": "other"}}), "a", name="b.proto")


def test_a_schema_of_another_type_is_refused() -> None:
    with pytest.raises(SchemaError, match="AVRO"):
        fetch_texts(fake({"a": {"schemaType": "AVRO"}}), "a")


def test_no_more_than_a_thousand_files_are_fetched() -> None:
    chain = {f"{n}.proto": refer(f"{n + 1}.proto") for n in range(1100)}
    with pytest.raises(SchemaLinkError, match="more than 1000 files"):
        fetch_texts(fake(chain), "0.proto")
