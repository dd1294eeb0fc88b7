from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.client import SchemaRegistryClient
from protopact.client.cache import Cache
from protopact.descriptor import FileSet, message_class
from protopact.errors import MissingExtraError, RegistryError, SchemaError, SchemaLinkError, SchemaNotFoundError
from protopact.schema import DescribedSchema
from protopact.settings import ClientSettings
from unit.client.scripted import Routes, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.flow import Call, Reply

INT32, MESSAGE, STRING = 5, 11, 9
OPTIONAL, REPEATED = 1, 3
QUICK = ClientSettings(retries_max=0)


def file(name: str, message: str, *imports: tuple[str, str]) -> FileDescriptorProto:
    """Make a file with one message that has one field of each imported message."""
    made = FileDescriptorProto(name=name, package="m", syntax="proto3", dependency=[path for path, _ in imports])
    shape = made.message_type.add(name=message)
    shape.field.add(name="n", number=1, type=INT32, label=OPTIONAL, json_name="n")
    for number, (_, kind) in enumerate(imports, start=2):
        name_of_field = kind.lower()
        shape.field.add(
            name=name_of_field,
            number=number,
            type=MESSAGE,
            type_name=f".m.{kind}",
            label=OPTIONAL,
            json_name=name_of_field,
        )
    return made


def packed(file: FileDescriptorProto) -> str:
    return base64.b64encode(file.SerializeToString()).decode()


def stored(schema: str, *references: tuple[str, str, int], **more: object) -> dict[str, object]:
    fields = [{"name": name, "subject": subject, "version": version} for name, subject, version in references]
    return {"schema": schema, "schemaType": "PROTOBUF", "references": fields, **more}


def client(routes: dict[str, object]) -> tuple[SchemaRegistryClient, Routes]:
    sender = Routes(routes)
    return SchemaRegistryClient(sender=sender, settings=QUICK), sender


BY_ID = "GET /schemas/ids/1?format=serialized"
TEXT_BY_ID = "GET /schemas/ids/1"


def version_route(subject: str, version: int = 1, *, serialized: bool = True) -> str:
    form = "&format=serialized" if serialized else ""
    return f"GET /subjects/{subject}/versions/{version}?deleted=true{form}"


def test_a_schema_comes_with_all_it_refers_to_under_the_names_its_importers_use() -> None:
    money = file("default", "Money")
    item = file("", "Item", ("money.proto", "Money"))
    order = file("default", "Order", ("shop/item.proto", "Item"), ("money.proto", "Money"))
    registry, sender = client(
        {
            BY_ID: stored(packed(order), ("shop/item.proto", "items", 2), ("money.proto", "money", 1)),
            version_route("items", 2): stored(packed(item), ("money.proto", "money", 1), version=2),
            version_route("money"): stored(packed(money), version=1),
        }
    )

    file_set = registry.fetch_file_set(1)

    assert file_set.root == "default"
    assert {f.name for f in file_set.files} == {"money.proto", "shop/item.proto", "default"}
    assert message_class(file_set, "m.Order")(n=3).SerializeToString() == b"\x08\x03"
    assert len(sender.asked) == 3


def test_a_file_set_is_fetched_once() -> None:
    registry, sender = client({BY_ID: stored(packed(file("default", "A")))})

    assert registry.fetch_file_set(1) is registry.fetch_file_set(1)
    assert sender.asked == [BY_ID]


def test_a_file_that_two_schemas_share_is_fetched_once() -> None:
    money = stored(packed(file("", "Money")), version=1)
    order = stored(packed(file("", "Order", ("money.proto", "Money"))), ("money.proto", "money", 1))
    registry, sender = client(
        {BY_ID: order, "GET /schemas/ids/2?format=serialized": order, version_route("money"): money}
    )

    registry.fetch_file_set(1)
    registry.fetch_file_set(2)

    assert sender.asked.count(version_route("money")) == 1


def test_a_root_without_a_name_or_with_an_imports_name_gets_a_free_one() -> None:
    for name in ("", "schema.proto"):
        registry, _ = client(
            {
                BY_ID: stored(packed(file(name, "Order", ("schema.proto", "Money"))), ("schema.proto", "money", 1)),
                version_route("money"): stored(packed(file("default", "Money")), version=1),
            }
        )
        assert registry.fetch_file_set(1).root == "schema1.proto"


def test_references_without_a_context_count_in_the_context_of_their_schema() -> None:
    order = stored(packed(file("", "Order", ("money.proto", "Money"))), ("money.proto", "money", 1))
    registry, sender = client(
        {
            "GET /schemas/ids/1?subject=:.eu:orders&format=serialized": order,
            version_route("%3A.eu%3Amoney"): stored(packed(file("", "Money")), version=1),
        }
    )

    registry.fetch_file_set(1, subject=":.eu:orders")

    assert len(sender.asked) == 2


def test_an_unknown_id_is_refused_and_remembered_for_a_moment_only() -> None:
    registry, sender = client({})
    registry.session.missing._clock = lambda: 100.0
    for _ in range(2):
        with pytest.raises(SchemaNotFoundError):
            registry.fetch_file_set(1)
    assert sender.asked == [BY_ID]

    registry.session.missing.clear()
    sender.routes[BY_ID] = stored(packed(file("", "A")))
    assert registry.fetch_file_set(1).root == "schema.proto"


def test_a_schema_of_another_type_is_refused() -> None:
    for kind in ({"schemaType": "AVRO"}, {}):
        registry, _ = client({BY_ID: {"schema": '"string"', **kind}})
        with pytest.raises(SchemaError, match="id 1 is AVRO, not PROTOBUF"):
            registry.fetch_file_set(1)


def test_a_missing_reference_is_refused_and_not_remembered() -> None:
    registry, sender = client(
        {BY_ID: stored(packed(file("", "Order", ("money.proto", "Money"))), ("money.proto", "money", 1))}
    )

    with pytest.raises(SchemaNotFoundError):
        registry.fetch_file_set(1)
    sender.routes[version_route("money")] = stored(packed(file("", "Money")), version=1)

    assert registry.fetch_file_set(1).root == "schema.proto"


def test_an_import_that_no_reference_names_is_a_link_error() -> None:
    registry, _ = client({BY_ID: stored(packed(file("", "Order", ("money.proto", "Money"))))})

    with pytest.raises(SchemaLinkError, match=r"money\.proto"):
        registry.fetch_file_set(1)


def test_references_in_a_circle_are_refused_and_the_circle_is_told() -> None:
    registry, _ = client(
        {
            BY_ID: stored(packed(file("", "R", ("a.proto", "A"))), ("a.proto", "a", 1)),
            version_route("a"): stored(packed(file("", "A", ("b.proto", "B"))), ("b.proto", "b", 1), version=1),
            version_route("b"): stored(packed(file("", "B", ("a.proto", "A"))), ("a.proto", "a", 1), version=1),
        }
    )

    with pytest.raises(SchemaLinkError, match="circle: a v1 → b v1 → a v1"):
        registry.fetch_file_set(1)


def endless(make: Callable[[int], list[tuple[str, str, int]]]) -> Callable[[Call, int], Reply]:
    def send(call: Call, _: int) -> Reply:
        number = int(call.path.rpartition("/subjects/s")[2].split("/")[0] or 0) if "subjects" in call.path else 0
        body = stored(packed(file("", f"M{number}")), *make(number))
        return answer({**body, "version": 1} if "subjects" in call.path else body)

    return send


def test_a_chain_of_references_has_an_end() -> None:
    send = endless(lambda n: [(f"f{n + 1}.proto", f"s{n + 1}", 1)])

    with pytest.raises(SchemaLinkError, match="64 deep"):
        SchemaRegistryClient(sender=send, settings=QUICK).fetch_file_set(1)


def test_the_number_of_references_has_an_end() -> None:
    send = endless(lambda n: [(f"f{i}.proto", f"s{i}", 1) for i in range(1, 2000)] if n == 0 else [])

    with pytest.raises(SchemaLinkError, match="more than 1000 files"):
        SchemaRegistryClient(sender=send, settings=QUICK).fetch_file_set(1)


# ── registries without descriptors ───────────────────────────────────────────────────────────────

MONEY = 'syntax = "proto3"; package m; message Money { int64 units = 1; }'
ORDER = (
    'syntax = "proto3"; package m; import "money.proto"; message Order { Money price = 1; map<string, int32> n = 2; }'
)
TEXT_ROUTES = {
    "GET /schemas/ids/1": stored(ORDER, ("money.proto", "money", 1)),
    "GET /schemas/ids/2": stored(MONEY),
    version_route("money", serialized=False): stored(MONEY, version=1),
}


@pytest.mark.parametrize(
    "to_serialized",
    [
        answer({"error_code": 500, "message": "Internal Server Error"}, 500),
        answer({"error_code": 422, "message": "format"}, 422),
        answer(stored(ORDER, ("money.proto", "money", 1))),
        answer(stored("AAAA")),
    ],
)
def test_a_registry_that_has_no_descriptors_is_asked_for_text_and_remembered(to_serialized: Reply) -> None:
    registry, sender = client({BY_ID: to_serialized, **TEXT_ROUTES})

    file_set = registry.fetch_file_set(1)
    assert message_class(file_set, "m.Order").DESCRIPTOR.fields_by_name["price"].message_type.full_name == "m.Money"

    sender.asked.clear()
    registry.fetch_file_set(2)
    assert sender.asked == ["GET /schemas/ids/2"]


def test_a_server_that_is_only_down_is_not_taken_for_one_without_descriptors() -> None:
    down = answer({"error_code": 50001, "message": "down"}, 500)
    registry, sender = client({BY_ID: down, "GET /schemas/ids/1": down})
    with pytest.raises(RegistryError):
        registry.fetch_file_set(1)

    sender.routes[BY_ID] = stored(packed(file("", "A")))
    assert registry.fetch_file_set(1).root == "schema.proto"


def test_descriptors_that_lost_their_maps_are_not_believed() -> None:
    spoiled = FileDescriptorProto(name="default", package="m", syntax="proto3")
    message = spoiled.message_type.add(name="Order")
    message.field.add(name="n", number=2, type=MESSAGE, type_name=".m.Order.NEntry", label=REPEATED, json_name="n")
    entry = message.nested_type.add(name="NEntry")
    entry.field.add(name="key", number=1, type=STRING, label=OPTIONAL)
    entry.field.add(name="value", number=2, type=INT32, label=OPTIONAL)
    registry, _ = client({BY_ID: stored(packed(spoiled)), **TEXT_ROUTES})

    found = message_class(registry.fetch_file_set(1), "m.Order").DESCRIPTOR

    assert found.fields_by_name["n"].message_type.GetOptions().map_entry


# ── registering with imports ─────────────────────────────────────────────────────────────────────


class Counting:
    """A registry that gives ids and versions in order, answering with the id alone where `terse`."""

    def __init__(self, *, terse: bool = False) -> None:
        self.terse = terse
        self.bodies: list[tuple[str, dict[str, object]]] = []

    def __call__(self, call: Call, _: int, /) -> Reply:
        self.bodies.append((call.path, json.loads(call.body)))
        number = len(self.bodies)
        if self.terse and call.path.endswith("/versions"):
            return answer({"id": number})
        return answer({"id": number, "version": number + 10})


def shop() -> DescribedSchema:
    files = [
        file("shop/order.proto", "Order", ("shop/item.proto", "Item"), ("money.proto", "Money")),
        file("shop/item.proto", "Item", ("money.proto", "Money")),
        file("money.proto", "Money"),
    ]
    return DescribedSchema(FileSet.link("shop/order.proto", files), "m.Order")


def test_imports_are_registered_first_each_under_its_own_path() -> None:
    sender = Counting()

    found = SchemaRegistryClient(sender=sender).register("orders-value", shop())

    assert [path for path, _ in sender.bodies] == [
        "/subjects/money.proto/versions",
        "/subjects/shop%2Fitem.proto/versions",
        "/subjects/orders-value/versions",
    ]
    assert [body.get("references") for _, body in sender.bodies] == [
        None,
        [{"name": "money.proto", "subject": "money.proto", "version": 11}],
        [
            {"name": "shop/item.proto", "subject": "shop/item.proto", "version": 12},
            {"name": "money.proto", "subject": "money.proto", "version": 11},
        ],
    ]
    assert (found.id, found.version, found.subject) == (3, 13, "orders-value")


def test_imports_are_registered_in_the_context_of_their_schema() -> None:
    sender = Counting()

    SchemaRegistryClient(sender=sender).register(":.eu:orders", shop())

    assert sender.bodies[0][0] == "/subjects/%3A.eu%3Amoney.proto/versions"
    assert sender.bodies[1][1]["references"] == [{"name": "money.proto", "subject": "money.proto", "version": 11}]


def test_a_registry_that_answers_with_the_id_alone_is_asked_for_the_imports_versions() -> None:
    sender = Counting(terse=True)

    SchemaRegistryClient(sender=sender).register("orders-value", shop())

    assert [path for path, _ in sender.bodies][:4] == [
        "/subjects/money.proto/versions",
        "/subjects/money.proto",
        "/subjects/shop%2Fitem.proto/versions",
        "/subjects/shop%2Fitem.proto",
    ]


def test_one_schema_is_registered_once_and_its_imports_are_known_to_the_next() -> None:
    sender = Counting()
    registry = SchemaRegistryClient(sender=sender)

    registry.register("orders-value", shop())
    registry.register("orders-value", shop())
    registry.register("orders-key", shop())

    assert [path for path, _ in sender.bodies][3:] == ["/subjects/orders-key/versions"]


def test_a_lookup_looks_its_imports_up_and_registers_nothing() -> None:
    sender = Counting()

    SchemaRegistryClient(sender=sender).lookup("orders-value", shop())

    assert [path for path, _ in sender.bodies] == [
        "/subjects/money.proto",
        "/subjects/shop%2Fitem.proto",
        "/subjects/orders-value",
    ]


def test_given_references_are_taken_as_they_are() -> None:
    sender = Counting()

    SchemaRegistryClient(sender=sender).register("orders-value", shop(), references=[])

    assert [path for path, _ in sender.bodies] == ["/subjects/orders-value/versions"]


def test_that_a_registry_gives_text_alone_is_believed_for_a_while_only() -> None:
    now = [0.0]
    registry, sender = client({BY_ID: answer({}, 500), TEXT_BY_ID: stored('syntax = "proto3"; message A {}')})
    registry.session.text_only = Cache(1, ttl_s=QUICK.latest_ttl_s, clock=lambda: now[0])
    registry.fetch_file_set(1)
    registry.session.file_sets.clear()
    registry.fetch_file_set(1)
    assert sender.asked == [BY_ID, TEXT_BY_ID, TEXT_BY_ID]

    now[0] += QUICK.latest_ttl_s
    sender.routes[BY_ID] = stored(packed(file("", "A")))
    registry.session.file_sets.clear()
    registry.fetch_file_set(1)
    assert sender.asked[3:] == [BY_ID]


def test_without_a_compiler_a_servers_failure_is_told_and_not_the_want_of_a_compiler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("no compiler", option="compiler")

    monkeypatch.setattr("protopact.compiler.compile_text", missing)
    for status, error in ((500, RegistryError), (406, MissingExtraError)):
        registry, _ = client({BY_ID: answer({"message": "down"}, status), TEXT_BY_ID: stored("x")})
        with pytest.raises(error):
            registry.fetch_file_set(1)
