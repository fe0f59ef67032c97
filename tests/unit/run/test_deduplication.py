"""Who is whose twin is decided once: a resume hears the same, whatever has come since."""

import asyncio
from pathlib import Path

from aide.dedup.lexical import LexicalIndex
from aide.journal import Journal
from aide.run.deduplication import JournaledDeduplicator, NoDeduplication

SEEDS = [("seed", "How long does the ferry to the northern island take in winter?")]
TEXT = "A carpenter saws nine planks into four pieces each and sells them at the market on Friday."
NEAR = "A carpenter saws nine planks into four pieces each and sells them at the market on Monday."
OTHER = "Which of the two lamps needs less current when both burn through a night in December?"


def novelty(journal: Journal) -> JournaledDeduplicator:
    return JournaledDeduplicator(journal, LexicalIndex("near", SEEDS))


def test_the_first_text_is_admitted_and_its_duplicate_is_told_whose_it_is(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        known = novelty(journal)
        assert known.check_wording("a", TEXT) == ""
        assert "duplicate of a" in known.check_wording("b", NEAR)
        assert "duplicate of seed" in known.check_wording("c", SEEDS[0][1])
        assert known.check_wording("d", OTHER) == ""


def test_after_a_restart_decisions_stand_whoever_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path) as journal:
        known = novelty(journal)
        known.check_wording("a", TEXT)
        told = known.check_wording("b", NEAR)
        asyncio.run(journal.flush())
    with Journal.open(path) as journal:
        known = novelty(journal)
        assert known.check_wording("b", NEAR) == told
        assert known.check_wording("a", TEXT) == ""
        assert "duplicate of a" in known.check_wording("e", NEAR)


def test_what_is_rejected_gives_its_text_back_and_what_is_kept_does_not(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        known = novelty(journal)
        known.check_wording("a", TEXT)
        known.settle("a", kept=False)
        assert known.check_wording("b", NEAR) == ""
        known.settle("b", kept=True)
        assert "duplicate of b" in known.check_wording("c", TEXT)


def test_a_revision_lets_go_of_the_text_it_replaces(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        known = novelty(journal)
        assert known.check_wording("a", TEXT) == ""
        assert known.check_wording("a", NEAR) == "", "its own first draft is no twin"
        assert known.check_wording("a", OTHER) == ""
        assert known.check_wording("b", TEXT) == ""


def test_with_duplicates_off_every_text_is_new() -> None:
    assert [NoDeduplication().check_wording(id, TEXT) for id in "ab"] == ["", ""]
