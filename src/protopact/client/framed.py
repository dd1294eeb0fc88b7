"""Putting a payload behind its schema id, and reading what stands before one: no registry is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.framing import decode_prefix, encode_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.framing import Prefix


class Framed:
    """The wire format, as far as a client offers it; a part of both clients."""

    @staticmethod
    def encode(schema_id: int, payload: bytes, *, indexes: Sequence[int] = (0,)) -> bytes:
        """Give a record: the prefix with a schema id and message indexes (`[0]`: the first message), and the payload.

        EncodeError for an id or indexes that no schema can have.
        """
        return encode_prefix(schema_id, indexes) + payload

    @staticmethod
    def decode_header(record: bytes | None) -> Prefix:
        """Read a record's prefix: schema id, message indexes, and where the payload begins (`size`).

        FramingError, with the offset, for bytes that carry none.
        """
        return decode_prefix(record)
