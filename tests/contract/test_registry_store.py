"""What every store of the registry keeps to."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from protopact.errors import InvalidSubjectError, StoreError
from protopact.registry import LATEST, Metadata, Reference, Rule, RuleSet, Subject, content_guid
from protopact.server.store import AuditEntry, Content, Link, Store, StoredVersion, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDERS = Subject("orders-value")
OTHER = Subject("orders-value", ".eu")


@pytest.fixture(params=["memory", "sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'registry.db'}"


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with closing(open_store(address)) as opened:
        yield opened


def content(
    text: str, *references: Reference, metadata: Metadata | None = None, rules: RuleSet | None = None
) -> Content:
    guid = content_guid(text, references, metadata, rules)
    return Content(guid, text, text.encode(), references, metadata, rules)


def add(store: Store, subject: Subject, text: str, *references: Reference) -> StoredVersion:
    with store.writing() as ledger:
        return ledger.append(subject, ledger.last_version(subject) + 1, content(text, *references), ts=7)


def test_ids_count_from_one_in_each_context(store: Store) -> None:
    versions = [add(store, ORDERS, "a"), add(store, OTHER, "b"), add(store, ORDERS, "b"), add(store, OTHER, "a")]
    assert [version.schema.id for version in versions] == [1, 1, 2, 2]
    assert (store.last_id("."), store.last_id(".eu"), store.last_id(".none")) == (2, 2, 0)


def test_one_content_has_one_id_in_any_subject_of_a_context(store: Store) -> None:
    first, second = add(store, ORDERS, "a"), add(store, Subject("invoices-value"), "a")
    assert first.schema == second.schema
    assert (first.version, second.version) == (1, 1)


def test_a_schema_comes_back_as_it_was_given(store: Store) -> None:
    rules = RuleSet(domain_rules=(Rule("r", kind="CONDITION", params={"k": "v"}),))
    given = content("a", Reference("m.proto", "m", 3), metadata=Metadata(properties={"owner": "Łódź"}), rules=rules)
    with store.writing() as ledger:
        added = ledger.append(ORDERS, 1, given, ts=123)
    assert added.schema.content == given
    assert (added.ts, added.deleted, added.subject) == (123, False, ORDERS)
    assert store.find_schema(".", 1) == store.find_schema_by_guid(given.guid) == added.schema
    assert store.find_version(ORDERS, 1) == store.find_version(ORDERS, LATEST) == added


def test_empty_metadata_is_not_the_same_as_none(store: Store) -> None:
    with store.writing() as ledger:
        empty = ledger.append(ORDERS, 1, content("a", metadata=Metadata(), rules=RuleSet()), ts=1)
        absent = ledger.append(ORDERS, 2, content("a"), ts=1)
    assert (empty.schema.content.metadata, empty.schema.content.rule_set) == (Metadata(), RuleSet())
    assert (absent.schema.content.metadata, absent.schema.content.rule_set) == (None, None)


@pytest.mark.parametrize("long", [Subject("s" * 1025), Subject("é" * 513), Subject("s", f".{'c' * 1024}")])
def test_a_name_of_more_than_1024_bytes_is_refused_and_a_shorter_one_is_kept(store: Store, long: Subject) -> None:
    with pytest.raises(InvalidSubjectError):
        add(store, long, "a")
    with pytest.raises(InvalidSubjectError), store.writing() as ledger:
        ledger.put_document("config", long, {})
    assert add(store, Subject("é" * 512), "a").schema.id == 1
    assert list(store.subjects(None)) == [Subject("é" * 512)]


def test_what_is_not_there_is_none_or_empty(store: Store) -> None:
    assert store.find_schema(".", 1) is None
    assert store.find_schema_by_guid("no") is None
    assert store.find_version(ORDERS, LATEST) is None
    assert store.find_version(ORDERS, 1) is None
    assert list(store.version_numbers(ORDERS)) == list(store.standing(ORDERS, "a").same_text) == []
    assert list(store.uses(".", 1)) == list(store.referrers(ORDERS, 1)) == list(store.contexts()) == []
    assert list(store.subjects(None)) == []
    assert store.last_version(ORDERS) == 0


def test_versions_of_a_text_come_newest_first(store: Store) -> None:
    one = add(store, ORDERS, "a")
    add(store, ORDERS, "b")
    three = add(store, ORDERS, "a", Reference("m.proto", "m", 1))
    assert list(store.standing(ORDERS, "a").same_text) == [three, one]
    assert list(store.version_numbers(ORDERS)) == [1, 2, 3]


def test_the_standing_of_a_subject_tells_what_its_parts_tell(store: Store) -> None:
    scope = Subject("", ".")
    unknown = store.standing(ORDERS, "a", [ORDERS, scope])
    assert (unknown.latest, unknown.last_version, list(unknown.same_text), dict(unknown.documents)) == (None, 0, [], {})
    for text in ("a", "b", "a", "c"):
        with store.writing() as ledger:
            metadata = Metadata(properties={"n": f"{ledger.last_version(ORDERS)}"})
            ledger.append(ORDERS, ledger.last_version(ORDERS) + 1, content(text, metadata=metadata), ts=7)
    with store.writing() as ledger:
        ledger.put_document("config", scope, {"k": "v"})
        ledger.put_document("mode", OTHER, {"k": "w"})
    for deleted in ((), (4,), (1,), (2, 3)):
        with store.writing() as ledger:
            ledger.soft_delete(ORDERS, deleted)
            inside = ledger.standing(ORDERS, "a", [ORDERS, scope])
        standing = store.standing(ORDERS, "a", [ORDERS, scope])
        assert inside == standing
        assert standing.latest == store.find_version(ORDERS, LATEST)
        assert standing.last_version == store.last_version(ORDERS) == 4
        versions = store.versions(ORDERS, deleted=True)
        assert list(standing.same_text) == [each for each in versions if each.schema.content.text == "a"]
        assert standing.documents == store.documents_at([ORDERS, scope]) == {("config", scope): {"k": "v"}}
    assert store.standing(ORDERS, "a\0b").same_text in ([], ())


def test_subjects_are_found_by_context_and_prefix(store: Store) -> None:
    for name in ("b", "a_1", "a%1", "A", "ä"):
        add(store, Subject(name), name)
    add(store, Subject("a2", ".eu"), "x")
    assert [s.name for s in store.subjects(".")] == ["A", "a%1", "a_1", "b", "ä"]
    assert [s.name for s in store.subjects(".", "a")] == ["a%1", "a_1"]
    assert [s.name for s in store.subjects(".", "a_")] == ["a_1"]
    assert [s.qualified for s in store.subjects(None, "a")] == ["a%1", "a_1", ":.eu:a2"]
    assert list(store.contexts()) == [".", ".eu"]


def test_an_id_tells_its_subjects_and_versions(store: Store) -> None:
    add(store, ORDERS, "other")
    for subject in (ORDERS, Subject("a"), OTHER):
        add(store, subject, "same")
    assert list(store.uses(".", 2)) == [(Subject("a"), 1), (ORDERS, 2)]
    assert list(store.uses(".eu", 1)) == [(OTHER, 1)]


def test_a_version_tells_who_refers_to_it_in_the_context_that_is_meant(store: Store) -> None:
    add(store, Subject("money"), "m1")
    add(store, Subject("money"), "m2")
    add(store, ORDERS, "o", Reference("m.proto", "money", 1), Reference("again.proto", "money", 1))
    add(store, OTHER, "o", Reference("m.proto", ":.:money", 1))
    add(store, OTHER, "p", Reference("m.proto", "money", 1))
    assert list(store.referrers(Subject("money"), 1)) == [1, 3]
    assert list(store.referrers(Subject("money"), 2)) == []
    assert list(store.referrers(Subject("money", ".eu"), 1)) == [2]


def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.writing() as ledger:
            ledger.append(ORDERS, 1, content("a"), ts=1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(store.subjects(None)) == []
    assert add(store, ORDERS, "b").schema.id == 1


def test_a_version_that_exists_is_not_written_again(store: Store) -> None:
    def again() -> None:
        with store.writing() as ledger:
            ledger.append(ORDERS, 1, content("b"), ts=1)

    add(store, ORDERS, "a")
    with pytest.raises(StoreError):
        again()
    assert [v.schema.content.text for v in [store.find_version(ORDERS, 1)] if v] == ["a"]


def test_a_write_in_progress_sees_itself(store: Store) -> None:
    with store.writing() as ledger:
        ledger.append(ORDERS, 1, content("a"), ts=1)
        assert ledger.last_version(ORDERS) == 1
        assert list(ledger.version_numbers(ORDERS)) == [1]


def test_the_audit_log_is_given_newest_first_in_pages(store: Store) -> None:
    assert list(store.audit()) == []
    entries = [AuditEntry(n, "ann", "register", OTHER, {"versions": [n], "by": "\u00e9"}) for n in range(5)]
    for entry in entries:
        with store.writing() as ledger:
            ledger.record(entry)
            assert ledger.audit()[0].ts == entry.ts
    kept = list(store.audit())
    assert [replace(entry, number=0) for entry in kept] == entries[::-1]
    numbers = [entry.number for entry in kept]
    assert numbers == sorted(set(numbers), reverse=True)
    assert numbers[-1] >= 1
    assert list(store.audit(entries_max=2)) == kept[:2]
    assert list(store.audit(before=numbers[1], entries_max=2)) == kept[2:4]


def test_an_audit_entry_goes_with_the_write_that_is_undone(store: Store) -> None:
    with suppress(ZeroDivisionError), store.writing() as ledger:
        ledger.record(AuditEntry(1, "ann", "register", ORDERS, {}))
        raise ZeroDivisionError
    assert list(store.audit()) == []


def test_entries_of_writes_that_wait_for_each_other_are_kept_with_their_own_write_alone(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def write(who: str) -> None:
        with suppress(KeyError), store.writing() as ledger:
            begun.set()
            assert go_on.wait(5)
            ledger.record(AuditEntry(1, who, "register", ORDERS, {}))
            if who == "failing":
                raise KeyError(who)

    with ThreadPoolExecutor() as threads:
        writes = [threads.submit(write, "first")]
        assert begun.wait(5)
        writes += [threads.submit(write, who) for who in ("failing", "second", "failing", "third")]
        time.sleep(0.1)  # for them to queue up, so that they may share a commit
        go_on.set()
        for each in writes:
            each.result()
    assert sorted(entry.who for entry in store.audit()) == ["first", "second", "third"]


def test_an_entry_that_no_text_can_hold_is_refused_and_spoils_no_other(store: Store) -> None:
    for who in ("ann\ud800", "bob"):
        with suppress(StoreError, UnicodeError), store.writing() as ledger:
            ledger.record(AuditEntry(1, who, "register", ORDERS, {}))
    assert [entry.who for entry in store.audit()] == ["bob"]


def test_a_subjects_versions_come_newest_first(store: Store) -> None:
    for text in "abc":
        add(store, ORDERS, text)
    with store.writing() as ledger:
        ledger.soft_delete(ORDERS, [2])
    assert [version.version for version in store.versions(ORDERS)] == [3, 1]
    assert [(version.version, version.deleted) for version in store.versions(ORDERS, deleted=True)] == [
        (3, False),
        (2, True),
        (1, False),
    ]
    assert list(store.versions(OTHER)) == []


def test_a_soft_deleted_version_is_hidden_and_its_schema_is_not(store: Store) -> None:
    for text in "ab":
        add(store, ORDERS, text)
    with store.writing() as ledger:
        ledger.soft_delete(ORDERS, [2])
    assert store.find_version(ORDERS, 2) is None
    assert store.find_version(ORDERS, LATEST) == store.find_version(ORDERS, 1)
    hidden = store.find_version(ORDERS, 2, deleted=True)
    assert hidden is not None
    assert hidden.deleted
    assert store.find_schema(".", 2) == hidden.schema
    assert (list(store.uses(".", 2)), list(store.uses(".", 2, deleted=True))) == ([], [(ORDERS, 2)])
    assert list(store.standing(ORDERS, "b").same_text) == [hidden]
    assert store.last_version(ORDERS) == 2
    assert list(store.subjects(".")) == [ORDERS]


def test_a_removed_version_goes_with_a_schema_that_nothing_holds_any_more(store: Store) -> None:
    add(store, ORDERS, "a")
    add(store, ORDERS, "b")
    add(store, Subject("t"), "a")
    with store.writing() as ledger:
        assert list(ledger.remove(ORDERS, [1, 2])) == [2]
    assert (store.find_schema(".", 2), list(store.subjects(None, deleted=True))) == (None, [Subject("t")])
    assert store.find_schema(".", 1) is not None
    assert store.find_guid(".", 2) == content("b").guid
    assert store.last_version(ORDERS) == 0
    assert add(store, ORDERS, "b").schema.id == 3


def test_references_go_with_the_schema_that_has_them(store: Store) -> None:
    add(store, Subject("money"), "m")
    add(store, ORDERS, "o", Reference("m.proto", "money", 1))
    add(store, ORDERS, "p", Reference("m.proto", "money", 1))
    assert list(store.links_to(Subject("money"))) == [Link(1, ORDERS, 1), Link(1, ORDERS, 2)]
    with store.writing() as ledger:
        ledger.soft_delete(ORDERS, [1])
        assert list(ledger.links_to(Subject("money"))) == [Link(1, ORDERS, 2)]
        assert len(ledger.links_to(Subject("money"), deleted=True)) == 2
        ledger.remove(ORDERS, [1])
        assert list(ledger.links_to(Subject("money"), deleted=True)) == [Link(1, ORDERS, 2)]


def test_an_id_may_be_given_and_the_counter_passes_it(store: Store) -> None:
    with store.writing() as ledger:
        assert ledger.append(ORDERS, 4, content("a"), ts=1, schema_id=9).schema.id == 9
        assert ledger.append(ORDERS, 5, content("a"), ts=1, schema_id=3).schema.id == 3
        assert ledger.append(ORDERS, 6, content("a"), ts=1, schema_id=9).schema.id == 9
    assert list(store.ids_with_guid(content("a").guid)) == [(".", 3), (".", 9)]
    assert store.find_schema_by_guid(content("a").guid) == store.find_schema(".", 3)
    assert add(store, Subject("t"), "a").schema.id == 3
    assert add(store, ORDERS, "b").schema.id == 10


def test_an_id_never_stands_for_another_content(store: Store) -> None:
    def give(text: str) -> int:
        with store.writing() as ledger:
            return ledger.append(ORDERS, ledger.last_version(ORDERS) + 1, content(text), ts=1, schema_id=1).schema.id

    add(store, ORDERS, "a")
    with pytest.raises(StoreError, match="stands for another"):
        give("b")
    with store.writing() as ledger:
        ledger.remove(ORDERS, [1])
    with pytest.raises(StoreError, match="stands for another"):
        give("b")
    assert list(store.version_numbers(ORDERS)) == []
    assert give("a") == 1


def test_a_schema_of_another_type_comes_back_as_it_was_given(store: Store) -> None:
    given = replace(content("{}"), descriptor=b"", schema_type="AVRO")
    with store.writing() as ledger:
        assert ledger.append(ORDERS, 1, given, ts=1).schema.content == given
    found = store.find_schema(".", 1)
    assert found is not None
    assert found.content == given


def test_a_dropped_context_is_not_listed_until_it_is_used_again(store: Store) -> None:
    add(store, OTHER, "a")
    with store.writing() as ledger:
        ledger.remove(OTHER, [1])
        ledger.drop_context(".eu")
    assert list(store.contexts()) == []
    assert store.last_id(".eu") == 1
    assert add(store, OTHER, "b").schema.id == 2
    assert list(store.contexts()) == [".eu"]


def test_documents_are_kept_by_kind_and_scope(store: Store) -> None:
    context, nobody = Subject("", ".eu"), Subject("nobody")
    with store.writing() as ledger:
        ledger.put_document("config", ORDERS, {"a": [1, None, {"\u00e4": "\ud800"}], "n": True})
        ledger.put_document("config", context, {"b": 1})
        ledger.put_document("mode", ORDERS, {"c": 1.5})
        ledger.put_document("mode", ORDERS, {"c": 2})
    assert store.documents_at([ORDERS, context, nobody]) == {
        ("config", ORDERS): {"a": [1, None, {"\u00e4": "\ud800"}], "n": True},
        ("config", context): {"b": 1},
        ("mode", ORDERS): {"c": 2},
    }
    assert [scope for scope, _ in store.documents("config")] == [ORDERS, context]
    assert list(store.documents("none")) == []
    with store.writing() as ledger:
        ledger.drop_document("config", ORDERS)
        ledger.drop_document("config", nobody)
    assert list(store.documents("config")) == [(context, {"b": 1})]


def test_many_threads_leave_dense_versions_and_one_id_per_content(store: Store) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            add(store, ORDERS if number % 2 else Subject(f"s{worker}"), f"text {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert list(store.version_numbers(ORDERS)) == list(range(1, 41))
    assert store.last_id(".") == 10
    texts = {schema.content.text for n in range(1, 11) if (schema := store.find_schema(".", n))}
    assert texts == {f"text {n}" for n in range(10)}


def test_a_closed_store_says_so_and_can_be_closed_again(store: Store) -> None:
    add(store, ORDERS, "a")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.find_schema(".", 1)
    with pytest.raises(StoreError, match="closed"), store.writing():
        pass


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_a_durable_store_remembers_all_when_it_is_opened_again(address: str) -> None:
    with closing(open_store(address)) as store:
        before = [add(store, ORDERS, "a"), add(store, ORDERS, "b"), add(store, OTHER, "b")]
    with closing(open_store(address)) as store:
        assert [store.find_version(v.subject, v.version) for v in before] == before
        assert add(store, ORDERS, "c").schema.id == 3


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_readers_are_not_held_up_by_a_writer(address: str) -> None:
    found: list[object] = []
    with closing(open_store(address)) as store:
        add(store, ORDERS, "a")
        with store.writing() as ledger:
            ledger.append(ORDERS, 2, content("b"), ts=1)
            reader = threading.Thread(target=lambda: found.extend(store.version_numbers(ORDERS)))
            reader.start()
            reader.join(5)
            assert found == [1]
        assert list(store.version_numbers(ORDERS)) == [1, 2]


def test_a_mark_is_another_one_after_every_change(store: Store) -> None:
    marks = [store.mark()]
    for change in (
        lambda ledger: ledger.append(ORDERS, 1, content("a"), ts=1),
        lambda ledger: ledger.soft_delete(ORDERS, [1]),
        lambda ledger: ledger.put_document("config", ORDERS, {"k": "v"}),
        lambda ledger: ledger.remove(ORDERS, [1]),
    ):
        with store.writing() as ledger:
            change(ledger)
        assert list(store.subjects(None, deleted=True)) in ([ORDERS], [])
        marks.append(store.mark())
    assert len(set(marks)) == 5


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_a_mark_tells_what_another_store_on_the_same_place_changed(address: str) -> None:
    with closing(open_store(address)) as one, closing(open_store(address)) as two:
        before = one.mark()
        add(two, ORDERS, "a")
        assert one.mark() != before


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_two_stores_on_one_file_share_ids(address: str) -> None:
    with closing(open_store(address)) as one, closing(open_store(address)) as two:
        ids = [add(store, ORDERS, text).schema.id for store, text in [(one, "a"), (two, "b"), (one, "c"), (two, "a")]]
    assert ids == [1, 2, 3, 1]
