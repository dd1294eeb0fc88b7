"""Lets the fault tests share the table of bombs, and run the services that the live tests run."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "live" / "services")]
