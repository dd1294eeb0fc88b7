"""The headers of a record, in the forms that Kafka clients have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from protopact.errors import EncodeError, FramingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Headers: TypeAlias = "list[tuple[str, bytes]] | dict[str, bytes]"
"""A record's headers, as they are written: pairs, or a dict."""

AnyHeaders: TypeAlias = "Sequence[tuple[str, object]] | Mapping[str, object]"
"""A record's headers, as they are read."""


def check_headers(headers: object) -> Headers:
    """Give the headers; EncodeError for what no header can be put into."""
    if not isinstance(headers, list | dict):
        raise EncodeError(
            "framing='guid' puts the schema's GUID into the record's headers, and none are given to put it into",
            hint="give headers= a list or a dict, and send it with the record",
        )
    return cast("Headers", headers)


def put_header(headers: Headers, name: str, value: bytes) -> None:
    """Set a header; one of the same name, as of a record that is passed on, gives way."""
    if isinstance(headers, dict):
        headers[name] = value
        return
    headers[:] = [pair for pair in headers if pair[0] != name]
    headers.append((name, value))


def find_header(headers: AnyHeaders, name: str) -> bytes | None:
    """Give a header's value, the first of several; FramingError when it is no bytes."""
    if hasattr(headers, "items"):
        value = cast("Mapping[str, object]", headers).get(name)
    else:
        value = next((pair[1] for pair in headers if pair[0] == name), None)
    if value is None:
        return None
    if not isinstance(value, bytes | bytearray | memoryview):
        raise FramingError(f"the header {name} is {type(value).__name__}, not bytes", offset=0)
    return bytes(value)
