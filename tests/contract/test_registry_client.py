"""One contract for every way to a registry: both clients, in process and over HTTP, kept in memory and in a file."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.connect import connect_registry, connect_registry_async
from protopact.descriptor import canonical_file, message_class
from protopact.errors import (
    IncompatibleSchemaError,
    InvalidSchemaError,
    InvalidSubjectError,
    InvalidVersionError,
    OperationNotPermittedError,
    RegistryError,
    SchemaNotFoundError,
    SubjectNotFoundError,
    TransportError,
    VersionNotFoundError,
)
from protopact.registry import (
    CatalogTag,
    Config,
    ContextId,
    EntityTags,
    Metadata,
    Reference,
    Rule,
    RuleSet,
    SchemaRequest,
    SubjectVersion,
    TagDefinition,
    content_guid,
)
from protopact.schema import load_schema
from protopact.server import background_registry
from protopact.server.surface.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from protopact.client import SchemaRegistryClient

MONEY = 'syntax = "proto3";\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
MONEY_2 = 'syntax = "proto3";\npackage m;\n\nmessage Money {\n  int64 units = 1;\n  string currency = 2;\n}\n'
ITEM = 'syntax = "proto3"; package m; import "money.proto"; message Item { string sku = 1; Money price = 2; }'
ORDER = """
syntax = "proto3";
package m;
import "google/protobuf/timestamp.proto";
import "money.proto";
import "shop/item.proto";
message Order {
  message Line { Item item = 1; }
  repeated Line lines = 1;
  map<string, Money> totals = 2;
  oneof who { string person = 3; string firm = 4; }
  google.protobuf.Timestamp at = 5;
  Kind kind = 6;
}
enum Kind { NONE = 0; RUSH = 1; }
"""
BROKEN = MONEY.replace("int64 units", "string units")
SOURCES = {"money.proto": MONEY, "shop/item.proto": ITEM}


class OnLoop:
    """The asynchronous client, awaited on one event loop, so that one suite speaks to both."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        async def connect() -> object:
            return connect_registry_async(url)

        self._runner, self._client = runner, runner.run(connect())

    def __getattr__(self, name: str) -> object:
        found = getattr(self._client, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        def call(*args: object, **options: object) -> object:
            return self._runner.run(found(*args, **options))

        return call


@contextmanager
def synchronous(url: str) -> Iterator[SchemaRegistryClient]:
    with connect_registry(url) as client:
        yield client


@contextmanager
def on_loop(url: str) -> Iterator[SchemaRegistryClient]:
    with asyncio.Runner() as runner:
        client = cast("SchemaRegistryClient", OnLoop(url, runner))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def in_memory(_: Path) -> Iterator[str]:
    yield "memory:"


@contextmanager
def in_a_file(folder: Path) -> Iterator[str]:
    yield f"sqlite:{folder / 'registry.db'}"


@contextmanager
def over_http(_: Path) -> Iterator[str]:
    with background_registry() as url:
        yield url


@pytest.fixture(params=[in_memory, in_a_file, over_http], ids=lambda place: place.__name__)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with request.param(tmp_path) as url:
        yield url


@pytest.fixture(params=[synchronous, on_loop], ids=lambda client: client.__name__)
def connect(request: pytest.FixtureRequest) -> Callable[[str], object]:
    return request.param


@pytest.fixture
def registry(url: str, connect: Callable[[str], object]) -> Iterator[SchemaRegistryClient]:
    with connect(url) as client:
        yield client


def refused(code: int, status: int, error: RegistryError) -> None:
    assert (error.error_code, error.status) == (code, status)
    assert error.message


def test_a_fresh_registry_keeps_protobuf_and_nothing_yet(registry: SchemaRegistryClient) -> None:
    assert "PROTOBUF" in registry.get_types()
    assert registry.get_subjects() == []


def test_a_registered_schema_has_an_id_a_version_and_its_content_as_guid(registry: SchemaRegistryClient) -> None:
    found = registry.register("money-value", MONEY)

    assert (found.subject, found.version, found.schema_type) == ("money-value", 1, "PROTOBUF")
    assert found.id is not None
    assert found.id >= 1
    assert found.schema == MONEY
    assert found.guid == content_guid(MONEY)


def test_the_same_content_again_is_the_same_version(registry: SchemaRegistryClient) -> None:
    first = registry.register("money-value", MONEY)
    registry.session.forget()
    again = registry.register("money-value", MONEY)
    spaced = registry.register("money-value", MONEY.replace("\n\n", "\n"))

    assert again == first
    assert (spaced.id, spaced.version) == (first.id, 1)
    assert registry.get_versions("money-value") == [1]


def test_a_registered_schema_is_found_by_id_version_and_content(registry: SchemaRegistryClient) -> None:
    first = registry.register("money-value", MONEY)
    second = registry.register("money-value", MONEY_2)
    assert first.id is not None

    assert registry.get_schema_by_id(first.id).schema == MONEY
    assert registry.get_versions("money-value") == [1, 2]
    assert registry.get_version("money-value", 1).id == first.id
    assert registry.get_version("money-value").id == registry.get_version("money-value", -1).id == second.id
    assert registry.lookup("money-value", MONEY).version == 1
    assert registry.lookup("money-value", MONEY_2).id == second.id


def test_one_content_under_two_subjects_has_one_id(registry: SchemaRegistryClient) -> None:
    one, two = registry.register("b", MONEY), registry.register("a", MONEY)
    assert one.id is not None

    assert one.id == two.id
    assert registry.get_subjects() == ["a", "b"]
    assert sorted(registry.get_versions_for_schema(one.id), key=lambda place: place.subject) == [
        SubjectVersion("a", 1),
        SubjectVersion("b", 1),
    ]


def test_metadata_makes_another_content(registry: SchemaRegistryClient) -> None:
    plain = registry.register("money-value", MONEY)
    owned = registry.register("money-value", MONEY, metadata=Metadata(properties={"owner": "us"}))

    assert owned.id != plain.id
    assert registry.get_version("money-value", 2).metadata == Metadata(properties={"owner": "us"})


def test_a_subject_may_hold_any_letter(registry: SchemaRegistryClient) -> None:
    subjects = sorted(["a/b c?d#e%2F", "größe", "..", "a:b", "a+b&c=d", ":.eu:orders", "a//b"])
    for subject in subjects:
        registry.register(subject, MONEY)

    assert sorted(registry.get_subjects()) == subjects
    assert [registry.get_versions(subject) for subject in subjects] == [[1]] * len(subjects)
    assert [registry.lookup(subject, MONEY).version for subject in subjects] == [1] * len(subjects)


def test_the_subject_without_a_name_is_served_as_any_other(registry: SchemaRegistryClient) -> None:
    registry.register("", MONEY)

    assert registry.get_subjects() == [""]
    assert registry.lookup("", MONEY).version == 1
    assert registry.get_versions("") == [1]
    assert registry.delete_subject("") == [1]
    assert registry.delete_subject("", permanent=True) == [1]
    assert registry.get_subjects(deleted=True) == []


def test_what_is_unknown_is_said_so(registry: SchemaRegistryClient) -> None:
    registry.register("money-value", MONEY)

    for ask in (
        lambda: registry.get_versions("nobody"),
        lambda: registry.get_version("nobody"),
        lambda: registry.lookup("nobody", MONEY),
    ):
        with pytest.raises(SubjectNotFoundError) as unknown_subject:
            ask()
        refused(40401, 404, unknown_subject.value)
    with pytest.raises(VersionNotFoundError) as unknown_version:
        registry.get_version("money-value", 99)
    refused(40402, 404, unknown_version.value)
    for ask in (
        lambda: registry.get_schema_by_id(12345),
        lambda: registry.get_versions_for_schema(12345),
        lambda: registry.fetch_file_set(12345),
        lambda: registry.lookup("money-value", MONEY_2),
    ):
        with pytest.raises(SchemaNotFoundError) as unknown_schema:
            ask()
        refused(40403, 404, unknown_schema.value)
    assert registry.get_versions("money-value") == [1]


def test_a_schema_that_is_none_is_refused(registry: SchemaRegistryClient) -> None:
    for text in (
        "this is no schema",
        'syntax = "proto3"; message A { B b = 1; }',
        'syntax = "proto3"; import "nowhere.proto"; message A {}',
        "",
    ):
        with pytest.raises(InvalidSchemaError, match="Invalid schema") as caught:
            registry.register("s", text)
        refused(42201, 422, caught.value)
    assert registry.get_subjects() == []


def test_a_reference_to_nothing_is_refused(registry: SchemaRegistryClient) -> None:
    with pytest.raises(InvalidSchemaError) as caught:
        registry.register("s", ITEM, references=[Reference("money.proto", "money.proto", 7)])
    refused(42201, 422, caught.value)


def test_bad_subjects_and_versions_are_refused(registry: SchemaRegistryClient) -> None:
    with pytest.raises(InvalidSubjectError):
        registry.register("a\nb", MONEY)
    with pytest.raises(InvalidVersionError):
        registry.get_version("a", "newest")


def test_imports_are_registered_as_references_and_come_back_as_descriptors(registry: SchemaRegistryClient) -> None:
    schema = load_schema(ORDER, message="m.Order", imports=SOURCES)

    found = registry.register("orders-value", schema)
    assert found.id is not None
    registry.session.forget()
    file_set = registry.fetch_file_set(found.id)

    assert registry.get_subjects() == ["money.proto", "orders-value", "shop/item.proto"]
    assert found.references == (
        Reference("money.proto", "money.proto", 1),
        Reference("shop/item.proto", "shop/item.proto", 1),
    )
    assert registry.get_version("shop/item.proto").references == (Reference("money.proto", "money.proto", 1),)
    for name in SOURCES:
        assert canonical_file(file_set.file(name)) == canonical_file(schema.file_set.file(name))
    fetched, own = canonical_file(file_set.root_file), canonical_file(schema.file_set.root_file)
    fetched.name = own.name
    assert fetched == own
    payload = schema.serialize({"lines": [{"item": {"sku": "x", "price": {"units": 3}}}], "kind": "RUSH"})
    assert message_class(file_set, "m.Order").FromString(payload).lines[0].item.price.units == 3


def test_registering_with_imports_again_changes_nothing(registry: SchemaRegistryClient) -> None:
    schema = load_schema(ORDER, message="m.Order", imports=SOURCES)

    first = registry.register("orders-value", schema)
    registry.session.forget()

    assert registry.register("orders-value", schema) == first
    assert registry.lookup("orders-value", schema).id == first.id
    assert [registry.get_versions(subject) for subject in registry.get_subjects()] == [[1], [1], [1]]


def test_a_lookup_with_imports_registers_nothing(registry: SchemaRegistryClient) -> None:
    with pytest.raises((SubjectNotFoundError, SchemaNotFoundError)):
        registry.lookup("orders-value", load_schema(ORDER, message="m.Order", imports=SOURCES))
    assert registry.get_subjects() == []


def test_a_schema_in_another_context_is_fetched_there(registry: SchemaRegistryClient) -> None:
    schema = load_schema(ORDER, message="m.Order", imports=SOURCES)

    found = registry.register(":.eu:orders-value", schema)
    assert found.id is not None

    assert registry.get_subjects() == [":.eu:money.proto", ":.eu:orders-value", ":.eu:shop/item.proto"]
    assert registry.fetch_file_set(found.id, subject=":.eu:orders-value").root_file.message_type[0].name == "Order"


def test_base64_of_a_descriptor_is_a_schema_too(registry: SchemaRegistryClient) -> None:
    text = registry.register("as-text", MONEY)
    file = load_schema(MONEY).file_set.root_file
    packed = base64.b64encode(file.SerializeToString()).decode()

    assert registry.register("as-descriptor", packed).id == text.id
    assert isinstance(file, FileDescriptorProto)


def test_a_closed_client_sends_nothing(url: str, connect: Callable[[str], object]) -> None:
    with connect(url) as client:
        client.get_types()
        client.close()
        with pytest.raises(TransportError, match="closed"):
            client.get_types()


def test_a_file_keeps_what_was_registered(tmp_path: Path, connect: Callable[[str], object]) -> None:
    url = f"sqlite:{tmp_path / 'registry.db'}"
    with connect(url) as client:
        first = client.register("money-value", MONEY)
    with connect(url) as client:
        assert client.get_version("money-value").id == first.id
        assert client.register("money-value", MONEY).id == first.id
        assert client.register("money-value", MONEY_2).id == first.id + 1


def test_a_memory_registry_is_fresh_each_time(connect: Callable[[str], object]) -> None:
    with connect("memory:") as client:
        client.register("money-value", MONEY)
    with connect("memory:") as client:
        assert client.get_subjects() == []


def test_threads_that_share_a_client_agree_on_ids(url: str) -> None:
    texts = [MONEY.replace("units", f"units_{n}") for n in range(4)]
    with connect_registry(url) as client, ThreadPoolExecutor(8) as pool:
        work = [(f"s{n % 3}", texts[n % 4]) for n in range(48)]
        found = list(pool.map(lambda item: client.register(*item).id, work))

        assert {text: len({i for (_, t), i in zip(work, found, strict=True) if t == text}) for text in texts} == (
            dict.fromkeys(texts, 1)
        )
        assert sorted(set(found)) == [1, 2, 3, 4]
        assert [client.get_versions(subject) for subject in client.get_subjects()] == [[1, 2, 3, 4]] * 3


def test_tasks_that_share_a_client_agree_on_ids(url: str) -> None:
    texts = [MONEY.replace("units", f"units_{n}") for n in range(4)]

    async def work() -> None:
        async with connect_registry_async(url) as client:
            asks = [client.register(f"s{n % 3}", texts[n % 4]) for n in range(48)]
            found = [schema.id for schema in await asyncio.gather(*asks)]
            assert sorted(set(found)) == [1, 2, 3, 4]
            assert [await client.get_versions(f"s{n}") for n in range(3)] == [[1, 2, 3, 4]] * 3

    asyncio.run(work())


# ── the rest of the surface ──────────────────────────────────────────────────────────────────────


def refusal(code: int) -> object:
    """Expect a refusal with this code of the dialect."""
    return pytest.raises(RegistryError, check=lambda error: error.error_code == code)


def test_a_schema_is_found_by_its_guid_and_wherever_it_is_kept(registry: SchemaRegistryClient) -> None:
    found = registry.register("a", MONEY)
    registry.register("b", MONEY)
    registry.register(":.eu:a", MONEY)
    assert found.id is not None
    assert found.guid is not None

    assert registry.get_schema_by_guid(found.guid).schema == MONEY
    assert registry.get_ids_for_guid(found.guid) == [ContextId(".", found.id), ContextId(".eu", 1)]
    assert registry.get_subjects_for_schema(found.id) == ["a", "b"]
    assert registry.get_schema_text(found.id) == registry.get_version_text("a") == MONEY
    assert registry.get_max_id(found.id) == found.id
    with pytest.raises(SchemaNotFoundError):
        registry.get_schema_by_guid(content_guid("nobody's"))
    with pytest.raises(SchemaNotFoundError):
        registry.get_schema_text(12345)


def test_all_schemas_are_listed_by_subject_and_version(registry: SchemaRegistryClient) -> None:
    for subject, text in (("b", MONEY), ("a", MONEY), ("a", MONEY_2)):
        registry.register(subject, text)

    assert [(s.subject, s.version) for s in registry.get_schemas()] == [("a", 1), ("a", 2), ("b", 1)]
    assert [(s.subject, s.version) for s in registry.get_schemas(latest_only=True)] == [("a", 2), ("b", 1)]
    assert [s.subject for s in registry.get_schemas("b")] == ["b"]
    assert [(s.subject, s.version) for s in registry.get_schemas(offset=1, limit=1)] == [("a", 2)]


def test_a_version_knows_who_refers_to_it_and_is_not_deleted_under_them(registry: SchemaRegistryClient) -> None:
    registry.register("money.proto", MONEY)
    item = registry.register("item", ITEM, references=[Reference("money.proto", "money.proto", 1)])

    assert registry.referenced_by("money.proto", 1) == registry.referenced_by("money.proto") == [item.id]
    assert registry.referenced_by("item") == []
    with refusal(42206):
        registry.delete_version("money.proto", 1)
    with refusal(42206):
        registry.delete_subject_permanent("money.proto")
    registry.delete_subject_permanent("item")
    assert registry.delete_subject_permanent("money.proto") == [1]


def test_a_version_is_deleted_softly_and_then_for_good(registry: SchemaRegistryClient) -> None:
    for text in (MONEY, MONEY_2):
        registry.register("s", text)

    with refusal(40407):
        registry.delete_version("s", 2, permanent=True)
    assert registry.delete_version("s", "latest") == 2
    assert registry.get_version("s").version == 1
    assert registry.get_versions("s") == [1]
    assert registry.get_versions("s", deleted=True) == [1, 2]
    assert registry.get_versions("s", deleted_only=True) == [2]
    assert registry.get_versions("s", deleted_as_negative=True) == [1, -2]
    with refusal(40406):
        registry.delete_version("s", 2)
    assert registry.delete_version("s", 2, permanent=True) == 2
    with pytest.raises(VersionNotFoundError):
        registry.delete_version("s", 2, permanent=True)


def test_a_subject_is_deleted_softly_and_then_for_good(registry: SchemaRegistryClient) -> None:
    first = registry.register("s", MONEY)
    registry.register("s", MONEY_2)

    with refusal(40405):
        registry.delete_subject("s", permanent=True)
    assert registry.delete_subject("s") == [1, 2]
    with refusal(40404):
        registry.delete_subject("s")
    assert (registry.get_subjects(), registry.get_subjects(deleted_only=True)) == ([], ["s"])
    assert registry.delete_subject("s", permanent=True) == [1, 2]
    with pytest.raises(SubjectNotFoundError):
        registry.delete_subject("s")
    again = registry.register("s", MONEY)
    assert again.version == 1
    assert again.id is not None
    assert again.id > (first.id or 0)


def test_what_was_deleted_is_registered_again_and_not_taken_for_registered(registry: SchemaRegistryClient) -> None:
    registry.register("s", MONEY)
    assert registry.delete_subject_permanent("s") == [1]
    registry.register("s", MONEY)
    assert registry.get_versions("s") == [1]


def test_an_incompatible_schema_is_refused_with_each_reason(registry: SchemaRegistryClient) -> None:
    registry.register("s", MONEY)

    good, bad = registry.test_compatibility("s", MONEY_2), registry.test_compatibility("s", BROKEN)

    assert good.is_compatible
    assert good.findings == ()
    assert not bad.is_compatible
    assert [finding.type for finding in bad.findings] == ["FIELD_SCALAR_KIND_CHANGED"]
    assert "#/Money/1" in bad.findings[0].description
    assert (bad.old_version, bad.level) == (1, "BACKWARD")
    assert not registry.test_compatibility("s", BROKEN, version=1).is_compatible
    assert not registry.test_compatibility("s", BROKEN, version=None).is_compatible
    assert registry.test_compatibility("nobody", BROKEN).is_compatible
    with pytest.raises(VersionNotFoundError):
        registry.test_compatibility("s", BROKEN, version=7)
    with pytest.raises(IncompatibleSchemaError, match="Schema being registered is incompatible"):
        registry.register("s", BROKEN)
    assert registry.register("s", BROKEN, force=True).version == 2


def test_a_schema_with_imports_is_checked_with_the_registered_ones(registry: SchemaRegistryClient) -> None:
    schema = load_schema(ORDER, message="m.Order", imports=SOURCES)
    with pytest.raises((SubjectNotFoundError, SchemaNotFoundError)):
        registry.test_compatibility("orders", schema)
    registry.register("orders", schema)
    assert registry.test_compatibility("orders", schema).is_compatible


def test_levels_are_set_found_and_taken_away(registry: SchemaRegistryClient) -> None:
    registry.register("s", MONEY)

    assert registry.get_compatibility() == "BACKWARD"
    with refusal(40408):
        registry.get_compatibility("s")
    assert registry.get_compatibility("s", default_to_global=True) == "BACKWARD"
    assert registry.set_compatibility("NONE", "s") == "NONE"
    assert registry.get_compatibility("s") == "NONE"
    assert registry.register("s", BROKEN).version == 2
    assert registry.delete_compatibility("s") == "NONE"
    with pytest.raises(SubjectNotFoundError):
        registry.delete_compatibility("s")
    with refusal(42203):
        registry.set_compatibility("SIDEWARD")
    registry.set_compatibility("FULL")
    assert registry.delete_compatibility() == "FULL"
    assert registry.get_compatibility() == "BACKWARD"


def test_a_config_is_changed_field_by_field(registry: SchemaRegistryClient) -> None:
    registry.set_config(Config("FULL", normalize=True, compatibility_group="major"), "s")
    registry.set_config(Config(breaking_policy="wire", default_metadata=Metadata(properties={"a": "b"})), "s")

    assert registry.get_config("s") == Config(
        "FULL",
        normalize=True,
        compatibility_group="major",
        breaking_policy="wire",
        default_metadata=Metadata(properties={"a": "b"}),
    )
    registry.set_config(Config(), "s", clear=["compatibility_group", "default_metadata"])
    assert registry.get_config("s") == Config("FULL", normalize=True, breaking_policy="wire")


def test_an_alias_leads_to_another_subject(registry: SchemaRegistryClient) -> None:
    registry.register("real", MONEY)
    registry.set_config(Config(alias="real"), "alias")
    assert registry.get_version("alias").schema == MONEY


def test_a_read_only_registry_takes_nothing_and_an_import_takes_ids(registry: SchemaRegistryClient) -> None:
    assert registry.get_mode() == "READWRITE"
    assert registry.set_mode("READONLY", "s") == "READONLY"
    with pytest.raises(OperationNotPermittedError):
        registry.register("s", MONEY)
    assert registry.delete_mode("s") == "READONLY"
    with refusal(40409):
        registry.get_mode("s")
    assert registry.get_mode("s", default_to_global=True) == "READWRITE"
    with refusal(42204):
        registry.set_mode("SLEEPING")

    registry.set_mode("IMPORT", "s")
    found = registry.register("s", SchemaRequest(MONEY, id=77, version=5))
    assert (found.id, registry.get_versions("s")) == (77, [5])
    assert registry.get_schema_by_id(77).schema == MONEY


def test_contexts_are_listed_and_deleted_when_empty(registry: SchemaRegistryClient) -> None:
    registry.register(":.eu:s", MONEY)

    assert registry.get_contexts() == [".", ".eu"]
    with refusal(42211):
        registry.delete_context("eu")
    registry.delete_subject_permanent(":.eu:s")
    registry.delete_context(".eu")
    assert registry.get_contexts() == ["."]


def test_the_newest_version_with_some_metadata_is_found(registry: SchemaRegistryClient) -> None:
    registry.register("s", MONEY, metadata=Metadata(properties={"major": "1", "team": "a"}))
    registry.register("s", MONEY_2, metadata=Metadata(properties={"major": "2", "team": "a"}))

    assert registry.get_latest_with_metadata("s", {"major": "1"}).version == 1
    assert registry.get_latest_with_metadata("s", {"team": "a"}).version == 2
    with pytest.raises(SchemaNotFoundError):
        registry.get_latest_with_metadata("s", {"major": "3"})
    with pytest.raises(SubjectNotFoundError):
        registry.get_latest_with_metadata("nobody", {"major": "1"})


def test_tags_and_rules_make_a_new_version(registry: SchemaRegistryClient) -> None:
    registry.register("s", MONEY)
    tags = EntityTags("Money.units", "sr_field", ("PII",))
    rules = RuleSet(domain_rules=(Rule("positive", kind="CONDITION", type="CEL", mode="WRITE", expr="true"),))

    tagged = registry.tag_schema("s", add=[tags], rules_to_merge=rules)

    assert tagged.version == 2
    found = registry.get_version("s", find_tags=["PII"])
    assert found.version == 2
    assert found.schema_tags == (tags,)
    assert found.rule_set == rules
    assert [s.version for s in registry.get_schemas(rule_type="CEL")] == [2]
    bare = registry.tag_schema("s", remove=[tags], rules_to_remove=["positive"])
    assert registry.get_version("s", bare.version or 0, find_tags=["*"]).schema_tags == ()


def test_tags_are_defined_and_put_on_entities(registry: SchemaRegistryClient) -> None:
    made = registry.create_tag("PII", description="personal", entity_types=["sr_field", "sr_record"])
    tag = CatalogTag("PII", "sr_field", "1:Money.units", {"by": "us"})

    assert made == registry.get_tag("PII") == TagDefinition("PII", "personal", ("sr_field", "sr_record"))
    with refusal(409):
        registry.create_tag("PII")
    changed = registry.update_tag(TagDefinition("PII", "private", ("sr_field",)))
    assert registry.get_tags("P") == [changed]
    assert registry.get_tags("Q") == []
    assert registry.tag_entities([tag]) == [tag]
    assert registry.get_entity_tags("sr_field", "1:Money.units") == [tag]
    with refusal(404):
        registry.tag_entities([CatalogTag("NONE", "sr_field", "1:Money.units")])
    registry.untag_entity("sr_field", "1:Money.units", "PII")
    assert registry.get_entity_tags("sr_field", "1:Money.units") == []
    registry.delete_tag("PII")
    with refusal(404):
        registry.get_tag("PII")


def test_normalizing_gives_one_content_to_all_spellings(registry: SchemaRegistryClient) -> None:
    one = MONEY_2
    two = 'syntax="proto3"; package m; message Money { string currency = 2; int64 units = 1; }'

    first = registry.register("s", one, normalize=True)

    assert registry.register("s", two, normalize=True).id == first.id
    assert registry.lookup("s", two, normalize=True).id == first.id
    assert registry.register("t", two).id != first.id


def test_a_server_tells_who_it_is(registry: SchemaRegistryClient) -> None:
    registry.ping()
    assert registry.get_server_version().version
    assert isinstance(registry.get_server_id().registry_cluster, str)
    assert isinstance(registry.get_deployment(), tuple)


def test_every_route_of_the_server_has_a_method_of_the_client() -> None:
    """The client's own table says which route each method asks; here it is held against the server's."""
    from unit.client.test_routes import DIALECT

    def shape(method: str, path: str) -> str:
        return f"{method} " + "/".join("{}" if part.startswith("{") else part for part in path.split("/"))

    asked = {shape(*route.split()) for route in DIALECT.split(";")}
    served = {shape(method, path) for method, path, _ in ROUTES}
    own = {"POST /", "GET /health/live", "GET /health/ready", "GET /metrics", "GET /openapi.json", "GET /audit"}
    assert served - own == asked
