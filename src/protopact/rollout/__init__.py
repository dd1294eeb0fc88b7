"""Bringing a directory of `.proto` files into a registry: what is wanted, what is held, and what follows from both.

The way of a rollout: a directory, or a revision of it (`tree`, `revision`) → the subjects that `protopact.toml` names,
with their imports (`project`, `wanted`) → what the registry holds of them (`held`) → the steps (`plan`, which decides
and does nothing) → the steps done (`applying`). `breaking` compares the same files without a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.rollout.applying import Done, apply_steps
    from protopact.rollout.breaking import Finding, compare_trees, findings_of
    from protopact.rollout.fetching import fetch_texts
    from protopact.rollout.held import Held, HeldVersion, fetch_held, fetch_versions, keeps_policies
    from protopact.rollout.plan import Action, Plan, Step, difference_words, make_plan, verdict_on
    from protopact.rollout.project import Project, SubjectRule, load_project
    from protopact.rollout.revision import read_revision
    from protopact.rollout.tree import Tree, read_tree
    from protopact.rollout.wanted import Wanted, wanted_by_path, wanted_schemas

__all__ = [
    "Action",
    "Done",
    "Finding",
    "Held",
    "HeldVersion",
    "Plan",
    "Project",
    "Step",
    "SubjectRule",
    "Tree",
    "Wanted",
    "apply_steps",
    "compare_trees",
    "difference_words",
    "fetch_held",
    "fetch_texts",
    "fetch_versions",
    "findings_of",
    "keeps_policies",
    "load_project",
    "make_plan",
    "read_revision",
    "read_tree",
    "verdict_on",
    "wanted_by_path",
    "wanted_schemas",
]

__getattr__ = door(
    __name__,
    {
        "Action": "plan",
        "Done": "applying",
        "Finding": "breaking",
        "Held": "held",
        "HeldVersion": "held",
        "Plan": "plan",
        "Project": "project",
        "Step": "plan",
        "SubjectRule": "project",
        "Tree": "tree",
        "Wanted": "wanted",
        "apply_steps": "applying",
        "compare_trees": "breaking",
        "difference_words": "plan",
        "fetch_held": "held",
        "fetch_texts": "fetching",
        "fetch_versions": "held",
        "findings_of": "breaking",
        "keeps_policies": "held",
        "load_project": "project",
        "make_plan": "plan",
        "read_revision": "revision",
        "read_tree": "tree",
        "verdict_on": "plan",
        "wanted_by_path": "wanted",
        "wanted_schemas": "wanted",
    },
)
