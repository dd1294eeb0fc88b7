"""Which names a topic may have. Source: Kafka's `org.apache.kafka.common.internals.Topic`, by its behaviour."""

from __future__ import annotations

import re

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

NAME_LENGTH_MAX = 249
_NAME = re.compile(r"[a-zA-Z0-9._-]+")


def check_topic_name(name: str) -> None:
    """Refuse with INVALID_TOPIC_EXCEPTION a name that Kafka would not take."""
    if name in {"", ".", ".."} or len(name) > NAME_LENGTH_MAX or not _NAME.fullmatch(name):
        raise RefusedRequestError(
            f"{name[:NAME_LENGTH_MAX]!r} cannot be a topic's name: that has 1 to {NAME_LENGTH_MAX} letters, digits,"
            " full stops, underscores or hyphens, and is neither '.' nor '..'",
            error_code=Code.INVALID_TOPIC_EXCEPTION,
        )
