"""SQL answers: what stands in their rows, whether they run, and whether as many results agree as are wanted."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from aide.errors import Rejection
from aide.formats import FORMATS, Question, TaskCard
from aide.records import Draft, Parts
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import USUAL, choose_quorum
from aide.verify.answers import AnswerChecks, CheckedAnswer
from aide.verify.queries import compare_queries, find_schema, list_words
from unit.formats.scripted import Scripted

SCHEMA = "CREATE TABLE boat (name VARCHAR, length INTEGER)"
PARTS = Parts((("schema", SCHEMA),), "question", "{schema}\n\n{question}")
CARD = TaskCard(format="code", code="sql", varying="question", fixed=("schema",))
QUESTION = Question("id", "How many boats are longer than 12 m?", PARTS)
COUNT = "SELECT COUNT(*) FROM boat WHERE length > 12"
SAME = "SELECT COUNT(name) FROM boat WHERE length >= 13"
OTHER = "SELECT name FROM boat WHERE length > 12"
ROWS = {COUNT: "seven", SAME: "seven", OTHER: "names"}


class Tables:
    """Gives the rows that a test wrote down; what it does not know does not run."""

    def __init__(self, **how: Any) -> None:
        self.words: list[tuple[str, ...]] = []
        self.how = how

    async def __call__(self, schema: str, words: Sequence[str], query: str) -> SandboxResult:
        assert schema == SCHEMA
        self.words.append(tuple(words))
        if self.how:
            return SandboxResult(False, "no", **self.how)
        rows = ROWS.get(query, "")
        return SandboxResult(bool(rows), "" if rows else "no such column: len", rows)


def fence(query: str) -> str:
    return f"```sql\n{query}\n```"


def answer(
    *said: str, tables: Tables | None, votes: bool = True, question: Question = QUESTION
) -> tuple[CheckedAnswer, Scripted]:
    ask = Scripted(*map(fence, said))
    checks = AnswerChecks(FORMATS["code"], CARD, USUAL if votes else None, query=tables, eager=False)
    return asyncio.run(checks.answer(ask, question)), ask


def test_two_queries_of_one_result_agree_whatever_their_words() -> None:
    tables = Tables()
    found, ask = answer(COUNT, SAME, tables=tables)
    assert found == CheckedAnswer(Draft(QUESTION.input, COUNT), {"query": "ran", "agreement": "2/2"})
    assert [each["step"] for each in ask.asked] == ["answer", "check"]
    assert {each["template"] for each in ask.asked} == {"answer/sql"}
    assert tables.words == [("12",)] * 2  # one set of rows for all


def test_the_result_that_most_give_wins_and_without_one_there_is_no_record() -> None:
    found, _ = answer(OTHER, COUNT, SAME, tables=Tables())
    assert (found.draft.output, found.scores["agreement"]) == (COUNT, "2/3")
    with pytest.raises(Rejection, match="2 different results") as rejected:
        answer(OTHER, COUNT, "SELECT len FROM boat", tables=Tables())
    assert rejected.value.reason == "no_agreement"


def test_a_query_that_does_not_run_is_asked_again_with_the_fault() -> None:
    found, ask = answer("SELECT len FROM boat", COUNT, tables=Tables(), votes=False)
    assert (found.draft.output, found.scores) == (COUNT, {"query": "ran"})
    assert "no such column: len" in ask.asked[1]["correction"].problem
    with pytest.raises(Rejection) as rejected:
        answer("SELECT len FROM boat", "SELECT len FROM boat", tables=Tables(), votes=False)
    assert (rejected.value.step, rejected.value.reason) == ("answer", "query_failed")


@pytest.mark.parametrize(
    ("tables", "parts"), [(None, PARTS), (Tables(unfit=True), PARTS), (Tables(), Parts())]
)
def test_without_a_sandbox_or_without_tables_a_query_stays_unverified(tables: Any, parts: Parts) -> None:
    found, _ = answer(COUNT, tables=tables, question=Question("id", QUESTION.input, parts))
    assert found.scores == {"query": "unverified"}


def test_votes_are_held_by_themselves_where_queries_are_run() -> None:
    assert choose_quorum("auto", CARD, runs=True) == USUAL
    assert choose_quorum("auto", CARD) is None
    assert choose_quorum("off", CARD, runs=True) is None
    assert choose_quorum("auto", TaskCard(format="code", code="python"), runs=True) is None


@pytest.mark.parametrize(("other", "right"), [(SAME, True), (OTHER, False), ("SELECT len FROM boat", False)])
def test_a_seed_is_answered_rightly_where_the_rows_are_its_own(other: str, right: bool) -> None:
    assert asyncio.run(compare_queries(Tables(), QUESTION, COUNT, other)) is right
    assert asyncio.run(compare_queries(Tables(), QUESTION, "SELECT len FROM boat", other)) is None


def test_rows_hold_what_question_and_query_speak_of() -> None:
    question = 'Which boats of Anna Lund in "Kiel" are longer than 12.5 m?'
    query = "SELECT name FROM boat WHERE owner = 'O''Hara' AND town LIKE '%mouth' AND t1.length > -3"
    assert list_words(question, query) == ["Kiel", "12.5", "Anna Lund", "O'Hara", "mouth", "-3"]


def test_a_schema_is_what_makes_tables() -> None:
    parts = Parts((("db_id", "boats"), ("a", SCHEMA), ("b", "create temp table x (y INT)")))
    assert find_schema(parts) == f"{SCHEMA};\ncreate temp table x (y INT)"
    assert find_schema(Parts((("table", "boat: name, length"),))) == ""
