"""Whether a schema may follow others: the verdict of `protopact.compat`, for schemas of every origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.compat import Level, Policy, check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.compat import Report
    from protopact.schema.protocol import ProtoSchema


def check_compatibility(
    candidate: ProtoSchema,
    history: ProtoSchema | Iterable[ProtoSchema],
    level: Level | str = Level.BACKWARD,
    *,
    policy: Policy | str = Policy.CONFLUENT,
) -> Report:
    """Tell whether `candidate` may follow the schemas of `history`: newest first, or one schema alone.

    `level` is one of the seven of a registry, such as `BACKWARD` (the candidate reads the newest one's records),
    `FORWARD`, `FULL`, each with `_TRANSITIVE` for all of history, or `NONE`. `policy` is `confluent` (a registry's
    verdict), `wire` (also what makes binary readers misread), `wire_json` (JSON readers too) or `source` (users of
    generated classes too). The report has `.compatible` and every difference with its path, reason and, for the wire,
    a payload that shows it. Whole files are compared, with their imports. ConfigError for an unknown level or policy.
    """
    earlier = [history] if hasattr(history, "file_set") else history
    return check(candidate.file_set, [schema.file_set for schema in earlier], level, policy=policy)
