"""Progress for people at a terminal alone, questions that need one, and output for programs in a pipe."""

from __future__ import annotations

import io

import pytest

from protopact.cli.output import confirm, counted, is_json
from protopact.errors import ConfigError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_standard_error_of_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(counted(range(9), 9, "counting")) == list(range(9))
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    assert list(counted(range(9), 9, "counting")) == list(range(9))
    assert "counting" in terminal.getvalue()
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    assert list(counted(range(2), 2, "counting")) == [0, 1]
    assert terminal.getvalue() == ""


def test_progress_does_not_hide_the_failure_of_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(ZeroDivisionError):
        list(counted((1 // (3 - n) for n in range(9)), 9, "counting"))


def test_a_colour_is_shown_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    list(counted(range(9), 9, "counting"))
    assert "\x1b[3" not in terminal.getvalue().replace("\x1b[?25", "")


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("Yes\n", True), ("\n", False), ("x\n", False)])
def test_a_question_is_answered_by_yes_alone(monkeypatch: pytest.MonkeyPatch, answer: str, *, goes_on: bool) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    if goes_on:
        confirm("Go on?", yes=False)
    else:
        with pytest.raises(ConfigError, match="nothing was done"):
            confirm("Go on?", yes=False)


def test_an_output_is_json_in_a_pipe_and_a_table_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_json(None)
    assert not is_json("table")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert not is_json(None)
    assert is_json("json")
