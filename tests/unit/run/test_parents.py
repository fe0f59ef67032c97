"""The next parent: spread over seeds and operations, and unlike those before."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from aide.frontier import ParentCandidate
from aide.run.parents import HELD_AGAINST, ParentChooser

TEXTS = {
    "card": "my new card has not come yet",
    "card again": "my new card has not come by post yet",
    "fee": "why was a fee taken at the machine",
    "transfer": "the money for my landlord is pending since monday",
}


def candidate(id: str, seed: str = "s", kind: str = "plain") -> ParentCandidate:
    return ParentCandidate(id, seed, kind, "")


def chosen(*ids: str, seed: str = "s", kind: str = "plain") -> list[Any]:
    return [stand_in(id, seed, kind) for id in ids]


def stand_in(id: str, seed: str = "s", kind: str = "plain", source: str = "", children: int = 0) -> Any:
    return SimpleNamespace(
        id=id, seed=seed, kind=kind, source=source, children=children, planted=bool(children)
    )


class Texts:
    """The texts of records, with a count of how often each was read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, seed: str, id: str) -> str:
        self.read.append(id)
        return TEXTS.get(id, f"text of {id}")


def choose(candidates: Sequence[ParentCandidate], before: list[Any]) -> str:
    return candidates[ParentChooser(Texts())(candidates, before)].id


def test_of_equals_the_farthest_by_words_is_next() -> None:
    candidates = [candidate("card again"), candidate("fee")]
    assert choose(candidates, chosen("card")) == "fee"
    assert choose(candidates, chosen("fee")) == "card again"


def test_the_first_is_the_first_that_came() -> None:
    assert choose([candidate("card"), candidate("fee")], []) == "card"


def test_it_is_far_from_all_that_were_chosen_and_not_from_the_last() -> None:
    candidates = [candidate("card again"), candidate("fee"), candidate("transfer")]
    assert choose(candidates, chosen("card", "fee")) == "transfer"


@pytest.mark.parametrize("by", ["seed", "kind"])
def test_who_has_fewest_parents_comes_first_however_like_its_text_is(by: str) -> None:
    candidates = [candidate("fee"), candidate("card again", **{by: "other"})]
    assert choose(candidates, chosen("card")) == "card again"


def test_seeds_come_before_operations() -> None:
    candidates = [candidate("fee", "s", "reasoning"), candidate("card again", "other", "plain")]
    assert choose(candidates, chosen("card")) == "card again"


def test_the_source_with_fewest_children_comes_before_seeds() -> None:
    candidates = [
        ParentCandidate("fee", "new", "plain", "", "lease.md"),
        ParentCandidate("card again", "s", "plain", "", "keys.md"),
    ]
    before = [
        stand_in("card", source="lease.md", children=3),
        stand_in("transfer", source="keys.md", children=2),
    ]
    assert choose(candidates, before) == "card again"
    before.append(stand_in("other", source="keys.md"))  # not planted yet: its children are still to come
    assert choose(candidates, before) == "fee"


def test_roots_of_a_source_come_in_their_order() -> None:
    candidates = [
        ParentCandidate(id, seed, "", "", "lease.md") for id, seed in (("card again", "s"), ("fee", "new"))
    ]
    assert choose(candidates, chosen("card")) == "card again"


def test_texts_are_read_once() -> None:
    texts = Texts()
    choose_next = ParentChooser(texts)
    candidates = [candidate("card again"), candidate("fee"), candidate("transfer")]
    choose_next(candidates, chosen("card"))
    choose_next(candidates[1:], chosen("card", "card again"))
    assert sorted(texts.read) == sorted({*texts.read})


def test_only_the_last_parents_are_held_against() -> None:
    texts = Texts()
    many = chosen(*(f"old{n}" for n in range(100)), *(f"new{n}" for n in range(HELD_AGAINST)))
    ParentChooser(texts)([candidate("card"), candidate("fee")], many)
    assert not any(id.startswith("old") for id in texts.read)
