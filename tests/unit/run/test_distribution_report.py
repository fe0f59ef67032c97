"""The distribution of a run over a journal."""

import asyncio
from pathlib import Path

from aide.formats import TaskCard
from aide.journal import Journal
from aide.records import Draft
from aide.run.distribution_report import measure_run_distribution
from unit.run.test_drift_report import seed, settled

CARD = TaskCard(format="open", unit="words")


def test_records_that_stand_are_measured_beside_seeds_and_human_data(tmp_path: Path) -> None:
    seeds = [seed("a baker sells seven loaves"), seed("the bus leaves at noon")]

    async def run() -> None:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            assert measure_run_distribution(journal, seeds, CARD) == {}
            for place, text in enumerate(("the ferry sails", "the ferry sinks", "no more of it", "pruned")):
                await journal.settle(settled(f"{place:020x}", seeds[0], text, 1))
            human = [Draft("the train is late again today", "x")]
            out = {f"{3:020x}"}
            told = measure_run_distribution(journal, seeds, CARD, human=human, out=out)
            assert told["records"] == 3
            assert told["seeds"]["length"]["these"]["p50"] == 3
            assert told["human"]["length"]["those"]["p50"] == 6
            assert told["seeds"]["traits"] == {}, "all are statements in lower case without a full stop"
            half = measure_run_distribution(journal, seeds, CARD, out=out, most=2)
            assert half["records"] == 2

    asyncio.run(run())


def test_what_was_embedded_is_covered(tmp_path: Path) -> None:
    seeds = [seed("a baker"), seed("the bus")]
    known = {"a baker": [1.0, 0.0], "the bus": [0.0, 1.0], "rolls": [0.8, 0.6]}

    async def run() -> None:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            for place, text in enumerate(("rolls", "never embedded")):
                await journal.settle(settled(f"{place:020x}", seeds[0], text, 1))
            told = measure_run_distribution(journal, seeds, CARD, recall=known.get)
            assert told["seeds"]["coverage"] == {"cover": 0.7, "like": 0.8, "among": 0.0}
            nothing = measure_run_distribution(journal, seeds, CARD, recall=lambda _: None)
            assert "coverage" not in nothing["seeds"]

    asyncio.run(run())
