"""Frames out of a stream of bytes: four bytes of length, then as many bytes."""

from __future__ import annotations

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

_LENGTH_BYTES = 4
_COPIED_BYTES_MAX = 64 * 1024


class Frames:
    """What came of a connection's bytes so far. Nothing is set aside for bytes that were only announced."""

    def __init__(self, bytes_max: int) -> None:
        """Refuse frames that are larger."""
        self._bytes_max = bytes_max
        self._received = bytearray()

    def receive(self, data: bytes) -> None:
        """Take what the connection brought."""
        self._received += data

    @property
    def begun(self) -> bool:
        """Whether a frame has begun that is not taken yet."""
        return bool(self._received)

    def size(self) -> int | None:
        """Give the length of the next frame as it announces itself, or None before that has come.

        RefusedRequestError when it is negative or larger than allowed.
        """
        if len(self._received) < _LENGTH_BYTES:
            return None
        size = int.from_bytes(self._received[:_LENGTH_BYTES], "big", signed=True)
        if not 0 <= size <= self._bytes_max:
            raise RefusedRequestError(
                f"a request announces {size} bytes; 0 to {self._bytes_max} are allowed",
                error_code=Code.INVALID_REQUEST,
            )
        return size

    def take(self) -> memoryview | None:
        """Give the next frame without its length, to be read only, or None before it has come whole.

        A large frame is given as it was received, and not copied; what has come behind it is.
        """
        size = self.size()
        end = _LENGTH_BYTES + (size or 0)
        if size is None or len(self._received) < end:
            return None
        if size < _COPIED_BYTES_MAX:
            frame = bytes(self._received[_LENGTH_BYTES:end])
            del self._received[:end]
            return memoryview(frame)
        received, self._received = self._received, self._received[end:]
        return memoryview(received).toreadonly()[_LENGTH_BYTES:end]
