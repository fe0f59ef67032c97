"""The realism meter of a run: can the judge's model tell some of its records, each among real texts?"""

from collections.abc import Collection
from dataclasses import asdict
from heapq import nsmallest
from typing import Any, Final

import orjson

from aide.errors import NodeError
from aide.metrics.realism import RealismAnswer, ask_which_are_made, compose_calls, score_realism
from aide.records import Record, digest, rng
from aide.run.context import RunContext

DECISION: Final = "realism"


async def measure_realism(context: RunContext, out: Collection[str]) -> dict[str, Any]:
    """What `summary.json` holds as `realism`: over `--realism` records, but those in `out`; empty where it is off.

    The sample follows from the ids of the records, so that a run that goes on asks only for those that are new in it.

    Raises:
        errors.AideError: of scope run.
    """
    session, seeds = context.session, context.inputs.seeds
    if not session.spec.measures_realism or len(seeds) < 2:
        return {}
    accepted = (
        each for each in session.journal.read_outcomes("accepted", payload=False) if each.node not in out
    )
    sample = nsmallest(
        session.spec.realism, (each.node for each in accepted), key=lambda id: digest(DECISION, id)
    )
    known = {id: session.journal.get_decision(DECISION, id) for id in sample}
    fresh = [_read_record(context, id) for id in sample if known[id] is None]
    real = [seed.draft.input for seed in (*seeds, *context.inputs.human)]
    texts = [record.draft.input for record in fresh]
    for groups in compose_calls(real, texts, rng(DECISION, *(record.id for record in fresh))):
        asked, fresh = fresh[: len(groups)], fresh[len(groups) :]
        ask = context.ask_for(digest(DECISION, *(record.id for record in asked)))
        try:
            guesses = await ask_which_are_made(ask, groups)
        except NodeError:
            continue
        for record, group, guess in zip(asked, groups, guesses, strict=True):
            answer = RealismAnswer.of(group, guess, record.lineage.operation, record.lineage.hop)
            known[record.id] = asdict(answer)
            session.journal.decide(DECISION, record.id, known[record.id])
    return score_realism(RealismAnswer(**value) for value in known.values() if value)


def _read_record(context: RunContext, id: str) -> Record:
    outcome = context.session.journal.get_outcome(id)
    assert outcome is not None
    return Record.from_dict(orjson.loads(outcome.payload))
