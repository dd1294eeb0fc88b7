"""What comes of a command."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """Exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def said(self):  # noqa: ANN201  (whatever the JSON holds)
        return json.loads(self.out)
