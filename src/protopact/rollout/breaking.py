"""What breaks between two states of the same files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compat import check
from protopact.descriptor import FileSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from protopact.compat import Difference, Level, Policy, Report


@dataclass(frozen=True, slots=True)
class Finding:
    """One change that breaks: the file, what it was compared with, the difference, and who is the reader that breaks.

    `description` is the whole sentence.
    """

    file: str
    against: str
    difference: Difference
    description: str


def compare_trees(
    new: Mapping[str, FileSet], old: Mapping[str, FileSet], against: str, level: Level, policy: Policy
) -> Iterator[Finding]:
    """Compare each file with what it was, by import path; a file that is gone counts as empty, a new one as good."""
    for name, before in old.items():
        after = new.get(name) or _emptied(before)
        yield from findings_of(name, [against], check(after, [before], level, policy=policy))


def findings_of(file: str, against: list[str], report: Report) -> Iterator[Finding]:
    """Give the refused differences of a report; `against` are the words for each version of its history."""
    for version in report.versions:
        place = against[version.index]
        for one in version.forward:
            if one.incompatible:
                yield Finding(file, place, one, one.description(reader="old", writer="new"))
        for one in (*version.backward, *version.steps):
            if one.incompatible:
                yield Finding(file, place, one, one.description())


def _emptied(file_set: FileSet) -> FileSet:
    root = file_set.root_file
    bare = FileDescriptorProto(name=root.name, package=root.package, syntax=root.syntax)
    if root.HasField("edition"):
        bare.edition = root.edition
    return FileSet.link(root.name, [bare])
