"""What makes an Arrow array of single values of one type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import pyarrow

Values: TypeAlias = list[Any]
"""Single values of a field; None where it is not set."""


class Fill(NamedTuple):
    """How single values of one type become an array."""

    type: pyarrow.DataType
    array: Callable[[Values], pyarrow.Array]
