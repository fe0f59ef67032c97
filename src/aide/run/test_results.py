"""Solutions that were run, with a memory: a limit of time may fall otherwise when one runs again."""

from collections.abc import Sequence

from aide.journal import Journal
from aide.records import digest
from aide.sandbox.isolation import Sandbox, SandboxResult

RAN = "ran"


class JournaledTestRunner:
    """`quality.checks.Runner` over a sandbox: how a solution fared is a decision, repeated by a resume."""

    def __init__(self, journal: Journal, sandbox: Sandbox) -> None:
        self._journal = journal
        self._sandbox = sandbox

    async def __call__(self, code: str, tests: Sequence[str]) -> SandboxResult:
        """How the solution fares in its tests."""
        key = digest(RAN, code, *tests)
        decided = self._journal.decided(RAN, key)
        if decided is None:
            ran = await self._sandbox.run(code, tests)
            self._journal.decide(RAN, key, [ran.passed, ran.told])
            return ran
        passed, told = decided
        return SandboxResult(bool(passed), str(told))
