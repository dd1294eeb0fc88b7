from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry, connect_registry_async
from protopact.errors import ConfigError, StoreError, SubjectNotFoundError, TransportError
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("url", ["", "memory", "memory:x", "sqlite:", "file:x", "postgresql://u:secret@h/db", "/tmp/x"])
def test_an_address_of_another_kind_is_refused_with_the_kinds_there_are(url: str) -> None:
    for connect in (connect_registry, connect_registry_async):
        with pytest.raises(ConfigError) as caught:
            connect(url)
        assert caught.value.option == "url"
        assert "memory:" in caught.value.hint
        assert "secret" not in str(caught.value)


def test_an_http_address_gives_a_client_over_http() -> None:
    with connect_registry("http://ann:secret@one:8081,https://two") as registry:
        assert repr(registry) == "SchemaRegistryClient('http://one:8081,https://two')"


def test_an_in_process_registry_answers_and_ends_with_its_client() -> None:
    registry = connect_registry("memory:")
    with pytest.raises(SubjectNotFoundError):
        registry.get_versions("nobody")
    registry.close()
    with pytest.raises(TransportError):
        registry.get_types()


def test_an_in_process_registry_answers_on_an_event_loop() -> None:
    async def work() -> list[str]:
        async with connect_registry_async("memory:") as registry:
            return await registry.get_subjects()

    assert asyncio.run(work()) == []


def test_a_file_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "not-a-database").write_bytes(b"x" * 5000)

    with pytest.raises(StoreError):
        connect_registry(f"sqlite:{tmp_path / 'not-a-database'}")


def test_limits_are_checked_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        connect_registry(f"sqlite:{tmp_path / 'registry.db'}", settings=ClientSettings(timeout_s=0))

    assert list(tmp_path.iterdir()) == []


def test_an_in_process_registry_needs_no_http_package() -> None:
    program = (
        "import sys\n"
        "from protopact.connect import connect_registry\n"
        "with connect_registry('memory:') as registry: registry.get_types()\n"
        "print([name for name in ('httpx2', 'uvicorn', 'grpc_tools') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"
