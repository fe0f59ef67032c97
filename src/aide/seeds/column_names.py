"""Names of columns as data sets have them, by what they hold."""

from collections.abc import Mapping
from typing import Final

from aide.seeds.chat_rows import BESIDE, TURNS
from aide.seeds.sql_rows import SQL_COLUMNS

# Of several in one row the first here is taken, so that the plainest stand
# in front: a row with `question` and `content` asks the question.
INPUTS: Final = (
    "input", "question", "prompt", "text", "sentence", "utterance", "query", "problem", "instruction",
    "message", "ticket", "review", "content", "source_text", "ctx", "document", "article", "dialogue", "dialog",
)  # fmt: skip
OUTPUTS: Final = (
    "output", "answer", "completion", "response", "target", "label_text", "label", "intent", "category",
    "class", "sentiment", "answerkey", "answer_key", "correct_answer", "correct", "answers", "solution",
    "code", "canonical_solution", "chosen", "reply", "expected_output", "expected", "answer_idx", "gold",
    "summary", "highlights", "labels", "tags", "categories", "intents", "topics", "entities", "spans",
)  # fmt: skip
CHOICES: Final = ("choices", "options", "candidates", "multiple_choice_targets", "endings")
CONTEXTS: Final = (
    "context", "contract", "passage", "document", "article", "paragraph", "clause", "story", "table",
)  # fmt: skip
TESTS: Final = ("tests", "test_list", "test_cases", "test")
WORKINGS: Final = ("reasoning", "solution", "rationale", "explanation", "cot")
IDS: Final = ("id", "_id", "uid", "uuid", "qid", "question_id")
LETTERS: Final = (("a", "b", "c", "d", "e"), *(tuple(f"{stem}{n}" for n in mark) for stem, mark in (
    ("option_", "abcde"), ("option", "abcde"), ("op", "abcde"), ("choice_", "abcde"), ("choice", "12345"),
    ("option", "12345"), ("option_", "12345"),
)))  # fmt: skip
# Two texts whose relation is asked for. Neither is the input alone.
PAIRS: Final = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("question1", "question2"),
    ("text1", "text2"),
)
KNOWN: Final = frozenset(
    (
        *sum(PAIRS, ()),
        *INPUTS,
        *OUTPUTS,
        *CHOICES,
        *CONTEXTS,
        *TESTS,
        *TURNS,
        *BESIDE,
        *SQL_COLUMNS,
    )
)


def list_joined_columns(roles: Mapping[str, str]) -> list[str]:
    """The columns that were joined to one input, in order; empty where it came from a single one."""
    columns = [column for role, column in roles.items() if role.startswith("input ")]
    return columns if len(columns) > 1 else []
