"""The guard: a run of which nothing comes ends early, with its reason and with what helps."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

import orjson

from aide.errors import HopelessRun
from aide.frontier import Frontier
from aide.journal import Journal
from aide.run.session import Session

PATIENCE: Final = 48
"""Candidates in a row of which none is accepted, until it is taken for the rule: at a yield of one in ten, which is the
least that makes sense to pay for, so many misses in a row come once in 150 runs."""
META: Final = "guard"
_MAX_TEXT: Final = 160

# What helps, by the reason that leads; more at `aide doctor`.
_ADVICE: Final[Mapping[str, str]] = {
    "low_relevance": "read some rejects; lower --min-relevance, or take another model for the judge ([steps.reflect])",
    "low_diversity": "lower --min-diversity, or give more seeds",
    "off_style": "read some rejects; the task card's `register` may be wrong, or the judge too strict",
    "off_traits": "the model does not keep to lengths: a larger one, or more seeds of other lengths",
    "duplicate": "the model repeats itself: more seeds, a warmer [steps.synthesize], or --duplicates exact",
    "copy": "the model copies its examples: a larger model, or a higher temperature ([steps.synthesize])",
    "label_mismatch": "look at the labels' definitions in task.toml, or take a larger model",
    "no_agreement": "the model does not know the answers: a larger one, or --agreement off",
    "wrong_language": "name the language in task.toml, or take a model that writes it",
    "invalid": "aide doctor; the model may be too weak for structured output",
    "not_json": "aide doctor; the model may be too weak for structured output",
    "missing": "--together 1: the model leaves out what is asked for together",
    "truncated": "a larger window of the server, or a model that thinks less",
    "empty": "aide doctor; the model gives empty answers",
    "prompt_leftover": "the model goes on in the form of the prompt: an instructed model, or a larger one",
    "control_token": "the server leaves marks of its chat template in answers: look at its template and parsers",
    "refusal": "the model declines: another one, or another task",
    "placeholder": "the model leaves gaps to fill: a larger one, or say in --task that texts are complete",
    "cut_off": "answers end in the middle: a larger window of the server; or end all seeds' answers alike",
    "refused": "the model declines: another one, or another task",
    "filtered": "the server filters: another endpoint",
    "timeout": "a longer --timeout, or a faster endpoint",
}
_ANY: Final = "aide doctor; read some rejects; a larger model"


def end_vain_run(session: Session, frontier: Frontier) -> None:
    """Note with which labels patience came to its end; and stop where it did with the whole run.

    Raises:
        errors.HopelessRun: with the step, the reason that leads, one text of it, and what helps.
    """
    if frontier.patience.spent or frontier.given_up:
        session.journal.set_meta(META, _name_settings(session))
    if frontier.patience.spent and (frontier.short or frontier.shape.whole):
        raise _explain(session.journal, frontier)


def has_given_up(session: Session) -> bool:
    """True where the guard stopped this very run before, with the same settings and seeds."""
    return bool(session.journal.get_meta(META) == _name_settings(session))


def _name_settings(session: Session) -> str:
    return str(session.folder.read_manifest().get("plan", {}).get("asked", ""))


def _explain(journal: Journal, frontier: Frontier) -> HopelessRun:
    last = deque(journal.read_outcomes("rejected", "failed"), PATIENCE)
    rejects = [orjson.loads(each.payload) for each in last]
    if len(rejects) < PATIENCE and frontier.without_attributes:
        return _explain_planting(journal, frontier)
    (step, reason), count = Counter((each["step"], each["reason"]) for each in rejects).most_common(1)[0]
    example = next(each for each in reversed(rejects) if each["reason"] == reason)
    said = _shorten(example["detail"] if example["detail"] != reason else "")
    text = _shorten(example["input"])
    return HopelessRun(
        f"none of the last {PATIENCE} candidates was accepted: {count} of them refused at {step} as {reason}"
        f"{f' ({said})' if said else ''}{f', such as {text!r}' if text else ''}",
        hint=f"{_ADVICE.get(reason, _ANY)}; --no-guard goes on all the same",
    )


def _explain_planting(journal: Journal, frontier: Frontier) -> HopelessRun:
    found: Counter[str] = Counter()
    for outcome in journal.read_outcomes("planted"):
        plain: dict[str, Any] = orjson.loads(outcome.payload)
        if plain.get("reason"):
            found[plain["reason"]] += 1
    reason = found.most_common(1)[0][0] if found else "no attributes"
    return HopelessRun(
        f"half of the seeds give no attributes: {frontier.without_attributes} so far, most of them as {reason}",
        hint=f"{_ADVICE.get(reason, _ANY)}; --no-guard goes on all the same",
    )


def _shorten(text: str) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}…"
