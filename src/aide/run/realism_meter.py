"""The realism meter of a run: can the judge's model tell some of its records, each among real texts?"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from heapq import nsmallest
from typing import Any, Final

import orjson

from aide.errors import NodeError
from aide.metrics.realism import (
    STEP,
    RealismAnswer,
    RealismGroup,
    compose_group,
    make_prompt_values,
    make_realism_payload,
    score_realism,
)
from aide.records import Record, digest, rng
from aide.run.context import RunContext

DECISION: Final = "realism"
AT_ONCE: Final = 8  # groups of one call
_TOKENS_A_GROUP: Final = 60
_ROOM: Final = 200


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
    fresh = [id for id in sample if known[id] is None]
    for first in range(0, len(fresh), AT_ONCE):
        records = [_read_record(context, id) for id in fresh[first : first + AT_ONCE]]
        for record, answer in zip(records, await _ask(context, records)):  # noqa: B905 - none where it gave nothing
            known[record.id] = asdict(answer)
            session.journal.decide(DECISION, record.id, known[record.id])
    return score_realism(RealismAnswer(**value) for value in known.values() if value)


async def _ask(context: RunContext, records: Sequence[Record]) -> Sequence[RealismAnswer]:
    """The guesses about some records; none where the model said nothing usable."""
    groups = [_compose(context, record) for record in records]
    ask = context.ask_for(digest(DECISION, *(record.id for record in records)))
    try:
        guesses = await ask(
            STEP,
            make_realism_payload(groups),
            max_output=_ROOM + _TOKENS_A_GROUP * len(groups),
            **make_prompt_values(groups),
        )
    except NodeError:
        return ()
    return [
        RealismAnswer.of(group, guess, record.lineage.operation, record.lineage.hop)
        for record, group, guess in zip(records, groups, guesses, strict=True)
    ]


def _compose(context: RunContext, record: Record) -> RealismGroup:
    """A record among seeds of any label: what it is about says nothing, only how it is said."""
    reals = [seed.draft.input for seed in context.inputs.seeds]
    return compose_group(reals, record.draft.input, rng(DECISION, record.id))


def _read_record(context: RunContext, id: str) -> Record:
    outcome = context.session.journal.get_outcome(id)
    assert outcome is not None
    return Record.from_dict(orjson.loads(outcome.payload))
