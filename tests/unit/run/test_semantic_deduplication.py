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

    def meaning(self, journal: Journal, threshold: float | None = None) -> SemanticCheck:
        return SemanticCheck(journal, self.embed, self.paid.get, self.texts.get, self.learn, threshold)

    async def learn(self, vectors: list[list[float]]) -> float:
        return 0.98


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
            assert await novelty.check_meaning(id, text, lenient=False) == told
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
        assert (
            await novelty.check_meaning("r1", "said otherwise", lenient=False)
            == "means the same as s1 (1.000)"
        )
        novelty.check_wording("r4", "late")
        assert await novelty.check_meaning("r4", "late", lenient=False) == "means the same as r2 (1.000)"
        journal.close()

    asyncio.run(first())
    asyncio.run(second())


def test_a_plain_text_may_mean_the_same_unless_the_threshold_was_set(tmp_path: Path) -> None:
    async def ask(threshold: float | None) -> tuple[str, str]:
        desk = Desk()
        journal = Journal.open(tmp_path / f"{threshold}.sqlite")
        meaning = desk.meaning(journal, threshold)
        await meaning.enter({"s1": "a seed"}, [])
        deduplicator = JournaledDeduplicator(journal, LexicalIndex("near", []), meaning)
        for id, text in (("r1", "new"), ("r2", "late")):
            deduplicator.check_wording(id, text)
        plain = await deduplicator.check_meaning("r1", "new", lenient=True)
        guided = await deduplicator.check_meaning("r2", "late", lenient=False)
        again = await deduplicator.check_meaning("r2", "late", lenient=True)
        journal.close()
        assert not plain
        return guided, again

    # A guided text is compared with plain ones; what was decided once stays so.
    assert asyncio.run(ask(None)) == ("means the same as r1 (1.000)",) * 2


def test_a_threshold_that_was_set_holds_for_plain_texts_too(tmp_path: Path) -> None:
    async def ask() -> str:
        desk = Desk()
        journal = Journal.open(tmp_path / "j.sqlite")
        meaning = desk.meaning(journal, 0.95)
        await meaning.enter({"s1": "a seed"}, [])
        deduplicator = JournaledDeduplicator(journal, LexicalIndex("near", []), meaning)
        deduplicator.check_wording("r1", "said otherwise")
        said = await deduplicator.check_meaning("r1", "said otherwise", lenient=True)
        journal.close()
        return said

    assert asyncio.run(ask()) == "means the same as s1 (1.000)"
