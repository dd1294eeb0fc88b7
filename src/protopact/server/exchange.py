"""The one funnel that every call goes through, over HTTP or in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import MissingExtraError, RegistryError
from protopact.flow import Flow, Reply
from protopact.registry import CONTENT_TYPE
from protopact.server.bounded import BoundedCache
from protopact.server.commands import SERIALIZED, Desk
from protopact.server.draft import Draftsman
from protopact.server.media import check_request_type, response_type
from protopact.server.problems import refusal
from protopact.server.routes import allowed_methods, find_command
from protopact.server.service import Service
from protopact.settings import ServerSettings

if TYPE_CHECKING:
    from protopact.compiler import Workers
    from protopact.flow import Call
    from protopact.server.store import Store

_METHOD_NOT_ALLOWED = 405
_PREPARED_FORMS = {b"": "", b"format=serialized": SERIALIZED}


class Registry:
    """A schema registry over a store: `exchange` answers calls, whoever carries them.

    `workers` compile the schemas; without any, the shared ones do. The registry closes its store, not the workers.
    """

    def __init__(self, store: Store, *, workers: Workers | None = None, settings: ServerSettings | None = None) -> None:
        """Serve from this store."""
        self.settings = settings or ServerSettings()
        self._store = store
        draftsman = Draftsman(store, workers, files_max=self.settings.reference_files_max)
        bodies: BoundedCache[tuple[str, str], bytes] = BoundedCache(
            entries_max=self.settings.reply_entries_max, bytes_max=self.settings.reply_bytes_max
        )
        self._desk = Desk(Service(store, draftsman), store, bodies)
        self._bodies = bodies

    def exchange(self, call: Call) -> Flow[Reply]:
        """Answer a call. Whatever goes wrong becomes a reply with the dialect's error body.

        Only MissingExtraError is raised, when a schema is to be compiled and nothing here can.
        """
        media_type = CONTENT_TYPE
        try:
            media_type = response_type(call)
            check_request_type(call)
            command, question = find_command(call)
            reply = command(self._desk, question)
            if not isinstance(reply, Reply):
                reply = yield from reply
        except MissingExtraError:
            raise
        except Exception as error:  # noqa: BLE001  (the funnel: refusal() logs what nobody foresaw)
            reply = refusal(error, headers=_headers(error, call), request_id=call.headers.get("x-request-id", ""))
        return Reply(reply.status, {**reply.headers, "content-type": media_type}, reply.body)

    def find_prepared(self, path: str, query: bytes) -> bytes | None:
        """Find the body that answers a plain GET and never changes, if it was asked for before."""
        form = _PREPARED_FORMS.get(query)
        return None if form is None else self._bodies.find((path, form))

    def close(self) -> None:
        """Close the store; closing twice is harmless."""
        self._store.close()


def _headers(error: Exception, call: Call) -> dict[str, str]:
    """Give the headers that an error's reply must have besides its type."""
    if isinstance(error, RegistryError) and error.status == _METHOD_NOT_ALLOWED:
        return {"allow": ", ".join(allowed_methods(call.path))}
    return {}
