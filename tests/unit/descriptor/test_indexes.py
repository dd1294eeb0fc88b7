"""Message indexes both ways."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

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
