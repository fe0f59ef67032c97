"""Demonstrations are chosen among the seeds that were there when a seed came, however often seeds are appended."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aide.formats import FORMATS
from aide.journal import Journal
from aide.records import Draft, Parts, Seed
from aide.run.seed_pool import SEED, SeedPool

FIRST = ["a red car stops", "a red car waits", "a red car turns"]
# These share no word with the first ones: were they in the pool, they would be chosen before all others.
LATER = ["seven loaves cost nine euros", "blue whales sing at night", "who wrote this ballad?"]


def make_seed(text: str) -> Seed:
    draft = Draft(text, "an answer")
    return Seed(Seed.identify(draft, Parts()), draft, name=text)


def pool(journal: Journal, texts: list[str], count: int = 2) -> SeedPool:
    spec: Any = SimpleNamespace(demonstrations=count)
    inputs: Any = SimpleNamespace(seeds=tuple(map(make_seed, texts)), format=FORMATS["free_text"])
    return SeedPool(spec, inputs, journal)


def shown(known: SeedPool, text: str) -> set[str]:
    return {each.input for each in known.demonstrations(make_seed(text))}


@pytest.mark.parametrize("appended", [FIRST + LATER, LATER + FIRST, LATER])
def test_later_seeds_never_become_demonstrations_of_earlier_ones(tmp_path: Path, appended: list[str]) -> None:
    async def run() -> None:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            before = {text: shown(pool(journal, FIRST), text) for text in FIRST}
        assert all(texts == set(FIRST) - {text} for text, texts in before.items())
        for _ in range(2):  # the run that sees the later seeds first, and one that resumes it
            with Journal.open(tmp_path / "journal.sqlite") as journal:
                after = pool(journal, appended)
                assert {text: shown(after, text) for text in FIRST} == before
                assert shown(after, LATER[0]) <= {*FIRST, *LATER} - {LATER[0]}
                assert shown(after, LATER[0]) & set(LATER)

    asyncio.run(run())


def test_a_seed_that_is_gone_from_the_file_stays_a_demonstration(tmp_path: Path) -> None:
    async def run() -> None:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            pool(journal, FIRST)
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            assert shown(pool(journal, FIRST[:1]), FIRST[0]) == set(FIRST[1:])
            assert [row["name"] for _, row in journal.read_decisions(SEED)] == FIRST

    asyncio.run(run())
