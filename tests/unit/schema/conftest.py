"""One order in three forms: built in Python, as text, and as files."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from protopact.schema import ProtoEnum, ProtoField, ProtoMessage

if TYPE_CHECKING:
    from pathlib import Path

MONEY_TEXT = """\
syntax = "proto3";

package money.v1;

message Money {
  string currency = 1;
  int64 units = 2;
}
"""

ORDER_TEXT = """\
syntax = "proto3";

package shop.v1;

import "money/v1/money.proto";
import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";

message Order {
  int64 id = 1;
  Status status = 2;
  repeated Item items = 3;
  map<string, string> labels = 4;
  google.protobuf.Timestamp placed_at = 5;
  money.v1.Money price = 6;
  optional string note = 7;
  string email = 8 [(confluent.field_meta) = {
    tags: ["PII", "CONTACT"]
  }];
  map<int32, Item> by_shelf = 9;

  oneof payment {
    string card = 10;
    bool cash = 11;
  }

  message Item {
    string sku = 1;
    int32 count = 2;
  }
}

message Cancelled {
  Order.Item item = 1;
}

enum Status {
  STATUS_UNSPECIFIED = 0;
  STATUS_PAID = 1;
}
"""

VALUES: dict[str, object] = {
    "id": 2**53 + 1,
    "status": "STATUS_PAID",
    "items": [{"sku": "a", "count": 1}, {"sku": "b", "count": -2}],
    "labels": {"z": "1", "a": "2", "m": "3"},
    "placed_at": "2026-11-21T00:00:00.5Z",
    "price": {"currency": "EUR", "units": 10},
    "note": "",
    "email": "a@example.org",
    "by_shelf": {7: {"sku": "c", "count": 0}, -1: {"sku": "d", "count": 4}},
    "cash": False,
}


def build_money() -> ProtoMessage:
    return ProtoMessage(
        "Money",
        package="money.v1",
        fields=[ProtoField("currency", "string", 1), ProtoField("units", "int64", 2)],
    )


def build_order() -> ProtoMessage:
    money = build_money()
    status = ProtoEnum("Status", ["STATUS_UNSPECIFIED", "STATUS_PAID"])
    item = ProtoMessage("Item", fields=[ProtoField("sku", "string", 1), ProtoField("count", "int32", 2)])
    return ProtoMessage(
        "Order",
        package="shop.v1",
        fields=[
            ProtoField("id", "int64", 1),
            ProtoField("status", status, 2),
            ProtoField("items", item, 3, repeated=True),
            ProtoField("labels", "string", 4, map_key="string"),
            ProtoField("placed_at", "google.protobuf.Timestamp", 5),
            ProtoField("price", money, 6),
            ProtoField("note", "string", 7, optional=True),
            ProtoField("email", "string", 8, tags=("PII", "CONTACT")),
            ProtoField("by_shelf", item, 9, map_key="int32"),
        ],
        oneofs={"payment": [ProtoField("card", "string", 10), ProtoField("cash", "bool", 11)]},
        messages=[item],
        siblings=[ProtoMessage("Cancelled", fields=[ProtoField("item", item, 1)])],
        imports=[money],
    )


@pytest.fixture
def order() -> ProtoMessage:
    return build_order()


@pytest.fixture
def money() -> ProtoMessage:
    return build_money()


@pytest.fixture
def protos(tmp_path: Path) -> Path:
    directory = tmp_path / "protos"
    for name, text in {"shop/v1/order.proto": ORDER_TEXT, "money/v1/money.proto": MONEY_TEXT}.items():
        path = directory / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return directory


@pytest.fixture
def order_text() -> str:
    return ORDER_TEXT


@pytest.fixture
def money_text() -> str:
    return MONEY_TEXT


@pytest.fixture
def values() -> dict[str, object]:
    return copy.deepcopy(VALUES)
