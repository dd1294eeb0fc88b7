"""What is decided, over states that no store is needed for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protopact.errors import InvalidSchemaError
from protopact.registry import LATEST, Metadata, Reference, Rule, RuleSet, SchemaRequest, Subject
from protopact.server.decisions.deciding import Addition, History, decide, find_equal
from protopact.server.decisions.draft import Draft
from protopact.server.store import StoredSchema, StoredVersion

DRAFT = Draft("text", b"")
REQUEST = SchemaRequest("text")
NONE = History(latest=None, last_version=0, same_text=())
OWNED = Metadata(properties={"owner": "me"})
RULES = RuleSet(domain_rules=(Rule("r"),))
REFERENCES = (Reference("m.proto", "m", 1),)


def kept(draft: Draft, version: int = 1) -> StoredVersion:
    return StoredVersion(Subject("s"), version, StoredSchema(".", 10 + version, draft.content(), 0), 0)


def history(*versions: StoredVersion, last: int | None = None) -> History:
    same = tuple(v for v in reversed(versions) if v.schema.content.text == DRAFT.text)
    newest = versions[-1]
    return History(latest=newest, last_version=last or newest.version, same_text=same)


def numbered(version: int, metadata: Metadata | None = None) -> Metadata:
    properties = {} if metadata is None else metadata.properties
    return Metadata(properties={**properties, "confluent:version": str(version)})


def test_the_first_schema_is_version_one() -> None:
    assert decide(DRAFT, NONE, REQUEST) == Addition(1, DRAFT.content())


def test_numbers_go_on_after_soft_deleted_versions() -> None:
    assert decide(DRAFT, History(None, 4, ()), REQUEST) == Addition(5, DRAFT.content())


def test_a_content_that_is_kept_is_not_added_again() -> None:
    version = kept(DRAFT)
    assert decide(DRAFT, history(version), REQUEST) is version
    assert decide(DRAFT, history(version), replace(REQUEST, version=LATEST)) is version


def test_metadata_and_rules_of_the_newest_version_are_inherited() -> None:
    other = kept(replace(DRAFT, text="other", metadata=OWNED, rule_set=RULES))
    expected = replace(DRAFT, metadata=OWNED, rule_set=RULES)
    assert decide(DRAFT, history(other), REQUEST) == Addition(2, expected.content())
    own = replace(DRAFT, metadata=Metadata(), rule_set=RuleSet())
    assert decide(own, history(other), REQUEST) == Addition(2, own.content())


def test_a_wanted_version_is_written_into_the_metadata_and_carried_on() -> None:
    wanted = decide(DRAFT, NONE, replace(REQUEST, version=1))
    assert wanted == Addition(1, replace(DRAFT, metadata=numbered(1)).content())
    other = kept(replace(DRAFT, text="other", metadata=numbered(1, OWNED)))
    assert decide(DRAFT, history(other), REQUEST) == Addition(2, replace(DRAFT, metadata=numbered(2, OWNED)).content())


@pytest.mark.parametrize("version", [1, 3, 2**31 - 1])
def test_a_wanted_version_that_is_not_the_next_is_refused(version: int) -> None:
    other = kept(replace(DRAFT, text="other"))
    with pytest.raises(InvalidSchemaError, match="Version is not one more than previous version"):
        decide(DRAFT, history(other), replace(REQUEST, version=version))


@pytest.mark.parametrize(
    ("sent", "stored", "is_equal"),
    [
        (DRAFT, DRAFT, True),
        (DRAFT, replace(DRAFT, references=REFERENCES), True),
        (replace(DRAFT, references=REFERENCES), DRAFT, False),
        (replace(DRAFT, references=REFERENCES), replace(DRAFT, references=REFERENCES), True),
        (DRAFT, replace(DRAFT, metadata=numbered(1)), True),
        (replace(DRAFT, metadata=numbered(7)), DRAFT, True),
        (replace(DRAFT, metadata=OWNED), replace(DRAFT, metadata=numbered(1, OWNED)), True),
        (DRAFT, replace(DRAFT, metadata=OWNED), True),
        (replace(DRAFT, metadata=OWNED), DRAFT, False),
        (replace(DRAFT, metadata=Metadata(properties={"owner": "you"})), replace(DRAFT, metadata=OWNED), False),
        (DRAFT, replace(DRAFT, rule_set=RULES), True),
        (replace(DRAFT, rule_set=RULES), DRAFT, False),
    ],
)
def test_what_counts_as_the_same_schema(sent: Draft, stored: Draft, is_equal: bool) -> None:  # noqa: FBT001
    version = kept(stored)
    assert find_equal(sent, history(version)) == (version if is_equal else None)


def test_the_newest_of_equal_versions_is_found() -> None:
    versions = [kept(replace(DRAFT, metadata=numbered(n)), n) for n in (1, 2)]
    assert find_equal(DRAFT, history(*versions)) is versions[1]
