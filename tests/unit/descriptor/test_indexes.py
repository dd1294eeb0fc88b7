"""Message indexes both ways."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, MessageOptions

from protopact.descriptor import built_in_file, message_at, message_index, message_names
from protopact.errors import MessageNotFoundError

INNER = [DescriptorProto(name="X"), DescriptorProto(name="Y"), DescriptorProto(name="Z")]
FILE = FileDescriptorProto(
    name="shop.proto",
    package="acme.shop",
    message_type=[DescriptorProto(name="Order", nested_type=INNER), DescriptorProto(name="Item")],
)


@pytest.mark.parametrize(
    ("name", "indexes"), [("acme.shop.Order", (0,)), ("acme.shop.Item", (1,)), ("acme.shop.Order.Z", (0, 2))]
)
def test_a_message_has_the_index_path_of_its_place(name: str, indexes: tuple[int, ...]) -> None:
    assert message_index(FILE, name) == indexes
    assert message_at(FILE, indexes) == name


# What clients write for a message that stands behind maps: the file below is `message A { map<string, int32> m = 1;
# message B { message D {} } map<string, int32> n = 2; message C {} }` as protoc gives it.
ENTRIES = [DescriptorProto(name=name, options=MessageOptions(map_entry=True)) for name in ("MEntry", "NEntry")]
WITH_MAPS = FileDescriptorProto(
    name="maps.proto",
    message_type=[
        DescriptorProto(
            name="A",
            nested_type=[
                ENTRIES[0],
                DescriptorProto(name="B", nested_type=[DescriptorProto(name="D")]),
                ENTRIES[1],
                DescriptorProto(name="C"),
            ],
        )
    ],
)


@pytest.mark.parametrize(
    ("indexes", "name"), [((0, 1), "A.B"), ((0, 3), "A.C"), ((0, 1, 0), "A.B.D"), ((0, 0), "A.B"), ((0, 0, 0), "A.B.D")]
)
def test_a_path_that_cannot_count_map_entries_is_walked_without_them(indexes: tuple[int, ...], name: str) -> None:
    # Confluent's Python and Go clients walk the descriptor, and so count entries: (0, 1) is B, (0, 3) is C. Its JVM
    # serializer skips them under normalize.schemas=true: it writes (0, 0) for B and (0, 0, 0) for D.
    assert message_at(WITH_MAPS, indexes) == name


def test_where_both_ways_to_count_lead_to_a_message_entries_count() -> None:
    # (0, 1) is B by the descriptor, and C as the JVM serializer counts under normalize.schemas=true.
    assert message_at(WITH_MAPS, (0, 1)) == "A.B"
    assert message_index(WITH_MAPS, "A.B") == (0, 1)
    with pytest.raises(MessageNotFoundError):
        message_at(WITH_MAPS, (0, 4))


def test_names_stand_in_file_order_with_nested_ones_inside() -> None:
    assert message_names(FILE) == (
        "acme.shop.Order",
        "acme.shop.Order.X",
        "acme.shop.Order.Y",
        "acme.shop.Order.Z",
        "acme.shop.Item",
    )


def test_a_file_without_a_package_has_bare_names() -> None:
    file = FileDescriptorProto(name="a.proto", message_type=[DescriptorProto(name="A")])

    assert message_index(file, "A") == (0,)
    assert message_at(file, [0]) == "A"


def test_map_entries_count_but_have_no_name_of_their_own() -> None:
    meta = built_in_file("confluent/meta.proto")

    assert message_names(meta) == ("confluent.Meta", "confluent.Rule")
    assert message_index(meta, "confluent.Meta.ParamsEntry") == (0, 0)


@pytest.mark.parametrize("indexes", [(), (2,), (0, 3), (1, 0), (0, 0, 0), (-1,), (2**31 - 1,)])
def test_a_path_that_leads_nowhere_is_refused(indexes: tuple[int, ...]) -> None:
    with pytest.raises(MessageNotFoundError, match=r"shop\.proto has no message at index \["):
        message_at(FILE, indexes)


@pytest.mark.parametrize("name", ["acme.shop.Ordre", "shop.Order", "Order", "acme.shop.", "acme.shop", ""])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(MessageNotFoundError, match=r"shop\.proto defines no message"):
        message_index(FILE, name)


def test_the_hint_is_the_nearest_name() -> None:
    with pytest.raises(MessageNotFoundError) as caught:
        message_index(FILE, "acme.shop.Ordre")

    assert caught.value.hint == "did you mean acme.shop.Order?"
