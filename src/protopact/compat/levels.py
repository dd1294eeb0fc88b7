"""The seven compatibility levels: who must be able to read whose records, and how far back."""

from __future__ import annotations

from enum import Enum, StrEnum

from protopact.errors import ConfigError


class Direction(Enum):
    """Who reads: the candidate what history wrote, or history what the candidate writes."""

    BACKWARD = "backward"
    FORWARD = "forward"


class Level(StrEnum):
    """A compatibility level of a registry."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"

    @classmethod
    def parse(cls, text: str) -> Level:
        """Give the level of a name, in any case; ConfigError for any other."""
        try:
            return cls(text.upper())
        except ValueError:
            raise ConfigError(
                f"{text!r} is no compatibility level", option="level", hint=f"one of {', '.join(cls)}"
            ) from None

    @property
    def transitive(self) -> bool:
        """Whether every version counts, not the newest alone."""
        return self.endswith("_TRANSITIVE")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Who must read whom, in the order in which it is checked."""
        return _DIRECTIONS[self.removesuffix("_TRANSITIVE")]


_DIRECTIONS = {
    "NONE": (),
    "BACKWARD": (Direction.BACKWARD,),
    "FORWARD": (Direction.FORWARD,),
    "FULL": (Direction.BACKWARD, Direction.FORWARD),
}
