"""What a client knows: its servers, and what they have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.client.cache import Cache
from protopact.client.exchange import Exchange

if TYPE_CHECKING:
    from protopact.descriptor import FileSet
    from protopact.registry import RegisteredSchema
    from protopact.settings import ClientSettings


class State:
    """The caches of one client, its exchange with the servers, and whether these give text alone.

    Schemas by id and file sets never change and are kept as long as there is room, and so is the outcome of
    registering and looking up one content under one subject; "latest" is believed for `latest_ttl_s` and forgotten
    when this client registers under the subject.
    """

    def __init__(self, settings: ClientSettings, servers: int = 1) -> None:
        entries_max = settings.cache_entries_max
        self.exchange = Exchange(settings, servers)
        self.schemas: Cache[RegisteredSchema] = Cache(entries_max)
        self.file_sets: Cache[FileSet] = Cache(entries_max)
        self.registered: Cache[RegisteredSchema] = Cache(entries_max)
        self.latest: Cache[RegisteredSchema] = Cache(entries_max, ttl_s=settings.latest_ttl_s)
        self.parts: Cache[RegisteredSchema] = Cache(entries_max)
        self.import_versions: Cache[int] = Cache(entries_max)
        self.text_only = False

    def forget(self) -> None:
        """Drop all that is kept, so that the registry is asked again."""
        for cache in (self.schemas, self.file_sets, self.registered, self.latest, self.parts, self.import_versions):
            cache.clear()
