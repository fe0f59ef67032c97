"""One odd text never freezes the process: what reads a model's text does so in about one pass, whatever the text."""

import time
from collections.abc import Callable

import pytest

from aide.completion import read_completion
from aide.errors import Unusable
from aide.formats.convention import apply_convention, read_final_answer
from aide.gates.answers import AnswerGate
from aide.gates.leftovers import Leftovers
from aide.parsing import CodePayload, TextPayload, parse_json
from aide.records import Draft
from aide.text.fences import find_fenced_blocks
from aide.text.loops import find_loop
from aide.text.tags import unwrap_tags

SIZE = 50_000
# A pass over a text takes about a hundredth of a second; a square of it would take hours, or several minutes at best.
CEILING = 20.0

PIECES = (
    "~", "`", "```\n", "~~~\n", "```a\n", "{", "[", "(", "<", "}", "{}", "{\"a\":", "{\"a\": [", "[{", "{{", "{%",
    "a", "a ", "a\n", " ", "\n", " \n", "\t", "a:", "a: ", ":", "\"", "'", "**", "# ", "- ", "1", "1 ", "1,", "1.",
    "1/", "-1", "=", "<a>", "<input>", "</input>", "<input ", "<think>", "</think>", "Answer: ", "Answer:\n",
    "the answer is ", "Question: ", "\\boxed{", "\\boxed{a", "\\boxed{{}", "$", "def f():\n", "x = ", "(note: ",
    "note rewritten x ", "let me know if this ", "[insert ", "topic:", "\n- topic ", "here is new ", "\u200b",
    "\x1b[", "\r", "中", "<|channel|>", "<|channel|>a", "<|channel|>final<|message|>", "<|", "<|a", "</s>", "<s>",
    "[THINK]", "[/THINK]", "analysis", "assistantfinal", "I'm sorry ", "the prompt ", "[Name ", "{CITY", "<your ",
)  # fmt: skip
TEXTS = [
    text
    for piece in PIECES
    for body in [piece * (SIZE // len(piece))]
    for text in (body, body + "Answer: x", "Answer:" + body, body + "}", "```\n" + body)
]


def say(text: str, finish: str = "stop") -> str:
    return read_completion({"choices": [{"message": {"content": text}, "finish_reason": finish}]})


READERS: dict[str, Callable[[str], object]] = {
    "completion": say,
    "cut completion": lambda text: say(text, "length"),
    "text": TextPayload("input").read,
    "code": CodePayload("answer").read,
    "json": parse_json,
    "fences": lambda text: list(find_fenced_blocks(text)),
    "tags": unwrap_tags,
    "loop": find_loop,
    "leftovers": Leftovers(["a seed"], "input").find,
    "answer": lambda text: AnswerGate(["Why?"], ["So."], closed=False, code=False).check(
        "Why?", Draft("Why?", text)
    ),
    "result": lambda text: read_final_answer(text, "Answer: <answer>"),
    "number": lambda text: read_final_answer(text, "#### <number>"),
    "boxed": lambda text: apply_convention(text, "\\boxed{<answer>}"),
    "convention": lambda text: apply_convention(text, "Answer: <number>"),
}


@pytest.mark.parametrize("reader", list(READERS))
def test_a_text_of_any_kind_is_read_in_about_one_pass(reader: str) -> None:
    began = time.process_time()
    for text in TEXTS:
        try:
            READERS[reader](text)
        except Unusable:
            continue
        finally:
            spent = time.process_time() - began
            assert spent < CEILING, f"{spent:.0f} s by the time of {text[:40]!r}"


def test_what_is_longer_than_any_answer_is_refused_before_a_pattern_sees_it() -> None:
    with pytest.raises(Unusable, match="far too long") as caught:
        say("{" * 1_000_000)
    assert caught.value.reason == "oversized"
    assert not caught.value.said, "nobody pays for reading it again"
    assert say("<think>" + "hm " * 300_000 + "</think>short") == "short"


def test_json_nested_without_end_is_not_repaired() -> None:
    with pytest.raises(Unusable, match="nested without end"):
        parse_json('{"a": ' * 500)
    assert parse_json('{"a": [{"b": [1, 2') == {"a": [{"b": [1, 2]}]}
