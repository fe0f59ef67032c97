"""Test results with a memory: a solution near its time limit may pass once and fail the next time."""

from collections.abc import Sequence
from typing import Final

from aide.journal import Journal
from aide.records import digest
from aide.sandbox.isolation import Sandbox, SandboxResult

DECISION: Final = "ran"  # under which the journal keeps the results


class JournaledTestRunner:
    """A `verify.answers.TestRunner` over a sandbox: how a solution fared is a decision, repeated by a resume."""

    def __init__(self, journal: Journal, sandbox: Sandbox) -> None:
        self._journal = journal
        self._sandbox = sandbox

    async def __call__(self, code: str, tests: Sequence[str]) -> SandboxResult:
        """Run a solution against its tests, or recall how it fared."""
        key = digest(DECISION, code, *tests)
        decided = self._journal.get_decision(DECISION, key)
        if decided is None:
            ran = await self._sandbox.run(code, tests)
            self._journal.decide(DECISION, key, [ran.passed, ran.problem])
            return ran
        passed, told = decided
        return SandboxResult(bool(passed), str(told))

    async def query(self, schema: str, words: Sequence[str], query: str) -> SandboxResult:
        """Run a query over rows made from its schema, or recall what came of it."""
        key = digest(DECISION, "query", schema, query, *words)
        decided = self._journal.get_decision(DECISION, key)
        if decided is None:
            ran = await self._sandbox.query(schema, words, query)
            self._journal.decide(DECISION, key, [ran.passed, ran.problem, ran.value, ran.unfit])
            return ran
        passed, told, value, unfit = decided
        return SandboxResult(bool(passed), str(told), str(value), bool(unfit))
