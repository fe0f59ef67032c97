"""Seeds and inputs as a run takes them, without files."""

from collections.abc import Sequence
from typing import Any

from aide.config.spec import RunSpec
from aide.formats import FORMATS, Label, TaskCard
from aide.records import WHOLE, Draft, Parts, Seed
from aide.run.inputs import PreparedInputs
from aide.seeds import LoadedSeeds, SeedOrigin

MESSAGES = (
    ("My card has not come yet, and I ordered it two weeks ago.", "card_arrival"),
    ("why was i charged a fee at the cash machine?", "cash_fee"),
    ("The transfer to my landlord is still pending. What can I do?", "transfer_pending"),
    ("Card still not here", "card_arrival"),
    ("There is a fee of 2.50 on my statement for taking out money abroad.", "cash_fee"),
    ("Transfer pending since Monday!", "transfer_pending"),
)
"""Texts and labels of a small task."""


def make_spec(**given: Any) -> RunSpec:
    return RunSpec.model_validate({"base_url": ["sim:"], "model": "m", **given})


def make_seed(text: str, output: str = "", parts: Parts = WHOLE, **draft: Any) -> Seed:
    content = Draft(text, output, **draft)
    return Seed(Seed.identify(content, parts), content, parts, name=text[:20])


def make_seeds(rows: Sequence[tuple[str, str]] = MESSAGES) -> tuple[Seed, ...]:
    return tuple(make_seed(text, output) for text, output in rows)


def make_inputs(
    seeds: Sequence[Seed], format: str = "classification", contexts: Sequence[str] = ()
) -> PreparedInputs:
    origin = SeedOrigin(
        "jsonl", ("input", "output"), "input and output", {"input": "input", "output": "output"}
    )
    loaded = LoadedSeeds(list(seeds), "input and output", "task", "", origin)
    return PreparedInputs(
        loaded=loaded, seeds=tuple(seeds), format=FORMATS[format], labels=(), contexts=tuple(contexts), avoid=None,
        human=(), hashes={},
    )  # fmt: skip


def make_card(seeds: Sequence[Seed] = (), format: str = "classification", **fields: Any) -> TaskCard:
    if FORMATS[format].labelled:
        fields.setdefault("labels", tuple(map(Label, dict.fromkeys(seed.draft.output for seed in seeds))))
    return TaskCard(task="Sort bank messages.", format=format, language="English", **fields)
