"""What is written from a model is read back as that model, by way of real bytes."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import Phase, assume, given, settings, strategies as st
from pydantic import BaseModel, create_model

from protopact.errors import SchemaModelError
from protopact.schema import load_schema, model_decoder, model_encoder, schema_of
from schemas.kinds import DECIMALS, FLOATS, INT64, MOMENTS, TEXT, Channel, Order, Priority, orders

SCHEMA = schema_of(Order)
ENCODE = model_encoder(Order, SCHEMA.message_class)
DECODE = model_decoder(Order, SCHEMA.message_class)


@given(orders())
def test_a_model_survives_its_bytes(order: Order) -> None:
    before = order.model_copy(deep=True)
    payload = ENCODE(order).SerializeToString()
    read = DECODE(SCHEMA.message_class.FromString(payload))
    assert order == before
    assert read == order
    assert type(read.reference) is type(order.reference)
    assert type(read.payment) is type(order.payment)
    assert str(read.price) == str(order.price)
    assert repr(read.share) == repr(order.share)
    assert read.numbers == order.numbers


@st.composite
def models_with_values(draw: st.DrawFn, depth: int = 1) -> tuple[type[BaseModel], st.SearchStrategy[BaseModel]]:
    """Give a random model, with random values of it."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), min_size=1, max_size=4, unique=True))
    assume(all(not name.startswith("model_") and not hasattr(BaseModel, name) for name in names))
    fields: dict[str, Any] = {}
    values: dict[str, st.SearchStrategy[object]] = {}
    for name in names:
        single, value = draw(singles(depth))
        shape = draw(st.sampled_from(["one", "none", "list", "map", "default", "union"]))
        if shape == "none":
            single, value = single | None, st.none() | value
        elif shape == "list":
            single, value = list[single], st.lists(value, max_size=2)  # type: ignore[valid-type]
        elif shape == "map":
            single, value = dict[str, single], st.dictionaries(TEXT, value, max_size=2)  # type: ignore[valid-type]
        elif shape == "union":
            other, more = draw(singles(depth).filter(lambda pair, known=single: pair[0] is not known))
            single, value = single | other | None, st.none() | value | more
        fields[name] = (single, draw(value) if shape == "default" else ...)
        values[name] = value
    model = create_model(draw(st.from_regex(r"[A-Z][A-Za-z0-9]{8}", fullmatch=True)), **fields)
    return model, st.fixed_dictionaries(values).map(model.model_validate)


def exact(value: object) -> object:
    """Give a value in a form that keeps types and -0.0 apart, and maps together whatever their order."""
    if isinstance(value, BaseModel):
        return type(value), {name: exact(each) for name, each in value}
    if isinstance(value, dict):
        return {key: exact(each) for key, each in value.items()}
    return [exact(each) for each in value] if isinstance(value, list) else (type(value), repr(value))


def singles(depth: int) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[object]]]:
    times = st.times().map(lambda moment: moment.replace(fold=0))
    plain = st.sampled_from([
        (int, INT64), (bool, st.booleans()), (str, TEXT), (bytes, st.binary(max_size=4)), (float, FLOATS),
        (date, st.dates()), (time, times), (Decimal, DECIMALS), (UUID, st.uuids()), (datetime, MOMENTS),
        (Channel, st.sampled_from(Channel)), (Priority, st.sampled_from(Priority)),
        (timedelta, st.timedeltas(timedelta(days=-9), timedelta(days=9))),
    ])  # fmt: skip
    return plain | models_with_values(depth - 1) if depth else plain


@settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking classes takes minutes and shows no more
@given(st.data())
def test_random_models_print_as_text_that_compiles_alike_and_their_values_survive(data: st.DataObject) -> None:
    model, values = data.draw(models_with_values())
    try:
        schema = schema_of(model)
    except SchemaModelError as error:  # two JSON names alike, a name of two unions: said, and no foreign error
        if not error.hint:
            raise
        return
    assert load_schema(schema.to_schema_string(), file_name=schema.file_name).file_set == schema.file_set
    value = data.draw(values)
    cls = schema.message_class
    read = model_decoder(model, cls)(cls.FromString(model_encoder(model, cls)(value).SerializeToString()))
    assert exact(read) == exact(value)
