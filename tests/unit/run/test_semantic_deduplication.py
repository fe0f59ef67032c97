"""Duplicates in meaning over a journal: decided once, and the same when the run goes on."""

import asyncio
from pathlib import Path

from aide.dedup.lexical import LexicalIndex
from aide.journal import Journal
from aide.run.deduplication import JournaledDeduplicator, SemanticCheck

VECTORS = {
    "a seed": [1.0, 0.0],
    "another seed": [0.0, 1.0],
    "said otherwise": [0.9999, 0.0141],
    "new": [-0.6, 0.8],
    "late": [-0.59, 0.807],
}


class Desk:
    """Embeddings that are counted, and texts that are settled."""

    def __init__(self) -> None:
        self.paid: dict[str, list[float]] = {}
        self.texts = {"s1": "a seed", "s2": "another seed"}

    async def embed(self, text: str, node: str) -> list[float]:
        await asyncio.sleep(0)
        return self.paid.setdefault(text, VECTORS[text])

    def meaning(self, journal: Journal) -> SemanticCheck:
        return SemanticCheck(journal, self.embed, self.paid.get, self.texts.get)


def test_what_means_the_same_is_refused_and_told_again_after_a_restart(tmp_path: Path) -> None:
    desk = Desk()

    async def first() -> None:
        journal = Journal.open(tmp_path / "j.sqlite")
        meaning = desk.meaning(journal)
        await meaning.enter({"s1": "a seed", "s2": "another seed"}, [])
        novelty = JournaledDeduplicator(journal, LexicalIndex("near", []), meaning)
        for id, text, told in (
            ("r1", "said otherwise", "means the same as s1 (1.000)"),
            ("r2", "new", ""),
            ("r3", "late", "means the same as r2 (1.000)"),
        ):
            assert not novelty.check_wording(id, text)
            assert await novelty.check_meaning(id, text) == told
        novelty.settle("r2", kept=True)
        desk.texts["r2"] = "new"
        novelty.settle("r3", kept=False)
        await journal.flush()
        journal.close()

    async def second() -> None:
        journal = Journal.open(tmp_path / "j.sqlite")
        meaning = desk.meaning(journal)
        await meaning.enter({"s1": "a seed", "s2": "another seed"}, [("r2", "new")])
        novelty = JournaledDeduplicator(journal, LexicalIndex("near", []), meaning)
        novelty.check_wording("r1", "said otherwise")
        assert await novelty.check_meaning("r1", "said otherwise") == "means the same as s1 (1.000)"
        novelty.check_wording("r4", "late")
        assert await novelty.check_meaning("r4", "late") == "means the same as r2 (1.000)"
        journal.close()

    asyncio.run(first())
    asyncio.run(second())
