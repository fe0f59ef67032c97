"""An SQL answer that is run: it must parse and run over rows made from its schema, and agree with others in its result.

Words of a query say little about whether it is right: two right ones may have none in common. Their rows do.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.errors import NodeError, Rejection
from aide.formats import Question
from aide.records import Correction, Draft, Parts
from aide.sandbox.isolation import SandboxResult
from aide.verify.agreement import Quorum, Vote, VoteTally, collect_votes

QueryRunner = Callable[[str, Sequence[str], str], Awaitable[SandboxResult]]
"""Runs a query: schema, words that are to stand in its rows, the query."""
MendAnswer = Callable[[Correction], Awaitable[Draft]]
"""The answer anew, with what was wrong with the last."""
DrawAnswer = Callable[[int], Awaitable[Draft]]
"""A further answer without sight of any, by the number of the draw."""

_TABLE: Final = re.compile(r"\bCREATE\s+(?:TEMP(?:ORARY)?\s+)?TABLE\b", re.IGNORECASE)
_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"|“([^”]*)”")
_NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_NAMED: Final = re.compile(r"(?<![.!?]\s)(?<!\A)\b[A-Z][\w&'-]*(?:\s+(?:of\s+|the\s+)?[A-Z][\w&'-]*)*")
_MOST_WORDS: Final = 60
_LONGEST: Final = 80  # characters of a word that may stand in a cell


@dataclass(frozen=True, slots=True)
class QueryVerdict:
    """A query that ran, and what is kept of that with its record."""

    draft: Draft
    scores: dict[str, Any] = field(default_factory=dict)


def find_schema(parts: Parts) -> str:
    """The fixed parts that make tables; empty where none does."""
    return ";\n".join(text for _, text in parts.fixed if _TABLE.search(text))


def list_words(question: str, query: str) -> list[str]:
    """What question and query speak of: quoted texts, numbers and the question's names, each once."""
    found: dict[str, None] = {}
    for text, names in ((question, _NAMED.findall(question)), (query, [])):
        quoted = [next(filter(None, groups), "").replace("''", "'") for groups in _QUOTED.findall(text)]
        for word in (*(each.strip("%") for each in quoted), *_NUMBER.findall(text), *names):
            word = word.strip("'")
            if 0 < len(word) <= _LONGEST:
                found.setdefault(word)
    return list(found)[:_MOST_WORDS]


async def check_query(
    question: str,
    schema: str,
    draft: Draft,
    run: QueryRunner,
    quorum: Quorum | None,
    mend: MendAnswer,
    other: DrawAnswer,
) -> QueryVerdict:
    """The query, or the one that replaced it, once it has run and as many results agree as the quorum wants.

    `mend` answers with the fault at hand, `other` anew without sight of this answer. All are run over the same rows.

    Raises:
        errors.Rejection: step `answer`, reason `query_failed` or `no_agreement`.
        errors.NodeError: where the model gave nothing usable.
    """
    words = list_words(question, draft.output)
    ran = await run(schema, words, draft.output)
    if not ran.passed and not ran.unfit:
        problem = f"SQLite could not run the query: {ran.problem}. Write it so that it runs over the schema."
        draft = await mend(Correction(f"```\n{draft.output}\n```", problem))
        ran = await run(schema, words, draft.output)
    if ran.unfit:  # a schema that SQLite does not take says nothing against the query
        return QueryVerdict(draft, {"query": "unverified"})
    if not ran.passed:
        raise Rejection("answer", "query_failed", ran.problem)
    if quorum is None:
        return QueryVerdict(draft, {"query": "ran"})

    async def draw(number: int) -> Vote:
        try:
            drawn = await other(number)
        except NodeError:
            return Vote("")
        rows = await run(schema, words, drawn.output)
        return Vote(rows.value if rows.passed else "", drawn)

    tally = await collect_votes([Vote(ran.value, draft)], draw, quorum, str.__eq__)
    if tally.winner is None:
        raise Rejection("answer", "no_agreement", _describe(tally))
    return QueryVerdict(tally.winner, {"query": "ran", "agreement": tally.share})


async def compare_queries(run: QueryRunner, question: Question, one: str, other: str) -> bool | None:
    """True when both queries give the same rows; none where the first can't be run here, as in another dialect."""
    schema, words = find_schema(question.parts), list_words(question.input, one)
    ran = await run(schema, words, one)
    if not ran.passed:
        return None
    return (await run(schema, words, other)).value == ran.value


def _describe(tally: VoteTally) -> str:
    kinds = len({vote for vote in tally.votes if vote})
    return f"{tally.share} agreed: the queries gave {kinds} different results over the same rows"
