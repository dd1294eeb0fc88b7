"""Where the registry and its login come from: option, environment, `.env`, profile; and what is sent to whom."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from protopact.cli.configuration import REGISTRY_DEFAULT, Access, Configuration, profiles_path, read_env_file
from protopact.client import BearerToken, OAuthClient, Tls
from protopact.errors import ConfigError

URL, OTHER = "https://registry.example.org", "https://other.example.org"


def configured(*, profile: str | None = None, **options: str) -> Access:
    return Configuration(options, profile=profile).access()


def write_profiles(text: str, mode: int = 0o600) -> Path:
    path = profiles_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_anything_it_is_this_machine_s_registry() -> None:
    assert configured() == Access(REGISTRY_DEFAULT)


def test_the_stronger_source_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles('[default]\nregistry = "http://profile"\n')
    assert configured().url == "http://profile"
    Path(".env").write_text("SCHEMA_REGISTRY_URL=http://file\n")
    assert configured().url == "http://file"
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://environment")
    assert configured().url == "http://environment"
    monkeypatch.setenv("PROTOPACT_REGISTRY_URL", "http://own-variable")
    assert configured().url == "http://own-variable"
    assert configured(registry="http://option").url == "http://option"


def test_a_profile_is_chosen_by_option_environment_or_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles("".join(f'[{name}]\nregistry = "http://{name}"\n' for name in ("default", "a", "b", "c")))
    assert configured().url == "http://default"
    Path(".env").write_text("PROTOPACT_PROFILE=c\n")
    assert configured().url == "http://c"
    monkeypatch.setenv("PROTOPACT_PROFILE", "b")
    assert configured().url == "http://b"
    assert configured(profile="a").url == "http://a"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b", "b"),
        ("  export A = 'b c'  # why", "b c"),
        ('A="x=y#z"', "x=y#z"),
        ("A=", ""),
        ("# A=b\nA=c", "c"),
        ("A=b\r\nB=c", "b"),
        ("no assignment\nA=b", "b"),
        ("B=c", None),
    ],
)
def test_an_env_file_is_read_as_a_shell_would(tmp_path: Path, text: str, value: str | None) -> None:
    (tmp_path / ".env").write_text(text)
    assert read_env_file(tmp_path / ".env").get("A") == value


def test_an_env_file_with_an_open_quote_is_refused_without_its_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('\nSR_API_SECRET="hush\n')
    with pytest.raises(ConfigError, match=r"\.env:2: a quote is not closed") as caught:
        read_env_file(tmp_path / ".env")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_user_and_password_come_from_where_each_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SR_API_SECRET", "from the environment")
    assert configured(registry=URL, user="ann").auth == ("ann", "from the environment")
    (tmp_path / "password").write_text("from a file\n")
    by_file = configured(registry=URL, user="ann", password_file=str(tmp_path / "password"))
    assert by_file.auth == ("ann", "from a file")
    monkeypatch.setattr("sys.stdin", io.StringIO("from standard input\n"))
    assert configured(registry=URL, user="ann", password_file="-").auth == ("ann", "from standard input")


def test_a_password_is_asked_for_at_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(ConfigError, match="no terminal to ask for the password of ann") as caught:
        configured(registry=URL, user="ann")
    assert "PROTOPACT_REGISTRY_PASSWORD" in caught.value.hint
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"answer to {prompt}")
    assert configured(registry=URL, user="ann").auth == ("ann", "answer to password of ann: ")


def test_a_password_in_the_address_option_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match="--registry holds a password") as caught:
        configured(registry="http://one,https://ann:hush@two")
    assert "hush" not in str(caught.value)


def test_tokens_and_client_credentials_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc")
    assert configured(registry=URL, token_file=str(tmp_path / "token")).auth == BearerToken("abc")
    for name, value in {
        "OAUTH_TOKEN_URL": "https://login",
        "OAUTH_CLIENT_ID": "me",
        "OAUTH_CLIENT_SECRET": "hush",
        "OAUTH_SCOPE": "all",
        "LOGICAL_CLUSTER": "lsrc-1",
    }.items():
        monkeypatch.setenv(f"PROTOPACT_REGISTRY_{name}", value)
    found = configured(registry=URL)
    assert found.auth == OAuthClient("https://login", "me", "hush", "all", logical_cluster="lsrc-1")
    assert "hush" not in repr(found)
    assert configured(registry=URL, token_file=str(tmp_path / "token")).auth == BearerToken("abc", "lsrc-1")


def test_two_ways_to_log_in_from_one_source_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_API_KEY", "ann")
    monkeypatch.setenv("PROTOPACT_REGISTRY_TOKEN", "abc")
    with pytest.raises(ConfigError, match="the environment says two ways to log in: user and token"):
        configured(registry=URL)


def test_certificates_are_understood() -> None:
    assert configured(registry=URL, ca="ca.pem").tls == Tls("ca.pem")
    write_profiles(f'[default]\nregistry = "{URL}"\ncertificate = "c.pem"\nkey = "k.pem"\nkey_password = "p"\n')
    assert configured().tls == Tls(None, "c.pem", "k.pem", "p")


def test_a_profile_s_login_goes_to_its_own_registry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(f'[default]\nregistry = "{URL}"\nuser = "ann"\npassword = "hush"\ncertificate = "c.pem"\n')
    assert configured().auth == ("ann", "hush")
    assert configured(registry=URL).auth == ("ann", "hush")
    assert configured(registry=OTHER) == Access(OTHER)
    Path(".env").write_text(f"SCHEMA_REGISTRY_URL={OTHER}\n")
    assert configured() == Access(OTHER)


def test_a_password_is_its_own_user_s_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(f'[default]\nregistry = "{URL}"\nuser = "ann"\npassword = "hush"\n')
    assert configured(user="ann").auth == ("ann", "hush")
    with pytest.raises(ConfigError, match="password of bob"):
        configured(user="bob")
    monkeypatch.setenv("SR_API_SECRET", "bob's")
    assert configured(user="bob").auth == ("bob", "bob's")


def test_a_registry_in_this_process_needs_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_API_KEY", "ann")
    assert configured(registry="memory:") == Access("memory:")


@pytest.mark.parametrize(
    ("text", "profile", "said", "hint"),
    [
        (None, "a", "there is no profile 'a'", ""),
        ('[b]\nregistry = "x"', "a", "there is no profile 'a'", "there are b"),
        ('[a]\nregistri = "x"', "a", "'registri', which is unknown", "did you mean 'registry'?"),
        ("[a]\nregistry = 1", "a", "registry of the profile 'a' must be a text", ""),
        ('[a]\nuser = "ann"', "a", "has a login and no registry", ""),
        ("[a", "a", "cannot be read", ""),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(text: str | None, profile: str, said: str, hint: str) -> None:
    if text is not None:
        write_profiles(text)
    with pytest.raises(ConfigError) as caught:
        configured(profile=profile)
    assert said in str(caught.value)
    assert hint in caught.value.hint


def test_secrets_that_others_can_read_are_refused() -> None:
    path = write_profiles(f'[default]\nregistry = "{URL}"\nuser = "ann"\npassword = "hush"\n', 0o644)
    with pytest.raises(ConfigError, match="others can read it") as caught:
        configured()
    assert caught.value.hint == f"chmod 600 {path}"
    write_profiles(f'[default]\nregistry = "{URL}"\nuser = "ann"\n', 0o644)


def test_no_secret_is_shown_by_a_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SR_API_SECRET", "hush")
    configuration = Configuration({"registry": URL, "user": "ann"})
    assert "hush" not in repr(vars(configuration))
    assert "hush" not in repr(configuration.access())
