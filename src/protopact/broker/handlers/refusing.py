"""Answers that refuse a whole request with one error, for the faults that tests ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.groups import messages as groups
from protopact.broker.messages import cluster, records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.broker.codes import Code
