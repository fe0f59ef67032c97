"""Code: in Python a solution and its tests, written without sight of each other; SQL queries; other programs.

Nothing is run here.
"""

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from aide.errors import Unusable
from aide.formats.base import Format, ask_answer
from aide.formats.payloads import DraftPayload
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import CodePayload, looks_like_code, parse_python
from aide.records import Ask, Draft
from aide.text.programming import PYTHON, SQL, find_language, is_sql, split_fence

_STARTS: Final = (
    "def ", "class ", "import ", "from ", "function ", "public ", "#include", "SELECT ", "const ", "```",
)  # fmt: skip
_STATEMENTS: Final = {ast.Assert, ast.Import, ast.ImportFrom}
_MOST_TESTS: Final = 100  # ten times what is asked for
_PROMPTS: Final = {"": "code", PYTHON: "code", SQL: "sql"}
_OTHER: Final = "program"
"""The prompt of languages that nothing here can run."""
_MOSTLY: Final = 0.8  # of the seeds: one that is cut off or in prose does not make it another format


@dataclass(slots=True)
class TestsPayload:
    """`assert` statements, one a test, with the imports that they need before them."""

    name: str = "tests"
    schema: Mapping[str, Any] | None = None

    def read(self, text: str) -> tuple[str, ...]:
        """The statements as they were written; raises `Unusable`."""
        code = CodePayload(self.name).read(text)
        tree = parse_python(code)
        body = tree.body if tree else []
        kinds = set(map(type, body))
        if len(body) > _MOST_TESTS or ast.Assert not in kinds or kinds - _STATEMENTS:
            problem = "Write nothing but Python assert statements, each complete."
            raise Unusable("broken_format", problem, said=text)
        lines = code.split("\n")
        return tuple(_cut_statement(lines, node) for node in body)


def _cut_statement(lines: Sequence[str], node: ast.stmt) -> str:
    """A statement as it is written. `ast.get_source_segment` would read the whole text for each; columns are bytes."""
    piece = [*lines[node.lineno - 1 : node.end_lineno]]
    piece[-1] = piece[-1].encode()[: node.end_col_offset].decode()
    piece[0] = piece[0].encode()[node.col_offset :].decode()
    return "\n".join(piece)


class Code(Format):
    """A program by its description, in the language that `card.code` names; in Python with tests."""

    name = "code"
    runs_tests = True

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """There are tests, or nearly all outputs are statements of a program."""
        if any(draft.tests for draft in drafts):
            return True
        outputs = [draft.output for draft in drafts]
        if sum(bool(split_fence(output)[0]) for output in outputs) >= _MOSTLY * len(drafts):
            return True
        programs = [
            each for each in outputs if "\n" in each or each.lstrip().startswith(_STARTS) or is_sql(each)
        ]
        found = sum(looks_like_code(each) or is_sql(each) for each in programs)
        return found >= _MOSTLY * len(drafts) > 0

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """The language that nearly all outputs are in. Python and SQL can be run here."""
        outputs = [draft.output for draft in drafts]
        python = sum(parse_python(output) is not None for output in outputs)
        code = PYTHON if python >= _MOSTLY * len(drafts) else find_language(outputs, _MOSTLY)
        return TaskCard(format=self.name, code=code)

    def normalise(self, draft: Draft) -> Draft:
        """The program without the fence that it stands in, which says what it is and is no part of it."""
        return replace(draft, output=split_fence(draft.output)[1])

    def runs_queries(self, card: TaskCard) -> bool:
        """SQL, over rows made from its schema."""
        return card.code == SQL

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """Tests from the input alone, then the solution without sight of them."""
        tests: tuple[str, ...] = ()
        if card.code == PYTHON:
            # Solutions in the prompt would be copied into the tests, right or wrong.
            blind = replace(question, demos=(), correction=None)
            tests = await ask_answer(ask, TestsPayload(), blind, template="code_tests", step="tests")

        def build(code: str) -> Draft:
            return Draft(question.input, code, tests=tests)

        checked = DraftPayload(CodePayload("code"), build, lambda draft: self.check(draft, card))
        return await ask_answer(ask, checked, question, template=_PROMPTS.get(card.code, _OTHER))

    async def answer_again(self, ask: Ask, card: TaskCard, question: Question, draft: Draft) -> Draft:
        """Another solution, under the name that the tests of `draft` call, which the question need not tell."""
        if not draft.tests:
            return await super().answer_again(ask, card, question, draft)
        # Without a language on the card no tests are asked for: there are those of `draft`.
        other = await super().answer_again(ask, replace(card, code=""), question, draft)
        return replace(other, output=_rename_for_tests(other.output, draft.tests), tests=draft.tests)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """Python compiles and defines what its tests call."""
        if not draft.output.strip():
            return "There is no code; write the function."
        if card.code == SQL and not is_sql(draft.output):
            return "This is no SQL statement; write the query alone."
        if card.code != PYTHON:
            return ""
        tree = parse_python(draft.output)
        if tree is None:
            return "The code is not valid Python."
        defined = {name for node in tree.body for name in _defined(node)}
        trees = filter(None, map(parse_python, draft.tests))
        # Tests may call helpers and built-ins too, so one name in common is all that can be asked.
        called = {name for each in trees for name in _list_calls(each)}
        if called and not defined & called:
            return f"The function must be named as the question says: {', '.join(sorted(called)[:5])}."
        return ""

    def render(self, draft: Draft) -> str:
        """The code in a fence."""
        return f"```\n{draft.output}\n```"

    def render_for_training(self, draft: Draft) -> str:
        """The code alone, also where it came with an explanation."""
        return draft.output


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return []


def _rename_for_tests(code: str, tests: Sequence[str]) -> str:
    """The code with its last function also under the one name that the asserts call and nothing defines."""
    tree, called = parse_python(code), parse_python("\n".join(tests))
    if tree is None or called is None:
        return code
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    wanted = {name for node in called.body if isinstance(node, ast.Assert) for name in _list_calls(node.test)}
    unknown = wanted - {*defined, *dir(builtins)}
    return f"{code}\n\n{unknown.pop()} = {defined[-1]}\n" if len(unknown) == 1 and defined else code


def _list_calls(tree: ast.AST) -> set[str]:
    """Names that are called as functions."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {func.id for func in calls if isinstance(func, ast.Name)}
