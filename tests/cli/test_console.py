import pytest

from aide.cli.console import escape_for_console, report_crash, report_error
from aide.errors import BudgetSpent, InputError


def test_an_error_is_a_sentence_and_a_hint_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_error(InputError("no such file", hint="give another")) == 2
    assert report_error(BudgetSpent("all calls are spent")) == 3
    assert capsys.readouterr().err == "aide: no such file\nhint: give another\naide: all calls are spent\n"


def test_a_fault_of_ours_hides_its_traceback_until_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIDE_DEBUG", raising=False)
    assert report_crash(ValueError("odd")) == 1
    quiet = capsys.readouterr().err
    assert "Traceback" not in quiet
    assert "AIDE_DEBUG=1" in quiet
    monkeypatch.setenv("AIDE_DEBUG", "1")
    try:
        raise ValueError("odd")
    except ValueError as error:
        report_crash(error)
    assert "Traceback" in capsys.readouterr().err


def test_text_of_a_model_can_not_take_over_the_terminal() -> None:
    shown = escape_for_console("red \x1b[31malert\x1b]0;title\x07 [bold]x[/bold]\n\u202eevil")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\n" not in shown
    assert "\\[bold]" in shown


def test_text_is_cut_by_columns_not_by_characters() -> None:
    assert escape_for_console("abcdef", 4) == "abc…"
    assert escape_for_console("日本語です", 5) == "日本…"
    assert escape_for_console("short", 9) == "short"
