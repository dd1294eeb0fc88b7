"""The command line: one file per command, put together in `main`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.cli.main import main as main

__all__ = ["main"]

__getattr__ = door(__name__, {"main": "main"})
