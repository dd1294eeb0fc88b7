"""One call, several servers, a bounded number of tries: the whole of retry and fail-over.

A call goes to the server that answered last. A status that says "not now" and silence send it to the next server at
once; when every server has failed, it waits, longer each round and for a random part of it, so that many clients
do not come back together.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from protopact.client.asks import UNREADABLE_ANSWER, Ask, RefusedError
from protopact.errors import RegistryError, TransportError
from protopact.flow import Sleep, send
from protopact.registry import error_from_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.client.auth import Credentials
    from protopact.flow import Flow, Reply
    from protopact.settings import ClientSettings

T = TypeVar("T")

_ERRORS_FROM = 400
_UNAUTHORIZED = 401
_REDIRECTS_FROM = 300


@dataclass(frozen=True, slots=True)
class _Answer:
    """A reply, how many tries it took, and the headers that logged in."""

    reply: Reply
    attempts: int
    login: Mapping[str, str] = field(repr=False)


@dataclass(slots=True)
class Exchange:
    """The servers of one client: how many, and which of them answered last.

    `first` is the number of the first one for the sender. `headers` go with every call, and so do those of
    `credentials`. `draw(low, high)` gives a random number between the two, `now` the seconds since 1970.
    """

    settings: ClientSettings
    servers: int = 1
    draw: Callable[[float, float], float] = random.uniform
    now: Callable[[], float] = time.time
    first: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials | None = None
    preferred: int = field(default=0, init=False)

    def ask(self, ask: Ask[T]) -> Flow[T]:
        """Have a call answered.

        RegistryError for the registry's own refusal, and with code 50005 for an answer that cannot be read;
        TransportError when no server answered.
        """
        answer = yield from self._answered(ask)
        unanswered = answer.attempts - 1
        if answer.reply.status == _UNAUTHORIZED and self.credentials and self.credentials.renew(answer.login):
            answer = yield from self._answered(ask)
            unanswered += answer.attempts - 1
        try:
            return _read(ask, answer.reply)
        except RegistryError as refusal:
            if not unanswered or refusal.error_code not in ask.done:
                raise
            done = ask.done[refusal.error_code]
        return (yield from self.ask(done)) if isinstance(done, Ask) else done

    def _answered(self, ask: Ask[T]) -> Flow[_Answer]:
        server, waited_for = self.preferred, 0.0
        tries = max(self.settings.retries_max + 1, self.servers)
        for attempt in range(1, tries + 1):
            login: Mapping[str, str] = (yield from self.credentials.headers()) if self.credentials else {}
            call = replace(ask.call, headers={**ask.call.headers, **self.headers, **login})
            try:
                reply = yield from send(call, self.first + server)
            except TransportError as error:
                failure: RegistryError | TransportError = _counted(error, attempt)
            else:
                if reply.status not in ask.retried:
                    self.preferred = server
                    return _Answer(reply, attempt, login)
                failure = error_from_reply(reply)
                waited_for = max(waited_for, self._retry_after_s(reply))
            if attempt == tries or waited_for > self.settings.retry_after_s_max:
                raise failure
            server = (server + 1) % self.servers
            if attempt % self.servers == 0:
                yield Sleep(waited_for + self._delay_s(attempt // self.servers))
                waited_for = 0.0
        raise AssertionError("the last try returns or raises")

    def _delay_s(self, rounds: int) -> float:
        low, high = self.settings.retry_delay_s_min, self.settings.retry_delay_s_max
        return self.draw(low, max(low, min(high, low * 2.0 ** min(rounds + 1, 60))))

    def _retry_after_s(self, reply: Reply) -> float:
        text = reply.headers.get("retry-after", "").strip()
        try:
            seconds = float(text) if text[:1].isdigit() else parsedate_to_datetime(text).timestamp() - self.now()
        except (ValueError, OverflowError):
            return 0.0
        return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _read(ask: Ask[T], reply: Reply) -> T:
    if reply.status >= _ERRORS_FROM:
        raise error_from_reply(reply)
    if reply.status >= _REDIRECTS_FROM:
        raise RegistryError(
            f"{ask.call.method} {ask.call.path} is redirected (HTTP {reply.status}); redirects are not followed",
            error_code=reply.status,
            hint="give the registry's own address",
        )
    try:
        return ask.read(reply)
    except RefusedError as refused:
        raise refused.error from None
    except RegistryError as error:
        raise RegistryError(
            f"the answer to {ask.call.method} {ask.call.path} cannot be used: {error.message}",
            error_code=UNREADABLE_ANSWER,
            status=reply.status,
            hint="is this the address of a schema registry?",
        ) from error


def _counted(error: TransportError, attempts: int) -> TransportError:
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    counted = TransportError(f"{error} (after {tries})", url=error.url, attempts=attempts, hint=error.hint)
    counted.__cause__ = error.__cause__ or error
    return counted
