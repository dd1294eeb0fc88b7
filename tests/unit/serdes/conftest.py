from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry
from protopact.schema import load_schema
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient
    from protopact.flow import Call, Reply
    from protopact.schema import DescribedSchema

SHOP = """
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "shop/v1/money.proto";
message Order {
  string id = 1;
  int64 count = 2;
  Money price = 3;
  google.protobuf.Timestamp at = 4;
  message Line { message Tax {} message Part { string sku = 1; } }
}
message Customer { string name = 1; bytes picture = 2; }
"""
MONEY = """
syntax = "proto3";
package shop.v1;
import "shop/v1/currency.proto";
message Money { int64 units = 1; Currency currency = 2; }
"""
CURRENCY = 'syntax = "proto3"; package shop.v1; enum Currency { CURRENCY_UNSPECIFIED = 0; CURRENCY_EUR = 1; }'
IMPORTS = {"shop/v1/money.proto": MONEY, "shop/v1/currency.proto": CURRENCY}


@pytest.fixture
def registry() -> Iterator[SchemaRegistryClient]:
    with connect_registry("memory:", settings=ClientSettings(retries_max=0)) as client:
        yield client


@pytest.fixture
def asked(registry: SchemaRegistryClient) -> list[str]:
    """Give the list that each call to the registry is added to."""
    calls: list[str] = []
    send = registry._sender

    def counting(call: Call, server: int) -> Reply:
        calls.append(f"{call.method} {call.path}")
        return send(call, server)

    registry._sender = counting
    return calls


@pytest.fixture(scope="session")
def shop() -> DescribedSchema:
    return load_schema(SHOP, imports=IMPORTS, file_name="shop/v1/order.proto")


@pytest.fixture(scope="session")
def shop_2() -> DescribedSchema:
    """Give the second version, with one more field in Order and Customer."""
    text = SHOP.replace("int64 count = 2;", "int64 count = 2; string note = 9;").replace("bytes pic", "bytes big_pic")
    return load_schema(text, imports=IMPORTS, file_name="shop/v1/order.proto")


@pytest.fixture(scope="session")
def old() -> DescribedSchema:
    text = """
    syntax = "proto2"; package old.v1;
    message Old { optional Leaf leaf = 1; }
    message Leaf { required int32 weight = 1; }
    """
    return load_schema(text, file_name="old.proto")
