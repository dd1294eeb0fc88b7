"""What a broker refuses is listed by name and answered with an error; what it does not list works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaError as AiokafkaError
from confluent_kafka import KafkaException

from contract.kafka_refusals import ATTEMPTS, is_silence

if TYPE_CHECKING:
    from contract.kafka_clients import Clients


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_is_listed_is_refused_with_an_error_and_all_else_works(clients: Clients, name: str) -> None:
    if name not in clients.broker.refuses:
        ATTEMPTS[name](clients)
        return
    with pytest.raises((KafkaException, AiokafkaError)) as refused:
        ATTEMPTS[name](clients)
    assert not is_silence(refused.value)


def test_every_refusal_is_tried(clients: Clients) -> None:
    assert clients.broker.refuses.keys() <= ATTEMPTS.keys()
