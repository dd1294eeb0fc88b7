"""The table of requests: what it names is there, and is loaded when the first such request has come."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from protopact.broker.apis import APIS, Api

LOADED = """
import json, sys
from protopact.broker import background_broker
from unit.broker.raw_client import RawClient

def loaded():
    rooms = ("protopact.broker.messages.", "protopact.broker.handlers.", "protopact.broker.log.segments", "crc32c")
    return sorted(name for name in sys.modules if name.startswith(rooms))

with background_broker() as broker, RawClient(broker.bootstrap_servers) as client:
    at_start = loaded()
    assert client.ask(3, 1, topics=())
    print(json.dumps([at_start, loaded()]))
"""


@pytest.mark.parametrize("api", APIS.values(), ids=[api.name for api in APIS.values()])
def test_every_request_has_a_message_and_a_handler_that_takes_it(api: Api) -> None:
    assert is_dataclass(api.request)
    assert inspect.iscoroutinefunction(api.handle)
    node, request, caller = inspect.signature(api.handle).parameters.values()
    assert (node.annotation, request.annotation, caller.annotation) == ("Node", api.request.__name__, "Caller")


def test_a_broker_loads_the_messages_and_handlers_of_the_requests_that_come() -> None:
    """Start-up stays quick; `members` is what the groups' coordinator answers with."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    at_start, after_metadata = json.loads(done.stdout)
    assert at_start == ["protopact.broker.messages.members"]
    assert set(after_metadata) - set(at_start) == {
        "protopact.broker.handlers.cluster",
        "protopact.broker.messages.cluster",
    }
