"""Idempotent producers: which of their batches a partition has, so that a retry is not kept twice (KIP-98).

The rules are those of Apache Kafka 4: https://cwiki.apache.org/confluence/display/KAFKA/KIP-98
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from crc32c import crc32c

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.log.batches import Batch


_BATCHES_KEPT = 5
_SEQUENCES = 1 << 31
_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The place and the time of a batch that was acknowledged before, and now came again."""

    base_offset: int
    timestamp_ms: int


class _Kept(NamedTuple):
    base_sequence: int
    last_sequence: int
    base_offset: int
    timestamp_ms: int


@dataclass(slots=True)
class _Producer:
    epoch: int
    seen_ms: int
    batches: deque[_Kept] = field(default_factory=lambda: deque(maxlen=_BATCHES_KEPT))

    @property
    def last_sequence(self) -> int:
        return self.batches[-1].last_sequence


class ProducerStates:
    """The last batches of each idempotent producer that writes to a partition."""

    def __init__(self) -> None:
        """Know of no producer."""
        self._producers: dict[int, _Producer] = {}

    def check(self, batch: Batch, now_ms: int) -> Duplicate | None:
        """Say whether a batch may be appended (None), or is one of the producer's last five come again.

        A producer that is not known may start at any sequence. RefusedRequestError: 47 INVALID_PRODUCER_EPOCH for an
        epoch before the last, 45 OUT_OF_ORDER_SEQUENCE_NUMBER for a sequence that does not follow the last, or is
        not 0 in a new epoch.
        """
        known = self._producers.get(batch.producer_id) if batch.producer_id >= 0 else None
        if known is None:
            return None
        if batch.producer_epoch < known.epoch:
            raise RefusedRequestError(
                f"producer {batch.producer_id} has epoch {known.epoch} by now; the batch has {batch.producer_epoch}",
                error_code=Code.INVALID_PRODUCER_EPOCH,
            )
        known.seen_ms = max(known.seen_ms, now_ms)
        expected = 0
        if batch.producer_epoch == known.epoch:
            sequences = (batch.base_sequence, _last_sequence(batch))
            for kept in known.batches:
                if (kept.base_sequence, kept.last_sequence) == sequences:
                    return Duplicate(kept.base_offset, kept.timestamp_ms)
            expected = (known.last_sequence + 1) % _SEQUENCES
        if batch.base_sequence != expected:
            raise RefusedRequestError(
                f"producer {batch.producer_id} sent sequence {batch.base_sequence} in epoch {batch.producer_epoch};"
                f" {expected} is the next",
                error_code=Code.OUT_OF_ORDER_SEQUENCE_NUMBER,
            )
        return None

    def appended(self, batch: Batch, now_ms: int) -> None:
        """Remember a placed batch; those without a producer id, and control batches, leave no trace."""
        if batch.producer_id < 0 or batch.is_control:
            return
        known = self._producers.get(batch.producer_id)
        if known is None or known.epoch != batch.producer_epoch:
            known = self._producers[batch.producer_id] = _Producer(batch.producer_epoch, now_ms)
        known.seen_ms = max(known.seen_ms, now_ms)
        known.batches.append(
            _Kept(batch.base_sequence, _last_sequence(batch), batch.base_offset, batch.max_timestamp_ms)
        )

    def forget_idle(self, now_ms: int, idle_ms: int) -> None:
        """Forget producers that have sent nothing for that long."""
        for producer_id in [name for name, known in self._producers.items() if now_ms - known.seen_ms >= idle_ms]:
            del self._producers[producer_id]

    def snapshot(self) -> bytes:
        """Give all of it as bytes that `restore` takes."""
        body = json.dumps(
            {str(name): [known.epoch, known.seen_ms, *known.batches] for name, known in self._producers.items()}
        ).encode()
        return crc32c(body).to_bytes(_CRC_BYTES, "big") + body

    @classmethod
    def restore(cls, snapshot: bytes) -> ProducerStates | None:
        """Give what a snapshot holds; None when its bytes are not whole."""
        if crc32c(snapshot[_CRC_BYTES:]) != int.from_bytes(snapshot[:_CRC_BYTES], "big") or not snapshot:
            return None
        states = cls()
        for name, (epoch, seen_ms, *batches) in json.loads(snapshot[_CRC_BYTES:]).items():
            states._producers[int(name)] = _Producer(
                epoch, seen_ms, deque((_Kept(*kept) for kept in batches), maxlen=_BATCHES_KEPT)
            )
        return states


def _last_sequence(batch: Batch) -> int:
    """Give the sequence number of the last record: after 2^31-1 comes 0."""
    return (batch.base_sequence + batch.last_offset_delta) % _SEQUENCES
