"""The measured messages as pydantic models; protopact's schemas of them have the numbers of the `.proto` files."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from pydantic import BaseModel

from protopact.schema import Int32, proto_message


class Status(IntEnum):
    """An enum as protobuf's style guide has it."""

    STATUS_UNSPECIFIED = 0
    STATUS_ACTIVE = 1


@proto_message(package="bench.v1")
class Small(BaseModel):
    """Three scalars."""

    id: int
    name: str
    score: float


class Address(BaseModel):
    """What is nested in a medium message."""

    street: str
    city: str
    country: str
    zip: Int32


@proto_message(package="bench.v1")
class Medium(BaseModel):
    """A user."""

    id: int
    name: str
    email: str
    status: Status
    created_at: datetime
    updated_at: datetime
    address: Address
    tags: list[str]
    labels: dict[str, str]
    phone: str | None = None
    handle: str | None = None


@proto_message(package="bench.v1")
class Large(BaseModel):
    """Many users."""

    items: list[Medium]


MODELS: dict[str, type[BaseModel]] = {"small": Small, "medium": Medium, "large": Large}
