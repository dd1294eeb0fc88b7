"""What both sides write and read: one file of messages, and values for each place that a message can have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from protopact import Serializer, load_schema
from protopact.framing import decode_prefix

if TYPE_CHECKING:
    from protopact import ProtoSchema, SchemaRegistryClient

PROTOS = Path(__file__).parent / "protos"
TOPIC = "orders"
IMPORTS = ["shop/money.proto", "shop/parts/currency.proto"]


@dataclass(frozen=True)
class Case:
    """One message: its path, its place in the file as it stands on the wire, and the same value for both sides."""

    message: str
    indexes: bytes
    value: dict[str, object]
    json: dict[str, object]
    read: dict[str, object] = field(default_factory=dict)
    file: str = "shop/order.proto"

    def __str__(self) -> str:
        return f"{self.message} {'empty' if not self.value else ''}".strip()

    def payload_of(self, raw: bytes) -> bytes:
        """Give what follows the prefix."""
        return raw[decode_prefix(raw).size :]


ORDERS = [
    Case(
        "Order",
        b"\x00",
        {
            "id": 2**64 - 1,
            "buyer": {"name": "Zoë", "mail": ""},
            "lines": [
                {"sku": "a", "count": 2, "price": {"currency": "CURRENCY_EUR", "minor_units": -199}},
                {"sku": "", "count": 0},
            ],
            "total": {"currency": "CURRENCY_EUR", "minor_units": -398},
            "placed_at": datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC),
            "notes": {"door": "blue"},
            "pickup_point": "north",
            "counters": [1, -1, 2**31 - 1],
            "signature": b"\x00\xffhi",
            "weight_kg": 0.1,
            "gift": True,
        },
        {
            "id": str(2**64 - 1),
            "buyer": {"name": "Zoë", "mail": ""},
            "lines": [{"sku": "a", "count": 2, "price": {"currency": "CURRENCY_EUR", "minor_units": "-199"}}, {}],
            "total": {"currency": "CURRENCY_EUR", "minor_units": "-398"},
            "placed_at": "2026-02-03T04:05:06.789Z",
            "notes": {"door": "blue"},
            "pickup_point": "north",
            "counters": [1, -1, 2**31 - 1],
            "signature": "AP9oaQ==",
            "weight_kg": 0.1,
            "gift": True,
        },
    ),
    Case(
        "Refund",
        b"\x02\x02",
        {"order_id": 7, "amount": {"currency": "CURRENCY_USD", "minor_units": 5}, "reason": "late"},
        {"order_id": "7", "amount": {"currency": "CURRENCY_USD", "minor_units": "5"}, "reason": "late"},
    ),
    Case(
        "Order.Line",
        b"\x04\x00\x04",
        {"sku": "b", "count": 3, "price": {"currency": "CURRENCY_EUR", "minor_units": 1}},
        {"sku": "b", "count": 3, "price": {"currency": "CURRENCY_EUR", "minor_units": "1"}},
    ),
    Case(
        "Order",
        b"\x00",
        {},
        {},
        {"id": 0, "lines": [], "notes": {}, "counters": [], "signature": b"", "weight_kg": 0.0, "gift": False},
    ),
]
"""Of a file that imports a file that imports another one."""

PARCELS = [
    Case(
        "Parcel",
        b"\x00",
        {
            "id": 2**63,
            "sender": {"name": "Ömer"},
            "receiver": {"name": "", "lines": ["1 Main St", ""]},
            "pieces": {"a": {"sku": "x", "grams": -1, "currency": "CURRENCY_USD"}},
            "currency": "CURRENCY_EUR",
            "neighbour": {"name": "Ana", "lines": []},
        },
        {
            "id": str(2**63),
            "sender": {"name": "Ömer"},
            "receiver": {"lines": ["1 Main St", ""]},
            "pieces": {"a": {"sku": "x", "grams": -1, "currency": "CURRENCY_USD"}},
            "currency": "CURRENCY_EUR",
            "neighbour": {"name": "Ana"},
        },
        file="shop/parcel.proto",
    ),
    Case(
        "Claim",
        b"\x02\x02",
        {"parcel_id": 7, "currency": "CURRENCY_EUR", "photo": b"\xff\x00"},
        {"parcel_id": "7", "currency": "CURRENCY_EUR", "photo": "/wA="},
        file="shop/parcel.proto",
    ),
    Case(
        "Parcel.Piece",
        b"\x04\x00\x04",
        {"sku": "b", "grams": 0, "currency": "CURRENCY_EUR"},
        {"sku": "b", "grams": 0, "currency": "CURRENCY_EUR"},
        file="shop/parcel.proto",
    ),
]
"""Of a file with one import."""

CASES = [*ORDERS, *PARCELS]


def schema_for(case: Case) -> ProtoSchema:
    """Give our schema for a case's message."""
    return _schema(case.file, case.message)


@lru_cache
def _schema(file: str, message: str) -> ProtoSchema:
    return load_schema(PROTOS / file, message=f"shop.{message}", imports=PROTOS)


def framed_by_us(client: SchemaRegistryClient, case: Case) -> bytes:
    """Write a case's value to the topic."""
    return Serializer(client, schema_for(case)).serialize(case.value, topic=TOPIC)
