"""What a directory says: the schema that each subject is to hold, imports before what imports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.compiler import print_file
from protopact.descriptor import is_built_in, message_names
from protopact.errors import ConfigError, MessageNotFoundError
from protopact.registry import Reference, Subject
from protopact.rollout.tree import read_tree

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from protopact.compat import Level, Policy
    from protopact.compiler import Workers
    from protopact.descriptor import FileSet
    from protopact.rollout.project import Project, SubjectRule


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schema that a subject is to hold. Its level and policy are None where the registry's own count."""

    subject: str
    file_set: FileSet
    level: Level | None = None
    policy: Policy | None = None

    @property
    def file(self) -> str:
        """The import path of its file."""
        return self.file_set.root

    @property
    def text(self) -> str:
        """The canonical text, which is what a registry keeps."""
        return print_file(self.file_set)

    def imports(self) -> dict[str, str]:
        """Give the direct imports that are not built in: import path → subject that holds it.

        An import is held under its own path, in the context of its importer: where serializers look for it too.
        """
        return {name: import_subject(self.subject, name) for name in self.file_set.imports()}

    def references(self, versions: Mapping[str, int]) -> tuple[Reference, ...]:
        """Give the references, by the versions of the subjects that hold the imports."""
        return tuple(Reference(name, name, versions[subject]) for name, subject in self.imports().items())


def import_subject(importer: str, import_path: str) -> str:
    """Give the subject that holds an import of a schema of the subject `importer`."""
    return Subject(import_path, Subject.parse(importer).context).qualified


def wanted_schemas(
    directory: str | os.PathLike[str], project: Project, *, workers: Workers | None = None
) -> tuple[Wanted, ...]:
    """Read and compile what a project names, and give it with all imports, each subject once, imports first.

    MessageNotFoundError for a message that no file, or not the named one, defines; ConfigError for two contents for
    one subject; SchemaLinkError and SchemaSyntaxError for files that cannot be compiled.
    """
    # A message alone may be in any file: then all are compiled.
    names = None if any(rule.file is None for rule in project.rules) else [str(rule.file) for rule in project.rules]
    file_sets = read_tree(directory, names).compile(names, workers=workers)
    found: dict[str, Wanted] = {}
    for rule, file_set in _own_paths_first([(rule, _file_of(rule, file_sets)) for rule in project.rules]):
        for each in _with_imports(rule, file_set, project):
            known = found.setdefault(each.subject, each)
            if known.file != each.file:
                raise ConfigError(
                    f"the subject {each.subject!r} would hold both {known.file} and {each.file}", option="subjects"
                )
    return _in_order(found)


def wanted_by_path(file_sets: Mapping[str, FileSet], project: Project) -> tuple[Wanted, ...]:
    """Give every file as the content of the subject that is called as its path, imports first."""
    found = {name: Wanted(name, file_set, project.level, project.policy) for name, file_set in file_sets.items()}
    return _in_order(found)


def _own_paths_first(homes: Iterable[tuple[SubjectRule, FileSet]]) -> list[tuple[SubjectRule, FileSet]]:
    """Put subjects that are called as their files first: an import that has a rule of its own is held by that one."""
    return sorted(homes, key=lambda home: Subject.parse(home[0].subject).name != home[1].root)


def _with_imports(rule: SubjectRule, file_set: FileSet, project: Project) -> Iterator[Wanted]:
    for file in file_set.files[:-1]:
        if not is_built_in(file.name):
            subject = import_subject(rule.subject, file.name)
            yield Wanted(subject, file_set.subset(file.name), project.level, project.policy)
    yield Wanted(rule.subject, file_set, rule.level, rule.policy)


def _in_order(found: Mapping[str, Wanted]) -> tuple[Wanted, ...]:
    """Sort so that imports come before what imports them, and otherwise by how they were found."""
    ordered: dict[str, Wanted] = {}

    def add(wanted: Wanted) -> None:
        for file in wanted.file_set.files[:-1]:
            imported = found.get(import_subject(wanted.subject, file.name))
            if imported is not None:
                ordered.setdefault(imported.subject, imported)
        ordered.setdefault(wanted.subject, wanted)

    for wanted in found.values():
        add(wanted)
    return tuple(ordered.values())


def _file_of(rule: SubjectRule, file_sets: Mapping[str, FileSet]) -> FileSet:
    if rule.file is not None and rule.file not in file_sets:
        raise ConfigError(f"there is no file {rule.file} for {rule.subject!r} to hold", option="subjects")
    candidates = file_sets if rule.file is None else {rule.file: file_sets[rule.file]}
    homes = [name for name, file_set in candidates.items() if _defines(file_set, rule.message)]
    if not homes:
        where = f"{rule.file} does not define" if rule.file else "no file defines"
        raise MessageNotFoundError(f"{where} the message {rule.message!r} that {rule.subject!r} is to hold")
    if len(homes) > 1:
        raise ConfigError(
            f"the message {rule.message!r} of {rule.subject!r} is defined in {' and '.join(homes)}",
            option="subjects",
            hint="name the file too",
        )
    return file_sets[homes[0]]


def _defines(file_set: FileSet, message: str | None) -> bool:
    names = message_names(file_set.root_file)
    return message is None or any(f".{name}".endswith(f".{message}") for name in names)
