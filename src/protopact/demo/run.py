"""The demo, told in order: registry, broker, publish, and another process that reads everything back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from protopact.broker import background_broker
from protopact.demo.publish import publish_rows
from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.demo.publish import Published

TOPIC = "weather-observations"


def run_demo(say: Callable[[str], None]) -> int:
    """Run the demo on embedded parts and give the exit code: 0 when every record came back equal to its row."""
    with background_registry() as registry_url, background_broker() as broker:
        say(f"registry  {registry_url}")
        say(f"broker    {broker.bootstrap_servers}")
        published = publish_rows(registry_url=registry_url, bootstrap_servers=broker.bootstrap_servers, topic=TOPIC)
        for line in _describe(published):
            say(line)
        return _verify_in_another_process(registry_url, broker.bootstrap_servers)


def _describe(published: Published) -> tuple[str, ...]:
    share = published.protobuf_bytes / published.json_bytes
    rate = published.records / published.seconds
    return (
        f"published {published.records} records to {TOPIC} in {published.seconds:.1f} s ({rate:,.0f}/s), all confirmed",
        f"subjects  {', '.join(published.subjects)}",
        f"size      {published.protobuf_bytes:,} bytes as Protobuf, {published.json_bytes:,} as JSON ({share:.0%})",
    )


def _verify_in_another_process(registry_url: str, bootstrap_servers: str) -> int:
    command = [sys.executable, "-m", "protopact.cli", "demo", "verify"]
    addresses = ["--registry", registry_url, "--bootstrap-servers", bootstrap_servers, "--topic", TOPIC]
    return subprocess.run([*command, *addresses], check=False).returncode  # noqa: S603  (no shell; all words are ours)
