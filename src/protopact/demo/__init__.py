"""The demo: a few thousand real records through the whole house, read back by another process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.demo.publish import Published as Published, publish_rows as publish_rows
    from protopact.demo.run import run_demo as run_demo
    from protopact.demo.verify import Verified as Verified, verify_topic as verify_topic

__all__ = ["Published", "Verified", "publish_rows", "run_demo", "verify_topic"]

__getattr__ = door(
    __name__,
    {
        "Published": "publish",
        "Verified": "verify",
        "publish_rows": "publish",
        "run_demo": "run",
        "verify_topic": "verify",
    },
)
