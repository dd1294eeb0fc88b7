from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from protopact.compiler import compile_text
from protopact.descriptor import message_class

if TYPE_CHECKING:
    from google.protobuf.message import Message

SCHEMAS = Path(__file__).parents[2] / "schemas"


def class_of(file_name: str, full_name: str) -> type[Message]:
    return message_class(compile_text((SCHEMAS / file_name).read_text(), file_name=file_name), full_name)


@pytest.fixture(scope="session")
def rich() -> type[Message]:
    return class_of("rich.proto", "rich.v1.Rich")


@pytest.fixture(scope="session")
def awkward() -> type[Message]:
    return class_of("rich.proto", "rich.v1.Awkward")


@pytest.fixture(scope="session")
def old() -> type[Message]:
    return class_of("old.proto", "old.v1.Old")
