"""A process full of registry clients, each as cold as after a start: run by test_thundering_herd with its orders."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from protopact.client import AsyncSchemaRegistryClient
from protopact.errors import RegistryError, TransportError
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

ASKERS = 3  # of each id in each client: as many partitions begin with the same schema


@dataclass
class Report:
    """What became of the calls of one process."""

    fetched: int = 0
    failures: int = 0
    fewest_fields: int = 1
    waits: list[float] = field(default_factory=list)  # as they were drawn, as shares of their range


async def one_client(url: str, ids: Iterable[int], settings: ClientSettings, report: Report) -> None:
    """Ask for every id several times at once, until it is there, as a consumer does that polls again."""
    async with AsyncSchemaRegistryClient(url, settings=settings) as registry:
        draw = registry.session.exchange.draw

        def recorded(low: float, high: float) -> float:
            drawn = draw(low, high)
            report.waits.append((drawn - low) / (high - low) if high > low else 0.0)
            return drawn

        registry.session.exchange.draw = recorded

        async def fetch(schema_id: int) -> None:
            while True:
                try:
                    file_set = await registry.fetch_file_set(schema_id)
                except (TransportError, RegistryError):
                    report.failures += 1
                else:
                    report.fetched += 1
                    report.fewest_fields = min(report.fewest_fields, len(file_set.root_file.message_type[0].field))
                    return

        await asyncio.gather(*[fetch(schema_id) for schema_id in ids for _ in range(ASKERS)])


async def herd(orders: dict[str, Any]) -> Report:
    """Run the clients of this process at once."""
    report, settings = Report(), ClientSettings(**orders["settings"])
    await asyncio.gather(*[one_client(url, orders["ids"], settings, report) for url in orders["urls"]])
    return report


def main() -> None:
    """Read the orders, say that everything is loaded, wait for the start, and print the report."""
    # One process stands for a hundred: its collector would look through the objects of all of them again and again,
    # which held the event loop for 9 s of a client's 10 s of patience. A process of one client has no such heap.
    gc.disable()
    orders = json.loads(sys.stdin.readline())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(vars(asyncio.run(herd(orders)))))


if __name__ == "__main__":
    main()
