"""What makes an Arrow array of single values of one type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

Values: TypeAlias = list[Any]
"""Single values of a field; None where it is not set."""


class Fill(NamedTuple):
    """How single values of one type become an array."""

    type: pa.DataType
    array: Callable[[Values], pa.Array]
