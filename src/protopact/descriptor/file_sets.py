"""File sets: a root file with every file that it needs, in an order in which they can be linked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError

from protopact.descriptor.canonical import canonical_bytes, check_sound
from protopact.descriptor.well_known import built_in_file, is_built_in, is_runtime_file
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, eq=False)
class FileSet:
    """A root file and all files that it imports, directly or not, built-in ones included.

    Made by `link` or `from_bytes`. `files` stand dependencies first and the root last; treat them as immutable: they
    are shared. Two file sets are equal when their fingerprints are.
    """

    root: str
    files: tuple[descriptor_pb2.FileDescriptorProto, ...] = field(repr=False)
    _fingerprint: list[str] = field(default_factory=list, init=False, repr=False)
    pinned: list[object] = field(default_factory=list, init=False, repr=False)
    """What lives as long as this file set: the pool that was made for it."""

    @classmethod
    def link(cls, root: str, files: Iterable[descriptor_pb2.FileDescriptorProto]) -> FileSet:
        """Order `files`, drop what `root` does not need and add the built-in imports.

        A file of `google/protobuf/` that the runtime defines always comes from the runtime, unless it is the root.
        `SchemaLinkError` for a missing import, an import cycle, two different files of one name, or a descriptor with
        texts that are not UTF-8.
        """
        by_name = _by_name(files)
        return cls(root, tuple(_Linking(root, by_name).ordered()))

    @classmethod
    def from_bytes(cls, root: str, data: bytes) -> FileSet:
        """Link a serialized `FileDescriptorSet`. `SchemaLinkError` when the bytes are none, or as `link` says."""
        try:
            files = descriptor_pb2.FileDescriptorSet.FromString(data).file
        except DecodeError as error:
            raise SchemaLinkError(f"the bytes given for {root} are not a FileDescriptorSet: {error}") from error
        return cls.link(root, files)

    def to_bytes(self) -> bytes:
        """Give all files as a serialized `FileDescriptorSet`, in the order of `files`."""
        return descriptor_pb2.FileDescriptorSet(file=self.files).SerializeToString(deterministic=True)

    def file(self, name: str) -> descriptor_pb2.FileDescriptorProto:
        """Give the file of this name; `SchemaLinkError` when the set has none."""
        for file in self.files:
            if file.name == name:
                return file
        raise SchemaLinkError(f"{self.root} does not import {name}")

    @property
    def root_file(self) -> descriptor_pb2.FileDescriptorProto:
        """The root file."""
        return self.files[-1]

    def subset(self, root: str) -> FileSet:
        """Give the file set of one of the files; `SchemaLinkError` when the set has none of this name."""
        self.file(root)
        return FileSet.link(root, self.files)

    def imports(self) -> tuple[str, ...]:
        """Give the root's direct imports in the order written, without the built-in ones."""
        root = self.root_file
        return tuple(name for name in (*root.dependency, *root.option_dependency) if not is_built_in(name))

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the canonical form of all files; computed once."""
        if not self._fingerprint:
            self._fingerprint.append(_fingerprint(self.files))
        return self._fingerprint[0]

    def says_the_same_as(self, other: FileSet) -> bool:
        """Whether two sets differ at most in the name of their root, which a registry does not keep."""
        return self == other or _nameless(self).fingerprint == _nameless(other).fingerprint

    def __eq__(self, other: object) -> bool:
        """Compare by fingerprint."""
        if not isinstance(other, FileSet):
            return NotImplemented
        return self is other or self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Hash the fingerprint."""
        return hash(self.fingerprint)


def _nameless(file_set: FileSet) -> FileSet:
    """Give the set with a root that has no name; it is to be compared, not to be compiled against."""
    root = descriptor_pb2.FileDescriptorProto()
    root.CopyFrom(file_set.root_file)
    root.ClearField("name")
    return FileSet("", (*(file for file in file_set.files if file.name != file_set.root), root))


def _fingerprint(files: Iterable[descriptor_pb2.FileDescriptorProto]) -> str:
    digest = sha256()
    for file in sorted(files, key=lambda file: file.name):
        data = _built_in_bytes(file.name) if _comes_from_us(file) else canonical_bytes(file)
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def _comes_from_us(file: descriptor_pb2.FileDescriptorProto) -> bool:
    return is_built_in(file.name) and file is built_in_file(file.name)


@cache
def _built_in_bytes(name: str) -> bytes:
    return canonical_bytes(built_in_file(name))


def _by_name(
    files: Iterable[descriptor_pb2.FileDescriptorProto],
) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    by_name: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for file in files:
        check_sound(file)
        known = by_name.setdefault(file.name, file)
        if known is not file and known != file and canonical_bytes(known) != canonical_bytes(file):
            raise SchemaLinkError(f"two different files are named {file.name}")
    return by_name


class _Linking:
    """One walk from the root through its imports, without recursion: a chain of imports may be long."""

    def __init__(self, root: str, by_name: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
        self._root = root
        self._by_name = by_name

    def ordered(self) -> Iterable[descriptor_pb2.FileDescriptorProto]:
        """Give the files, dependencies before dependents."""
        if self._root not in self._by_name and not is_built_in(self._root):
            raise SchemaLinkError(f"the root file {self._root} is not among the files given")
        done: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        path = [self._root]
        waiting = {self._root: iter(self._needed(self._root))}
        while path:
            name = path[-1]
            needed = next(waiting[name], None)
            if needed is None:
                path.pop()
                done[name] = self._find(name)
            elif needed in waiting:
                if needed not in done:
                    raise SchemaLinkError(f"imports form a cycle: {' → '.join([*path[path.index(needed) :], needed])}")
            else:
                self._require(needed, name)
                path.append(needed)
                waiting[needed] = iter(self._needed(needed))
        return done.values()

    def _needed(self, name: str) -> list[str]:
        file = self._find(name)
        # Imports for options alone may have been left out by whoever made the set: the file links without them.
        optional = [option for option in file.option_dependency if option in self._by_name or is_built_in(option)]
        return [*file.dependency, *optional]

    def _require(self, name: str, importer: str) -> None:
        if name not in self._by_name and not is_built_in(name):
            raise SchemaLinkError(
                f"{importer} imports {name}, which is missing", hint=f"give {name} as a reference or a source"
            )

    def _find(self, name: str) -> descriptor_pb2.FileDescriptorProto:
        if is_runtime_file(name) and (name != self._root or name not in self._by_name):
            return built_in_file(name)
        return self._by_name.get(name) or built_in_file(name)
