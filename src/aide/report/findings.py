"""What a person should know before reading on: what the precheck found on the seeds, and what went wrong in the run."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from aide.judging.precheck import MAX_FOOLED, MIN_RIGHT
from aide.report.data import show_text
from aide.report.gather import ReportFacts
from aide.text.figures import format_plural

MISSES: Final = 10
"""Seeds answered otherwise that are shown one by one."""
ENOUGH_REAL: Final = 5
"""Of fewer real texts among the new ones a fault or two says nothing of the judge."""


class PrecheckRow(NamedTuple):
    """One question of the precheck."""

    text: str
    hint: str
    """What to do; empty where all is well."""


def view_findings(facts: ReportFacts) -> dict[str, Any]:
    """The precheck's rows, the seeds that the model got wrong, and the warnings of the run."""
    found = facts.summary.get("exam") or {}
    grades, misses = found.get("relevance") or (), found.get("misses") or ()
    rows = [*_check_precheck(found), *_check_judge(facts.judged_real)]
    return {
        "precheck": rows,
        "grades": f"{min(grades)} to {max(grades)}" if grades else "",
        "misses": [
            [show_text(miss.get(name, ""), 200) for name in ("seed", "expected", "said")]
            for miss in misses[:MISSES]
        ],
        "more_misses": max(0, len(misses) - MISSES),
        "warnings": [show_text(text, 400) for text in _list_warnings(facts)],
        "wrong": any(row.hint for row in rows),
    }


def _check_precheck(found: Mapping[str, Any]) -> Iterator[PrecheckRow]:
    """The same bounds as the run itself has for its warnings."""
    judge = "configure another model for the judge ([steps.reflect] model)"
    questions = (
        (
            "right",
            "the model answered {} seeds as they are",
            "look at the seeds below: their answers may be wrong; or take a stronger model",
        ),
        (
            "judge_takes_right",
            "the judge finds no fault in {} seeds",
            f"{judge}; aide calibrate looks closer",
        ),
        (
            "judge_takes_wrong",
            "the judge takes {} wrong answers for right",
            f"{judge}, or rely on --agreement",
        ),
    )
    for name, text, hint in questions:
        count = found.get(name) or {}
        if of := count.get("of"):
            share = count.get("n", 0) / of
            wrong = share > MAX_FOOLED if name == "judge_takes_wrong" else share < MIN_RIGHT
            yield PrecheckRow(text.format(f"{count.get('n', 0)} of {of}"), hint if wrong else "")


def _check_judge(read: Mapping[str, Any]) -> Iterator[PrecheckRow]:
    """What the judge's grades are worth: seeds stand unmarked among the new texts, and it should fault none."""
    if of := read.get("read"):
        faulted, hint = (
            read["faulted"],
            "it refuses what is real: lower --min-relevance, or take another judge",
        )
        yield PrecheckRow(
            f"the judge met {format_plural(of, 'seed')} unmarked among the new texts: "
            f"relevance {read['relevance']:g} of 10 in the mean, a fault in {faulted}",
            hint if of >= ENOUGH_REAL and faulted > MAX_FOOLED * of else "",
        )


def _list_warnings(facts: ReportFacts) -> Iterator[str]:
    summary = facts.summary
    target = summary.get("target")
    if facts.folder.summary.exists() and isinstance(target, int) and facts.accepted < target:
        short = format_plural(target - facts.accepted, "record")
        if facts.reviews is None:
            yield f"the run fell {short} short of its target"
        else:
            yield f"{short} short of the target after the review; aide expand … --refill makes up for that"
    if parents := summary.get("barren"):
        reasons = ", ".join(map(str, summary.get("barren_reasons") or ()))
        yield f"{format_plural(parents, 'parent')} gave no attributes to grow from" + (
            f" ({reasons})" if reasons else ""
        )
    if gone := summary.get("gone_seeds"):
        yield f"{format_plural(len(gone), 'seed')} no longer in the seed file; the records grown from them are kept"
    for name, endpoint in (summary.get("endpoints") or {}).items():
        if endpoint.get("unusable"):
            yield f"endpoint {name}: {endpoint['unusable']}"
    empty = [label for label, counts in facts.counts.labels.items() if not counts["accepted"]]
    if empty:
        yield f"no record has the label {', '.join(sorted(empty)[:5])}"
