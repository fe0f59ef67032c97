import pytest

from aide.cli.console import crash, fail, safe
from aide.errors import BudgetSpent, InputError


def test_an_error_is_a_sentence_and_a_hint_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(InputError("no such file", hint="give another")) == 2
    assert fail(BudgetSpent("all calls are spent")) == 3
    assert capsys.readouterr().err == "aide: no such file\nhint: give another\naide: all calls are spent\n"


def test_a_fault_of_ours_hides_its_traceback_until_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIDE_DEBUG", raising=False)
    assert crash(ValueError("odd")) == 1
    quiet = capsys.readouterr().err
    assert "Traceback" not in quiet
    assert "AIDE_DEBUG=1" in quiet
    monkeypatch.setenv("AIDE_DEBUG", "1")
    try:
        raise ValueError("odd")
    except ValueError as error:
        crash(error)
    assert "Traceback" in capsys.readouterr().err


def test_text_of_a_model_can_not_take_over_the_terminal() -> None:
    shown = safe("red \x1b[31malert\x1b]0;title\x07 [bold]x[/bold]\n\u202eevil")
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\n" not in shown
    assert "\\[bold]" in shown


def test_text_is_cut_by_columns_not_by_characters() -> None:
    assert safe("abcdef", 4) == "abc…"
    assert safe("日本語です", 5) == "日本…"
    assert safe("short", 9) == "short"
