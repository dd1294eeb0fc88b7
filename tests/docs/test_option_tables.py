"""The tables of options in the docs are those of the code: the same names, the same defaults."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from protopact.confluent import conf
from protopact.serdes import Deserializer, ReadKeywords, Serializer
from protopact.settings import SERDE_VARIABLES, SerdeSettings

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"\| `([^`]+)` \| (`[^`]*`|none) \| (.+) \|")


def table(page: str, mark: str) -> dict[str, tuple[str, str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    rows = text.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0].splitlines()[2:]
    matches = [ROW.fullmatch(row) for row in rows]
    assert matches
    assert all(matches), rows
    return {match[1]: (match[2].strip("`"), match[3]) for match in matches if match}


def defaults(kind: type) -> dict[str, str]:
    return {
        name: str(value) if not isinstance(value, str) else repr(value)
        for name, value in (kind.__init__.__kwdefaults__ or {}).items()
    }


def test_a_serializers_options() -> None:
    assert {name: default for name, (default, _) in table("serializers.md", "options: Serializer").items()} == defaults(
        Serializer
    )


def test_a_deserializers_options() -> None:
    found = table("serializers.md", "options: Deserializer")
    assert set(found) == {"into", *ReadKeywords.__annotations__}
    assert found["into"][0] == str((Deserializer.__init__.__kwdefaults__ or {})["into"])


def test_the_settings() -> None:
    found = {name: default for name, (default, _) in table("serializers.md", "options: SerdeSettings").items()}
    assert found == {field.name: str(field.default) for field in fields(SerdeSettings)}


def test_the_environment_variables() -> None:
    text = (DOCS / "serializers.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"\| `(PROTOBUF_\w+)` \| `(\w+)` \|", text)) == SERDE_VARIABLES


@pytest.mark.parametrize("name", ["CLIENT_KEYS", "SERIALIZER_KEYS", "DESERIALIZER_KEYS"])
def test_the_keys_of_the_drop_in_door(name: str) -> None:
    found = table("moving-from-confluent-kafka.md", f"keys: {name}")
    assert found == {key: (str(one.default), one.becomes) for key, one in getattr(conf, name).items()}
