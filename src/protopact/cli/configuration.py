"""Where a command's registry and its login come from: options, environment, `.env`, profile; in this order.

A password and a token never stand in an argument: other users of the machine can read those. What a profile says of
a login is sent to the profile's own registry alone, whoever names another one.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import stat
import sys
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protopact.client import Auth, Tls

REGISTRY_DEFAULT = "http://127.0.0.1:8081"
PROFILE_VARIABLE = "PROTOPACT_PROFILE"

# Each setting with the variables that say it, the first that is set counts. The names of Confluent's tools count too.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "registry": ("PROTOPACT_REGISTRY_URL", "SCHEMA_REGISTRY_URL"),
    "user": ("PROTOPACT_REGISTRY_USER", "SR_API_KEY"),
    "password": ("PROTOPACT_REGISTRY_PASSWORD", "SR_API_SECRET"),
    "password_file": ("PROTOPACT_REGISTRY_PASSWORD_FILE",),
    "token": ("PROTOPACT_REGISTRY_TOKEN",),
    "token_file": ("PROTOPACT_REGISTRY_TOKEN_FILE",),
    "oauth_token_url": ("PROTOPACT_REGISTRY_OAUTH_TOKEN_URL",),
    "oauth_client_id": ("PROTOPACT_REGISTRY_OAUTH_CLIENT_ID",),
    "oauth_client_secret": ("PROTOPACT_REGISTRY_OAUTH_CLIENT_SECRET",),
    "oauth_client_secret_file": ("PROTOPACT_REGISTRY_OAUTH_CLIENT_SECRET_FILE",),
    "oauth_scope": ("PROTOPACT_REGISTRY_OAUTH_SCOPE",),
    "logical_cluster": ("PROTOPACT_REGISTRY_LOGICAL_CLUSTER",),
    "identity_pool": ("PROTOPACT_REGISTRY_IDENTITY_POOL",),
    "ca": ("PROTOPACT_REGISTRY_CA",),
    "certificate": ("PROTOPACT_REGISTRY_CERTIFICATE",),
    "key": ("PROTOPACT_REGISTRY_KEY",),
    "key_password": ("PROTOPACT_REGISTRY_KEY_PASSWORD",),
}
_SECRETS = ("password", "token", "oauth_client_secret", "key_password")
# The settings that say how one logs in; the first source that has any decides.
_LOGINS: Mapping[str, tuple[str, ...]] = {
    "user": ("user",),
    "token": ("token", "token_file"),
    "oauth": ("oauth_client_id", "oauth_token_url"),
}
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Access:
    """A registry's address, and how to log in there."""

    url: str
    auth: Auth | None = field(default=None, repr=False)
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    values: Mapping[str, str] = field(repr=False)


class Configuration:
    """The values of all sources, strongest first."""

    def __init__(self, options: Mapping[str, str | None], *, profile: str | None = None) -> None:
        """Read the sources; `options` are those of the command line by setting, None for what was not given.

        ConfigError for a file that cannot be used, an unknown profile or an unknown setting in it.
        """
        settings_file = read_env_file(Path(".env"))
        profile = profile or os.environ.get(PROFILE_VARIABLE) or settings_file.get(PROFILE_VARIABLE)
        self._sources = [
            _Source("an option", {name: value for name, value in options.items() if value}),
            _Source("the environment", _from_variables(os.environ)),
            _Source(".env", _from_variables(settings_file)),
            _Source("the profile", read_profile(profile)),
        ]

    def access(self) -> Access:
        """Give the registry to use and the login for it; asks for a password where a user has none."""
        url = self._find("registry", self._sources) or REGISTRY_DEFAULT
        _check_option(self._sources[0].values.get("registry"))
        if not url.startswith(("http://", "https://")):
            return Access(url)
        return Access(url, self._auth(self._trusted(url)), self._tls(self._trusted(url)))

    def url(self) -> str:
        """Give the address alone."""
        return self._find("registry", self._sources) or REGISTRY_DEFAULT

    def _trusted(self, url: str) -> list[_Source]:
        """Give the sources of a login for this address."""
        profile = self._sources[-1]
        return self._sources if profile.values.get("registry") == url else self._sources[:-1]

    def _auth(self, sources: Sequence[_Source]) -> Auth | None:
        kind = _kind_of_login(sources)
        if kind is None:
            return None
        from protopact.client import BearerToken, OAuthClient

        cluster, pool = self._find("logical_cluster", sources), self._find("identity_pool", sources)
        if kind == "token":
            return BearerToken(self._secret("token", sources, ask="token"), cluster, pool)
        if kind == "oauth":
            url, client = self._find("oauth_token_url", sources), self._find("oauth_client_id", sources)
            if url is None or client is None:
                raise ConfigError("oauth_token_url and oauth_client_id go together", option="oauth_token_url")
            secret = self._secret("oauth_client_secret", sources, ask="client secret")
            scope = self._find("oauth_scope", sources)
            return OAuthClient(url, client, secret, scope, logical_cluster=cluster, identity_pool=pool)
        user = self._find("user", sources)
        assert user is not None
        # A source that names another user has another user's password.
        same = [source for source in sources if source.values.get("user", user) == user]
        return user, self._secret("password", same, ask=f"password of {user}")

    def _tls(self, sources: Sequence[_Source]) -> Tls | None:
        ca, certificate, key, password = (
            self._find(name, sources) for name in ("ca", "certificate", "key", "key_password")
        )
        if ca is None and certificate is None and key is None:
            return None
        from protopact.client import Tls

        return Tls(ca, certificate, key, password)

    def _find(self, name: str, sources: Sequence[_Source]) -> str | None:
        return next((source.values[name] for source in sources if name in source.values), None)

    def _secret(self, name: str, sources: Sequence[_Source], *, ask: str) -> str:
        """Give a secret: of the strongest source that has it or a file with it, else of who sits at the terminal."""
        for source in sources:
            if name in source.values:
                return source.values[name]
            if f"{name}_file" in source.values:
                return read_secret(Path(source.values[f"{name}_file"]))
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfigError(
                f"there is no terminal to ask for the {ask} at",
                option=name,
                hint=f"set {SETTINGS[name][0]}, or {SETTINGS[f'{name}_file'][0]} to a file that holds it",
            )
        return getpass.getpass(f"{ask}: ")


def read_secret(file: Path) -> str:
    """Read a password from a file, `-` for the standard input, without its last line's end; ConfigError."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the password file {file} cannot be read", option="--password-file") from error
    return text.removesuffix("\n")


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines, quoted as in a shell where they are; a file that is not there says nothing.

    Lines of another form are left alone, since other programs read the file too. ConfigError for a value whose quote
    is never closed, and a file that cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", option=str(path)) from error
    found = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match:
            try:
                words = shlex.split(match["value"], comments=True)
            except ValueError:
                raise ConfigError(f"{path}:{number}: a quote is not closed", option=match["name"]) from None
            found[match["name"]] = " ".join(words)
    return found


def read_profile(name: str | None) -> dict[str, str]:
    """Read a profile of the user's profile file; without a name the one called `default`, if there is one."""
    path = profiles_path()
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if name is None:
            return {}
        raise ConfigError(f"there is no profile {name!r}: there is no file {path}", option="--profile") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", option="--profile") from error
    if name is None and "default" not in profiles:
        return {}
    chosen = profiles.get(name or "default")
    if not isinstance(chosen, dict):
        hint = f"there are {', '.join(profiles)}" if profiles else ""
        raise ConfigError(f"there is no profile {name!r} in {path}", option="--profile", hint=hint)
    return _checked_profile(path, name or "default", chosen)


def profiles_path() -> Path:
    """Give the place of the profile file: `~/.config/protopact/profiles.toml`, or below XDG_CONFIG_HOME."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "protopact" / "profiles.toml"


def _checked_profile(path: Path, name: str, values: Mapping[str, object]) -> dict[str, str]:
    found = {}
    for key, value in values.items():
        if key not in SETTINGS:
            near = get_close_matches(key, SETTINGS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(SETTINGS)}"
            raise ConfigError(f"{path}: the profile {name!r} says {key!r}, which is unknown", option=key, hint=hint)
        if not isinstance(value, str):
            raise ConfigError(f"{path}: {key} of the profile {name!r} must be a text", option=key)
        found[key] = value
    if found.keys() - {"registry"} and "registry" not in found:
        raise ConfigError(f"{path}: the profile {name!r} has a login and no registry", option="registry")
    if found.keys() & set(_SECRETS) and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} holds secrets and others can read it", option="--profile", hint=f"chmod 600 {path}")
    return found


def _from_variables(variables: Mapping[str, str]) -> dict[str, str]:
    found = {
        setting: next((variables[name] for name in names if variables.get(name)), "")
        for setting, names in SETTINGS.items()
    }
    return {setting: value for setting, value in found.items() if value}


def _kind_of_login(sources: Sequence[_Source]) -> str | None:
    for source in sources:
        kinds = [kind for kind, names in _LOGINS.items() if source.values.keys() & set(names)]
        if len(kinds) > 1:
            raise ConfigError(f"{source.name} says two ways to log in: {' and '.join(kinds)}", option="--user")
        if kinds:
            return kinds[0]
    return None


def _check_option(url: str | None) -> None:
    """Refuse a password in an argument."""
    if url is None or not url.startswith(("http://", "https://")):
        return
    if any(urlsplit(part).password is not None for part in url.split(",")):
        raise ConfigError(
            "--registry holds a password, which others can read in the list of processes",
            option="--registry",
            hint=f"use --user and {SETTINGS['password'][0]}",
        )
