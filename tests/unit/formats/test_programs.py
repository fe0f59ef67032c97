"""Programs in other languages than Python: a prompt of their own, and no tests."""

import asyncio

import pytest

from aide.errors import Rejection
from aide.formats import FORMATS, Question, TaskCard
from aide.records import Draft
from unit.formats.scripted import Scripted

CODE = FORMATS["code"]
BASH = [
    Draft(f"Count the lines of {n}.", f"#!/bin/bash\ncat {n} | wc -l") for n in ("a.txt", "b.txt", "c.txt")
]


def answer(card: TaskCard, *said: str) -> tuple[Draft, Scripted]:
    ask = Scripted(*said)
    return asyncio.run(CODE.answer(ask, card, Question("id", "Count the lines of d.txt."))), ask


@pytest.mark.parametrize(
    ("code", "template", "said"),
    [
        ("", "answer/code", "wc -l d.txt"),
        ("bash", "answer/program", "wc -l d.txt"),
        ("sql", "answer/sql", "SELECT COUNT(*) FROM d"),
    ],
)
def test_each_language_has_its_prompt_and_only_python_has_tests(code: str, template: str, said: str) -> None:
    draft, ask = answer(TaskCard(format="code", code=code), f"```\n{said}\n```")
    assert draft.output == said
    assert [each["template"] for each in ask.asked] == [template]


def test_python_is_asked_for_tests_first() -> None:
    said = (
        "```\nassert count('') == 0\n```",
        "```\ndef count(text):\n    return len(text.splitlines())\n```",
    )
    draft, ask = answer(TaskCard(format="code", code="python"), *said)
    assert draft.tests == ("assert count('') == 0",)
    assert [each["template"] for each in ask.asked] == ["answer/code_tests", "answer/code"]


def test_the_language_is_that_of_the_seeds() -> None:
    assert CODE.start_card(BASH).code == "bash"
    assert (
        CODE.start_card([Draft("Add.", f"def add{n}(a, b):\n    return a + b") for n in "123"]).code
        == "python"
    )
    queries = [Draft("How many?", f"select count(*) from boat where length > {n}") for n in range(5)]
    assert CODE.detect(queries)
    assert CODE.start_card(queries).code == "sql"
    assert not CODE.detect([Draft("What now?", "Select the one that you like.")] * 3)


def test_a_query_without_a_fence_is_taken_and_prose_is_not() -> None:
    card = TaskCard(format="code", code="sql")
    assert answer(card, "select name\nfrom boat\nwhere length > 3")[0].output.startswith("select name")
    with pytest.raises(Rejection, match="no SQL statement"):
        answer(card, "```\nI would count them.\n```", "```\nI would count them.\n```")


def test_programs_in_fences_are_programs_and_stand_in_prompts_without() -> None:
    fenced = [Draft(f"Add {n}.", f"```js\nconst add{n} = (a) => a + {n};\n```") for n in range(3)]
    assert CODE.detect(fenced)
    bare = [CODE.normalise(draft) for draft in fenced]
    assert bare[1].output == "const add1 = (a) => a + 1;"
    assert CODE.start_card(bare).code == "javascript"
    assert CODE.normalise(BASH[0]) == BASH[0]
    told = [Draft("Say it.", f"```text\nIt is {n}.\n```") for n in range(3)]
    assert not CODE.detect(told)
