"""An identity server of others in its own process, and the clients that it knows."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.server import Tokens, TokenSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AUDIENCE = "registry"
# What must be escaped in HTTP basic authentication (RFC 6749, section 2.3.1), and what in a form.
SECRET = "s:e/c+r %et"
CLIENTS = [
    {"id": "ann", "secret": SECRET, "role": "writer:*"},
    {"id": "bob", "secret": SECRET, "role": "reader:parts*"},
    {"id": "eve", "secret": SECRET, "role": "reader:parts*", "method": "client_secret_post"},
    # Not every client of others escapes an id and a secret.
    {"id": "plain-writer", "secret": "plain", "role": "writer:*"},
    {"id": "plain-reader", "secret": "plain", "role": "reader:parts*"},
]
STOP_S = 10.0


@dataclass(frozen=True)
class IdentityServer:
    """Where the server is, and where it gives tokens and the keys that they are signed with."""

    url: str

    @property
    def token_url(self) -> str:
        """Give the address that gives tokens."""
        return f"{self.url}/token"

    def tokens(self, *, issuer: str | None = None) -> Tokens:
        """Give what believes this server's tokens, or those of another issuer with its keys."""
        return Tokens(TokenSettings(f"{self.url}/jwks", issuer or self.url, AUDIENCE))


@contextmanager
def running_identity_server(project: Path, packages: Path) -> Iterator[IdentityServer]:
    """Run the server for the length of the block."""
    command = ["node", str(project / "identity_server.mjs"), str(packages), AUDIENCE, json.dumps(CLIENTS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, f"the identity server ended with status {process.wait(STOP_S)}"
            yield IdentityServer(url)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_S)
            finally:
                process.kill()
