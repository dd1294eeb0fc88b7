"""Under which subject a schema is registered, and under which the files that it imports.

Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/ (sections "Subject name
strategy" and "Reference subject name strategy"). A record's name is its message's full name, package included.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from protopact.errors import SubjectNameError

NameSubject: TypeAlias = Callable[[str, bool, str], str]
"""An own strategy: called with the topic, whether it is a key, and the message's full name; gives the subject."""

NameImport: TypeAlias = Callable[[str], str]
"""An own strategy for imports: called with the import path; gives the subject."""


class SubjectNameStrategy(Enum):
    """How a subject is named: for a topic's keys or values, for a message, or for a message within a topic."""

    TOPIC = "topic"
    """`orders-value` and `orders-key`: one type per topic, which is the default."""
    RECORD = "record"
    """`shop.v1.Order`: one line of versions for a message, whatever its topics."""
    TOPIC_RECORD = "topic_record"
    """`orders-shop.v1.Order`: several types in one topic, each with its own line of versions."""


class ReferenceSubjectNameStrategy(Enum):
    """How the subject of an import is named."""

    DEFAULT = "default"
    """`shop/v1/money.proto`: the import path as it stands."""
    QUALIFIED = "qualified"
    """`shop.v1.money`: the import path with dots for slashes and without its ending."""


def name_subject(strategy: SubjectNameStrategy | NameSubject, topic: str, *, is_key: bool, message_name: str) -> str:
    """Give the subject; SubjectNameError when the strategy needs a topic and has none, or gives no name."""
    if not isinstance(strategy, SubjectNameStrategy):
        return _called(lambda: strategy(topic, is_key, message_name), f"topic {topic!r}")
    if strategy is SubjectNameStrategy.RECORD:
        return message_name
    if not topic:
        raise SubjectNameError(
            f"strategy {strategy.name} names a subject after the topic, and no topic is given", hint="give topic="
        )
    if strategy is SubjectNameStrategy.TOPIC_RECORD:
        return f"{topic}-{message_name}"
    return f"{topic}-key" if is_key else f"{topic}-value"


def import_namer(strategy: ReferenceSubjectNameStrategy | NameImport) -> NameImport | None:
    """Give the function that names an import's subject; None where it is the import path itself."""
    if strategy is ReferenceSubjectNameStrategy.DEFAULT:
        return None
    if strategy is ReferenceSubjectNameStrategy.QUALIFIED:
        return _qualified
    own: NameImport = strategy

    def name(path: str) -> str:
        return _called(lambda: own(path), f"the import {path!r}")

    return name


def _qualified(path: str) -> str:
    return path.removesuffix(".proto").replace("/", ".")


def _called(strategy: Callable[[], str], what: str) -> str:
    try:
        subject: object = strategy()
    except Exception as error:
        raise SubjectNameError(
            f"the subject name strategy failed for {what}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(subject, str) or not subject:
        raise SubjectNameError(f"the subject name strategy gave {subject!r} for {what}, which is no name")
    return subject
