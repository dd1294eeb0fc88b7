"""`protopact registry`: a schema registry over HTTP, who may use it, and the keeping of its data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli import registry_keep, users
from protopact.cli.options import parse_address, read_secret
from protopact.cli.output import print_line
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.server import Guard, Tls


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's parts."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    serve = parts.add_parser("serve", help="serve a registry until Ctrl-C or SIGTERM", allow_abbrev=False)
    serve.set_defaults(run=_serve)
    serve.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8081", help="default 127.0.0.1:8081")
    serve.add_argument(
        "--store", metavar="URL", required=True, help="sqlite:PATH, postgresql://…, or memory: to keep nothing"
    )
    serve.add_argument(
        "--insecure", action="store_true", help="allow an address that others can reach, without authentication"
    )
    serve.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which clients call a registry on this machine that has no users; may be repeated",
    )
    serve.add_argument("--log-requests", action="store_true", help="log each answered request")
    users.add_users_option(serve, default=os.environ.get("PROTOPACT_REGISTRY_USERS"))
    tokens = serve.add_argument_group("tokens", "Let those in whom an issuer's signed tokens (JWT) name.")
    tokens.add_argument("--jwks-url", metavar="URL", help="where the issuer's public keys are")
    tokens.add_argument("--jwt-issuer", metavar="TEXT", default="", help="whose tokens are believed")
    tokens.add_argument("--jwt-audience", metavar="TEXT", default="", help="for whom they must be")
    tokens.add_argument("--jwt-roles-claim", metavar="NAME", default="roles", help="where the roles are, default roles")
    tls = serve.add_argument_group("TLS", "Files in PEM form; a changed one is read at the next start.")
    tls.add_argument("--tls-cert", metavar="FILE", help="certificate chain")
    tls.add_argument("--tls-key", metavar="FILE", help="private key")
    tls.add_argument("--tls-key-password-file", type=Path, metavar="FILE", help="the key's password, if it has one")
    tls.add_argument("--tls-client-ca", metavar="FILE", help="let in only clients with a certificate by one of these")
    users.configure(parts.add_parser("users", help="set up who may use a registry"))
    registry_keep.configure_backup(parts.add_parser("backup", help="copy a registry's data into one file"))
    registry_keep.configure_restore(parts.add_parser("restore", help="make a registry's data from a backup"))
    registry_keep.configure_audit(parts.add_parser("audit", help="list who changed what, newest first"))


def _serve(options: argparse.Namespace) -> int:
    from protopact.server import log_json_lines, serve_registry

    log_json_lines(requests=options.log_requests)
    host, port = parse_address(options.listen, option="--listen")
    serve_registry(
        options.store,
        host=host,
        port=port,
        insecure=options.insecure,
        guard=_guard(options),
        tls=_tls(options),
        host_names=options.host_name,
        say=print_line,
    )
    return 0


def _guard(options: argparse.Namespace) -> Guard | None:
    if options.users is None and options.jwks_url is None:
        return None
    from protopact.server import Guard, Tokens, TokenSettings, Users

    settings = TokenSettings(
        options.jwks_url or "", options.jwt_issuer, options.jwt_audience, roles_claim=options.jwt_roles_claim
    )
    return Guard(
        users=None if options.users is None else Users(options.users),
        tokens=None if options.jwks_url is None else Tokens(settings),
    )


def _tls(options: argparse.Namespace) -> Tls | None:
    if options.tls_cert is None and options.tls_key is None and options.tls_client_ca is None:
        return None
    from protopact.server import Tls

    if options.tls_cert is None or options.tls_key is None:
        raise ConfigError("--tls-cert and --tls-key go together, also for --tls-client-ca", option="--tls-cert")
    password = None if options.tls_key_password_file is None else read_secret(options.tls_key_password_file)
    return Tls(options.tls_cert, options.tls_key, password, options.tls_client_ca)
