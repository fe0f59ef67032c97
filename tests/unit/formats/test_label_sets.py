"""Several labels for one input: sets are drawn as the seeds have them, asked for, and compared as sets."""

import asyncio
import json

import pytest

from aide.errors import InputError, NodeError, Rejection
from aide.formats import FORMATS, Label, Question, detect_format
from aide.records import Draft
from unit.formats.scripted import Scripted

FORMAT = FORMATS["multi_label"]
SEEN = [["hot"], ["hot", "loud"], ["loud"], ["hot", "wet"], ["loud", "wet"], ["wet"]]
DRAFTS = [FORMAT.normalise(Draft(f"Remark {n}", json.dumps(labels))) for n, labels in enumerate(SEEN)]
CARD = FORMAT.start_card(DRAFTS)


def test_arrays_of_labels_that_come_again_are_the_format() -> None:
    assert detect_format(DRAFTS).name == "multi_label"
    tags = [Draft("On moss and slate", '["moss", "slate"]'), Draft("On rain", '["rain"]')]
    assert detect_format(tags).name == "json", (
        "words that stand in the input and never come again are no labels"
    )
    assert detect_format(tags, labels=["moss", "slate", "rain"]).name == "multi_label"


def test_a_set_is_written_in_one_way() -> None:
    assert FORMAT.normalise(Draft("x", '["wet","hot"]')).output == '["hot", "wet"]'
    assert FORMAT.compare('["wet", "hot"]', '["Hot", "wet"]')
    assert not FORMAT.compare('["hot"]', '["hot", "wet"]')
    assert not FORMAT.compare("[]", '["hot"]')


def test_sets_come_as_often_as_the_seeds_have_them() -> None:
    weights = FORMAT.weigh_labels(CARD, [*DRAFTS, DRAFTS[0]])
    assert weights['["hot"]'] == 2 * weights['["loud"]']
    assert weights['["hot", "loud"]'] == weights['["loud"]']
    assert '["hot", "loud", "wet"]' not in weights, "no seed has three"
    three = [*DRAFTS, FORMAT.normalise(Draft("y", '["hot", "new", "wet"]'))]
    more = FORMAT.weigh_labels(FORMAT.start_card(three), three)
    assert 0 < more['["hot", "loud", "wet"]'] < more['["loud"]'], "its pairs are there, and so is its size"
    assert '["hot", "loud", "new"]' not in more, "no seed has loud and new together"


def test_a_label_without_a_seed_comes_alone() -> None:
    card = FORMAT.start_card(DRAFTS, [Label(name) for name in ("hot", "loud", "wet", "dark")])
    assert FORMAT.weigh_labels(card, DRAFTS)['["dark"]'] > 0
    with pytest.raises(InputError, match="'wet', which --labels lacks"):
        FORMAT.start_card(DRAFTS, [Label("hot"), Label("loud")])


def test_each_label_of_a_set_is_shown_with_what_it_means() -> None:
    card = FORMAT.start_card(DRAFTS, [Label("hot", "too warm"), Label("loud", "noisy"), Label("wet")])
    assert [each.name for each in FORMAT.find_asked(card, '["hot", "loud"]')] == ["hot", "loud"]
    shown = FORMAT.show_label(card, '["hot", "loud"]')
    assert shown == Label("hot and loud", "hot: too warm; loud: noisy")
    empty = FORMAT.show_label(card, "[]")
    assert empty is not None
    assert empty.name == "none of the labels"
    assert FORMAT.show_label(card, None) is None


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('{"labels": ["Wet", "hot"]}', '["hot", "wet"]'),
        ('["loud", "loud"]', '["loud"]'),
        ('{"labels": []}', "[]"),
        ('{"answer": ["wet."]}', '["wet"]'),
    ],
)
def test_a_blind_answer_is_a_set_of_the_cards_labels(said: str, found: str) -> None:
    draft = asyncio.run(FORMAT.answer(Scripted(said), CARD, Question("id", "It drips.")))
    assert draft.output == found
    assert FORMAT.check(draft, CARD) == ""
    assert FORMAT.read_own_answer(said, draft, CARD) == found


def test_a_set_that_was_not_meant_is_refused() -> None:
    question = Question("id", "It drips.", label='["hot", "wet"]')
    assert asyncio.run(FORMAT.answer(Scripted('["wet", "hot"]'), CARD, question)).output == question.label
    with pytest.raises(Rejection, match=r'meant \["hot", "wet"\], answered \["wet"\]'):
        asyncio.run(FORMAT.answer(Scripted('["wet"]'), CARD, question))


def test_a_label_of_no_set_is_refused() -> None:
    with pytest.raises(NodeError):
        asyncio.run(FORMAT.answer(Scripted(*['{"labels": ["cold"]}'] * 2), CARD, Question("id", "It drips.")))
    assert FORMAT.read_own_answer('["cold"]', DRAFTS[0], CARD) == ""
    assert FORMAT.check(Draft("x", '["cold"]'), CARD) != ""


def test_a_wrong_set_differs_in_one_label() -> None:
    wrong = FORMAT.list_wrong_outputs(DRAFTS[1], CARD.label_names)
    assert '["hot"]' in wrong
    assert '["hot", "wet"]' in wrong
    assert DRAFTS[1].output not in wrong
