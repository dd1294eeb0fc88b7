"""A model with every kind of field that a derived schema knows, and random values of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from protopact.schema import Float32, Int32, SInt64, UInt64, proto, proto_message

T = TypeVar("T")


class Channel(Enum):
    WEB = "web"
    STORE = "store"


class Priority(IntEnum):
    NORMAL = 0
    URGENT = 5
    LATE = -1


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Card(Frozen):
    number: Annotated[str, proto(tags=("PII",))]
    month: Int32 = 1


class Voucher(Frozen):
    number: str


class Item(Frozen):
    sku: str
    count: Int32 = 1
    price: Decimal
    note: str | None = None


class Page(Frozen, Generic[T]):
    items: list[T] = []
    next_token: str | None = None


class Category(Frozen):
    name: str
    below: "list[Category]" = []
    above: "Category | None" = None


@proto_message(package="shop.v1")
class Order(Frozen):
    """Twenty-five fields, of every kind."""

    id: int
    size: Int32 = 0
    total: UInt64 = 7
    delta: SInt64 | None = 3
    share: float
    weight: Float32 = 0.0
    is_paid: bool = False
    name: str
    note: str | None = None
    raw: bytes = b""
    channel: Channel
    seen_on: list[Channel] = []
    priority: Priority = Priority.NORMAL
    kind: Literal["sale", "return"] = "sale"
    placed_at: datetime
    due_on: date | None
    due_by: time | None = None
    waited: timedelta = timedelta(hours=1)
    price: Decimal
    key: UUID
    short_key: Annotated[UUID, proto(type="bytes")]
    exact_price: Annotated[Decimal | None, proto(type="confluent.type.Decimal")] = None
    holiday: Annotated[date | None, proto(type="google.type.Date")] = None
    item: Item
    items: list[Item] = Field([], description="What was bought.")
    labels: dict[str, str] = {}
    by_key: dict[UUID, Item] = {}
    channels: dict[int, Channel] = {}
    payment: Card | Voucher | None = None
    reference: int | str | UUID | bool | date
    page: Page[Item] = Page[Item]()
    category: Category | None = None
    extra: dict[str, Any] = {}
    numbers: set[int] = set()
    pair: tuple[Int32, ...] = ()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
INT64 = st.integers(-(2**63), 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
CARDS = st.builds(Card, number=TEXT, month=INT32)
VOUCHERS = st.builds(Voucher, number=TEXT)
ITEMS = st.builds(Item, sku=TEXT, count=INT32, price=DECIMALS, note=st.none() | TEXT)
CATEGORIES = st.recursive(
    st.builds(Category, name=TEXT),
    lambda below: st.builds(Category, name=TEXT, below=st.lists(below, max_size=2), above=st.none() | below),
    max_leaves=4,
)
CHANNELS = st.sampled_from(Channel)
FLOATS = st.floats(allow_nan=False)
DAYS = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001  (bounds)
MOMENTS = st.datetimes(*DAYS, timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))
JSON = st.none() | st.booleans() | FLOATS.filter(lambda number: abs(number) < 1e300) | TEXT
FIELDS: Mapping[str, st.SearchStrategy[object]] = {
    "id": INT64,
    "size": INT32,
    "total": st.integers(0, 2**64 - 1),
    "delta": st.none() | INT64,
    "share": FLOATS,
    "weight": st.floats(width=32, allow_nan=False),
    "is_paid": st.booleans(),
    "name": TEXT,
    "note": st.none() | TEXT,
    "raw": st.binary(max_size=6),
    "channel": CHANNELS,
    "seen_on": st.lists(CHANNELS, max_size=3),
    "priority": st.sampled_from(Priority),
    "kind": st.sampled_from(["sale", "return"]),
    "placed_at": MOMENTS,
    "due_on": st.none() | st.dates(),
    "due_by": st.none() | st.times(),
    "waited": st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000)),
    "price": DECIMALS,
    "key": st.uuids(),
    "short_key": st.uuids(),
    "exact_price": st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    "holiday": st.none() | st.dates(),
    "item": ITEMS,
    "items": st.lists(ITEMS, max_size=2),
    "labels": st.dictionaries(TEXT, TEXT, max_size=2),
    "by_key": st.dictionaries(st.uuids(), ITEMS, max_size=2),
    "channels": st.dictionaries(INT64, CHANNELS, max_size=2),
    "payment": st.none() | CARDS | VOUCHERS,
    "reference": INT64 | TEXT | st.uuids() | st.booleans() | st.dates(),
    "page": st.builds(Page[Item], items=st.lists(ITEMS, max_size=2), next_token=st.none() | TEXT),
    "category": st.none() | CATEGORIES,
    "extra": st.dictionaries(TEXT, JSON | st.lists(JSON, max_size=2), max_size=2),
    "numbers": st.sets(INT64, max_size=3),
    "pair": st.lists(INT32, max_size=3).map(tuple),
}


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Give orders with every field given; what is drawn stands in them as it is."""
    return Order.model_validate({name: draw(values) for name, values in FIELDS.items()})


def an_order() -> Order:
    """Give one order, the same each time, in which every field holds something."""
    item = Item(sku="tea", count=2, price=Decimal("3.50"), note="green")
    return Order(
        id=1, size=2, total=3, delta=-4, share=0.5, weight=1.5, is_paid=True, name="Ada", note="", raw=b"\x00\xff",
        channel=Channel.STORE, seen_on=[Channel.WEB, Channel.STORE], priority=Priority.LATE, kind="return",
        placed_at=datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC), due_on=date(2026, 2, 28), due_by=time(17, 30),
        waited=timedelta(seconds=-1.5), price=Decimal("-19.990"), key=UUID(int=1), short_key=UUID(int=2),
        exact_price=Decimal("-12.3400"), holiday=date(2026, 12, 25), item=item, items=[item], labels={"a": "b"},
        by_key={UUID(int=3): item}, channels={-1: Channel.WEB}, payment=Voucher(number="V1"), reference=UUID(int=4),
        page=Page[Item](items=[item], next_token="t"), category=Category(name="x", below=[Category(name="y")]),
        extra={"a": [1.0, None, {"b": "c"}]}, numbers={1, 2}, pair=(3, 4),
    )  # fmt: skip
