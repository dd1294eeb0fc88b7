"""Doing the steps of a plan, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient
    from protopact.rollout.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done: the version that holds the schema now, and its id where one was given."""

    step: Step
    version: int
    id: int | None = None


def apply_steps(client: SchemaRegistryClient, plan: Plan) -> Iterator[Done]:
    """Do the steps, and give each when it is done; a step without change is given as well.

    The first error that a registry answers ends it: what was given by then is done and stays. The plan must have no
    findings.
    """
    versions: dict[str, int] = {}
    for step in plan.steps:
        assert not step.is_finding
        if step.config is not None:
            client.set_config(step.config, step.wanted.subject)
        done = _registered(client, step, versions) if step.registers else Done(step, step.version or 0)
        versions[step.wanted.subject] = done.version
        yield done


def _registered(client: SchemaRegistryClient, step: Step, versions: dict[str, int]) -> Done:
    wanted = step.wanted
    references = wanted.references(versions)
    found = client.register(wanted.subject, wanted.text, references=references)
    version = found.version
    if version is None:  # registries before 7.5 answer with the id alone
        version = client.lookup(wanted.subject, wanted.text, references=references).version
    if version is None:
        raise RegistryError(f"the registry does not say which version of {wanted.subject!r} holds the schema")
    return Done(step, version, found.id)
