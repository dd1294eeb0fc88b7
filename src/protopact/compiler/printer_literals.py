"""Literals of `.proto` text: quoted strings and bytes, numbers."""

from __future__ import annotations

import math
from struct import pack, unpack

# Confluent's canonical text escapes these, the single quote among them.
_ESCAPES = {
    0x07: "\\a",
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0B: "\\v",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x27: "\\'",
    0x5C: "\\\\",
}
_ASCII = {code: f"\\{code:03o}" for code in (*range(0x20), 0x7F)} | _ESCAPES
_BYTES = {code: chr(code) for code in range(0x80)} | {code: f"\\{code:03o}" for code in range(0x80, 0x100)} | _ASCII
_FLOAT32_DIGITS = range(6, 10)


def quoted(text: str | bytes) -> str:
    """Give a string literal; what is not ASCII stays as it is, and what is not even UTF-8 comes as bytes."""
    if isinstance(text, bytes):
        return quoted_bytes(text)
    return f'"{text.translate(_ASCII)}"'


def quoted_bytes(data: bytes) -> str:
    """Give a bytes literal in ASCII."""
    return f'"{"".join(map(_BYTES.__getitem__, data))}"'


def double_literal(value: float) -> str:
    """Give the shortest literal that reads back as the same 64-bit float."""
    if math.isnan(value):
        return "nan"
    return repr(value)


def float_literal(value: float) -> str:
    """Give the shortest literal that reads back as the same 32-bit float."""
    if not math.isfinite(value):
        return double_literal(value)
    for digits in _FLOAT32_DIGITS:
        text = f"{value:.{digits}g}"
        if _as_float32(float(text)) == value:
            break
    return double_literal(float(text))


def _as_float32(value: float) -> float:
    try:
        (rounded,) = unpack("<f", pack("<f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(rounded)
