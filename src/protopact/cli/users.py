"""`protopact registry users`: who may use a registry, kept in a file that a running server sees change.

A password comes from the prompt, from a file or from the environment, never from an argument: other users of the
machine can read those.
"""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import read_secret
from protopact.cli.output import add_format_option, print_line, print_rows
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.server import User

_FILE_DEFAULT = "registry-users.json"
_FILE_VARIABLE = "PROTOPACT_REGISTRY_USERS"
_VARIABLE = "PROTOPACT_USER_PASSWORD"
_ROLE_HELP = "ROLE:PATTERN with reader, writer or admin, for example reader:orders-* or admin:*; may be repeated"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the parts of `registry users`."""
    parts = parser.add_subparsers(metavar="ACTION", required=True)
    add = parts.add_parser("add", help="add a user, or set the password and roles of one", allow_abbrev=False)
    add.set_defaults(run=_add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", metavar="ROLE:PATTERN", action="append", default=[], help=_ROLE_HELP)
    add.add_argument("--password-file", type=Path, metavar="FILE", help="read the password from a file, - for stdin")
    add.add_argument("--no-password", action="store_true", help="a user who signs in by token only")
    listing = parts.add_parser("list", help="list users and roles")
    listing.set_defaults(run=_list)
    add_format_option(listing)
    remove = parts.add_parser("remove", help="remove users")
    remove.set_defaults(run=_remove)
    remove.add_argument("names", metavar="NAME", nargs="+")
    roles = parts.add_parser("roles", help="set a user's roles in place of those there were")
    roles.set_defaults(run=_roles)
    roles.add_argument("name", metavar="NAME")
    roles.add_argument("roles", metavar="ROLE:PATTERN", nargs="*", help=_ROLE_HELP)
    for part in (add, listing, remove, roles):
        add_users_option(part, default=os.environ.get(_FILE_VARIABLE) or _FILE_DEFAULT)


def add_users_option(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    """Offer `--users FILE`."""
    told = f"default: {_FILE_VARIABLE}, else {_FILE_DEFAULT}" if default else f"default: {_FILE_VARIABLE}"
    parser.add_argument("--users", type=Path, metavar="FILE", default=default, help=f"users file ({told})")


def _add(options: argparse.Namespace) -> int:
    from protopact.server import Grant, User, changing_users, check_name, hash_password

    name = check_name(options.name)
    grants = tuple(Grant.parse(role) for role in options.role)
    password_hash = None if options.no_password else hash_password(_password(options.password_file))
    with changing_users(options.users) as users:
        known = users.get(name)
        users[name] = User(name, grants or (known.grants if known else ()), password_hash)
        print_line(f"{'changed' if known else 'added'} {name}: {_worded(users[name])}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from protopact.server import read_users

    rows = [
        {
            "name": user.name,
            "roles": [str(grant) for grant in user.grants],
            "signs in by": "token" if user.password_hash is None else "password",
        }
        for user in read_users(options.users).values()
    ]
    print_rows(["name", "roles", "signs in by"], rows, options.format)
    return 0


def _remove(options: argparse.Namespace) -> int:
    from protopact.server import changing_users

    with changing_users(options.users) as users:
        for name in options.names:
            if users.pop(name, None) is None:
                raise _unknown(name)
    print_line(f"removed {', '.join(options.names)}")
    return 0


def _roles(options: argparse.Namespace) -> int:
    from protopact.server import Grant, changing_users

    with changing_users(options.users) as users:
        user = users.get(options.name)
        if user is None:
            raise _unknown(options.name)
        users[user.name] = replace(user, grants=tuple(Grant.parse(role) for role in options.roles))
        print_line(f"{user.name}: {_worded(users[user.name])}")
    return 0


def _password(file: Path | None) -> str:
    """Give the password: of the file, else of the environment, else of who sits at the terminal."""
    if file is not None:
        return read_secret(file)
    if _VARIABLE in os.environ:
        return os.environ[_VARIABLE]
    if not sys.stdin.isatty():
        raise ConfigError(
            "there is no terminal to ask for a password at",
            option="--password-file",
            hint=f"use --password-file, or set {_VARIABLE}",
        )
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise ConfigError("the two passwords differ", option="password")
    return password


def _worded(user: User) -> str:
    return ", ".join(str(grant) for grant in user.grants) or "no roles"


def _unknown(name: str) -> ConfigError:
    return ConfigError(f"there is no user {name!r}", option="name", hint="see: protopact registry users list")
