"""Whatever is registered and deleted in whatever order: nothing comes back, and no id ever changes its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from protopact.server import Registry, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.compiler import Workers

SUBJECTS = ("a", "b", ":.eu:a")
TEXTS = tuple(f'syntax = "proto3";\n\nmessage M{n} {{}}\n' for n in range(4))
IMPORTING = 'syntax = "proto3";\n\nimport "i.proto";\n\nmessage I {}\n'

subjects = st.sampled_from(SUBJECTS)
texts = st.sampled_from(TEXTS)
numbers = st.integers(1, 4)


@dataclass
class Version:
    """What the model knows of a version."""

    text: str
    id: int
    target: tuple[str, int] | None = None
    deleted: bool = False


@dataclass
class Model:
    """What a registry is to remember: versions by subject and number, and what each id ever stood for."""

    kept: dict[str, dict[int, Version]] = field(default_factory=lambda: {subject: {} for subject in SUBJECTS})
    meanings: dict[tuple[str, int], str] = field(default_factory=dict)

    def live(self, subject: str) -> list[int]:
        return sorted(number for number, version in self.kept[subject].items() if not version.deleted)

    def referrers(self, subject: str, number: int, *, deleted: bool) -> list[str]:
        return [
            referrer
            for referrer, versions in self.kept.items()
            for version in versions.values()
            if version.target == (subject, number) and (deleted or not version.deleted)
        ]


def context_of(subject: str) -> str:
    return ".eu" if subject.startswith(":") else "."


class Registering(RuleBasedStateMachine):
    """Calls a registry and a model side by side."""

    opener: Callable[[], Registry]
    asker: Callable[[Registry], Any]

    @initialize()
    def open(self) -> None:
        self.model = Model()
        self.registry = self.opener()
        self.ask = self.asker(self.registry)
        self.ask.put("/config/:.__GLOBAL:", {"compatibility": "NONE"})

    def teardown(self) -> None:
        self.registry.close()

    @rule(subject=subjects, text=texts)
    def register(self, subject: str, text: str) -> None:
        self.note(subject, self.ask.register(subject, text), text, None)

    @rule(subject=subjects, imported=subjects, number=numbers)
    def register_with_an_import(self, subject: str, imported: str, number: int) -> None:
        where = imported if ":" in imported else f":.:{imported}"
        answer = self.ask.register(subject, IMPORTING, ("i.proto", where, number))
        there = self.model.kept[imported].get(number)
        if there is None or there.deleted or there.text == IMPORTING:  # which would import itself
            assert answer["error_code"] == 42201
        else:
            self.note(subject, answer, IMPORTING, (imported, number))

    def note(self, subject: str, answer: Any, text: str, target: tuple[str, int] | None) -> None:
        versions = self.model.kept[subject]
        same = [n for n, v in versions.items() if (v.text, v.target) == (text, target) and not v.deleted]
        meaning = f"{text} {target}"
        place = (context_of(subject), answer["id"])
        if same:
            assert answer["version"] in same
            assert versions[answer["version"]].id == answer["id"]
            return
        assert answer["version"] == max(versions, default=0) + 1
        assert self.model.meanings.setdefault(place, meaning) == meaning
        for number, version in list(versions.items()):
            is_same = (version.text, version.target) == (text, target)
            if is_same and not self.model.referrers(subject, number, deleted=True):
                del versions[number]
        versions[answer["version"]] = Version(text, answer["id"], target)

    @rule(subject=subjects, number=numbers)
    def hide_version(self, subject: str, number: int) -> None:
        answer = self.ask.delete(f"/subjects/{subject}/versions/{number}")
        version = self.model.kept[subject].get(number)
        if version is None:
            assert answer["error_code"] == (40402 if self.model.kept[subject] else 40401)
        elif version.deleted:
            assert answer["error_code"] == 40406
        elif self.model.referrers(subject, number, deleted=False):
            assert answer["error_code"] == 42206
        else:
            assert answer == number
            version.deleted = True

    @rule(subject=subjects, number=numbers)
    def remove_version(self, subject: str, number: int) -> None:
        answer = self.ask.delete(f"/subjects/{subject}/versions/{number}", permanent="true")
        version = self.model.kept[subject].get(number)
        if version is None:
            assert answer["error_code"] == (40402 if self.model.kept[subject] else 40401)
        elif not version.deleted:
            assert answer["error_code"] == 40407
        elif self.model.referrers(subject, number, deleted=True):
            assert answer["error_code"] == 42206
        else:
            assert answer == number
            del self.model.kept[subject][number]

    @rule(subject=subjects, permanent=st.booleans())
    def delete_subject(self, subject: str, permanent: bool) -> None:  # noqa: FBT001
        answer = self.ask.delete(f"/subjects/{subject}", permanent=str(permanent).lower())
        known, live = self.model.kept[subject], self.model.live(subject)
        referrers = {one for number in known for one in self.model.referrers(subject, number, deleted=permanent)}
        referred = not referrers <= {subject}
        if not known:
            assert answer["error_code"] == 40401
        elif bool(live) is permanent:
            assert answer["error_code"] == (40405 if permanent else 40404)
        elif referred:
            assert answer["error_code"] == 42206
        elif permanent:
            assert answer == sorted(known)
            known.clear()
        else:
            assert answer == live
            for number in live:
                known[number].deleted = True

    @rule()
    def reopen(self) -> None:
        self.registry.close()
        self.registry = self.opener()
        self.ask = self.asker(self.registry)

    @invariant()
    def lists_are_as_the_model_has_them(self) -> None:
        if not hasattr(self, "model"):
            return
        for subject, versions in self.model.kept.items():
            for path_query, expected in ((None, self.model.live(subject)), ("true", sorted(versions))):
                query = {"deleted": path_query} if path_query else {}
                found = self.ask.get(f"/subjects/{subject}/versions", **query)
                assert found == expected or (not expected and found["error_code"] == 40401)

    @invariant()
    def ids_mean_what_they_always_meant(self) -> None:
        if not hasattr(self, "model"):
            return
        held = {(context_of(s), v.id): v.text for s, versions in self.model.kept.items() for v in versions.values()}
        for context, schema_id in self.model.meanings:
            found = self.ask.get(f"/contexts/{context}/schemas/ids/{schema_id}")
            assert found.get("schema") == held.get((context, schema_id))


def test_nothing_comes_back_and_no_id_changes_its_meaning(
    tmp_path: Path, workers: Workers, asker: Callable[[Registry], Any]
) -> None:
    count = iter(range(1_000_000))

    class Machine(Registering):
        @initialize()
        def open(self) -> None:
            path = tmp_path / f"{next(count)}.db"
            self.opener = lambda: Registry(open_store(f"sqlite:{path}"), workers=workers)
            self.asker = asker
            super().open()

    run_state_machine_as_test(Machine, settings=settings(max_examples=30, stateful_step_count=30, deadline=None))
