"""What a client knows: its servers, and what they have answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from protopact.client.auth import BearerToken, CalledToken, FetchedToken, OAuthClient, extra_headers
from protopact.client.cache import Cache
from protopact.client.exchange import Exchange
from protopact.errors import SchemaNotFoundError, registry_error

if TYPE_CHECKING:
    from collections.abc import Hashable

    from protopact.client.asks import Ask
    from protopact.client.auth import Auth, Credentials
    from protopact.descriptor import FileSet
    from protopact.errors import RegistryError
    from protopact.flow import Flow
    from protopact.registry import RegisteredSchema, RuleSet
    from protopact.settings import ClientSettings

T = TypeVar("T")

_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class FetchedSchema:
    """A schema as its readers need it: with everything that it refers to, and with its own rules."""

    id: int
    context: str
    file_set: FileSet
    rule_set: RuleSet | None


class State:
    """The caches of one client, its exchange with the servers, and whether these give text alone.

    Schemas by id and file sets never change and are kept as long as there is room, and so is the outcome of
    registering and looking up one content under one subject; "latest" is believed for `latest_ttl_s` and forgotten
    when this client registers under the subject. That an id is unknown is believed for `missing_ttl_s`, and that the
    servers give text alone as long as "latest": what one of them said in trouble does not hold for ever.
    """

    def __init__(self, settings: ClientSettings, servers: int = 1, auth: Auth | None = None) -> None:
        """Take the number of servers; that of the token server, where `auth` has one, comes next."""
        entries_max = settings.cache_entries_max
        self.exchange = Exchange(
            settings, servers, headers=extra_headers(auth), credentials=_credentials(auth, settings, servers)
        )
        self.schemas: Cache[RegisteredSchema] = Cache(entries_max)
        self.file_sets: Cache[FetchedSchema] = Cache(entries_max)
        self.registered: Cache[RegisteredSchema] = Cache(entries_max)
        self.latest: Cache[RegisteredSchema] = Cache(entries_max, ttl_s=settings.latest_ttl_s)
        self.parts: Cache[RegisteredSchema] = Cache(entries_max)
        self.import_versions: Cache[int] = Cache(entries_max)
        self.missing: Cache[RegistryError] = Cache(entries_max, ttl_s=settings.missing_ttl_s)
        self.text_only: Cache[bool] = Cache(1, ttl_s=settings.latest_ttl_s)

    def unless_missing(self, key: Hashable, ask: Ask[T]) -> Flow[T]:
        """Have a schema asked for, but not while its key is believed to be unknown."""
        known = self.missing.find(key)
        if known is not None:
            raise registry_error(known.error_code, known.message, status=known.status)
        clearings = self.missing.clearings
        try:
            return (yield from self.exchange.ask(ask))
        except SchemaNotFoundError as error:
            if error.status == _NOT_FOUND:
                self.missing.put(key, error, clearings=clearings)
            raise

    def forget(self) -> None:
        """Drop all that is kept, so that the registry is asked again."""
        for cache in (
            self.schemas,
            self.file_sets,
            self.registered,
            self.latest,
            self.parts,
            self.import_versions,
            self.missing,
        ):
            cache.clear()


def _credentials(auth: Auth | None, settings: ClientSettings, servers: int) -> Credentials | None:
    if isinstance(auth, OAuthClient):
        return FetchedToken(auth, Exchange(settings, first=servers).ask)
    if isinstance(auth, BearerToken) and not isinstance(auth.token, str):
        return CalledToken(auth.token)
    return None
