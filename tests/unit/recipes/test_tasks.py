"""The recipe `tasks`: sub-tasks are named once, each is planted with topics, and lines say what is to be written."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.documents import Chunk
from aide.errors import InputError, Unusable
from aide.formats import FORMATS
from aide.frontier import PlantWork
from aide.recipes.contract import Found
from aide.recipes.tasks import LEVELS, SubtaskRoots, Tasks, make_subtasks_payload, make_topics_payload
from aide.records import Draft, Hop, Parts, Point, Seed
from unit.recipes.scene import Asked, make_context, make_seed

NAMED = json.dumps({
    "subtasks": [
        {"subtask": "Adding up a bill", "asks": "prices are given, a sum is asked for."},
        {"subtask": "adding up a bill", "asks": "the same again"},
        {"subtask": "Sharing a cost", "asks": "a cost and people are given"},
    ]
})  # fmt: skip
TOPICS = json.dumps({"topics": ["a market stall", "A market stall", "hotel rooms", "a car that is hired"]})


class Inputs:
    """What is read before the first call."""

    contexts: tuple[str, ...] = ()
    documents: tuple[Chunk, ...] = ()
    fixed_parts = False

    def __init__(self, format: str = "open") -> None:
        self.seeds = tuple(map(make_seed, range(3)))
        self.format = FORMATS[format]


def make_recipe(**spec: Any) -> Tasks:
    context = make_context(recipe="tasks", **{"subtasks": 2, "attributes": 2, **spec})
    return Tasks(replace(context, seeds=Inputs().seeds))


def plant(recipe: Tasks, seed: Seed, point: Point, *said: str, count: int = 2) -> tuple[Found, Asked]:
    ask = Asked(*said)
    work = PlantWork(point.id, seed.id, point.depth, (count,))
    return asyncio.run(recipe.plant(seed, point, work, ask)), ask


# --- roots ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "seeds"), [(2, 3), (5, 3), (3, 3), (4, 1)])
def test_every_sub_task_and_every_seed_is_a_root_and_none_more_often_than_need_be(
    count: int, seeds: int
) -> None:
    roots, given = SubtaskRoots(count), tuple(map(make_seed, range(seeds)))
    listed = roots.list_roots(given)
    by_id = {seed.id: seed for seed in given}
    numbers = [roots.find_number(root.id, by_id[root.seed]) for root in listed]
    assert len({root.id for root in listed}) == len(listed) == max(count, seeds)
    assert set(numbers) == set(range(count))
    assert {root.seed for root in listed} == set(by_id)
    point = roots.make_point(listed[0].id, by_id[listed[0].seed])
    assert (point.id, point.depth) == (listed[0].id, 0)


@pytest.mark.parametrize("count", [5, 8, 20])
def test_a_seed_that_is_gone_leaves_most_roots_of_others(count: int) -> None:
    seeds = [replace(make_seed(0), id=f"seed{n}") for n in range(30)]
    roots = SubtaskRoots(count)
    before, kept = roots.list_roots(seeds), 0
    for gone in seeds:
        after = {root.id for root in roots.list_roots([seed for seed in seeds if seed is not gone])}
        kept += sum(root.id in after for root in before if root.seed != gone.id)
    assert kept > 0.9 * len(seeds) * (len(before) - 1)


def test_where_there_are_no_seeds_there_are_no_roots() -> None:
    assert SubtaskRoots(3).list_roots(()) == ()


# --- planting -------------------------------------------------------------------------------------------------


def test_a_root_gets_its_own_sub_task_and_topics_of_it() -> None:
    recipe, seed = make_recipe(), make_seed(0)
    roots = SubtaskRoots(2)
    listed = roots.list_roots((seed,))
    assert sorted(roots.find_number(root.id, seed) for root in listed) == [0, 1]
    for root in listed:
        name = ("Adding up a bill", "Sharing a cost")[roots.find_number(root.id, seed)]
        found, ask = plant(recipe, seed, roots.make_point(root.id, seed), NAMED, TOPICS)
        assert found.topic == name
        assert [each["topic"] for each in found.matters["topics"]] == ["a market stall", "hotel rooms"]
        assert {each["subtask"] for each in found.matters["topics"]} == {name}
        assert ask.steps == ["extract", "extract"]
        assert ask.asked[1]["subtask"] == name


def test_all_roots_ask_for_the_sub_tasks_in_the_same_words_and_on_one_node() -> None:
    recipe, asked = make_recipe(), []
    for number in range(2):
        seed = make_seed(number)
        root = SubtaskRoots(2).list_roots((seed,))[number]
        _, ask = plant(recipe, seed, Point(root.id, seed.draft, seed.parts, 0), NAMED, TOPICS)
        asked.append((ask.nodes[0], {key: value for key, value in ask.asked[0].items() if key != "payload"}))
    assert asked[0] == asked[1]
    assert asked[0][0] != ""


def test_where_fewer_were_named_than_wanted_roots_share_them() -> None:
    recipe, seed = make_recipe(subtasks=3), make_seed(0)
    roots = SubtaskRoots(3)
    root = next(root for root in roots.list_roots((seed,)) if roots.find_number(root.id, seed) == 2)
    found, _ = plant(recipe, seed, Point(root.id, seed.draft, seed.parts, 0), NAMED, TOPICS)
    assert found.topic == "Adding up a bill"


def test_a_record_keeps_the_sub_task_that_it_was_grown_for() -> None:
    way = {
        "subtask": "Sharing a cost",
        "asks": "a cost and people are given",
        "topic": "hotel rooms",
        "level": 2,
    }
    point = Point("record", Draft("Three friends share a room.", "30"), Parts(), 1, way=way)
    found, ask = plant(make_recipe(), make_seed(0), point, TOPICS)
    assert (found.topic, ask.steps) == ("Sharing a cost", ["extract"])
    assert ask.asked[0]["text"] == "Three friends share a room."


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (make_subtasks_payload(2), '{"subtasks": []}'),
        (make_subtasks_payload(2), '{"subtasks": [{"subtask": "?!"}]}'),
        (make_topics_payload(2), '{"topics": [" "]}'),
        (make_topics_payload(2), "a market stall"),
    ],
)
def test_what_names_nothing_can_not_be_used(payload: Any, said: str) -> None:
    with pytest.raises(Unusable):
        payload.read(said)


def test_as_many_as_are_wanted_stand_in_the_schema() -> None:
    for payload, name in ((make_subtasks_payload(4), "subtasks"), (make_topics_payload(4), "topics")):
        assert payload.schema is not None
        wanted = payload.schema["properties"][name]
        assert (wanted["minItems"], wanted["maxItems"]) == (4, 4)


# --- what is written ------------------------------------------------------------------------------------------


def test_each_topic_is_crossed_with_each_level_whose_number_is_a_column() -> None:
    shape = Tasks.shape(RunSpec(recipe="tasks", attributes=4), Inputs())
    assert (shape.kinds, shape.children) == (LEVELS, 12)
    matter = {"subtask": "Sharing a cost", "asks": "", "topic": "hotel rooms"}
    assert [Tasks.read_way(kind, matter)["way"]["level"] for kind in LEVELS] == [1, 2, 3]


def test_a_line_says_sub_task_topic_level_and_the_length_of_a_seed() -> None:
    seed = make_seed(0)
    matter = {"subtask": "Sharing a cost", "asks": "a cost is given", "topic": "hotel rooms"}
    point = Point("root", seed.draft, seed.parts, 0)
    hop = Hop(seed, point, 1, "remember", **Tasks.read_way("remember", matter))
    said = make_recipe().describe(hop)
    assert said.startswith("Sharing a cost (a cost is given) – hotel rooms; recall one fact")
    lengths = {len(seed.draft.input.split()) for seed in Inputs().seeds}
    assert any(said.endswith(f". About {length} words.") for length in lengths)
    assert make_recipe().describe(hop) == said, "a resume asks in the same words"


@pytest.mark.parametrize("format", ["classification", "json", "chat"])
def test_answers_that_are_tied_to_one_task_are_refused(format: str) -> None:
    with pytest.raises(InputError, match="needs answers of no fixed kind"):
        Tasks.check(RunSpec(recipe="tasks"), Inputs(format))


def test_without_topics_nothing_grows_and_that_is_told() -> None:
    with pytest.raises(InputError, match="leaves no topics"):
        Tasks.check(RunSpec(recipe="tasks", attributes=0), Inputs())
