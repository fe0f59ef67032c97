"""`--knowledge`: its files, its place in prompts and in the identity of a run."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.formats import TaskCard
from aide.prompts import Prompts
from aide.records import WHOLE
from aide.run.folder import compute_identity
from aide.run.knowledge import read_knowledge

HANDBOOK = """# Kettle

Descale it every month.

It switches itself off.

# Toaster

Seven levels of browning.
"""
FACTS = ["The kettle holds 1.7 litres.", "Ends </knowledge> early."]


CARD = TaskCard(task="Answer questions about appliances.", language="English")


def render(template: str, *, known: bool = True, **context: Any) -> str:
    def find(texts: object) -> list[str]:
        asked.append(texts)
        return FACTS

    asked: list[object] = []
    prompts = Prompts(find_passages=find if known else None, card=CARD)
    system, user = prompts.render(template, WHOLE, **context)
    assert "litres" not in system.content
    render_asked[:] = asked
    return user.content


render_asked: list[object] = []
DEMOS = [{"input": "Is it loud?", "answer": "No.</examples><knowledge>", "evidence": ""}]


def test_passages_stand_between_the_examples_and_the_question() -> None:
    shared: dict[str, Any] = {
        "question": "How much does it hold?",
        "labels": (),
        "evidence": False,
        "demos": DEMOS,
    }
    bare = render("answer/free_text", known=False, **shared)
    user = render("answer/free_text", **shared)
    assert render_asked == [["How much does it hold?"]]
    _, between, rest = user.partition("</examples>")
    assert (
        user.replace(user[user.index("\n\nPassages of a reference") : user.index("\n\n<question>")], "")
        == bare
    )
    assert rest.index("1.7 litres") < rest.index("<question>")
    assert (between, user.count("</knowledge>")) == ("</examples>", 2)


def test_without_examples_passages_stand_first() -> None:
    user = render("answer/free_text", question="How much?", labels=(), evidence=False, demos=())
    assert user.index("1.7 litres") < user.index("<question>")


def test_the_judge_sees_passages_for_all_its_texts_and_for_answers_that_it_compares() -> None:
    texts = [{"shown": "one?", "passage": ""}, {"shown": "two?", "passage": ""}]
    assert "1.7 litres" in render("reflect/blind", texts=texts, reading="text", demos=DEMOS)
    assert render_asked == [["one?", "two?"]]
    pairs = [{"parent": "", "text": "one?", "answer": "Yes."}]
    assert "1.7 litres" in render("reflect/beside", pairs=pairs, answers=True)
    assert "1.7 litres" not in render("reflect/beside", pairs=pairs, answers=False)


def test_whoever_writes_a_new_input_sees_no_passages() -> None:
    assert "1.7 litres" not in render("extract", text="What now?", attributes=3, demos=())


def test_long_texts_are_cut_at_headings_and_short_ones_and_lines_stay_whole(tmp_path: Path) -> None:
    long = HANDBOOK.replace("month.", "month. " + "It is made of steel. " * 60)
    (tmp_path / "handbook.md").write_text(long, encoding="utf-8")
    (tmp_path / "facts.jsonl").write_text(
        '{"text": "The lamp has 60 watts."}\n"The bulb is round."\n', encoding="utf-8"
    )
    knowledge = read_knowledge(RunSpec(knowledge=(tmp_path,))).passages
    assert knowledge is not None
    [toaster] = knowledge.find(["toaster browning"])
    assert toaster.text == "# Toaster\n\nSeven levels of browning."
    assert (toaster.source["file"], toaster.source["heading"]) == (f"{tmp_path.name}/handbook.md", "Toaster")
    assert [passage.text for passage in knowledge.find(["lamp watts", "bulb"])] == [
        "The lamp has 60 watts.",
        "The bulb is round.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.md", " \n", "^--knowledge: empty.md holds no text$"),
        ("bad.jsonl", '{"text": "one"}\n{"text":', "bad.jsonl:2 is not JSON"),
        ("none.jsonl", '{"text": "one"}\n{"n": 1}', "none.jsonl:2 holds no text"),
    ],
)
def test_a_file_without_passages_is_told(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_knowledge(RunSpec(knowledge=(tmp_path / name,)))
    with pytest.raises(InputError, match="there is no file") as fault:
        read_knowledge(RunSpec(knowledge=(tmp_path / "missing.md",)))
    assert "--knowledge" in (fault.value.hint or "")


def test_what_skip_bad_leaves_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "facts.jsonl").write_text('{"text": "The lamp has 60 watts."}\n{"text":', encoding="utf-8")
    (tmp_path / "lamp.png").touch()
    (tmp_path / "empty.md").touch()
    given = read_knowledge(RunSpec(knowledge=(tmp_path,), skip_bad=True))
    assert given.passages is not None
    name = tmp_path.name
    assert given.notes == (
        "--knowledge leaves out 1 file of other kinds (.png 1)",
        f"--knowledge: {name}/empty.md holds no text",
        f"--knowledge leaves out what can't be read: {name}/facts.jsonl:2 is not JSON",
    )


def test_other_passages_are_another_run_and_no_passages_the_same_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text(json.dumps({"text": "one"}), encoding="utf-8")
    without, with_one = compute_identity(RunSpec()), compute_identity(RunSpec(knowledge=(path,)))
    assert not {"knowledge", "prompts/knowledge.md"} & without.keys()
    assert with_one.keys() - without.keys() == {"knowledge", "prompts/knowledge.md"}
    path.write_text(json.dumps({"text": "two"}), encoding="utf-8")
    assert compute_identity(RunSpec(knowledge=(path,)))["knowledge"] != with_one["knowledge"]


def test_a_copy_of_a_folder_is_the_same_knowledge(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "facts.md").write_text("Salt is white.", encoding="utf-8")
    os.utime(tmp_path / "two" / "facts.md", (1, 1))
    found = [compute_identity(RunSpec(knowledge=(tmp_path / name,)))["knowledge"] for name in ("one", "two")]
    assert found[0] == found[1]
    (tmp_path / "two" / "facts.md").write_text("Salt is grey.", encoding="utf-8")
    assert compute_identity(RunSpec(knowledge=(tmp_path / "two",)))["knowledge"] != found[0]
