"""Our client fetches its tokens from an identity server of others, and our registry believes that server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from identity_server import SECRET

from protopact.client import AsyncSchemaRegistryClient, OAuthClient, SchemaRegistryClient
from protopact.errors import ProtopactError, RegistryError
from protopact.schema import load_schema
from protopact.server import Guard, background_registry

if TYPE_CHECKING:
    from identity_server import IdentityServer

PART = load_schema('syntax = "proto3"; message Part { string name = 1; }')


def login(server: IdentityServer, name: str, secret: str = SECRET, **more: bool) -> OAuthClient:
    return OAuthClient(server.token_url, name, secret, scope="registry", **more)


def test_roles_are_those_of_the_identity_servers_tokens(identity_server: IdentityServer) -> None:
    with background_registry(guard=Guard(tokens=identity_server.tokens())) as url:
        with SchemaRegistryClient(url, auth=login(identity_server, "ann")) as ann:
            assert ann.register("parts", PART).id == 1
            assert ann.register("hidden", PART).id == 1
        for reader in (login(identity_server, "bob"), login(identity_server, "eve", secret_in_body=True)):
            with SchemaRegistryClient(url, auth=reader) as client:
                assert client.get_subjects() == ["parts"]
                with pytest.raises(RegistryError) as refused:
                    client.register("parts-2", PART)
                assert refused.value.status == 403

        async def of_all() -> list[list[str]]:
            async with AsyncSchemaRegistryClient(url, auth=login(identity_server, "ann")) as client:
                return await asyncio.gather(*[client.get_subjects() for _ in range(50)])

        assert asyncio.run(of_all()) == [["hidden", "parts"]] * 50


@pytest.mark.parametrize(
    ("name", "secret", "in_body"), [("ann", "guessed", False), ("mallory", SECRET, False), ("eve", "guessed", True)]
)
def test_what_the_identity_server_refuses_is_said_in_its_word_and_without_the_secret(
    identity_server: IdentityServer, name: str, secret: str, *, in_body: bool
) -> None:
    auth = login(identity_server, name, secret, secret_in_body=in_body)
    with (
        background_registry(guard=Guard(tokens=identity_server.tokens())) as url,
        SchemaRegistryClient(url, auth=auth) as client,
        pytest.raises(ProtopactError) as refused,
    ):
        client.get_subjects()
    assert "invalid_client" in str(refused.value)
    assert secret not in repr(refused.value)


def test_a_token_of_another_issuer_is_not_believed_though_its_key_is_known(identity_server: IdentityServer) -> None:
    with (
        background_registry(guard=Guard(tokens=identity_server.tokens(issuer="https://else.example"))) as url,
        SchemaRegistryClient(url, auth=login(identity_server, "ann")) as client,
        pytest.raises(RegistryError) as refused,
    ):
        client.get_subjects()
    assert refused.value.status == 401
