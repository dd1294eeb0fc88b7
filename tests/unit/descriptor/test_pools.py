"""Private pools, and the tags that only they can see."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from weakref import ref

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    OneofDescriptorProto,
    ServiceDescriptorProto,
)

from protopact.descriptor import (
    FileSet,
    field_tags,
    message_class,
    message_descriptor,
    options_in_pool,
    pool_of,
    reparsed_options,
)
from protopact.descriptor.pools import POOLS_MAX, _Pools
from protopact.errors import MessageNotFoundError, SchemaLinkError

STRING, INT32 = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT32
OPTIONAL = FieldDescriptorProto.LABEL_OPTIONAL
PII = b"\x82\x44\x05\x1a\x03PII"
SECRET = b"\x82\x44\x08\x1a\x06SECRET"


def order_file(kind: FieldDescriptorProto.Type.ValueType = STRING) -> FileDescriptorProto:
    field = FieldDescriptorProto(name="id", number=1, type=kind, label=OPTIONAL)
    return FileDescriptorProto(
        name="order.proto", package="acme", syntax="proto3", message_type=[DescriptorProto(name="Order", field=[field])]
    )


def order_set(kind: FieldDescriptorProto.Type.ValueType = STRING) -> FileSet:
    return FileSet.link("order.proto", [order_file(kind)])


def test_two_versions_of_one_message_live_side_by_side() -> None:
    as_text, as_number = message_class(order_set(STRING), "acme.Order"), message_class(order_set(INT32), "acme.Order")

    assert as_text(id="1").SerializeToString() == b"\n\x011"
    assert as_number(id=1).SerializeToString() == b"\x08\x01"


def test_nothing_enters_the_default_pool() -> None:
    pool_of(order_set())

    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("acme.Order")


def test_equal_file_sets_share_their_pool_and_classes() -> None:
    assert pool_of(order_set()) is pool_of(order_set())
    assert message_class(order_set(), "acme.Order") is message_class(order_set(), "acme.Order")


def test_messages_of_imports_are_found_too() -> None:
    root = FileDescriptorProto(name="root.proto", syntax="proto3", dependency=["order.proto"])

    assert message_descriptor(FileSet.link("root.proto", [root, order_file()]), "acme.Order").full_name == "acme.Order"


def test_an_unknown_message_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(MessageNotFoundError) as caught:
        message_class(order_set(), "acme.Ordr")

    assert caught.value.hint == "did you mean acme.Order?"


def test_a_file_that_protobuf_refuses_is_a_link_error_that_names_it() -> None:
    broken = order_file()
    broken.message_type[0].field[0].number = 0

    with pytest.raises(SchemaLinkError, match=r"^protobuf refuses order\.proto: "):
        pool_of(FileSet.link("order.proto", [broken]))


def test_the_cache_is_bounded_and_lets_the_least_used_go() -> None:
    pools = _Pools(2)
    kept, dropped = ref(pools.entry(order_set(STRING))), ref(pools.entry(order_set(INT32)))
    left = dropped()
    assert left is not None
    pool = left.pool
    del left
    pools.entry(order_set(STRING))
    pools.entry(FileSet.link("google/type/date.proto", []))
    gc.collect()

    assert pools.entry(order_set(STRING)) is kept()
    assert dropped() is None
    assert pool.FindMessageTypeByName("acme.Order"), "what was handed out stays valid"


def test_threads_that_come_at_once_get_one_pool() -> None:
    pools = _Pools(2)
    with ThreadPoolExecutor(8) as threads:
        entries = list(threads.map(lambda _: pools.entry(order_set()), range(64)))

    assert len({id(entry) for entry in entries}) == 1


def tagged_set() -> FileSet:
    plain = FieldDescriptorProto(name="plain", number=1, type=STRING, label=OPTIONAL)
    tagged = FieldDescriptorProto(name="email", number=2, type=STRING, label=OPTIONAL, oneof_index=0)
    tagged.options.MergeFromString(PII)
    tagged.options.MergeFromString(SECRET)
    message = DescriptorProto(name="User", field=[plain, tagged], oneof_decl=[OneofDescriptorProto(name="contact")])
    method = MethodDescriptorProto(name="Get", input_type=".acme.User", output_type=".acme.User")
    value = EnumValueDescriptorProto(name="NONE", number=0)
    value.options.MergeFromString(PII)
    file = FileDescriptorProto(
        name="user.proto",
        package="acme",
        syntax="proto3",
        dependency=["confluent/meta.proto"],
        message_type=[message],
        enum_type=[EnumDescriptorProto(name="Kind", value=[value])],
        service=[ServiceDescriptorProto(name="Users", method=[method])],
    )
    return FileSet.link("user.proto", [file])


def test_tags_of_a_field_are_read_back_in_their_order() -> None:
    user = message_descriptor(tagged_set(), "acme.User")

    assert field_tags(user.fields_by_name["email"]) == ("PII", "SECRET")
    assert field_tags(user.fields_by_name["plain"]) == ()


def test_a_field_of_a_schema_without_the_annotation_has_no_tags() -> None:
    assert field_tags(message_descriptor(order_set(), "acme.Order").fields_by_name["id"]) == ()


def test_a_field_named_like_the_annotation_is_not_the_annotation() -> None:
    other = FieldDescriptorProto(
        name="field_meta", number=1089, type=STRING, label=OPTIONAL, extendee=".google.protobuf.FieldOptions"
    )
    file = order_file()
    file.dependency.append("fake.proto")
    fake = FileDescriptorProto(
        name="fake.proto", package="confluent", dependency=["google/protobuf/descriptor.proto"], extension=[other]
    )
    order = message_descriptor(FileSet.link("order.proto", [file, fake]), "acme.Order")

    assert field_tags(order.fields_by_name["id"]) == ()


def test_options_of_every_kind_of_descriptor_can_be_reparsed() -> None:
    linked = tagged_set()
    pool = pool_of(linked)
    user, users = pool.FindMessageTypeByName("acme.User"), pool.FindServiceByName("acme.Users")
    value = pool.FindEnumTypeByName("acme.Kind").values_by_name["NONE"]
    descriptors = [
        user,
        user.file,
        user.oneofs_by_name["contact"],
        user.fields_by_name["email"],
        users,
        users.methods_by_name["Get"],
        value.type,
        value,
    ]

    assert all(reparsed_options(one).DESCRIPTOR.file.pool is pool for one in descriptors)
    assert list(reparsed_options(value).Extensions[pool.FindExtensionByName("confluent.enum_value_meta")].tags) == [
        "PII"
    ]


def test_options_come_back_as_they_are_from_a_pool_that_knows_no_options() -> None:
    order = message_descriptor(order_set(), "acme.Order")

    assert reparsed_options(order) == order.GetOptions()
    assert options_in_pool(order.GetOptions(), descriptor_pool.Default()) == order.GetOptions()


def test_a_living_file_set_keeps_its_classes_whatever_else_is_loaded() -> None:
    def file_set(package: str) -> FileSet:
        file = FileDescriptorProto(name="a.proto", package=package, syntax="proto3")
        file.message_type.add(name="A")
        return FileSet.link("a.proto", [file])

    living = file_set("living")
    first = message_class(living, "living.A")
    for number in range(POOLS_MAX + 1):
        message_class(file_set(f"p{number}"), f"p{number}.A")
    assert message_class(living, "living.A") is first
    assert message_class(file_set("living"), "living.A") is first
