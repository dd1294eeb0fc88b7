"""Under which subject a schema is registered.

Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/ (section "Subject name
strategy"). A record's name is its message's full name, package included.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from protopact.errors import SubjectNameError

NameSubject: TypeAlias = Callable[[str, bool, str], str]
"""An own strategy: called with the topic, whether it is a key, and the message's full name; gives the subject."""


class SubjectNameStrategy(Enum):
    """How a subject is named: for a topic's keys or values, for a message, or for a message within a topic."""

    TOPIC = "topic"
    """`orders-value` and `orders-key`: one type per topic, which is the default."""
    RECORD = "record"
    """`shop.v1.Order`: one line of versions for a message, whatever its topics."""
    TOPIC_RECORD = "topic_record"
    """`orders-shop.v1.Order`: several types in one topic, each with its own line of versions."""


def name_subject(strategy: SubjectNameStrategy | NameSubject, topic: str, *, is_key: bool, message_name: str) -> str:
    """Give the subject; SubjectNameError when the strategy needs a topic and has none, or gives no name."""
    if not isinstance(strategy, SubjectNameStrategy):
        return _by_callable(strategy, topic, is_key=is_key, message_name=message_name)
    if strategy is SubjectNameStrategy.RECORD:
        return message_name
    if not topic:
        raise SubjectNameError(
            f"strategy {strategy.name} names a subject after the topic, and no topic is given", hint="give topic="
        )
    if strategy is SubjectNameStrategy.TOPIC_RECORD:
        return f"{topic}-{message_name}"
    return f"{topic}-key" if is_key else f"{topic}-value"


def _by_callable(strategy: NameSubject, topic: str, *, is_key: bool, message_name: str) -> str:
    try:
        subject: object = strategy(topic, is_key, message_name)
    except Exception as error:
        raise SubjectNameError(
            f"the subject name strategy failed for topic {topic!r}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(subject, str) or not subject:
        raise SubjectNameError(f"the subject name strategy gave {subject!r} for topic {topic!r}, which is no name")
    return subject
