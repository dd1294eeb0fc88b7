from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import pytest

from protopact import connect_registry
from protopact.confluent.schema_registry import (
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
    record_subject_name_strategy,
    reference_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from protopact.confluent.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from protopact.confluent.serialization import (
    ConfigurationError,
    DoubleDeserializer,
    DoubleSerializer,
    IntegerDeserializer,
    IntegerSerializer,
    MessageField,
    SerializationContext,
    SerializationError,
    StringDeserializer,
    StringSerializer,
)
from protopact.errors import ConfigError, RegistryError, SerdeError
from protopact.framing import encode_prefix
from protopact.registry import Rule, RuleSet
from protopact.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (
    'syntax = "proto3"; package p; '
    "message A { string name = 1; message In { int32 n = 1; } } message B { bytes b = 1; }"
)
A = load_schema(TEXT, file_name="p.proto")
A_CLASS: Any = A.message_class
VALUE = SerializationContext("t", MessageField.VALUE)
KEY = SerializationContext("t", MessageField.KEY)


@pytest.fixture
def client() -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": "mock://"}) as client:
        yield client


def test_a_message_is_written_and_read_by_context(client: SchemaRegistryClient) -> None:
    write = ProtobufSerializer(A_CLASS, client, {"use.deprecated.format": False})
    read = ProtobufDeserializer(A_CLASS, {"use.deprecated.format": False}, client)
    message = A_CLASS(name="x")
    for ctx in (VALUE, KEY):
        raw = write(message, ctx)
        assert raw is not None
        assert raw[5:] == b"\x00\x0a\x01x"
        assert read(raw, ctx) == message
        assert type(read(raw, ctx)) is A_CLASS
    assert client.get_subjects() == ["t-key", "t-value"]
    assert write(None, VALUE) is read(None, VALUE) is None


def test_a_context_of_another_library_will_do(client: SchemaRegistryClient) -> None:
    class Field(str, enum.Enum):  # noqa: UP042  (as confluent_kafka's own)
        KEY = "key"

    class Context:
        topic, field, headers = "t", Field.KEY, None

    context: Any = Context()
    ProtobufSerializer(A_CLASS, client)(A_CLASS(), context)
    assert client.get_subjects() == ["t-key"]


def test_a_reader_without_a_registry_reads_its_own_message_alone(client: SchemaRegistryClient) -> None:
    b_class: Any = A.for_message("B").message_class
    inner: Any = A.for_message("A.In").message_class
    raw = ProtobufSerializer(A_CLASS, client)(A_CLASS(name="x"), VALUE)
    nested = ProtobufSerializer(inner, client)(inner(n=7), VALUE)
    assert ProtobufDeserializer(A_CLASS)(raw, VALUE) == A_CLASS(name="x")
    assert ProtobufDeserializer(inner)(nested) == inner(n=7)
    for read in (ProtobufDeserializer(b_class), ProtobufDeserializer(b_class, None, client)):
        for record in (raw, nested):
            with pytest.raises(SerializationError):
                read(record, VALUE)


def test_the_key_table_becomes_options(client: SchemaRegistryClient) -> None:
    moved = load_schema(TEXT.replace("message A", "message New {} message A"), file_name="p.proto", message="A")
    first, latest = (client.client.register("t-value", one).id for one in (A, moved))
    for conf, schema_id, index in (
        ({"auto.register.schemas": True}, first, b"\x00"),
        ({"auto.register.schemas": False}, first, b"\x00"),
        ({"auto.register.schemas": False, "normalize.schemas": True}, first, b"\x00"),
        ({"auto.register.schemas": False, "use.latest.version": True}, latest, b"\x02\x02"),
        ({"use.schema.id": latest}, latest, b"\x02\x02"),
        ({"use.schema.id": first, "auto.register.schemas": False}, first, b"\x00"),
        ({"schema.id.serializer": prefix_schema_id_serializer, "skip.known.types": True}, first, b"\x00"),
        ({"subject.name.strategy": None, "validation.rules.execution": "DISABLED"}, first, b"\x00"),
    ):
        raw = ProtobufSerializer(A_CLASS, client, conf)(A_CLASS(name="x"), VALUE)
        assert raw == b"\x00" + int(schema_id or 0).to_bytes(4, "big") + index + b"\x0a\x01x"
    assert client.get_versions("t-value") == [1, 2]


@pytest.mark.parametrize(
    ("conf", "subject"),
    [
        ({"subject.name.strategy": topic_subject_name_strategy}, "t-value"),
        ({"subject.name.strategy": record_subject_name_strategy}, "p.A"),
        ({"subject.name.strategy": topic_record_subject_name_strategy}, "t-p.A"),
        ({"subject.name.strategy": lambda ctx, name: f"{name}/{ctx.topic}/{ctx.field}"}, "p.A/t/value"),
        ({"subject.name.strategy.type": "topic_record"}, "t-p.A"),
        ({"subject.name.strategy.type": "RECORD", "subject.name.strategy.conf": {}}, "p.A"),
        ({"reference.subject.name.strategy": reference_subject_name_strategy}, "t-value"),
    ],
)
def test_subject_strategies_are_named_or_called_as_confluents_are(
    client: SchemaRegistryClient, conf: dict[str, object], subject: str
) -> None:
    ProtobufSerializer(A_CLASS, client, conf)(A_CLASS(), VALUE)
    assert client.get_subjects() == [subject]


def test_imports_are_named_by_a_function_of_context_and_reference(client: SchemaRegistryClient) -> None:
    schema = load_schema(
        'syntax = "proto3"; import "lib/a.proto"; message M { Lib lib = 1; }',
        imports={"lib/a.proto": 'syntax = "proto3"; message Lib {}'},
        file_name="m.proto",
    )
    conf = {"reference.subject.name.strategy": lambda ctx, reference: f"ref:{reference.name}"}
    ProtobufSerializer(schema.message_class, client, conf)(schema.new_message(), VALUE)
    assert client.get_subjects() == ["ref:lib/a.proto", "t-value"]


def test_a_guid_goes_to_the_contexts_headers_and_is_read_from_them(client: SchemaRegistryClient) -> None:
    write = ProtobufSerializer(A_CLASS, client, {"schema.id.serializer": header_schema_id_serializer})
    kinds: list[Any] = [[], {}]
    for headers in kinds:
        ctx = SerializationContext("t", MessageField.VALUE, headers)
        payload = write(A_CLASS(name="x"), ctx)
        assert payload == b"\x0a\x01x"
        assert len(dict(headers)["__value_schema_id"]) == 18
        for conf in (None, {"schema.id.deserializer": dual_schema_id_deserializer}):
            assert ProtobufDeserializer(A_CLASS, conf, client)(payload, ctx) == A_CLASS(name="x")
        read = ProtobufDeserializer(A_CLASS, {"schema.id.deserializer": prefix_schema_id_deserializer}, client)
        with pytest.raises(SerializationError):
            read(payload, ctx)
    with pytest.raises(SerializationError, match="headers"):
        write(A_CLASS(), VALUE)


@pytest.mark.parametrize(
    ("conf", "key", "hint"),
    [
        ({"auto.register.schema": True}, "auto.register.schema", "auto.register.schemas"),
        ({"use.latest.versions": True}, "use.latest.versions", "use.latest.version"),
        ({"auto.register.schemas": "false"}, "auto.register.schemas", ""),
        ({"use.schema.id": True}, "use.schema.id", ""),
        ({"use.schema.id": "1"}, "use.schema.id", ""),
        ({"use.latest.version": True}, "use.latest.version", "auto.register.schemas"),
        ({"use.latest.with.metadata": []}, "use.latest.with.metadata", ""),
        ({"skip.known.types": False}, "skip.known.types", "leave it out"),
        ({"use.deprecated.format": True}, "use.deprecated.format", "leave it out"),
        ({"validation.rules.execution": "BEFORE_DOMAIN_RULES"}, "validation.rules.execution", "leave it out"),
        ({"subject.name.strategy.type": "ASSOCIATED"}, "subject.name.strategy.type", "TOPIC"),
        ({"subject.name.strategy": "TOPIC"}, "subject.name.strategy", ""),
        ({"schema.id.serializer": print}, "schema.id.serializer", "prefix_schema_id_serializer"),
        ({"reference.subject.name.strategy": 3}, "reference.subject.name.strategy", ""),
    ],
)
def test_a_configuration_that_cannot_be_is_a_value_error_that_names_the_key(
    client: SchemaRegistryClient, conf: dict[str, object], key: str, hint: str
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        ProtobufSerializer(A_CLASS, client, conf)
    assert isinstance(refused.value, ConfigError)
    assert refused.value.option == key
    assert hint in refused.value.hint


def test_a_readers_misspelt_key_is_refused_too(client: SchemaRegistryClient) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ProtobufDeserializer(A_CLASS, {"use.deprecated.formats": False}, client)
    assert refused.value.hint == "did you mean use.deprecated.format?"
    with pytest.raises(ConfigurationError):
        ProtobufDeserializer(A_CLASS, {"schema.id.deserializer": print}, client)
    for options in ({"rule_conf": {"secret": "x"}}, {"rule_registry": object()}):
        with pytest.raises(ConfigurationError, match="rules are not run"):
            ProtobufDeserializer(A_CLASS, None, client, **options)
        with pytest.raises(ConfigurationError, match="rules are not run"):
            ProtobufSerializer(A_CLASS, client, None, **options)


def test_errors_have_confluents_names_and_ours(client: SchemaRegistryClient) -> None:
    write, read = ProtobufSerializer(A_CLASS, client), ProtobufDeserializer(A_CLASS, None, client)
    other: Any = load_schema('syntax = "proto3"; package q; message Q {}', file_name="q.proto").message_class
    with pytest.raises(ValueError, match=r"q\.Q") as wrong:
        write(other(), VALUE)
    assert isinstance(wrong.value, SerializationError | SerdeError)
    with pytest.raises(SerializationError, match="topic"):
        write(A_CLASS())
    for raw in (b"", b"\x00\x00", b"\x05abcdef", b"\x00\x00\x00\x00\x63\x00", b"\x01\x02\x03\x04\x05\x06"):
        with pytest.raises(SerializationError):
            read(raw, VALUE)
    with pytest.raises(SchemaRegistryError) as unknown:
        ProtobufSerializer(A_CLASS, client, {"auto.register.schemas": False})(
            A_CLASS(), SerializationContext("nowhere", MessageField.VALUE)
        )
    assert isinstance(unknown.value, RegistryError)
    assert (unknown.value.http_status_code, unknown.value.error_code) == (404, 40401)
    assert "SR code 40401" in str(unknown.value)


def test_a_reader_that_wants_migrations_is_refused_only_where_there_are_some(client: SchemaRegistryClient) -> None:
    raw = ProtobufSerializer(A_CLASS, client)(A_CLASS(name="x"), VALUE)
    read = ProtobufDeserializer(A_CLASS, {"use.latest.version": True}, client)
    assert read(raw, VALUE) == A_CLASS(name="x")
    moved = load_schema(TEXT.replace("string name = 1;", "string name = 1; int32 n = 2;"), file_name="p.proto")
    rules = RuleSet(migration_rules=(Rule("up", mode="UPGRADE", type="JSONATA", expr="$"),))
    client.client.register("t-value", moved, rule_set=rules)
    fresh = ProtobufDeserializer(A_CLASS, {"use.latest.version": True}, client)
    with pytest.raises(SerializationError, match="migration rules"):
        fresh(raw, VALUE)


@pytest.mark.parametrize("conf", [{}, {"auto.register.schemas": False}, {"use.schema.id": 1}], ids=str)
def test_a_schema_whose_rules_would_encrypt_is_not_written_in_clear(
    client: SchemaRegistryClient, conf: dict[str, object]
) -> None:
    rule = Rule("hide", kind="TRANSFORM", type="ENCRYPT", tags=("PII",))
    client.client.register("t-value", load_schema(TEXT, file_name="p.proto"), rule_set=RuleSet(domain_rules=(rule,)))
    with pytest.raises(SerializationError, match=r"rules for writing \(hide: ENCRYPT\)"):
        ProtobufSerializer(A_CLASS, client, conf)(A_CLASS(name="x"), VALUE)


def test_a_record_whose_schema_has_rules_for_reading_is_refused(client: SchemaRegistryClient) -> None:
    rule = Rule("hide", kind="TRANSFORM", type="ENCRYPT", tags=("PII",))
    client.client.register("t-value", load_schema(TEXT, file_name="p.proto"), rule_set=RuleSet(domain_rules=(rule,)))
    raw = encode_prefix(1, (0,)) + A_CLASS(name="sealed").SerializeToString()
    with pytest.raises(SerializationError, match=r"'t-value' has rules for reading \(hide: ENCRYPT\)") as refused:
        ProtobufDeserializer(A_CLASS, None, client)(raw, VALUE)
    assert "rules='ignore'" in refused.value.hint


def test_the_latest_version_has_its_rules_for_reading_count_where_it_is_asked_for(client: SchemaRegistryClient) -> None:
    raw = ProtobufSerializer(A_CLASS, client)(A_CLASS(name="x"), VALUE)
    adult = Rule("adult", kind="CONDITION", mode="READ", type="CEL", expr="true")
    client.client.register("t-value", load_schema(TEXT, file_name="p.proto"), rule_set=RuleSet(domain_rules=(adult,)))
    assert ProtobufDeserializer(A_CLASS, None, client)(raw, VALUE) == A_CLASS(name="x")
    with pytest.raises(SerializationError, match=r"latest version of 't-value' has rules for reading \(adult: CEL\)"):
        ProtobufDeserializer(A_CLASS, {"use.latest.version": True}, client)(raw, VALUE)


def test_protopacts_own_client_will_do_and_confluents_is_refused_by_name() -> None:
    with connect_registry("memory:") as own:
        assert ProtobufSerializer(A_CLASS, own)(A_CLASS(), VALUE)
    with pytest.raises(ConfigurationError, match="object") as refused:
        ProtobufSerializer(A_CLASS, object())  # type: ignore[arg-type]
    assert "protopact.confluent.schema_registry" in refused.value.hint


# ── plain values ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("write", "read", "value", "raw"),
    [
        (StringSerializer(), StringDeserializer(), "Zoë", b"Zo\xc3\xab"),
        (StringSerializer("latin-1"), StringDeserializer("latin-1"), "Zoë", b"Zo\xeb"),
        (IntegerSerializer(), IntegerDeserializer(), -2, b"\xff\xff\xff\xfe"),
        (DoubleSerializer(), DoubleDeserializer(), 1.5, b"\x3f\xf8" + bytes(6)),
    ],
)
def test_plain_values_are_written_as_kafkas_serializers_do(write: Any, read: Any, value: Any, raw: bytes) -> None:
    assert write(value, VALUE) == write(value) == raw
    assert read(raw, VALUE) == read(raw) == value
    assert write(None) is read(None) is None
    assert write.close() is read.close() is None


@pytest.mark.parametrize(
    ("serde", "value"),
    [
        (StringSerializer("ascii"), "é"),
        (StringDeserializer(), b"\xff"),
        (IntegerSerializer(), 2**31),
        (IntegerSerializer(), "x"),
        (IntegerDeserializer(), b"123"),
        (DoubleSerializer(), "x"),
        (DoubleDeserializer(), b"123"),
    ],
)
def test_what_a_plain_serializer_cannot_take_is_a_serialization_error(serde: Any, value: Any) -> None:
    with pytest.raises(SerializationError):
        serde(value)


# ── the client ───────────────────────────────────────────────────────────────────────────────────


def test_the_client_has_confluents_methods(client: SchemaRegistryClient) -> None:
    schema = Schema('syntax = "proto3"; message M { int32 a = 1; }', "PROTOBUF")
    schema_id = client.register_schema("s", schema)
    registered = client.get_latest_version("s")
    assert (registered.schema_id, registered.version, registered.subject) == (schema_id, 1, "s")
    assert client.lookup_schema("s", schema).version == 1
    assert client.get_schema(schema_id) == client.get_schema_by_guid(registered.guid or "") == registered.schema
    assert client.get_schema_types() == ["PROTOBUF"]
    worse = Schema('syntax = "proto3"; message M { string a = 1; }', "PROTOBUF")
    assert client.test_compatibility("s", schema)
    assert not client.test_compatibility("s", worse)
    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema("s", worse)
    assert refused.value.http_status_code == 409
    assert client.set_compatibility("s", "NONE") == {"compatibility": "NONE"}
    assert client.get_compatibility("s") == "NONE"
    assert client.register_schema_full_response("s", worse).schema_id == schema_id + 1
    assert client.get_versions("s") == [1, 2]
    assert client.delete_version("s", 1) == 1
    assert client.delete_subject("s", permanent=True) == [1, 2]
    assert client.get_subjects() == []
    with pytest.raises(SchemaRegistryError):
        client.get_version("s", 1)
    with pytest.raises(ConfigurationError):
        client.set_compatibility("s")


@pytest.mark.parametrize(
    ("conf", "key"),
    [
        ({}, "url"),
        ({"url": "ftp://x"}, "url"),
        ({"url": 3}, "url"),
        ({"url": "mock://", "basic.auth.user.inf": "a:b"}, "basic.auth.user.inf"),
        ({"url": "mock://", "basic.auth.user.info": "secret"}, "basic.auth.user.info"),
        ({"url": "mock://", "timeout": "5"}, "timeout"),
        ({"url": "mock://", "timeout": True}, "timeout"),
        ({"url": "mock://", "cache.capacity": 0}, "cache_entries_max"),
        ({"url": "mock://", "ssl.key.location": "key.pem"}, "ssl.certificate.location"),
        ({"url": "mock://", "bearer.auth.credentials.source": "OTHER"}, "bearer.auth.credentials.source"),
        ({"url": "mock://", "bearer.auth.credentials.source": "STATIC_TOKEN"}, "bearer.auth.logical.cluster"),
        ({"url": "mock://", "bearer.auth.credentials.source": "CUSTOM"}, "bearer.auth.custom.provider.function"),
        ({"url": "mock://", "bearer.auth.client.secret": 3}, "bearer.auth.client.secret"),
    ],
)
def test_a_clients_configuration_that_cannot_be_is_a_value_error(conf: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        SchemaRegistryClient(conf)
    assert refused.value.option == key
    assert "secret'" not in str(refused.value)


def test_a_clients_keys_become_settings_and_log_in() -> None:
    from protopact.client import BearerToken, OAuthClient
    from protopact.confluent.conf import CLIENT_KEYS, checked
    from protopact.confluent.schema_registry.client import _auth, _settings, _tls
    from protopact.settings import ClientSettings

    def found(**conf: object) -> dict[str, object]:
        return checked({name.replace("_", "."): value for name, value in conf.items()}, CLIENT_KEYS)

    said = found(timeout=3, cache_capacity=5.0, cache_latest_ttl_sec=7, max_retries=1, retries_wait_ms=250)
    assert _settings(said) == ClientSettings(
        timeout_s=3, cache_entries_max=5, latest_ttl_s=7, retries_max=1, retry_delay_s_min=0.25
    )
    assert _settings(found()) == ClientSettings()
    assert _auth(found()) is None
    assert _auth(found(basic_auth_user_info="a:b:c")) == ("a", "b:c")
    bearer: dict[str, Any] = {"bearer_auth_logical_cluster": "lsrc", "bearer_auth_identity_pool_id": ["p", "q"]}
    static = found(bearer_auth_credentials_source="STATIC_TOKEN", bearer_auth_token="t", **bearer)
    assert _auth(static) == BearerToken("t", "lsrc", "p,q")
    oauth = found(
        bearer_auth_credentials_source="OAUTHBEARER",
        bearer_auth_issuer_endpoint_url="https://i/token",
        bearer_auth_client_id="c",
        bearer_auth_client_secret="s",
        bearer_auth_scope="z",
        **bearer,
    )
    assert _auth(oauth) == OAuthClient("https://i/token", "c", "s", "z", logical_cluster="lsrc", identity_pool="p,q")

    def given(config: Any) -> dict[str, str]:
        return {"bearer.auth.token": config["t"], "bearer.auth.logical.cluster": "own"}

    custom = _auth(
        found(
            bearer_auth_credentials_source="CUSTOM",
            bearer_auth_custom_provider_function=given,
            bearer_auth_custom_provider_config={"t": "now"},
        )
    )
    assert isinstance(custom, BearerToken)
    assert not isinstance(custom.token, str)
    assert (custom.token(), custom.logical_cluster) == ("now", "own")
    assert _tls(found()) == _tls(found(ssl_ca_location=True)) == (None, None)
    tls, _ = _tls(found(ssl_ca_location="ca.pem", ssl_certificate_location="c.pem", ssl_key_location="k.pem"))
    assert tls is not None
    assert (tls.ca, tls.certificate, tls.key) == ("ca.pem", "c.pem", "k.pem")
    _, context = _tls(found(ssl_ca_location=False))
    assert context is not None
    assert not context.check_hostname
