"""A schema registry for tests: a client of it at once, its address over HTTP when that is asked for."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from protopact.connect import client_of
from protopact.server import Registry, open_store, served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient


class RunningRegistry:
    """A registry that runs in this process and is empty at first: `client` calls it, `url` is its address.

    Both are the same registry: what a program registers by the address, the client finds.
    """

    def __init__(self, registry: Registry, resources: ExitStack) -> None:
        """Show this registry; what is started for it is put on `resources`."""
        self._registry = registry
        self._resources = resources
        self.client: SchemaRegistryClient = resources.enter_context(client_of(registry))

    @cached_property
    def url(self) -> str:
        """The address, `http://127.0.0.1:PORT`; the server behind it starts when this is first asked for.

        MissingExtraError without the packages of the extra `server`.
        """
        return self._resources.enter_context(served_registry(self._registry))


@contextmanager
def running_registry() -> Iterator[RunningRegistry]:
    """Run a registry in memory for the length of the block. `.proto` text needs the extra `compiler`."""
    with ExitStack() as resources:
        yield RunningRegistry(Registry(open_store("memory:")), resources)
