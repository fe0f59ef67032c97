"""aide: all of `aide expand` (journal, prompt files, parsing, checks, shards, report), its recipe one of three stages.

Ten seeds (more where the rows are many) whose hops are the rows; the recipe asks nothing to plant them. The same
command again resumes.
"""

import json
import sys
from collections.abc import AsyncGenerator
from typing import Any

from work import IN_FLIGHT, MODEL, PROMPTS, SAMPLING, STAGES, rows, told

from aide.cli.main import main
from aide.errors import NodeError, Rejection
from aide.frontier import PlantWork
from aide.parsing import TextPayload
from aide.recipes import RECIPES, Found, Grown
from aide.recipes.aide import Aide
from aide.records import Ask, Draft, Group, Hop, Lineage, Point, Record, Seed, TracedAsk

ASKED = told()
SEEDS = max(10, ASKED.rows // 80)
STEPS = dict(
    zip(STAGES, ("synthesize", "answer", "reflect"), strict=True)
)  # as a candidate goes through them
TEXT = TextPayload("text")
SEED = """
In the yard of depot {number} two drivers load planks from six in the morning. The older one counts them aloud. Each of
them carries nine planks at a time, and a walk to the lorry takes three minutes. At noon a cook brings soup and bread.
The younger driver sweeps the ramp while the other one signs the papers. After the break they carry on with the tiles.
A guard in a blue coat watches the gate and weighs every lorry that leaves. By four o'clock forty sacks stand near the
wall. The foreman checks the ropes and locks the shed. Nobody leaves before the last label is on its crate.
"""


class Rows(Aide):
    """A recipe that grows a row by gen, judge and rewrite."""

    shares_calls = False

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """The rows of this seed, each in the place of a persona."""
        mine = int(seed.draft.output)
        return Found("rows", {"triples": (), "personas": tuple(rows(ASKED.rows)[mine::SEEDS])})

    async def grow(self, group: Group, ask: TracedAsk) -> AsyncGenerator[Grown, None]:
        """The one row of the group."""
        [hop] = group.hops
        try:
            yield Grown(hop, await self.make_row(hop, ask))
        except NodeError as fault:
            yield Grown(hop, fault)

    async def make_row(self, hop: Hop, ask: Ask) -> Record:
        """One record: what the last stage says, checked as any input and answer are."""
        said: dict[str, Any] = {"row": hop.persona}
        for stage in STAGES:
            limit = int(SAMPLING["max_tokens"])
            said[stage] = await ask(STEPS[stage], TEXT, template=stage, max_output=limit, **said)
        text, draft = said["rewrite"], Draft(said["rewrite"], hop.persona or "")
        seed, gate = hop.seed.draft.input, self.context.gate
        fault = gate.check(text, seed=seed, parent=seed) or gate.check_answer(text, draft)
        if fault:
            raise Rejection("synthesize", fault.reason, fault.detail)
        if duplicate := self.context.deduplicator.check_wording(hop.id, text):
            raise Rejection("synthesize", "duplicate", duplicate)
        return Record(hop.id, "rows", "free_text", draft, hop.parent.parts, Lineage.of(hop))


def words() -> list[str]:
    """The command line of `aide expand`; the seeds are written beside the run."""
    seeds = ASKED.folder / "seeds.jsonl"
    lines = [{"input": SEED.strip().format(number=n), "output": str(n)} for n in range(SEEDS)]
    seeds.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    tree = ["--hops", "1", "--target", "all", "--attributes", "0", "--personas", str(-(-ASKED.rows // SEEDS))]
    server = ["--base-url", ASKED.url, "--model", MODEL, "--concurrency", str(IN_FLIGHT)]
    how = ["--format", "free_text", "--task", "Write paragraphs.", "--no-exam", "--prompts", str(PROMPTS)]
    extra = json.dumps({name: value for name, value in SAMPLING.items() if name != "max_tokens"})
    return ["expand", str(seeds), *server, *tree, *how, "--extra", extra, "-o", str(ASKED.folder / "run")]


if __name__ == "__main__":
    RECIPES["aide"] = Rows
    sys.argv[1:] = words()
    main()
