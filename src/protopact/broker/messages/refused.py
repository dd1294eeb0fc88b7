"""Requests of what this broker has not: they are read so far that they can be refused with an error."""

from __future__ import annotations

from dataclasses import dataclass

from protopact.broker.codes import Code


@dataclass(frozen=True, slots=True)
class NewerGroupRequest:
    """Join, or stay in, a group of KIP-848 or a share group."""

    group_id: str


@dataclass(frozen=True, slots=True)
class NewerGroupAnswer:
    """The refusal, with its reason."""

    error_message: str
    error_code: Code = Code.UNSUPPORTED_VERSION
