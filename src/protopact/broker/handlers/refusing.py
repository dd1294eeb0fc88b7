"""Answers that refuse a whole request with one error, for the faults that tests ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protopact.broker.codes import Code


def refused_answer(request: object, code: Code) -> object:
    """Give the answer that refuses everything in a request with `code`."""
    raise NotImplementedError
