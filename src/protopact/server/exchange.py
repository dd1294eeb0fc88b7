"""The one funnel that every call goes through, over HTTP or in the same process."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from protopact.errors import MissingExtraError, RegistryError, StoreUnavailableError
from protopact.flow import Flow, Reply, blocking, perform
from protopact.registry import CONTENT_TYPE
from protopact.server.decisions.draft import Draftsman
from protopact.server.decisions.service import Service
from protopact.server.guard.access import LOCAL, NOBODY, OPEN_PATHS, check
from protopact.server.guard.attended import Attendance, AttendedBodies, AttendedStore, attending
from protopact.server.media import check_request_type, response_type
from protopact.server.metrics import Metrics
from protopact.server.problems import refusal
from protopact.server.surface.commands import Desk
from protopact.server.surface.forms import DEFAULT, SERIALIZED, takes_long
from protopact.server.surface.routes import allowed_methods, find_command
from protopact.settings import ServerSettings

if TYPE_CHECKING:
    from protopact.compiler import Workers
    from protopact.flow import Call
    from protopact.server.guard.access import Principal
    from protopact.server.guard.auth import Guard
    from protopact.server.prepared import Prepared
    from protopact.server.questions import Question
    from protopact.server.store import Store
    from protopact.server.surface.commands import Command, ListKey

_UNAUTHORIZED = 401
_METHOD_NOT_ALLOWED = 405
_UNAVAILABLE = 503
_LISTS_MAX, _LISTS_BYTES_MAX = 64, 16 * 1024 * 1024
_PREPARED_FORMS = {b"": DEFAULT, b"format=serialized": SERIALIZED}


class Registry:
    """A schema registry over a store: `exchange` answers calls, whoever carries them.

    `workers` compile the schemas; without any, the shared ones do. `guard` knows who asks; without one, whoever asks
    may do everything. The registry closes its store and its guard, not the workers. `metrics` are its counts.
    """

    def __init__(
        self,
        store: Store,
        *,
        workers: Workers | None = None,
        settings: ServerSettings | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Serve from this store."""
        self.settings = settings or ServerSettings()
        self.metrics = Metrics()
        self._guard = guard
        absent = LOCAL if guard is None else NOBODY
        self._store = store = AttendedStore(store, absent)
        draftsman = Draftsman(store, workers, files_max=self.settings.reference_files_max)
        bodies: AttendedBodies[tuple[str, str], Prepared] = AttendedBodies(
            absent, entries_max=self.settings.reply_entries_max, bytes_max=self.settings.reply_bytes_max
        )
        lists: AttendedBodies[ListKey, tuple[object, bytes]] = AttendedBodies(
            absent, entries_max=_LISTS_MAX, bytes_max=_LISTS_BYTES_MAX
        )
        self._draftsman = draftsman
        service = Service(store, draftsman, incompatible_code=self.settings.incompatible_code)
        self._desk = Desk(service, store, bodies, lists, self.metrics, draftsman, self.settings)
        self._bodies = bodies
        self._answers_at_once = store.answers_at_once
        store.when_removed(bodies.clear)
        self.metrics.watch("writes_failing", "Whether the last write found no store", lambda: store.writes_fail)

    def exchange(self, call: Call, principal: Principal | None = None) -> Flow[Reply]:
        """Answer a call. Whatever goes wrong becomes a reply with the dialect's error body.

        `principal` is who asks, where that was found out already. Only MissingExtraError is raised, when a schema is to
        be compiled and nothing here can.
        """
        media_type, route, start = CONTENT_TYPE, "", time.perf_counter()
        try:
            media_type = response_type(call)
            check_request_type(call)
            command, question, attendance = yield from self._admitted(call, principal)
            route = question.path
            with attending(attendance):
                if (self._answers_at_once and not takes_long(question)) or question.path in OPEN_PATHS:
                    reply = command(self._desk, question)
                    if not isinstance(reply, Reply):
                        reply = yield from reply
                else:
                    reply = yield from blocking(partial(_carried_out, command, self._desk, question))
        except MissingExtraError:
            raise
        except Exception as error:  # noqa: BLE001  (the funnel: refusal() logs what nobody foresaw)
            reply = refusal(error, headers=self.told(error, call), request_id=call.headers.get("x-request-id", ""))
        self.metrics.answered(call.method, route, reply.status, time.perf_counter() - start)
        return Reply(reply.status, {"content-type": media_type, **reply.headers}, reply.body)

    def identify(self, call: Call) -> Flow[Principal]:
        """Give who asks; the call's body need not have come. RegistryError 401, or 503 where that cannot be told."""
        if self._guard is None:
            return LOCAL
        if call.path in OPEN_PATHS:
            return NOBODY
        return (yield from self._guard.identify(call))

    def find_prepared(self, path: str, query: bytes, authorization: bytes = b"") -> Prepared | None:
        """Find the body that answers a plain GET and never changes, if it was asked for before.

        With a guard, it is for callers who were known a moment ago and may read everything.
        """
        form = _PREPARED_FORMS.get(query)
        if form is None or not self._reads_everything(authorization):
            return None
        found = self._bodies.find_for_all((path, form))
        self.metrics.prepared += found is not None
        return found

    def told(self, error: Exception, call: Call) -> dict[str, str]:
        """Give the headers that an error's reply must have besides its type."""
        status = error.status if isinstance(error, RegistryError) else 0
        if status == _METHOD_NOT_ALLOWED:
            return {"allow": ", ".join(allowed_methods(call.path))}
        if status == _UNAVAILABLE or isinstance(error, StoreUnavailableError):
            return {"retry-after": "1"}
        if status == _UNAUTHORIZED and self._guard is not None:
            return {"www-authenticate": self._guard.challenge}
        return {}

    def close(self) -> None:
        """Close the store; closing twice is harmless."""
        self._draftsman.close()
        self._store.close()
        if self._guard is not None:
            self._guard.close()

    def _admitted(self, call: Call, known: Principal | None) -> Flow[tuple[Command, Question, Attendance]]:
        """Give what serves a call, and whom it is for, once they are known to be allowed it."""
        principal = known or (yield from self.identify(call))
        command, question = find_command(call)
        need = check(principal, question)
        request_id = call.headers.get("x-request-id", "")
        return command, question, Attendance(principal, need, f"{call.method} {question.path}", request_id)

    def _reads_everything(self, authorization: bytes) -> bool:
        if self._guard is None:
            return True
        known = self._guard.find_known(authorization.decode("latin-1"))
        return known is not None and known.reads_everything


def _carried_out(command: Command, desk: Desk, question: Question) -> Reply:
    """Carry out a command whose store takes its time, here, where that holds up nobody else."""
    reply = command(desk, question)
    return reply if isinstance(reply, Reply) else perform(reply)
