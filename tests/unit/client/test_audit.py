"""The audit log through both clients; it is protopact's own route."""

from __future__ import annotations

import asyncio

import pytest

from protopact.connect import connect_registry, connect_registry_async
from protopact.errors import RegistryError
from protopact.registry import AuditRecord

MESSAGE = 'syntax = "proto3"; message M {}'


def test_changes_come_newest_first_and_in_parts() -> None:
    with connect_registry("memory:") as registry:
        registry.register("a", MESSAGE)
        registry.set_compatibility("FULL", "a")
        newest, oldest = registry.get_audit()
        assert [(record.number, record.what, record.subject) for record in (newest, oldest)] == [
            (2, "set-config", "a"),
            (1, "register", "a"),
        ]
        assert newest.ts >= oldest.ts > 0
        assert oldest.detail["version"] == 1
        assert registry.get_audit(limit=1) == [newest]
        assert registry.get_audit(before=2) == [oldest]


def test_the_asynchronous_client_gives_the_same() -> None:
    async def ask() -> list[AuditRecord]:
        async with connect_registry_async("memory:") as registry:
            await registry.register("a", MESSAGE)
            return await registry.get_audit()

    (record,) = asyncio.run(ask())
    assert (record.number, record.what) == (1, "register")


@pytest.mark.parametrize("value", [[], {}, {"number": "1"}, {"number": 1, "ts": 0, "who": None}])
def test_a_record_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(RegistryError):
        AuditRecord.from_object(value)
