"""The configuration keys of confluent_kafka's registry client and Protobuf serializers, in one table.

Source: confluent-kafka 2.16, the classes SchemaRegistryClient, ProtobufSerializer and ProtobufDeserializer. A key that
stands for something that is not done here can only be left out, or have its default: nothing is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.confluent.serialization import ConfigurationError
from protopact.errors import ConfigError
from protopact.serdes import refuse_unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its default, the types of its value, and what it becomes.

    With `only`, the one value that can be had besides None.
    """

    default: object
    types: tuple[type, ...]
    becomes: str
    only: object = None


_TEXT, _FLAG, _NUMBER = (str,), (bool,), (int, float)
_ANY = (object,)

CLIENT_KEYS: Mapping[str, Key] = {
    "url": Key(None, _TEXT, "the address, or several with commas between"),
    "basic.auth.user.info": Key(None, _TEXT, "`auth`: user and password"),
    "ssl.ca.location": Key(None, (str, bool), "`Tls.ca`; False trusts everyone"),
    "ssl.certificate.location": Key(None, _TEXT, "`Tls.certificate`"),
    "ssl.key.location": Key(None, _TEXT, "`Tls.key`"),
    "ssl.key.password": Key(None, _TEXT, "`Tls.key_password`"),
    "timeout": Key(None, _NUMBER, "`timeout_s`, 10 where nothing is said"),
    "cache.capacity": Key(None, _NUMBER, "`ClientSettings.cache_entries_max`"),
    "cache.latest.ttl.sec": Key(None, _NUMBER, "`ClientSettings.latest_ttl_s`, 60 where nothing is said"),
    "max.retries": Key(None, _NUMBER, "`ClientSettings.retries_max`"),
    "retries.wait.ms": Key(None, _NUMBER, "`ClientSettings.retry_delay_s_min`"),
    "retries.max.wait.ms": Key(None, _NUMBER, "`ClientSettings.retry_delay_s_max`"),
    "bearer.auth.credentials.source": Key(None, _TEXT, "`OAUTHBEARER`, `STATIC_TOKEN` or `CUSTOM`"),
    "bearer.auth.token": Key(None, _TEXT, "`BearerToken.token`"),
    "bearer.auth.client.id": Key(None, _TEXT, "`OAuthClient.client_id`"),
    "bearer.auth.client.secret": Key(None, _TEXT, "`OAuthClient.client_secret`"),
    "bearer.auth.scope": Key(None, _TEXT, "`OAuthClient.scope`"),
    "bearer.auth.issuer.endpoint.url": Key(None, _TEXT, "`OAuthClient.token_url`"),
    "bearer.auth.custom.provider.function": Key(None, _ANY, "`BearerToken.token`, called with the next"),
    "bearer.auth.custom.provider.config": Key(None, (dict,), "what that function is called with"),
    "bearer.auth.logical.cluster": Key(None, _TEXT, "`logical_cluster`"),
    "bearer.auth.identity.pool.id": Key(None, (str, list), "`identity_pool`"),
}
"""What a client is configured by."""

_SUBJECT_KEYS: Mapping[str, Key] = {
    "subject.name.strategy.type": Key(None, _TEXT, "`subject_name_strategy`: `TOPIC`, `RECORD` or `TOPIC_RECORD`"),
    "subject.name.strategy": Key(None, _ANY, "`subject_name_strategy`: a function of context and message name"),
    "subject.name.strategy.conf": Key(None, (dict,), "nothing: the strategies above have none", only={}),
    "use.deprecated.format": Key(False, _FLAG, "nothing: the old format is written nowhere", only=False),
}

SERIALIZER_KEYS: Mapping[str, Key] = {
    "auto.register.schemas": Key(True, _FLAG, "`auto_register`"),
    "normalize.schemas": Key(False, _FLAG, "`normalize`"),
    "use.schema.id": Key(None, (int,), "`use_schema_id`"),
    "use.latest.version": Key(False, _FLAG, "`use_latest_version`"),
    "use.latest.with.metadata": Key(None, (dict,), "`use_latest_with_metadata`"),
    "reference.subject.name.strategy": Key(None, _ANY, "`reference_subject_name_strategy`"),
    "schema.id.serializer": Key(None, _ANY, "`framing`: by the functions of these names"),
    "skip.known.types": Key(True, _FLAG, "nothing: built-in files are registered nowhere", only=True),
    "validation.rules.execution": Key("DISABLED", _TEXT, "nothing: rules are not run", only="DISABLED"),
    "validation.rules.fail.fast": Key(False, _FLAG, "nothing: rules are not run"),
    "validation.rules.executor": Key(None, (), "nothing: rules are not run"),
    **_SUBJECT_KEYS,
}
"""What a ProtobufSerializer is configured by."""

DESERIALIZER_KEYS: Mapping[str, Key] = {
    "use.latest.version": Key(False, _FLAG, "a check that the latest version has no rules for reading or migration"),
    "use.latest.with.metadata": Key(None, (dict,), "the same check, on the latest version with these properties"),
    "schema.id.deserializer": Key(None, _ANY, "whether headers are looked at: by the functions of these names"),
    **_SUBJECT_KEYS,
}
"""What a ProtobufDeserializer is configured by."""


def checked(conf: Mapping[str, object] | None, keys: Mapping[str, Key]) -> dict[str, object]:
    """Give the configuration with all defaults; ConfigurationError for unknown keys and values that cannot be."""
    given = dict(conf or {})
    try:
        refuse_unknown(given, keys)
    except ConfigError as error:
        raise ConfigurationError(str(error), option=error.option, hint=error.hint) from None
    for name, value in given.items():
        _check(name, value, keys[name])
    return {name: key.default for name, key in keys.items()} | given


def _check(name: str, value: object, key: Key) -> None:
    if value is None and key.default is None:
        return
    is_flag_for_number = isinstance(value, bool) and bool not in key.types and object not in key.types
    if not isinstance(value, key.types) or is_flag_for_number:
        wanted = " or ".join(kind.__name__ for kind in key.types) or "None"
        raise ConfigurationError(f"{name} is {_shown(name, value)}, not {wanted}", option=name)
    if key.only is not None and value != key.only:
        raise ConfigurationError(
            f"{name} is {value!r}, which cannot be had", option=name, hint=f"leave it out: it becomes {key.becomes}"
        )


def _shown(name: str, value: object) -> str:
    is_secret = any(part in name for part in ("secret", "password", "token", "user.info"))
    return type(value).__name__ if is_secret else repr(value)
