"""References: where a schema's imports are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.registry.jsons import as_int, as_list, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.registry.jsons import JsonValue


@dataclass(frozen=True, slots=True)
class Reference:
    """One import: its path as the schema writes it, and the subject and version that hold it (-1: the newest)."""

    name: str
    subject: str
    version: int

    @classmethod
    def from_json(cls, value: JsonValue) -> Reference:
        """Read a reference from its JSON object; RegistryError 400 for wrong types."""
        fields = as_object(value, "references")
        return cls(
            name=as_text(fields.get("name"), "references.name"),
            subject=as_text(fields.get("subject"), "references.subject"),
            version=as_int(fields.get("version"), "references.version"),
        )

    def to_json(self) -> dict[str, object]:
        """Give the JSON object."""
        return {"name": self.name, "subject": self.subject, "version": self.version}


def read_references(value: JsonValue) -> tuple[Reference, ...]:
    """Read a list of references; null stands for none."""
    return tuple(Reference.from_json(item) for item in as_list(value, "references"))


def normal_references(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """Give references sorted and each once, as `normalize=true` has them: by subject, then version, then name.

    Texts are compared by UTF-16 code units, as in Java, so that content hashes agree.
    """
    return tuple(sorted(dict.fromkeys(references), key=_place))


def _place(reference: Reference) -> tuple[bytes, int, bytes]:
    subject, name = (text.encode("utf-16-be", "surrogatepass") for text in (reference.subject, reference.name))
    return subject, reference.version, name
