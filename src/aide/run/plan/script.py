"""What code and judge say of a candidate in a rehearsal: it follows from the fate that the candidate is to have."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aide.config.spec import EMBED
from aide.gates.form import FormGate
from aide.llm.usage import estimate_tokens
from aide.recipes import RecipeContext
from aide.recipes.collection import PassageCollection
from aide.records import PLAIN, Comparison, Draft, Hop, Reading
from aide.run.plan.fates import ACCEPTED, CORRECTED, DISPUTED, LOST, REVISED
from aide.run.plan.measuring import NOTHING, CallSize, MeasuringAsk
from aide.sandbox.isolation import SandboxResult
from aide.vectors import Vector

READ: Final = "read"
COMPARE: Final = "compare"
WANTS: Final = "wants"
"""In a trace: the recipe asks whether the record would still be wanted."""
WORST: Final = "worst"
"""The fate that takes the most calls: disputed and compared each time, and never good enough."""

Trace = tuple[str, ...]
"""What a candidate goes through once its text is written: steps, `READ`, `COMPARE` and `WANTS`, in order."""


class OpenGate(FormGate):
    """Lets every text pass: those of a rehearsal are the seeds', which a run would refuse as copies."""

    def __init__(self) -> None:
        pass

    def check(self, text: str, **how: Any) -> None:
        """No fault."""

    def check_turns(self, draft: Draft) -> None:
        """No fault."""

    def check_answer(self, input: str, draft: Draft) -> None:
        """No fault."""


class OpenCollection(PassageCollection):
    """Finds every passage first: the texts of a rehearsal are the seeds', which ask for others."""

    async def find_place(self, query: str, passage: str, vector: Vector | None) -> int:
        """The first place."""
        return 1

    async def mine_negatives(self, query: str, passage: str, count: int, vector: Vector | None) -> list[str]:
        """Any passage: nothing is searched, so nothing need be indexed."""
        return [passage] * count

    async def embed_passages(self) -> None:
        """Nothing: a plan counts these calls by themselves."""


@dataclass(slots=True)
class Script:
    """Judge and deduplicator of one candidate: what they say follows from its fate; what they are asked is noted."""

    embeds: bool
    context: RecipeContext | None = None
    ask: MeasuringAsk | None = None
    kind: str = PLAIN
    fate: str = ACCEPTED
    readings: int = 0
    fails: bool = False
    """True while the first run of its tests is to fail."""
    judged: dict[str, list[tuple[Hop, Draft]]] = field(default_factory=dict)

    def begin(self, kind: str, fate: str) -> None:
        """The next candidate, or group of candidates, is of this kind and has this fate."""
        self.kind, self.fate, self.readings, self.fails = kind, fate, 0, fate == CORRECTED

    def announce(self, group: str, count: int) -> None:
        """Nobody waits for company here."""

    def withdraw(self, hop: Hop) -> None:
        """As `announce`."""

    async def read(self, hop: Hop, draft: Draft) -> Reading:
        """The record's own answer and good grades, but as its fate says."""
        self._note(READ)
        self.judged.setdefault(self.kind, []).append((hop, draft))
        self.readings += 1
        assert self.context is not None
        own = self.context.format.extract_final_answer(draft, self.context.card)
        disputed = self.fate in (DISPUTED, WORST)
        low = self.fate == LOST or (self.fate == REVISED and self.readings == 1)
        return Reading("another" if disputed else own, relevance=1 if low else 10)

    async def compare(self, hop: Hop, draft: Draft) -> Comparison:
        """Unlike its parent, but for the worst."""
        self._note(COMPARE)
        return Comparison(diversity=1 if self.fate == WORST else 10)

    def check_wording(self, id: str, text: str) -> str:
        """Never a duplicate."""
        return ""

    async def check_meaning(self, id: str, text: str, *, lenient: bool) -> str:
        """Never a duplicate; costs an embedding."""
        if self.embeds:
            self._note(EMBED, measure_text(text))
        return ""

    def wants(self, hop: Hop) -> bool:
        """Always; the walk asks the frontier."""
        self._note(WANTS)
        return True

    async def run_tests(self, code: str, tests: Sequence[str]) -> SandboxResult:
        """Passes, but for the first run of a candidate whose first answer is to be wrong."""
        failed, self.fails = self.fails, False
        return SandboxResult(not failed)

    async def run_query(self, schema: str, words: Sequence[str], query: str) -> SandboxResult:
        """Runs as tests do, and always gives the same rows."""
        failed, self.fails = self.fails, False
        return SandboxResult(not failed, value="rows")

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """All texts mean the same."""
        self._note(EMBED, sum(map(measure_text, texts), NOTHING))
        return [[1.0]] * len(texts)

    def _note(self, event: str, size: CallSize | None = None) -> None:
        """Events stand among the calls of the ask, so that their order is that of the recipe."""
        assert self.ask is not None
        self.ask.calls.append((event, size or NOTHING))


def measure_text(text: str) -> CallSize:
    """The size of a call that embeds a text."""
    return CallSize(estimate_tokens(text), 0.0)
