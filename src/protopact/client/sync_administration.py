"""The methods of the synchronous client that say what holds in a registry: config, modes, contexts, tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from protopact.registry import TagDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.client.administration import Administration
    from protopact.client.session import Job
    from protopact.registry import AuditRecord, CatalogTag, Config, ServerId, ServerVersion

T = TypeVar("T")


class SyncAdministration:
    """Config, modes, contexts and tags; a part of `SchemaRegistryClient`."""

    session: Administration

    def get_config(self, subject: str | None = None, *, default_to_global: bool = False) -> Config:
        """Give the config of a subject, or without one that of the registry.

        A RegistryError with code 40408 for a subject that has none of its own, unless `default_to_global` asks for
        what holds for it.
        """
        return self._do(self.session.get_config(subject, default_to_global=default_to_global))

    def set_config(self, config: Config, subject: str | None = None, *, clear: Iterable[str] = ()) -> Config:
        """Make the config of a subject, or of the registry, say this; the answer is what was understood.

        What is None in `config` stays as it is; `clear` holds the names of fields that are taken away.
        """
        return self._do(self.session.set_config(config, subject, clear=clear))

    def delete_config(self, subject: str | None = None) -> Config:
        """Take a config away and give what it said; SubjectNotFoundError for a subject that has none of its own."""
        return self._do(self.session.delete_config(subject))

    def get_compatibility(self, subject: str | None = None, *, default_to_global: bool = False) -> str | None:
        """Give the compatibility level of a subject, or of the registry; None where the config says none."""
        return self._do(self.session.get_compatibility(subject, default_to_global=default_to_global))

    def set_compatibility(self, level: str, subject: str | None = None) -> str | None:
        """Set the compatibility level, such as `BACKWARD_TRANSITIVE`; a RegistryError with code 42203 for another."""
        return self._do(self.session.set_compatibility(level, subject))

    def delete_compatibility(self, subject: str | None = None) -> str | None:
        """Take a config away, the level with all else, and give the level that it said."""
        return self._do(self.session.delete_compatibility(subject))

    def get_mode(self, subject: str | None = None, *, default_to_global: bool = False) -> str | None:
        """Give the mode of a subject, or of the registry: such as `READWRITE` or `READONLY`.

        A RegistryError with code 40409 for a subject that has none of its own, unless `default_to_global`.
        """
        return self._do(self.session.get_mode(subject, default_to_global=default_to_global))

    def set_mode(self, mode: str, subject: str | None = None, *, force: bool = False) -> str | None:
        """Set the mode; `force` allows `IMPORT` where schemas exist. A RegistryError with code 42204 for no mode."""
        return self._do(self.session.set_mode(mode, subject, force=force))

    def delete_mode(self, subject: str | None = None, *, recursive: bool = False) -> str | None:
        """Take a mode away and give what it was, if one was; `recursive` takes those of a context's subjects too."""
        return self._do(self.session.delete_mode(subject, recursive=recursive))

    def get_contexts(self, prefix: str | None = None, *, offset: int = 0, limit: int | None = None) -> list[str]:
        """Give the registry contexts, `.` first."""
        return self._do(self.session.get_contexts(prefix, offset=offset, limit=limit))

    def delete_context(self, context: str) -> None:
        """Delete an empty context; a RegistryError with code 42211 for one that is not."""
        self._do(self.session.delete_context(context))

    def get_server_id(self) -> ServerId:
        """Give the names of the clusters that the server belongs to."""
        return self._do(self.session.get_server_id())

    def get_server_version(self) -> ServerVersion:
        """Give the server's version."""
        return self._do(self.session.get_server_version())

    def get_deployment(self) -> tuple[str, ...]:
        """Give what the server says of its deployment."""
        return self._do(self.session.get_deployment())

    def get_audit(self, *, before: int | None = None, limit: int | None = None) -> list[AuditRecord]:
        """Give the newest changes that were made to the registry, newest first; protopact's own registry alone.

        `before` asks for those of a lower number, `limit` for how many. The caller must be an admin of everything.
        """
        return self._do(self.session.get_audit(before=before, limit=limit))

    def create_tag(
        self, name: str, *, description: str = "", entity_types: Iterable[str] = ("sr_field",)
    ) -> TagDefinition:
        """Define a tag that entities of these types may carry, such as `sr_record` and `sr_field`."""
        return self._do(self.session.create_tag(TagDefinition(name, description, tuple(entity_types))))

    def update_tag(self, tag: TagDefinition) -> TagDefinition:
        """Define a tag anew."""
        return self._do(self.session.update_tag(tag))

    def get_tags(self, prefix: str | None = None) -> list[TagDefinition]:
        """Give the tags that are defined."""
        return self._do(self.session.get_tags(prefix))

    def get_tag(self, name: str) -> TagDefinition:
        """Give one definition; a RegistryError of status 404 for an unknown tag."""
        return self._do(self.session.get_tag(name))

    def delete_tag(self, name: str) -> None:
        """Delete a definition."""
        self._do(self.session.delete_tag(name))

    def tag_entities(self, tags: Iterable[CatalogTag]) -> list[CatalogTag]:
        """Put tags on entities; RegistryError for the first that is refused."""
        return self._do(self.session.tag_entities(tags))

    def update_entity_tags(self, tags: Iterable[CatalogTag]) -> list[CatalogTag]:
        """Change the attributes of tags on entities."""
        return self._do(self.session.update_entity_tags(tags))

    def get_entity_tags(self, entity_type: str, entity_name: str) -> list[CatalogTag]:
        """Give the tags on an entity, named by its type and its qualified name."""
        return self._do(self.session.get_entity_tags(entity_type, entity_name))

    def untag_entity(self, entity_type: str, entity_name: str, tag: str) -> None:
        """Take a tag off an entity."""
        self._do(self.session.untag_entity(entity_type, entity_name, tag))

    def _do(self, job: Job[T]) -> T:
        raise NotImplementedError
