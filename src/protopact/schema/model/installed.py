"""Whether pydantic is here, asked before any file of this room imports it."""

from __future__ import annotations

from protopact.errors import MissingExtraError

_NEEDED = (2, 11)  # the first that validates by the fields' names whatever aliases a model has


def require_pydantic() -> None:
    """Do nothing where a pydantic is installed that this room can use; else raise MissingExtraError."""
    try:
        import pydantic
    except ImportError as error:
        raise _missing("none is installed") from error
    if tuple(int(part) for part in pydantic.VERSION.split(".")[:2]) < _NEEDED:
        raise _missing(f"{pydantic.VERSION} is installed")


def _missing(found: str) -> MissingExtraError:
    needed = ".".join(map(str, _NEEDED))
    return MissingExtraError(
        f"models as schemas need pydantic {needed} or newer, and {found}",
        option="extra",
        hint="install 'protopact[pydantic]'",
    )
