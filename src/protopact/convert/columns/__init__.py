"""Messages → Arrow columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.columns.times import TimeUnit
    from protopact.convert.columns.writer import ColumnWriter, check_columns, column_writer

__all__ = [
    "ColumnWriter",
    "TimeUnit",
    "check_columns",
    "column_writer",
]

__getattr__ = door(
    __name__,
    {
        "ColumnWriter": "writer",
        "TimeUnit": "times",
        "check_columns": "writer",
        "column_writer": "writer",
    },
)
