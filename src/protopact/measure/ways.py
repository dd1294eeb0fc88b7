"""The ways that are measured, by their kind; each kind takes a setting and gives its ways for that message."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format, proto

from protopact.convert import from_json, to_json
from protopact.errors import MissingExtraError
from protopact.measure.timing import Way
from protopact.serdes import Deserializer, Serializer
from protopact.stream import read_delimited, write_delimited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from protopact.measure.setting import Setting
    from protopact.measure.timing import Call

# The goals of the project, as multiples of bare upb.
_GOALS: dict[str, dict[str, float]] = {
    "message": {"small": 2.0, "medium": 1.5, "large": 1.05},
    "dict → wire": {"small": 4.0, "medium": 16.0, "large": 16.0},
    "wire → dict": {"small": 3.5, "medium": 9.5, "large": 16.0},
    "wire → model": {"small": 6.0, "medium": 13.0, "large": 28.0},
    "delimited": {"medium": 1.6},
}
_BATCH_BYTES: Final = 200_000


def message_ways(setting: Setting) -> Iterator[Way]:
    """Write and read messages, by bound functions."""
    s, goal = setting, _GOALS["message"][setting.sample.size]
    write = Serializer(s.registry, s.sample.schema).bind(s.topic)
    read = Deserializer(s.registry).bind(s.topic)
    read_class = Deserializer(s.registry, into=s.message_class).bind(s.topic)
    writing: dict[str, Call] = {}
    reading: dict[str, Call] = {}
    if s.rival is not None:
        their_write, (_, their_read) = s.rival.writer(s.message), s.rival_reader()
        writing[s.rival.name] = lambda: their_write(s.message)
        reading[s.rival.name] = their_read
    yield _writing(s, "message → wire", lambda: write(s.message), goal, writing)
    yield _reading(s, "wire → message", lambda: read(s.raw), goal, reading)
    yield _reading(s, "wire → message, its class", lambda: read_class(s.raw), goal, reading)


def method_ways(setting: Setting) -> Iterator[Way]:
    """Write and read messages by the methods that are told the topic each time."""
    s = setting
    serializer, deserializer = Serializer(s.registry, s.sample.schema), Deserializer(s.registry)
    yield _writing(s, "message → wire, unbound", lambda: serializer.serialize(s.message, topic=s.topic))
    yield _reading(s, "wire → message, unbound", lambda: deserializer.deserialize(s.raw, topic=s.topic))


def latest_ways(setting: Setting) -> Iterator[Way]:
    """Write messages with the latest schema of the subject."""
    s, writing = setting, {}
    write = Serializer(s.registry, s.sample.schema, use_latest_version=True).bind(s.topic)
    if s.rival is not None:
        their_write = s.rival.writer(s.message, names_latest=True)
        writing[s.rival.name] = lambda: their_write(s.message)
    yield _writing(s, "message → wire, latest schema", lambda: write(s.message), None, writing)


def dict_ways(setting: Setting) -> Iterator[Way]:
    """Write and read dicts; beside it json_format, whose dicts hold what JSON can hold."""
    s = setting
    write = Serializer(s.registry, s.sample.schema).bind(s.topic)
    read = Deserializer(s.registry, into=dict).bind(s.topic)
    values = json_format.MessageToDict(s.message)
    (writer, their_write), (reader, their_read) = s.rival_writer(), s.rival_reader()
    writing = {f"{writer}json_format": lambda: their_write(json_format.ParseDict(values, s.message_class()))}
    reading = {f"{reader}json_format": lambda: json_format.MessageToDict(their_read())}
    yield _writing(s, "dict → wire", lambda: write(s.values), _GOALS["dict → wire"][s.sample.size], writing)
    yield _reading(s, "wire → dict", lambda: read(s.raw), _GOALS["wire → dict"][s.sample.size], reading)


def model_ways(setting: Setting) -> Iterator[Way]:
    """Write and read pydantic models; beside it json_format's dict, which pydantic validates."""
    s, (model_class, model) = setting, _model(setting)
    serializer = Serializer(s.registry, model_class)
    topic = f"{s.topic}-model"
    raw, write = serializer.serialize(model, topic=topic), serializer.bind(topic)
    read = Deserializer(s.registry, into=model_class).bind(topic)
    assert read(raw) == model
    (writer, their_write), (reader, their_read) = s.rival_writer(), s.rival_reader()

    def write_by_json() -> object:
        return their_write(json_format.ParseDict(model.model_dump(mode="json"), s.message_class()))

    def read_by_json() -> object:
        values = json_format.MessageToDict(their_read(), preserving_proto_field_name=True, use_integers_for_enums=True)
        return model_class.model_validate(values)

    assert read_by_json() == model
    goal = _GOALS["wire → model"][s.sample.size]
    yield _writing(s, "model → wire", lambda: write(model), None, {f"{writer}json_format": write_by_json})
    yield _reading(s, "wire → model", lambda: read(raw), goal, {f"{reader}json_format": read_by_json})


def json_ways(setting: Setting) -> Iterator[Way]:
    """Write and read proto JSON; beside it json_format, and pydantic with a JSON of its own."""
    s, text = setting, to_json(setting.message)
    writing: dict[str, Call] = {"json_format": lambda: json_format.MessageToJson(s.message, indent=None)}
    reading: dict[str, Call] = {"json_format": lambda: json_format.Parse(text, s.message_class())}
    with suppress(MissingExtraError):
        model_class, model = _model(s)
        dumped = model.model_dump_json()
        writing["pydantic"] = model.model_dump_json
        reading["pydantic"] = lambda: model_class.model_validate_json(dumped)
    yield _writing(s, "message → JSON", lambda: to_json(s.message), None, writing)
    yield _reading(s, "JSON → message", lambda: from_json(text, s.message_class), None, reading)


def checked_ways(setting: Setting) -> Iterator[Way]:
    """Write and read messages that protovalidate checks."""
    s = setting
    write = Serializer(s.registry, s.sample.schema, validate=True).bind(s.topic)
    read = Deserializer(s.registry, validate=True).bind(s.topic)
    yield _writing(s, "message → wire, validated", lambda: write(s.message))
    yield _reading(s, "wire → message, validated", lambda: read(s.raw))


def column_ways(setting: Setting) -> Iterator[Way]:
    """Read many records into an Arrow table; beside it ptars, which is given bare payloads and makes one batch."""
    s = setting
    deserializer = Deserializer(s.registry)
    many = _many(s)
    raws, payloads, parse = [s.raw] * many, [s.payload] * many, s.message_class.FromString
    deserializer.deserialize_many(raws[:1], topic=s.topic)  # which finds out what is not installed
    yield Way(
        "wire → Arrow columns",
        s.sample.label,
        len(s.payload),
        lambda: _drain(map(parse, payloads)),
        lambda: deserializer.deserialize_many(raws, topic=s.topic),
        peers=_ptars(s, payloads),
        messages=many,
    )


def stream_ways(setting: Setting) -> Iterator[Way]:
    """Write and read a length-delimited stream in memory, beside protobuf's own functions."""
    s, goal, many = setting, _GOALS["delimited"].get(setting.sample.size), _many(setting)
    messages, payloads = [s.message] * many, [s.payload] * many
    parse, write, cls = s.message_class.FromString, s.message_class.SerializeToString, s.message_class
    stream = BytesIO()
    write_delimited(stream, messages)
    data = stream.getvalue()

    def write_theirs() -> None:
        target = BytesIO()
        for message in messages:
            proto.serialize_length_prefixed(message, target)

    def read_theirs() -> None:
        source = BytesIO(data)
        _drain(iter(lambda: proto.parse_length_prefixed(cls, source), None))

    yield Way(
        "length-delimited write",
        s.sample.label,
        len(s.payload),
        lambda: _drain(map(write, messages)),
        lambda: write_delimited(BytesIO(), messages),
        goal,
        {"protobuf": write_theirs},
        many,
    )
    yield Way(
        "length-delimited read",
        s.sample.label,
        len(s.payload),
        lambda: _drain(map(parse, payloads)),
        lambda: _drain(read_delimited(data, cls)),
        goal,
        {"protobuf": read_theirs},
        many,
    )


def _writing(
    setting: Setting, path: str, ours: Call, goal: float | None = None, peers: Mapping[str, Call] | None = None
) -> Way:
    return Way(path, setting.sample.label, len(setting.payload), setting.bare_write, ours, goal, peers or {})


def _reading(
    setting: Setting, path: str, ours: Call, goal: float | None = None, peers: Mapping[str, Call] | None = None
) -> Way:
    return Way(path, setting.sample.label, len(setting.payload), setting.bare_read, ours, goal, peers or {})


def _model(setting: Setting) -> tuple[type[BaseModel], BaseModel]:
    """Give the message's model and its value; MissingExtraError without pydantic."""
    try:
        from protopact.measure.models import MODELS
    except ImportError as error:
        raise MissingExtraError("models need pydantic", option="extra", hint="install 'protopact[pydantic]'") from error
    model_class = MODELS[setting.sample.size]
    model = Deserializer(setting.registry, into=model_class).deserialize(setting.raw, topic=setting.topic)
    assert model is not None
    return model_class, model


def _ptars(setting: Setting, payloads: list[bytes]) -> dict[str, Call]:
    try:
        ptars = import_module("ptars")
    except ImportError:
        return {}
    descriptor = setting.message_class.DESCRIPTOR
    pool = ptars.HandlerPool([descriptor.file], config=ptars.PtarsConfig(timestamp_unit="us", enum_repr="string"))
    handler = pool.get_for_message(descriptor)
    return {"ptars": lambda: handler.list_to_record_batch(payloads)}


def _many(setting: Setting) -> int:
    """Say how many messages make a batch that is worth the name, and no more."""
    return max(10, _BATCH_BYTES // len(setting.payload))


def _drain(items: Iterable[Any]) -> None:
    """Take all items and keep none."""
    deque(items, maxlen=0)
