"""confluent_kafka's registry client: its configuration, its methods, over protopact's."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from protopact.client import BearerToken, OAuthClient, Tls
from protopact.confluent.conf import CLIENT_KEYS, checked
from protopact.confluent.schema_registry.error import translating
from protopact.confluent.schema_registry.schemas import RegisteredSchema, Schema, SchemaReference
from protopact.confluent.serialization import ConfigurationError
from protopact.connect import connect_registry
from protopact.errors import ConfigError
from protopact.registry import LATEST, Reference, SchemaRequest
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from protopact.client import Auth
    from protopact.registry import RegisteredSchema as OurSchema

_SETTINGS: Mapping[str, tuple[str, float]] = {
    "cache.capacity": ("cache_entries_max", 1),
    "cache.latest.ttl.sec": ("latest_ttl_s", 1),
    "max.retries": ("retries_max", 1),
    "retries.wait.ms": ("retry_delay_s_min", 0.001),
    "retries.max.wait.ms": ("retry_delay_s_max", 0.001),
    "timeout": ("timeout_s", 1),
}
_WHOLE = {"cache_entries_max", "retries_max"}


class SchemaRegistryClient:
    """A client of a registry, configured by a dict as confluent_kafka's is; the keys are those of `CLIENT_KEYS`.

    `client` is protopact's own. `memory:`, `sqlite:PATH` and `mock://` are registries inside this process. Every method
    raises SchemaRegistryError for a refusal, TransportError when no server answered in time; ConfigurationError, a
    ValueError, for keys that are unknown.
    """

    def __init__(self, conf: Mapping[str, object]) -> None:
        found = checked(conf, CLIENT_KEYS)
        url = cast("str | None", found["url"])
        if not url:
            raise ConfigurationError("url is missing", option="url")
        tls, context = _tls(found)
        try:
            self.client = connect_registry(
                "memory:" if url.startswith("mock://") else url,
                auth=_auth(found),
                settings=_settings(found),
                ssl_context=context,
                tls=tls,
            )
        except ConfigError as error:
            raise ConfigurationError(str(error), option=error.option, hint=error.hint) from error

    @staticmethod
    def new_client(conf: Mapping[str, object]) -> SchemaRegistryClient:
        """Give a client."""
        return SchemaRegistryClient(conf)

    # ── schemas ──────────────────────────────────────────────────────────────────────────────────

    def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema and give its id."""
        found = self.register_schema_full_response(subject_name, schema, normalize_schemas)
        return cast("int", found.schema_id)

    def register_schema_full_response(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
    ) -> RegisteredSchema:
        """Register a schema and give all that the registry says of it."""
        with translating():
            found = self.client.register(subject_name, _request(schema), normalize=normalize_schemas)
        return _registered(found, subject_name, schema)

    def lookup_schema(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
        fmt: str | None = None,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """Give the version of a subject that holds exactly this schema."""
        del fmt
        with translating():
            found = self.client.lookup(subject_name, _request(schema), normalize=normalize_schemas, deleted=deleted)
        return _registered(found, subject_name, schema)

    def get_schema(
        self,
        schema_id: int,
        subject_name: str | None = None,
        fmt: str | None = None,
        reference_format: str | None = None,
    ) -> Schema:
        """Give the schema of an id."""
        del reference_format
        with translating():
            return _schema(self.client.get_schema_by_id(schema_id, subject=subject_name, text_format=fmt))

    def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """Give the schema of a GUID."""
        with translating():
            return _schema(self.client.get_schema_by_guid(guid, text_format=fmt))

    def get_schema_types(self) -> list[str]:
        """Give the schema types that the registry keeps."""
        with translating():
            return self.client.get_types()

    # ── subjects and versions ────────────────────────────────────────────────────────────────────

    def get_subjects(self) -> list[str]:
        """Give the subjects."""
        with translating():
            return self.client.get_subjects()

    def get_versions(self, subject_name: str) -> list[int]:
        """Give a subject's versions."""
        with translating():
            return self.client.get_versions(subject_name)

    def get_version(
        self,
        subject_name: str,
        version: int | str = "latest",
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """Give one version of a subject."""
        with translating():
            found = self.client.get_version(subject_name, version, deleted=deleted, text_format=fmt)
        return _registered(found, subject_name, None)

    def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """Give the latest version of a subject."""
        return self.get_version(subject_name, "latest", fmt=fmt)

    def get_latest_with_metadata(
        self,
        subject_name: str,
        metadata: dict[str, str],
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """Give the latest version of a subject with these properties."""
        del fmt
        with translating():
            found = self.client.get_latest_with_metadata(subject_name, metadata, deleted=deleted)
        return _registered(found, subject_name, None)

    def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete a subject, for good after a soft delete where `permanent` says so, and give its versions."""
        with translating():
            if permanent:
                # confluent_kafka deletes softly first too.
                return self.client.delete_subject_permanent(subject_name)
            return self.client.delete_subject(subject_name)

    def delete_version(self, subject_name: str, version: int, permanent: bool = False) -> int:
        """Delete one version of a subject and give its number."""
        with translating():
            deleted = self.client.delete_version(subject_name, version)
            return self.client.delete_version(subject_name, version, permanent=True) if permanent else deleted

    # ── compatibility ────────────────────────────────────────────────────────────────────────────

    def test_compatibility(self, subject_name: str, schema: Schema, version: int | str = "latest") -> bool:
        """Say whether a schema could be registered."""
        with translating():
            return self.client.test_compatibility(subject_name, _request(schema), version=version).is_compatible

    def get_compatibility(self, subject_name: str | None = None) -> str | None:
        """Give the level of a subject, or of the registry."""
        with translating():
            return self.client.get_compatibility(subject_name)

    def set_compatibility(self, subject_name: str | None = None, level: str | None = None) -> dict[str, str | None]:
        """Set the level of a subject, or of the registry."""
        if level is None:
            raise ConfigurationError("level is missing", option="level")
        with translating():
            return {"compatibility": self.client.set_compatibility(level, subject_name)}

    # ── the client itself ────────────────────────────────────────────────────────────────────────

    def clear_caches(self) -> None:
        """Forget what the registry said."""
        self.client.session.forget()

    def clear_latest_caches(self) -> None:
        """Forget which versions are the latest."""
        self.client.session.latest.clear()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()


def _request(schema: Schema) -> SchemaRequest:
    references = tuple(Reference(one.name or "", one.subject or "", one.version or LATEST) for one in schema.references)
    return SchemaRequest(schema.schema_str or "", schema_type=schema.schema_type or "AVRO", references=references)


def _schema(found: OurSchema) -> Schema:
    references = [SchemaReference(one.name, one.subject, one.version) for one in found.references]
    return Schema(found.schema, found.schema_type, references)


def _registered(found: OurSchema, subject: str, asked: Schema | None) -> RegisteredSchema:
    schema = _schema(found) if found.schema or asked is None else asked
    return RegisteredSchema(found.subject or subject, found.version, found.id, found.guid, schema)


# ── configuration ────────────────────────────────────────────────────────────────────────────────


def _settings(found: Mapping[str, object]) -> ClientSettings:
    said: dict[str, Any] = {}
    for key, (name, factor) in _SETTINGS.items():
        value = cast("float | None", found[key])
        if value is not None:
            said[name] = int(value) if name in _WHOLE else value * factor
    return ClientSettings(**said)


def _tls(found: Mapping[str, object]) -> tuple[Tls | None, ssl.SSLContext | None]:
    ca, certificate = found["ssl.ca.location"], found["ssl.certificate.location"]
    key, password = found["ssl.key.location"], found["ssl.key.password"]
    if (key is not None or password is not None) and certificate is None:
        raise ConfigurationError(
            "ssl.key.location and ssl.key.password need ssl.certificate.location", option="ssl.certificate.location"
        )
    if ca is True:
        ca = None
    if ca is None and certificate is None:
        return None, None
    if ca is False or (isinstance(ca, str) and Path(ca).is_dir()):
        context = ssl.create_default_context(capath=ca or None)
        if ca is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if isinstance(certificate, str):
            context.load_cert_chain(certificate, cast("str | None", key), cast("str | None", password) or "")
        return None, context
    texts = (cast("str | None", one) for one in (ca, certificate, key, password))
    return Tls(*texts), None


def _auth(found: Mapping[str, object]) -> Auth | None:
    user_info, source = cast("str | None", found["basic.auth.user.info"]), found["bearer.auth.credentials.source"]
    if user_info is not None:
        user, colon, password = user_info.partition(":")
        if not colon:
            raise ConfigurationError("basic.auth.user.info is user:password", option="basic.auth.user.info")
        return user, password
    if source is None:
        return None
    make = _SOURCES.get(cast("str", source))
    if make is None:
        raise ConfigurationError(
            f"bearer.auth.credentials.source is {source!r}",
            option="bearer.auth.credentials.source",
            hint=f"use one of {', '.join(_SOURCES)}",
        )
    pools = found["bearer.auth.identity.pool.id"]
    pool = ",".join(pools) if isinstance(pools, list) else cast("str | None", pools)
    return make(found, pool)


def _oauth(found: Mapping[str, object], pool: str | None) -> Auth:
    return OAuthClient(
        _said(found, "bearer.auth.issuer.endpoint.url"),
        _said(found, "bearer.auth.client.id"),
        _said(found, "bearer.auth.client.secret"),
        scope=_said(found, "bearer.auth.scope"),
        logical_cluster=_said(found, "bearer.auth.logical.cluster"),
        identity_pool=pool,
    )


def _static(found: Mapping[str, object], pool: str | None) -> Auth:
    cluster = _said(found, "bearer.auth.logical.cluster")
    return BearerToken(_said(found, "bearer.auth.token"), cluster, pool)


def _custom(found: Mapping[str, object], pool: str | None) -> Auth:
    """Take the token from a function; the other fields as they are when the client is made."""
    call = cast("Callable[[object], Mapping[str, str]] | None", found["bearer.auth.custom.provider.function"])
    if not callable(call):
        raise ConfigurationError(
            "bearer.auth.custom.provider.function is no function", option="bearer.auth.custom.provider.function"
        )
    argument = found["bearer.auth.custom.provider.config"]
    first = call(argument)
    try:
        cluster, token = first["bearer.auth.logical.cluster"], first["bearer.auth.token"]
    except KeyError as error:
        raise ConfigurationError(
            f"the function gives no {error.args[0]}", option="bearer.auth.custom.provider.function"
        ) from None
    del token
    return BearerToken(
        lambda: call(argument)["bearer.auth.token"], cluster, first.get("bearer.auth.identity.pool.id", pool)
    )


_SOURCES: Mapping[str, Callable[[Mapping[str, object], str | None], Auth]] = {
    "OAUTHBEARER": _oauth,
    "STATIC_TOKEN": _static,
    "CUSTOM": _custom,
}


def _said(found: Mapping[str, object], key: str) -> str:
    value = found[key]
    if not isinstance(value, str):
        raise ConfigurationError(f"{key} is missing", option=key)
    return value
