"""What each exporter writes, read back by what it is written for."""

import csv
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine, read_lines
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.exporters.columns import fit_value, infer_columns
from aide.formats import Label, TaskCard
from aide.seeds import SeedMapping, load_seeds

OPEN = {
    "id": "r1", "task": "t", "format": "open", "input": "Six crates of 4?\u2028Say.",
    "output": "6 * 4 = 24\n#### 24",
    "lineage": {"seed_id": "s", "parent_id": "s", "hop": 1, "operation": "persona", "triple": None,
                "persona": "a cook", "anchored": False},
    "scores": {"relevance": 8, "correct": True}, "revisions": 0, "model": "m", "meta": {},
}  # fmt: skip
BARE = {**OPEN, "id": "r2", "output": "24", "reasoning": "Six times four.\n#### 24"}
QUIZ = {
    **OPEN,
    "id": "r3",
    "format": "multiple_choice",
    "input": "Which?",
    "output": "bee",
    "choices": ["ant", "bee", "cat"],
}
TICKET = {
    **OPEN,
    "id": "r4",
    "format": "classification",
    "input": "Wo ist mein Paket?",
    "output": "Lieferung",
}
CODE = {
    **OPEN,
    "id": "r5",
    "format": "code",
    "output": "def f():\n    return 1",
    "tests": ["assert f() == 1"],
}
CARD = TaskCard(
    task="Sort the ticket.",
    format="classification",
    labels=(Label("Lieferung", "about a parcel"), Label("Storno")),
)
ALL = (OPEN, BARE, QUIZ, TICKET, CODE)


def line(record: dict[str, Any]) -> RecordLine:
    return RecordLine(record, json.dumps(record).encode(), "in.jsonl", 1)


def export(
    to: str,
    records: Sequence[dict[str, Any]],
    dest: Path,
    rendering: ExampleRenderer | None = None,
    /,
    **more: Any,
) -> int:
    job = ExportJob(str(dest), rendering or ExampleRenderer(), **more)
    return EXPORTERS[to].write(map(line, records), job).count


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text(encoding="utf-8").split("\n") if each]


# --- how an example reads -----------------------------------------------------------------------


def test_an_answer_is_a_letter_a_label_code_or_the_working_with_its_result() -> None:
    answers = [ExampleRenderer().example(line(record)).answer for record in ALL]
    assert answers == [
        "6 * 4 = 24\n#### 24",
        "Six times four.\n#### 24",
        "B",
        "Lieferung",
        "def f():\n    return 1",
    ]
    apart = {**BARE, "reasoning": "Six times four is twenty-four."}
    assert ExampleRenderer().example(line(apart)).answer == "Six times four is twenty-four.\n\n24"


def test_options_are_lettered_below_the_question() -> None:
    assert ExampleRenderer().example(line(QUIZ)).user == "Which?\n\nA) ant\nB) bee\nC) cat"
    with pytest.raises(InputError, match=r"in\.jsonl:1: its output is not exactly one of its choices"):
        ExampleRenderer().example(line({**QUIZ, "output": "cow"}))


def test_the_instruction_is_the_cards_task_with_its_labels_unless_a_person_gives_one() -> None:
    told = ExampleRenderer(CARD).example(line(TICKET)).user
    assert told == "Sort the ticket.\n- Lieferung: about a parcel\n- Storno\n\nWo ist mein Paket?"
    assert (
        ExampleRenderer(CARD, instruction="Sortiere:").example(line(TICKET)).user
        == "Sortiere:\n\nWo ist mein Paket?"
    )
    assert ExampleRenderer(CARD, instruction="").example(line(TICKET)).user == "Wo ist mein Paket?"


def test_a_template_says_it_all(tmp_path: Path) -> None:
    template = tmp_path / "t.md"
    template.write_text(
        "# system\nBe {{ record.model }}.\n"
        "# user\n{{ input }} ({{ options | join(', ') }})\n"
        "# assistant\n({{ letter }})\n"
    )
    example = ExampleRenderer(system="unused", template=template).example(line(QUIZ))
    assert example.messages() == [
        {"role": "system", "content": "Be m."},
        {"role": "user", "content": "Which? (A) ant, B) bee, C) cat)"},
        {"role": "assistant", "content": "(B)"},
    ]
    template.write_text("Q: {{ input }}")
    assert ExampleRenderer(system="S", template=template).example(line(CODE)).messages()[0]["content"] == "S"
    for broken in ("{{ input", "# system\nx", "{{ nothing }}", "{{ input.__class__.__mro__ }}"):
        template.write_text(broken)
        with pytest.raises(InputError, match=r"t\.md"):
            ExampleRenderer(template=template).example(line(QUIZ))


def test_records_of_others_are_understood_by_their_shape() -> None:
    example = ExampleRenderer().example(
        line({"question": "Which?", "A": "x", "B": "y", "C": "z", "answer": "C"})
    )
    assert (example.user, example.answer) == ("Which?\n\nA) x\nB) y\nC) z", "C")
    with pytest.raises(InputError, match=r"in\.jsonl:1: has no output"):
        ExampleRenderer().example(line({"input": "x"}))


# --- lines --------------------------------------------------------------------------------------


def test_messages_sharegpt_alpaca_and_prompt_completion(tmp_path: Path) -> None:
    plain, full = ExampleRenderer(), ExampleRenderer(instruction="Count.", system="Be brief.")
    for name in ("messages", "sharegpt", "alpaca", "prompt-completion"):
        assert export(name, [OPEN], tmp_path / f"{name}.jsonl", plain) == 1
        assert export(name, [OPEN], tmp_path / f"{name}-full.jsonl", full) == 1
    asked, said = OPEN["input"], OPEN["output"]
    both = f"Count.\n\n{asked}"
    assert rows(tmp_path / "messages-full.jsonl")[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": both},
        {"role": "assistant", "content": said},
    ]
    assert rows(tmp_path / "sharegpt.jsonl")[0]["conversations"] == [
        {"from": "human", "value": asked},
        {"from": "gpt", "value": said},
    ]
    assert rows(tmp_path / "alpaca.jsonl") == [{"instruction": asked, "input": "", "output": said}]
    assert rows(tmp_path / "alpaca-full.jsonl") == [
        {"instruction": "Count.", "input": asked, "output": said, "system": "Be brief."}
    ]
    assert rows(tmp_path / "prompt-completion.jsonl") == [{"prompt": f"{asked}\n", "completion": said}]
    turned = rows(tmp_path / "prompt-completion-full.jsonl")[0]
    assert [turn["role"] for turn in (*turned["prompt"], *turned["completion"])] == [
        "system",
        "user",
        "assistant",
    ]


@pytest.mark.parametrize("name", ["messages", "sharegpt", "alpaca", "prompt-completion"])
def test_what_was_exported_reads_again_as_seeds(tmp_path: Path, name: str) -> None:
    export(name, [OPEN, {**CODE, "format": "free_text"}], tmp_path / "x.jsonl")
    drafts = [seed.draft for seed in load_seeds([str(tmp_path / "x.jsonl")]).seeds]
    assert [(draft.input, draft.output) for draft in drafts] == [
        (OPEN["input"], OPEN["output"]),
        (CODE["input"], CODE["output"]),
    ]


def test_pairs_need_an_answer_that_is_wrong_for_sure(tmp_path: Path) -> None:
    job = ExportJob(str(tmp_path / "x.jsonl"), ExampleRenderer(CARD, instruction=""))
    written = EXPORTERS["dpo"].write(map(line, ALL), job)
    assert written.count == 2
    assert sum(written.skipped.values()) == 3
    quiz, ticket = rows(tmp_path / "x.jsonl")
    assert quiz["chosen"] == "B"
    assert quiz["rejected"] in ("A", "C")
    assert (ticket["chosen"], ticket["rejected"]) == ("Lieferung", "Storno")
    assert export("dpo", [QUIZ], tmp_path / "y.jsonl", ExampleRenderer(system="S")) == 1
    turned = rows(tmp_path / "y.jsonl")[0]
    assert [turned[part][-1]["role"] for part in ("prompt", "chosen", "rejected")] == [
        "user",
        "assistant",
        "assistant",
    ]


def test_trl_takes_the_lines_for_what_they_are(tmp_path: Path) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    spoken = ExampleRenderer(system="Be brief.")
    for name, rendering, conversational in (
        ("messages", ExampleRenderer(), True),
        ("prompt-completion", ExampleRenderer(), False),
        ("prompt-completion", spoken, True),
        ("dpo", ExampleRenderer(), False),
        ("dpo", spoken, True),
    ):
        export(name, [QUIZ], tmp_path / "x.jsonl", rendering)
        assert data_utils.is_conversational(rows(tmp_path / "x.jsonl")[0]) is conversational, name
    export("sharegpt", [OPEN], tmp_path / "x.jsonl")
    assert data_utils.is_conversational_from_value(rows(tmp_path / "x.jsonl")[0])


# --- tables and folders ---------------------------------------------------------------------------


def test_columns_hold_every_value_they_were_found_for() -> None:
    found: list[dict[str, Any]] = [
        {"a": 1, "b": None, "c": {"x": 1}, "d": [], "e": {}, "f": "t", "g": 2**70, "h": True},
        {"a": 2.5, "b": None, "c": {"y": ["z"]}, "d": ["u"], "e": {}, "f": 3, "h": False, "new": [1, "a"]},
    ]
    kinds = infer_columns(found)
    assert kinds == {
        "a": "float", "b": "string", "c": {"x": "int", "y": ["string"]}, "d": ["string"], "e": "json",
        "f": "json", "g": "json", "h": "bool", "new": ["json"],
    }  # fmt: skip
    assert fit_value(found[1]["new"], kinds["new"]) == ["1", '"a"']
    assert fit_value({"y": ["z"]}, kinds["c"]) == {"x": None, "y": ["z"]}


def test_parquet_keeps_every_text_and_field(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    odd = {**OPEN, "id": "odd", "input": "x\ud800y", "extra": {"deep": [1, None]}}
    assert export("parquet", [*ALL, odd], tmp_path / "x.parquet") == 6
    table = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    assert [row["input"] for row in table] == [*(record["input"] for record in ALL), "x?y"]
    assert table[2]["choices"] == QUIZ["choices"]
    assert table[0]["lineage"]["persona"] == "a cook"
    assert table[0]["scores"] == {"relevance": 8, "correct": True}
    assert table[5]["extra"] == {"deep": [1, None]}
    assert table[3]["messages"][-1] == {"role": "assistant", "content": "Lieferung"}
    assert len(load_seeds([str(tmp_path / "x.parquet")]).seeds) >= 5
    with pytest.raises(InputError, match="not one record"):
        export("parquet", [], tmp_path / "none.parquet")
    assert not (tmp_path / "none.parquet").exists()


def test_a_data_set_folder_loads_and_its_card_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    folder = tmp_path / "set"
    hostile = {**TICKET, "id": "h", "output": "a|b](x) <script>"}
    assert (
        export("dataset", [*ALL, hostile], folder, ExampleRenderer(CARD), name="mine", license="cc-by-4.0")
        == 6
    )
    card = (folder / "README.md").read_text()
    assert "license: cc-by-4.0" in card
    assert "| hop 1 | 6 |" in card
    assert "<script>" not in card
    assert export("dataset", [OPEN], folder) == 1  # its own card may be replaced
    (folder / "README.md").write_text("mine")
    with pytest.raises(InputError, match="was not written by aide"):
        export("dataset", [OPEN], folder)


def test_the_datasets_library_loads_folder_splits_and_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    cut = tmp_path / "cut"
    cut.mkdir()
    for name, records in (("train", ALL), ("validation", [OPEN])):
        (cut / f"{name}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    job = ExportJob(str(tmp_path / "set"), ExampleRenderer(), (str(cut),))
    assert EXPORTERS["dataset"].write(read_lines([str(cut)]), job).count == 6
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=cache)
    assert {name: len(split) for name, split in loaded.items()} == {"train": 5, "validation": 1}
    assert loaded["train"]["input"][0] == OPEN["input"]
    for name in ("messages", "sharegpt", "alpaca", "prompt-completion", "dpo"):
        export(name, [QUIZ, {**QUIZ, "id": "q2"}], tmp_path / f"{name}.jsonl")
        again = datasets.load_dataset("json", data_files=str(tmp_path / f"{name}.jsonl"), cache_dir=cache)[
            "train"
        ]
        assert again.to_list() == rows(tmp_path / f"{name}.jsonl")


def test_llama_factory_gets_one_key_and_nothing_of_others_is_touched(tmp_path: Path) -> None:
    index = tmp_path / "dataset_info.json"
    index.write_text('{"theirs": {"file_name": "x.json"}}')
    assert export("llama-factory", ALL, tmp_path, name="mine") == 5
    entries = json.loads(index.read_text())
    assert entries["theirs"] == {"file_name": "x.json"}
    entry = entries["mine"]
    first = rows(tmp_path / entry["file_name"])[0][entry["columns"]["messages"]]
    tags = entry["tags"]
    assert [turn[tags["role_tag"]] for turn in first] == [tags["user_tag"], tags["assistant_tag"]]
    assert first[0][tags["content_tag"]] == OPEN["input"]
    assert export("llama-factory", [OPEN], tmp_path, name="mine") == 1  # the same set, written anew
    with pytest.raises(InputError, match="another data set named 'theirs'"):
        export("llama-factory", ALL, tmp_path, name="theirs")
    (tmp_path / "free.jsonl").write_text("not ours")
    with pytest.raises(InputError, match="exists already"):
        export("llama-factory", ALL, tmp_path, name="free")
    index.write_text("[]")
    with pytest.raises(InputError, match="no JSON object"):
        export("llama-factory", ALL, tmp_path, name="mine")


# --- the seeds' own shape -------------------------------------------------------------------------

SHAPES: dict[str, tuple[str, str]] = {
    "ours": ("s.jsonl", '{"id": "1", "input": "a b", "output": "x", "note": "n"}\n'),
    "question": ("s.jsonl", '{"answer": "x", "question": "a b"}\n'),
    "csv": ("s.csv", 'text;label\n"a; ""b""";x\nc d;y\n'),
    "csv without header": ("s.csv", "Who is it?,x\nWhere is it?,y\n"),
    "array": ("s.json", '[{"prompt": "a", "completion": "x"}, {"prompt": "b", "completion": "y"}]'),
    "alpaca": ("s.jsonl", '{"instruction": "a b", "input": "", "output": "x"}\n'),
    "alpaca, one task": (
        "s.jsonl",
        '{"instruction": "Do.", "input": "a", "output": "x"}\n'
        '{"instruction": "Do.", "input": "b", "output": "y"}\n',
    ),
    "messages": (
        "s.jsonl",
        '{"messages": [{"role": "system", "content": "Do."}, {"role": "user", "content": "a"},'
        ' {"role": "assistant", "content": "x"}]}\n',
    ),
    "sharegpt": (
        "s.jsonl",
        '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "x"}]}\n',
    ),
    "context": ("s.jsonl", '{"context": "long text", "question": "a?", "answer": "x"}\n'),
    "number": ("s.jsonl", '{"question": "a", "answer": 7}\n'),
    "several fields": ("s.jsonl", '{"city": "Ulm", "season": "winter", "output": "x"}\n'),
}
CHOICES: dict[str, tuple[str, str]] = {
    "text": ("s.jsonl", '{"question": "q", "choices": ["u", "v", "w"], "answer": "v"}\n'),
    "place": ("s.jsonl", '{"question": "q", "choices": ["u", "v", "w"], "answer": 1}\n'),
    "letter": ("s.jsonl", '{"question": "q", "options": ["A) u", "B) v", "C) w"], "answer": "(B)"}\n'),
    "object": ("s.jsonl", '{"question": "q", "choices": {"A": "u", "B": "v", "C": "w"}, "answer": "B"}\n'),
    "text and label": (
        "s.jsonl",
        '{"question": "q", "choices": {"text": ["u", "v", "w"], "label": ["1", "2", "3"]},'
        ' "answerKey": "2"}\n',
    ),
    "separated": ("s.csv", "question,options,answer\nq,u | v | w,v\n"),
    "columns": ("s.csv", "question,A,B,C,D,answer\nq,u,v,w,z,B\n"),
    "target_scores": ("s.jsonl", '{"input": "q", "target_scores": {"u": 0, "v": 1, "w": 0}}\n'),
}


def seeds_like(
    text: tuple[str, str], tmp_path: Path, records: Sequence[dict[str, Any]], **mapping: Any
) -> tuple[Path, Path]:
    seeds, more = tmp_path / text[0], tmp_path / f"more{Path(text[0]).suffix}"
    seeds.write_text(text[1], encoding="utf-8")
    named = NamedSeeds((str(seeds),), SeedMapping(**mapping))
    assert export("seeds", records, more, seeds=named) == len(records)
    return seeds, more


@pytest.mark.parametrize("shape", SHAPES)
def test_records_come_out_in_the_shape_of_the_seeds(tmp_path: Path, shape: str) -> None:
    mapping: dict[str, Any] = {}
    if shape == "several fields":
        mapping = {"input_fields": ("city", "season"), "output_field": "output"}
    record: dict[str, Any] = {
        **OPEN,
        "format": "free_text",
        "input": 'new, "text"\nhere',
        "output": "12",
        "meta": {"note": "kept"},
    }
    if shape == "context":
        record.update(parts={"context": "long text", "question": "new?"}, input="long text\n\nnew?")
    if mapping:
        record["input"] = "city: Bonn\nseason: late\nautumn"
    seeds, more = seeds_like(SHAPES[shape], tmp_path, [record], **mapping)
    before, after = (load_seeds([str(path)], SeedMapping(**mapping)) for path in (seeds, more))
    assert after.origin.columns == before.origin.columns
    assert after.origin.shape == before.origin.shape
    assert (after.origin.container, after.origin.delimiter) == (
        before.origin.container,
        before.origin.delimiter,
    )
    assert after.sentence == before.sentence
    (seed,) = after.seeds
    assert (seed.parts.whole(seed.draft.input), seed.draft.output) == (record["input"], "12")
    if shape == "ours":
        assert rows(more)[0] == {"id": "r1", "input": record["input"], "output": "12", "note": "kept"}
    if shape == "number":
        assert rows(more)[0]["answer"] == 12


@pytest.mark.parametrize("shape", CHOICES)
def test_options_come_out_as_the_seeds_have_them(tmp_path: Path, shape: str) -> None:
    choices = ["one", "two", "three", "four"] if shape == "columns" else ["one", "two", "three"]
    record = {**QUIZ, "choices": choices, "output": "three"}
    seeds, more = seeds_like(CHOICES[shape], tmp_path, [record])
    before, after = load_seeds([str(seeds)]), load_seeds([str(more)])
    assert (after.origin.columns, after.origin.shape) == (before.origin.columns, before.origin.shape)
    (seed,) = after.seeds
    assert (seed.draft.choices, seed.draft.output) == (tuple(choices), "three")
    if shape == "letter":
        assert rows(more)[0] == {
            "question": "Which?",
            "options": ["A) one", "B) two", "C) three"],
            "answer": "(C)",
        }
    if shape == "columns":
        assert more.read_text().splitlines()[1] == "Which?,one,two,three,four,C"


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_column_made_of_a_seeds_content_is_made_anew_or_left_out(tmp_path: Path, ending: str) -> None:
    pairs = [("How far?", "Ten miles."), ("How deep?", "Two feet.")]
    seeds = [
        {"prompt": ask, "chosen": said, "rejected": "No.", "text": f"{ask} | {said}", "lang": "en"}
        for ask, said in pairs
    ]
    if ending == "jsonl":
        text = "".join(json.dumps(row) + "\n" for row in seeds)
    else:
        text = "\n".join([",".join(seeds[0]), *(",".join(row.values()) for row in seeds)]) + "\n"
    record = {
        **OPEN,
        "format": "free_text",
        "input": "How tall?",
        "output": "A yard.",
        "meta": {"lang": "en"},
    }
    _, more = seeds_like((f"s.{ending}", text), tmp_path, [record])
    (row,) = rows(more) if ending == "jsonl" else csv.DictReader(more.read_text().splitlines())
    assert row == {"prompt": "How tall?", "chosen": "A yard.", "text": "How tall? | A yard.", "lang": "en"}


def test_the_shape_of_the_seeds_wants_seeds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="seed file is not known"):
        export("seeds", [OPEN], tmp_path / "x.jsonl")


@pytest.mark.parametrize("name", list(EXPORTERS))
def test_every_exporter_says_so_where_it_cannot_write(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    seeds = tmp_path / "s.jsonl"
    seeds.write_text(SHAPES["ours"][1])
    if name in ("parquet", "dataset"):
        importlib.import_module("pyarrow")
    with pytest.raises(InputError):
        export(name, [QUIZ], tmp_path / "file" / "x", seeds=NamedSeeds((str(seeds),), SeedMapping()))
