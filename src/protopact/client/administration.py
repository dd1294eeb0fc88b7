"""The work behind the methods that say what holds in a registry: config, modes, contexts, tags; and who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.client import calls, catalog_calls
from protopact.client.session import Job, Session
from protopact.registry import Config, TagDefinition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.flow import Flow
    from protopact.registry import AuditRecord, CatalogTag, ServerId, ServerVersion


class Administration(Session):
    """All the work of a client."""

    # ── config and mode ──────────────────────────────────────────────────────────────────────────

    def get_config(self, subject: str | None, *, default_to_global: bool) -> Job[Config]:
        """Ask for a config."""
        return self.asking(calls.get_config(subject, default_to_global=default_to_global))

    def set_config(self, config: Config, subject: str | None, *, clear: Iterable[str]) -> Job[Config]:
        """Change a config."""
        ask = calls.set_config(config, subject, clear=clear)
        return Job(lambda: self.changing(ask))

    def delete_config(self, subject: str | None) -> Job[Config]:
        """Take a config away."""
        return Job(lambda: self.changing(calls.delete_config(subject)))

    def get_compatibility(self, subject: str | None, *, default_to_global: bool) -> Job[str | None]:
        """Ask for a level."""
        return self._level(self.get_config(subject, default_to_global=default_to_global))

    def set_compatibility(self, level: str, subject: str | None) -> Job[str | None]:
        """Set a level."""
        return self._level(self.set_config(Config(compatibility_level=level), subject, clear=()))

    def delete_compatibility(self, subject: str | None) -> Job[str | None]:
        """Take a config away and give the level that it said."""
        return self._level(self.delete_config(subject))

    def get_mode(self, subject: str | None, *, default_to_global: bool) -> Job[str | None]:
        """Ask for a mode."""
        return self.asking(calls.get_mode(subject, default_to_global=default_to_global))

    def set_mode(self, mode: str, subject: str | None, *, force: bool) -> Job[str | None]:
        """Set a mode."""
        return Job(lambda: self.changing(calls.set_mode(mode, subject, force=force)))

    def delete_mode(self, subject: str | None, *, recursive: bool) -> Job[str | None]:
        """Take a mode away."""
        return Job(lambda: self.changing(calls.delete_mode(subject, recursive=recursive)))

    # ── contexts, the server itself ──────────────────────────────────────────────────────────────

    def get_contexts(self, prefix: str | None, *, offset: int, limit: int | None) -> Job[list[str]]:
        """Ask for the contexts."""
        return self.asking(calls.get_contexts(prefix, offset=offset, limit=limit))

    def delete_context(self, context: str) -> Job[None]:
        """Delete a context."""
        return Job(lambda: self.changing(calls.delete_context(context)))

    def get_server_id(self) -> Job[ServerId]:
        """Ask which registry this is."""
        return self.asking(calls.get_server_id())

    def get_server_version(self) -> Job[ServerVersion]:
        """Ask for the server's version."""
        return self.asking(calls.get_server_version())

    def get_deployment(self) -> Job[tuple[str, ...]]:
        """Ask for the deployment's attributes."""
        return self.asking(calls.get_deployment())

    def get_audit(self, *, before: int | None, limit: int | None) -> Job[list[AuditRecord]]:
        """Ask for the audit log."""
        return self.asking(calls.get_audit(before=before, limit=limit))

    # ── tags ─────────────────────────────────────────────────────────────────────────────────────

    def create_tag(self, tag: TagDefinition) -> Job[TagDefinition]:
        """Define a tag."""
        return self.asking(catalog_calls.create_tag(tag))

    def update_tag(self, tag: TagDefinition) -> Job[TagDefinition]:
        """Define a tag anew."""
        return self.asking(catalog_calls.update_tag(tag))

    def get_tags(self, prefix: str | None) -> Job[list[TagDefinition]]:
        """Ask for the tags that are defined."""
        return self.asking(catalog_calls.get_tags(prefix))

    def get_tag(self, name: str) -> Job[TagDefinition]:
        """Ask for one tag."""
        return self.asking(catalog_calls.get_tag(name))

    def delete_tag(self, name: str) -> Job[None]:
        """Delete a tag."""
        return self.asking(catalog_calls.delete_tag(name))

    def tag_entities(self, tags: Iterable[CatalogTag]) -> Job[list[CatalogTag]]:
        """Put tags on entities."""
        ask = catalog_calls.tag_entities(tags)
        return Job(lambda: self.changing(ask))

    def update_entity_tags(self, tags: Iterable[CatalogTag]) -> Job[list[CatalogTag]]:
        """Change the tags on entities."""
        ask = catalog_calls.update_entity_tags(tags)
        return Job(lambda: self.changing(ask))

    def get_entity_tags(self, entity_type: str, entity_name: str) -> Job[list[CatalogTag]]:
        """Ask for the tags on an entity."""
        return self.asking(catalog_calls.get_entity_tags(entity_type, entity_name))

    def untag_entity(self, entity_type: str, entity_name: str, tag: str) -> Job[None]:
        """Take a tag off an entity."""
        return Job(lambda: self.changing(catalog_calls.untag_entity(entity_type, entity_name, tag)))

    def _level(self, config: Job[Config]) -> Job[str | None]:
        def flow() -> Flow[str | None]:
            return (yield from config.flow()).compatibility_level

        return Job(flow)
