"""Servers listen on loopback unless something guards them, and an address that cannot be used is a clear error."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from protopact.errors import ConfigError
from protopact.listening import is_loopback, listen, refuse_public


def test_port_0_takes_a_free_one_and_a_port_that_is_taken_is_refused() -> None:
    with closing(listen("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
            listen("127.0.0.1", port)
        assert "Port 0" in caught.value.hint


def test_an_answer_is_sent_at_once_and_waits_for_no_acknowledgement() -> None:
    with closing(listen("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()):
        taken, _ = door.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ConfigError, match="no such port"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machines_own_addresses_need_no_guard(host: str) -> None:
    assert is_loopback(host)
    refuse_public(host, "the broker", hint="")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "broker.example"])
def test_addresses_that_others_reach_are_refused_with_the_remedy(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="the broker has no authentication") as caught:
        refuse_public(host, "the broker", hint="listen elsewhere")
    assert caught.value.hint == "listen elsewhere"
