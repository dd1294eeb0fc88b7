"""Which message a topic's bare records hold: a mapping from patterns of topics to messages."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, WrongTypeError
from protopact.serdes.options import schema_and_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

    from protopact.schema import ProtoSchema


class TopicMessages:
    """The messages of topics, by patterns as of file names (`orders-*`, `*`): a topic's own name wins, then the first.

    A message is a class, a schema, or a model. ConfigError for what is none of these.
    """

    def __init__(self, topics: Mapping[str, type | ProtoSchema]) -> None:
        self._exact: dict[str, type[Message]] = {}
        self._patterns: list[tuple[re.Pattern[str], type[Message]]] = []
        for pattern, given in topics.items():
            try:
                schema, _ = schema_and_model(given)
            except ConfigError as error:
                raise ConfigError(f"topics: {pattern!r}: {error}", option="topics", hint=error.hint) from None
            self._exact[pattern] = schema.message_class
            self._patterns.append((re.compile(translate(pattern)), schema.message_class))

    def message_of(self, topic: str | None) -> type[Message]:
        """Give the class of a topic's messages; WrongTypeError when no pattern is the topic's."""
        found = self._exact.get(topic or "")
        if found is None:
            found = next((cls for pattern, cls in self._patterns if pattern.match(topic or "")), None)
        if found is None:
            raise WrongTypeError(
                f"no pattern of topics= is that of topic {topic!r}" if topic else "a bare record needs its topic",
                hint="a record without a frame says nothing of its type: name its topic, or give into= alone",
            )
        return found
