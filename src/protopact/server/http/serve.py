"""Running the registry's HTTP server: in the foreground until it is told to stop, or in a thread for a while."""

from __future__ import annotations

import logging
import signal
import ssl
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, MissingExtraError
from protopact.listening import is_loopback, listen, refuse_public
from protopact.server.exchange import Registry
from protopact.server.http.app import asgi_app
from protopact.server.http.hosts import Hosts
from protopact.server.store import open_store

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator

    import uvicorn

    from protopact.server.guard.auth import Guard
    from protopact.settings import ServerSettings

_LOOPBACK = "127.0.0.1"
_BACKLOG = 2048
_START_S = 10.0
_POLL_S = 0.005
_PUBLIC_HINT = (
    "set up users, listen on 127.0.0.1, or allow it by --insecure (insecure=True) where the network is trusted"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """A server's certificate chain and private key, as PEM files; the key's password, if it has one.

    `client_authority` is a PEM file of certificate authorities: only clients with a certificate by one of them are
    let in. What they may do there is the guard's matter.
    """

    certificate: str
    key: str
    key_password: str | None = field(default=None, repr=False)
    client_authority: str | None = None

    def check(self) -> None:
        """Refuse by ConfigError files that cannot be used."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.certificate, self.key, lambda: self.key_password or ""
            )
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise ConfigError(
                f"the certificate {self.certificate} and the key {self.key} cannot be used: {error}", option="tls"
            ) from error
        if self.client_authority is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(self.client_authority)
            except OSError as error:
                raise ConfigError(
                    f"the certificate authorities {self.client_authority} cannot be used: {error}", option="tls"
                ) from error


def serve_registry(
    store_url: str,
    *,
    host: str = _LOOPBACK,
    port: int = 8081,
    insecure: bool = False,
    guard: Guard | None = None,
    tls: Tls | None = None,
    settings: ServerSettings | None = None,
    host_names: Iterable[str] = (),
    say: Callable[[str], object] = lambda _line: None,
) -> None:
    """Serve a registry until Ctrl-C or SIGTERM, then finish what is in flight and return.

    Port 0 takes a free one. `guard` knows who asks; it is closed at the end. `say` is given a line when the registry
    listens and when it has stopped. ConfigError when others can reach the address, there is no guard and `insecure`
    does not allow that, and when the address or the certificate cannot be used; StoreError when the store cannot;
    MissingExtraError without uvicorn.

    Without a guard, on an address of this machine, calls must name an address, `localhost`, or one of `host_names`
    as their Host: a page in a browser could reach the registry by another name.
    """
    if guard is None:
        if not insecure:
            refuse_public(host, "the registry", hint=_PUBLIC_HINT)
    elif tls is None and not is_loopback(host):
        _log.warning("passwords and tokens come unencrypted, unless a proxy in front of the registry speaks TLS")
    with (
        closing(Registry(open_store(store_url), settings=settings, guard=guard)) as registry,
        closing(listen(host, port)) as door,
    ):
        names = Hosts([host, *host_names]) if guard is None and is_loopback(host) else None
        server = _server(registry, tls, names)
        _allow_connections(registry.settings)
        with _stopped_by_signals(server):
            say(f"registry  {_url(door, tls)}")
            server.run([door])
    say("registry  stopped")


@contextmanager
def background_registry(
    store_url: str = "memory:",
    *,
    port: int = 0,
    guard: Guard | None = None,
    tls: Tls | None = None,
    settings: ServerSettings | None = None,
) -> Iterator[str]:
    """Serve a registry to this machine in a thread, and give its URL; leaving the block drains and stops it.

    The port is a free one unless it is named. ConfigError and StoreError as for `serve_registry`.
    """
    with closing(Registry(open_store(store_url), settings=settings, guard=guard)) as registry:
        hosts = Hosts() if guard is None else None
        with _in_background(registry, port, tls, hosts) as url:
            yield url


@contextmanager
def served_registry(registry: Registry, *, port: int = 0) -> Iterator[str]:
    """Serve a registry that is there already, without a guard, to this machine in a thread, and give its URL.

    Leaving the block drains and stops the server, and leaves the registry open. ConfigError as for `serve_registry`.
    """
    with _in_background(registry, port, None, Hosts()) as url:
        yield url


@contextmanager
def _in_background(registry: Registry, port: int, tls: Tls | None, hosts: Hosts | None) -> Iterator[str]:
    with closing(listen(_LOOPBACK, port)) as door:
        server = _server(registry, tls, hosts)
        url = _url(door, tls)
        thread = threading.Thread(target=server.run, args=([door],), name="protopact-registry", daemon=True)
        thread.start()
        try:
            _wait_for(server, thread)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def _server(registry: Registry, tls: Tls | None, hosts: Hosts | None) -> uvicorn.Server:
    try:
        import uvicorn

        from protopact.server.http.connections import guarded
    except ImportError as error:
        raise MissingExtraError(
            "the registry's HTTP server needs uvicorn and httptools",
            option="extra",
            hint="install 'protopact[server]'",
        ) from error
    if tls is not None:
        tls.check()
    app = asgi_app(registry, hosts=hosts)
    protocol = guarded(registry.settings, app)
    registry.metrics.watch("connections", "Open connections", lambda: len(protocol.gate.open))
    return uvicorn.Server(
        uvicorn.Config(
            app,
            interface="asgi3",
            http=protocol,
            loop="protopact.server.http.connections:event_loop",
            proxy_headers=False,
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
            ssl_keyfile_password=None if tls is None else tls.key_password or "",
            ssl_ca_certs=None if tls is None else tls.client_authority,
            ssl_cert_reqs=ssl.CERT_NONE if tls is None or tls.client_authority is None else ssl.CERT_REQUIRED,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=round(registry.settings.keep_alive_s),
            timeout_graceful_shutdown=max(1, round(registry.settings.drain_s)),
            backlog=_BACKLOG,
        )
    )


def _allow_connections(settings: ServerSettings) -> None:
    from protopact.server.http.connections import allow_connections

    allow_connections(settings.connections_max)


def _url(door: socket.socket, tls: Tls | None) -> str:
    host, port = door.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ConfigError("the registry did not start", option="server", hint="the log says why")
        time.sleep(_POLL_S)


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM stop the server, and nothing else.

    uvicorn handles them while it runs, but sends them to the process again when it has stopped, and that would end
    the process before the store is closed.
    """

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
