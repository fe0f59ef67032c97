"""What checks a text, or reads a server's words, does so in about one pass, too; see `test_linear`."""

import time
from collections.abc import Callable

import pytest

from aide.card import wording
from aide.dedup.contamination import BenchmarkItem, Contamination
from aide.errors import AideError, Unusable
from aide.formats import Label, TaskCard, code
from aide.formats.comparing import is_same_answer
from aide.formats.evidence import split_evidence
from aide.formats.labels import make_label_payload
from aide.gates.form import FormGate
from aide.llm.faults import classify_fault, read_fault
from aide.llm.waits import read_retry_after
from aide.parsing import parse_json, takes_long
from aide.recipes.writing import ItemsPayload, WorkedPayload
from aide.text.echo import find_echo
from aide.text.length import measure_length
from aide.verify.arithmetic import find_miscalculations
from unit.parsing.test_linear import CEILING, SIZE, TEXTS

PIECES = (
    "9", "3*4=12 ", "=", "3=", "x = ", "1+", "1/2 ", "\\frac{", "\\frac{1}{", "<<", "<<1=1>>", "1 000 ", "1s",
    "wait 1s ", "try again ", "...", "J. ", "? ", "A) ", "(A) x ", "A. ", "A. B. ", '<item n="1">', '<item n="',
    "<answer>", "<evidence>", "assert f(1) == 1\n", "assert f(1); ", "import a\n", "assert (", "which ", "hi ", "か",
    "吗.", "\n\n", " \n", "_", "refund\n", '"a":', '"a"b"', '"}',
)  # fmt: skip
ODD = [*TEXTS, *(text for piece in PIECES for text in (piece * (SIZE // len(piece)), '["' + piece * 9000))]

ITEMS = Contamination([BenchmarkItem("a:1", "What is the capital of France, who knows it?", ("A x", "B y"))])
CARD = TaskCard(format="classification", labels=(Label("refund"), Label("card_arrival")), max_words=10**6)
GATE = FormGate(CARD, ["Where is my card? It is late."], ["refund"])

CHECKS: dict[str, Callable[[str], object]] = {
    "sentences": wording.count_sentences,
    "form": lambda text: [wording.find_form(text, choice=choice) for choice in (False, True)],
    "greeting": wording.has_greeting,
    "steps": wording.count_steps,
    "length": lambda text: measure_length(text, "characters"),
    "echo": lambda text: find_echo(text, text[:5000]),
    "arithmetic": find_miscalculations,
    "same answer": lambda text: is_same_answer(text, "1"),
    "label": make_label_payload(("yes", "no"), evidence=True).read,
    "evidence": split_evidence,
    "tests": code.TestsPayload().read,
    "worked": WorkedPayload(4).read,
    "items": ItemsPayload(4, "text", options=4).read,
    "test items": ITEMS.find,
    "gate": lambda text: GATE.check(text, seed="a", parent="b"),
    "fault": lambda text: classify_fault(read_fault(400, {}, text.encode(), {"error": {"message": text}})),
    "wait": lambda text: read_retry_after({"retry-after": text}, None, text),
}


@pytest.mark.parametrize("check", list(CHECKS))
def test_a_text_of_any_kind_is_checked_in_about_one_pass(check: str) -> None:
    began = time.process_time()
    for text in ODD:
        try:
            CHECKS[check](text)
        except (Unusable, AideError):
            continue
        finally:
            spent = time.process_time() - began
            # The sum over all texts, each of which takes milliseconds: the square of one would be minutes.
            assert spent < 2 * CEILING, f"{spent:.0f} s by the time of {text[:40]!r}"


@pytest.mark.parametrize("piece", ['"a"b"', '"}', '"a":'])
def test_broken_json_beyond_the_size_of_repair_is_asked_for_again(piece: str) -> None:
    with pytest.raises(Unusable, match="be brief"):
        parse_json('["' + piece * 9000)


def test_only_what_is_long_and_no_json_leaves_the_event_loop() -> None:
    assert not takes_long('{"a": [1, 2')
    assert not takes_long('{"a": "' + "b" * 5000 + '"}')
    assert takes_long('{"a": "' + "b" * 5000)


def test_a_number_without_end_is_no_place() -> None:
    with pytest.raises(Unusable):
        WorkedPayload(2).read(f'<item n="{"9" * 6000}">text<answer>a</answer></item>')


def test_statements_are_cut_as_they_are_written() -> None:
    source = "import math; assert f('ß') == 'é'\nassert (f(1)\n  == 2), 'é'  # two"
    assert code.TestsPayload().read(f"```python\n{source}\n```") == (
        "import math", "assert f('ß') == 'é'", "assert (f(1)\n  == 2), 'é'",
    )  # fmt: skip
    with pytest.raises(Unusable):
        code.TestsPayload().read("```\n" + "assert f(1)\n" * 500 + "```")
