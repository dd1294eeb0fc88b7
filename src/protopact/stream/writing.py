"""Writing a stream: messages are taken in batches, so that checks and joining cost next to nothing for each."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from google.protobuf.message import EncodeError as WireEncodeError, Message

from protopact.errors import EncodeError, ProtopactError, WrongTypeError
from protopact.stream.lengths import MESSAGE_BYTES_MAX, format_of
from protopact.stream.opening import target_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from protopact.stream.lengths import Lengths
    from protopact.stream.opening import Compression, Target

_BATCH: Final = 512
_LEADS_READY: Final = 4096


def write_delimited(
    target: Target,
    messages: Iterable[Message],
    *,
    lengths: Lengths = "varint",
    compression: Compression = "infer",
    append: bool = False,
    message_bytes_max: int = MESSAGE_BYTES_MAX,
) -> int:
    """Write messages of one type, each behind its length, and give how many there were.

    `target` is a path, an open binary file or a pipe; what came open is left open. `append` adds to a file. For errors
    see DelimitedWriter.
    """
    with DelimitedWriter(
        target, lengths=lengths, compression=compression, append=append, message_bytes_max=message_bytes_max
    ) as writer:
        return writer.write_many(messages)


class DelimitedWriter:
    """A stream that is open for writing; a context manager, which closes what it has opened.

        with DelimitedWriter("orders.binpb") as orders:
            orders.write(order)

    All messages are of the first one's type: WrongTypeError for another. EncodeError for a message that lacks required
    fields or is larger than `message_bytes_max`: nothing is written that a reader would refuse. Up to some hundred
    messages of `write_many` are taken before they are written; when one of them is refused, those before it have
    been written. ConfigError for options that are not known, OSError when the target cannot be opened or written.
    """

    def __init__(
        self,
        target: Target,
        *,
        lengths: Lengths = "varint",
        compression: Compression = "infer",
        append: bool = False,
        message_bytes_max: int = MESSAGE_BYTES_MAX,
    ) -> None:
        """Open the target; a file that exists is replaced unless `append` says to add to it."""
        lead = format_of(lengths).lead
        self._lead = lead
        self._leads = _leads(lead)
        self._longest = message_bytes_max
        self._classes: set[type] = set()
        self._payload_of: Callable[[Message], bytes] = Message.SerializeToString
        self._name = ""
        self._written = 0
        self._closing = ExitStack()
        self._write = self._closing.enter_context(target_writer(target, compression, append=append))

    def write(self, message: Message) -> None:
        """Write one message."""
        self._write_batch([message])

    def write_many(self, messages: Iterable[Message]) -> int:
        """Write messages and give how many there were."""
        count, remaining = 0, iter(messages)
        while batch := list(islice(remaining, _BATCH)):
            self._write_batch(batch)
            count += len(batch)
        return count

    def close(self) -> None:
        """Write what is left, and close what was opened here."""
        self._closing.close()

    def __enter__(self) -> Self:
        """Give the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _write_batch(self, batch: list[Message]) -> None:
        payloads, refusal = self._encoded(batch)
        self._write(self._joined(payloads))
        self._written += len(payloads)
        if refusal is not None:
            raise refusal

    def _joined(self, payloads: list[bytes]) -> bytes:
        """Put each payload behind its length."""
        sizes = list(map(len, payloads))
        ready = max(sizes, default=0) < _LEADS_READY
        pieces = [b""] * (2 * len(payloads))
        pieces[0::2] = map(self._leads.__getitem__ if ready else self._lead, sizes)
        pieces[1::2] = payloads
        return b"".join(pieces)

    def _encoded(self, batch: list[Message]) -> tuple[list[bytes], ProtopactError | None]:
        """Give the payloads of a batch; where one is refused, those before it and why."""
        if not self._classes:
            with suppress(WrongTypeError):  # told below, with its place
                self._admit(batch[0], "")
        if self._classes.issuperset(map(type, batch)):
            try:
                payloads = list(map(self._payload_of, batch))
            except WireEncodeError:
                return self._encoded_one_by_one(batch)
            if max(map(len, payloads), default=0) <= self._longest:
                return payloads, None
        return self._encoded_one_by_one(batch)

    def _encoded_one_by_one(self, batch: list[Message]) -> tuple[list[bytes], ProtopactError | None]:
        payloads: list[bytes] = []
        for message in batch:
            place = f"message {self._written + len(payloads)} of the stream"
            try:
                self._admit(message, place)
                payload = self._payload_of(message)
            except WireEncodeError as error:
                refusal = EncodeError(f"{place} cannot be written: {error}")
                refusal.__cause__ = error
                return payloads, refusal
            except WrongTypeError as error:
                return payloads, error
            if len(payload) > self._longest:
                return payloads, EncodeError(f"{place} has {len(payload)} bytes, more than the {self._longest} allowed")
            payloads.append(payload)
        return payloads, None

    def _admit(self, message: Message, place: str) -> None:
        """Let another class of the stream's type in: one of another pool, or the very first."""
        name = message.DESCRIPTOR.full_name if isinstance(message, Message) else type(message).__name__
        if not isinstance(message, Message) or name != (self._name or name):
            wanted = self._name or "messages"
            raise WrongTypeError(f"{place} is a {name}, the stream holds {wanted}")
        self._name = name
        self._classes.add(type(message))
        self._payload_of = type(message).SerializeToString  # unbound: a field may be called SerializeToString


@cache
def _leads(lead: Callable[[int], bytes]) -> list[bytes]:
    """Give the written forms of the lengths that most messages have."""
    return [lead(size) for size in range(_LEADS_READY)]
