"""What every registered format, exporter, operation and recipe keeps to: a new one is held to it as it comes."""

import asyncio
import inspect
from pathlib import Path
from typing import get_args

import pytest

from aide.card import card_from_toml
from aide.cli.export import To
from aide.config import resources
from aide.errors import NodeError
from aide.exporters import EXPORTERS
from aide.formats import FORMATS, Label, Question, TaskCard
from aide.prompts import Prompts, list_variants
from aide.recipes import RECIPES
from aide.records import DOMAIN, OPERATIONS, PERSONA, PLAIN, WHOLE, Draft, Record, rng
from aide.records import FORMATS as FORMAT_NAMES
from aide.records.results import STRUCTURED
from aide.seeds import load_seeds
from runs import ROOT, SEEDS, contents, expand, lines, reconciles, rejects
from unit.formats.scripted import Scripted

CARDS = {name: TaskCard(format=name, labels=(Label("one"), Label("two")), options=4) for name in FORMATS}
SAMPLES = sorted(SEEDS.glob("*.jsonl"))
SAMPLE_OF = {lines(path)[0]["format"]: path for path in SAMPLES}
NONSENSE = (
    "",
    "   ",
    "{}",
    "[]",
    "I'd rather not.",
    '{"label": "three"}',
    '{"correct": "a", "wrong": ["a", "b", "c"]}',
)


def test_the_formats_are_those_that_records_name() -> None:
    assert sorted(FORMATS) == sorted(FORMAT_NAMES)


def test_outputs_that_are_values_stand_as_such_in_lines() -> None:
    assert {name for name in FORMATS if FORMATS[name].structured} == STRUCTURED


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_registered_under_its_name_and_has_its_prompt(name: str) -> None:
    assert FORMATS[name].name == name
    assert f"answer/{name}.md" in resources.list_names("prompts")


@pytest.mark.parametrize("page", ["README.md", "docs/design/prompts.md", "docs/run-folder.md"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_format_stands_in_a_table_of_each_page(name: str, page: str) -> None:
    rows = (ROOT / page).read_text(encoding="utf-8").splitlines()
    beginning = "| `format` |" if page == "docs/run-folder.md" else "| `"
    column = 2 if page == "docs/run-folder.md" else 1
    assert any(f"`{name}`" in row.split("|")[column] for row in rows if row.startswith(beginning))


@pytest.mark.parametrize("name", EXPORTERS)
def test_an_exporter_stands_in_the_help_and_on_its_page(name: str) -> None:
    assert name in get_args(To)[1].help
    assert f"\n| `{name}` |" in (ROOT / "docs/exports.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_refuses_an_empty_answer_in_a_sentence(name: str) -> None:
    problem = FORMATS[name].check(Draft("Which?", ""), CARDS[name])
    assert problem.strip()
    assert problem == " ".join(problem.split())


@pytest.mark.parametrize("said", NONSENSE)
@pytest.mark.parametrize("name", FORMATS)
def test_what_a_format_gives_it_also_accepts(name: str, said: str) -> None:
    """Whatever a model says twice: a rejection of this one record, or a draft that passes the check."""
    question = Question("id", "Which of these is it, and why?", WHOLE)
    try:
        draft = asyncio.run(FORMATS[name].answer(Scripted(*[said] * 8), CARDS[name], question))
    except NodeError as reject:
        assert reject.reason
    else:
        assert FORMATS[name].check(draft, CARDS[name]) == ""
        assert FORMATS[name].render(draft).strip()


@pytest.mark.parametrize("name", FORMATS)
def test_a_wrong_draft_has_the_form_of_a_right_one_and_another_answer(name: str) -> None:
    drafts = [seed.draft for seed in load_seeds([str(SAMPLE_OF[name])]).seeds]
    card = FORMATS[name].start_card(
        drafts,
        [
            Label(label)
            for label in sorted({each for draft in drafts for each in FORMATS[name].list_labels(draft)})
        ],
    )
    wrong = FORMATS[name].make_wrong(drafts[0], card, [drafts[1].output], rng(name))
    assert wrong is not None
    assert FORMATS[name].check(wrong, card) == ""
    one, other = (FORMATS[name].extract_final_answer(each, card) for each in (drafts[0], wrong))
    assert not FORMATS[name].compare(one, other)


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", [*OPERATIONS, DOMAIN, PERSONA])
def test_an_operation_has_an_instruction_for_every_format(name: str, format: str, parts: bool) -> None:
    prompts = Prompts(None, card=CARDS[format])
    template = prompts.find_template(*list_variants(name, FORMATS[format].prompt_names, parts=parts))
    said = prompts.render_instruction(template)
    assert len(said) > 10
    assert "\n" not in said, "it stands on the record's own line"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_plants_and_grows(name: str) -> None:
    recipe = RECIPES[name]
    assert getattr(recipe, "name", "") == name
    assert inspect.iscoroutinefunction(getattr(recipe, "plant", None))
    assert inspect.isasyncgenfunction(getattr(recipe, "grow", None))


def test_each_format_has_sample_seeds() -> None:
    assert set(SAMPLE_OF) == set(FORMAT_NAMES)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_sample_seeds_run_from_end_to_end(path: Path, tmp_path: Path) -> None:
    folder, format = tmp_path / "run", lines(path)[0]["format"]
    expand(path, folder, "--target", "20")
    check_run(folder, format, 20)


def check_run(folder: Path, format: str, count: int | None) -> None:
    """Records obey their format and lead back to a seed; those of hop 2 are anchored; the counts agree."""
    card = card_from_toml((folder / "task.toml").read_text(encoding="utf-8"))
    found = contents(folder)
    assert count is None or len(found) == count
    assert reconciles(folder)
    assert {reject["reason"] for reject in rejects(folder)} <= REASONS
    for record in found.values():
        lineage = record["lineage"]
        assert record["format"] == format == card.format
        assert record["model"] == "simulator"
        flat = {**record, "parts": None}
        assert FORMATS[format].check(Record.from_dict(flat).draft, card) == ""
        if "choices" in record:
            assert record["choices"].count(record["output"]) == 1
        assert lineage["anchored"] == (lineage["hop"] > 1)
        plain, persona = (lineage["operation"] == name for name in (PLAIN, PERSONA))
        assert (lineage["triple"] is None) == (plain or persona)
        assert (lineage["persona"] is None) == (not persona)
        assert not plain or (lineage["hop"], lineage["parent_id"]) == (1, lineage["seed_id"])
        hops = 0
        while lineage["parent_id"] != lineage["seed_id"]:
            lineage, hops = found[lineage["parent_id"]]["lineage"], hops + 1
        assert hops == record["lineage"]["hop"] - 1


REASONS = {
    "too_short", "too_long", "off_form", "off_traits", "copy", "label_inside", "wrong_language",
    "prompt_leftover", "duplicate",
    "not_needed", "answer_inside", "broken_format", "evidence_missing", "quote_missing", "label_mismatch",
    "no_agreement",
    "wrong_arithmetic", "tests_failed", "off_task", "off_style", "implausible", "unanswerable", "ambiguous",
    "gives_away", "residue", "wrong_answer", "low_relevance", "low_diversity", "control_token", "refusal",
    "placeholder", "preamble", "next_turn", "prompt_talk", "prompt_tag", "repeats_question", "cut_off",
}  # fmt: skip
