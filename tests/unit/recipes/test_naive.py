"""Naive records: what the writer is asked for, and how many at once."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from aide.journal import Journal
from aide.recipes.naive import TOGETHER, Naive
from aide.records import PLAIN, Record, replace
from aide.run.group_sizes import PLAIN as PLAIN_SIZE
from aide.run.group_sizes import GroupSizes
from aide.run.restore import GROUP
from runs import SEEDS, expand
from unit.recipes.scene import FRESH, OTHER, grow, make_context, make_group, make_hop
from unit.run.prepared import make_spec


def ask_for(count: int, first: int = 0, **how: Any) -> dict[str, Any]:
    """What the writer is asked for a group of plain records, `first` being the first one's ordinal."""
    label = how.get("labels", (None,))[0]
    hops = [
        make_hop(n, operation=PLAIN, label=label, draw=n, manner="in about 9 words")
        for n in range(first, first + count)
    ]
    said = json.dumps({"texts": [FRESH, OTHER][:count]}) if count > 1 else FRESH
    grown, ask = grow(
        Naive(make_context(**{"format": "classification", "reflection": False, **how})),
        make_group(*hops),
        said,
    )
    assert all(isinstance(each.outcome, Record) for each in grown)
    return ask.asked[0]


NOT_CONTEXT: Final = ("step", "payload", "template", "draw", "correction", "max_output", "parts")


def render(asked: dict[str, Any], **how: Any) -> str:
    """The prompt of a call, both messages."""
    values = {name: value for name, value in asked.items() if name not in NOT_CONTEXT}
    messages = make_context(**how).prompts.render(asked["template"], asked["parts"], **values)
    return "\n".join(message.content for message in messages)


def test_the_prompt_is_what_everybody_would_write() -> None:
    shown = render(ask_for(2, labels=("travel", "food")), labels=("travel", "food"))
    assert "Write exactly 2 more texts like these with this label, diverse ones" in shown
    assert "<label>travel</label>: about travel" in shown
    assert "Task: Solve it." in shown
    for absent in ("food", "<line", "words", "parent"):
        assert absent not in shown


def test_calls_of_the_same_words_are_samples_of_their_own() -> None:
    one, other = ask_for(2, labels=("travel", "food")), ask_for(2, 2, labels=("travel", "food"))
    assert render(one) == render(other)
    assert one["draw"] != other["draw"]


def test_what_is_there_already_is_shown() -> None:
    hops = [make_hop(n, operation=PLAIN) for n in range(2)]
    group = replace(make_group(*hops), there=("A tram needs nine minutes to the zoo.",))
    said = json.dumps({"texts": [FRESH, OTHER]})
    _, ask = grow(Naive(make_context("free_text", reflection=False)), group, said, "So it is.", "So it is.")
    assert "- A tram needs nine minutes to the zoo." in render(ask.asked[0])


def test_a_larger_target_is_shown_the_records_of_the_smaller_one(tmp_path: Path) -> None:
    groups: list[dict[str, Any]] = []
    answered: list[set[str]] = []
    for target in (40, 80):
        expand(SEEDS / "word_problems.jsonl", tmp_path / "run", "--recipe", "naive", "--target", target)
        with Journal.open(tmp_path / "run" / "journal.sqlite", readonly=True) as journal:
            groups.append(dict(journal.read_decisions(GROUP)))
            answered.append({call.key for call in journal.read_calls()})
    later = [kept for id, kept in groups[1].items() if id not in groups[0]]
    assert later
    assert all(kept["there"] for kept in later)
    assert answered[0] < answered[1]


@pytest.mark.parametrize(("recipe", "size"), [("naive", TOGETHER), ("aide", 7)])
def test_a_call_writes_twenty_even_of_long_texts(recipe: str, size: int) -> None:
    sizes = GroupSizes(make_spec(recipe=recipe), median_length=90, worked=True, kept=None)
    assert sizes.most(PLAIN_SIZE) == size
