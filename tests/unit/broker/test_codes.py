"""The broker's error codes are Kafka's."""

from __future__ import annotations

import pytest
from kio.schema.errors import ErrorCode

from protopact.broker.codes import Code


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_a_code_has_the_name_and_the_number_that_kafka_gives_it(code: Code) -> None:
    assert ErrorCode[code.name.lower()].value == code.value
