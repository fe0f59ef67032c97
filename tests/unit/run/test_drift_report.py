"""The drift meter over a journal."""

import asyncio
from pathlib import Path

import orjson

from aide.journal import Journal, Outcome
from aide.records import Draft, Lineage, Record, Seed
from aide.run import drift_report as drifted


def seed(text: str) -> Seed:
    draft = Draft(text, "7")
    return Seed(Seed.identify(draft, Seed("", draft).parts), draft)


def settled(id: str, of: Seed, text: str, hop: int) -> Outcome:
    lineage = Lineage(of.id, of.id, hop, "reasoning", None, None, False)
    record = Record(id, "t", "open", Draft(text, "1"), of.parts, lineage)
    return Outcome(id, "accepted", of.id, of.id, hop, 0, "reasoning", "", orjson.dumps(record.as_dict()))


def test_every_record_that_stands_is_measured_and_of_many_every_nth(tmp_path: Path) -> None:
    seeds = [seed("a baker sells seven loaves"), seed("the bus leaves at noon")]
    inputs = {each.id: each.draft.input for each in seeds}

    async def run() -> None:
        journal = Journal.open(tmp_path / "journal.sqlite")
        for place, hop in enumerate((1, 1, 2, 2)):
            text = "a baker sells seven buns" if hop == 1 else "the ferry sails at dusk"
            await journal.settle(settled(f"{place:020x}", seeds[0], text, hop))
        told = drifted.measure_drift(journal, inputs, out={f"{0:020x}"})
        assert told["every"] == 1
        assert told["by_hop"]["1"] == {"records": 1, "to_seed": 0.6667, "to_nearest": 0.6667}
        assert told["by_hop"]["2"] == {"records": 2, "to_seed": 0.0, "to_nearest": 0.25}
        many = drifted.measure_drift(journal, inputs, most=2)
        assert many["every"] == 2
        assert sum(hop["records"] for hop in many["by_hop"].values()) == 2
        journal.close()

    asyncio.run(run())


def test_by_embeddings_only_what_was_embedded_is_measured(tmp_path: Path) -> None:
    known = {"a baker": [1.0, 0.0], "the bus": [0.0, 1.0], "rolls": [0.8, 0.6], "the ferry": [0.0, 1.0]}
    seeds = [seed("a baker"), seed("the bus")]
    inputs = {each.id: each.draft.input for each in seeds}

    async def run() -> None:
        with Journal.open(tmp_path / "journal.sqlite") as journal:
            for place, text in enumerate(("rolls", "the ferry", "never embedded")):
                await journal.settle(settled(f"{place:020x}", seeds[0], text, 1 + place))
            told = drifted.measure_embedding_drift(journal, inputs, known.get)
            assert told["between_seeds"] == 0.0
            assert told["by_hop"] == {
                "1": {"records": 1, "to_seed": 0.8, "to_nearest": 0.8},
                "2": {"records": 1, "to_seed": 0.0, "to_nearest": 1.0},
            }
            assert drifted.measure_embedding_drift(journal, inputs, lambda _: None) == {}

    asyncio.run(run())
