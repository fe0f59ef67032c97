"""Outputs that are structure: lists, objects, labels with a separator, marked passages; each goes out as it came."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.record_content import seed_as_record
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.formats import detect_format
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds
from aide.seeds.spans import read_tokens, write_tokens

Rows = list[dict[str, Any]]

SPANS: Rows = [
    {
        "id": "1",
        "text": "Ada met Bo in Rome.",
        "label": [[0, 3, "PERSON"], [8, 10, "PERSON"], [14, 18, "PLACE"]],
    },
    {"id": "2", "text": "Rome, then Rome again.", "label": [[11, 15, "PLACE"]]},
    {"id": "3", "text": "Nobody came.", "label": []},
]
OBJECT_SPANS: Rows = [
    {"text": "Ada met Bo.", "spans": [{"start": 0, "end": 3, "label": "PERSON"}]},
    {"text": "It is in Rome.", "spans": [{"start": 9, "end": 13, "label": "PLACE"}]},
]
TOKENS: Rows = [
    {"tokens": ["Ada", "Byron", "met", "Bo", "."], "ner_tags": ["B-PER", "I-PER", "O", "B-PER", "O"]},
    {
        "tokens": ["It", "'s", "in", "Rome", ",", "he", "said", "."],
        "ner_tags": ["O", "O", "O", "B-LOC", "O", "O", "O", "O"],
    },
    {"tokens": ["Nobody", "came", "."], "ner_tags": ["O", "O", "O"]},
]
PASSAGE = "Tar is black. Tar is thick."
SQUAD: Rows = [
    {
        "id": "a",
        "context": PASSAGE,
        "question": "What is black?",
        "answers": {"text": ["Tar"], "answer_start": [0]},
    },
    {
        "id": "b",
        "context": PASSAGE,
        "question": "What is thick?",
        "answers": {"text": ["Tar"], "answer_start": [14]},
    },
    {"id": "c", "context": PASSAGE, "question": "What is thin?", "answers": {"text": [], "answer_start": []}},
]
SETS: Rows = [
    {"text": "too hot", "labels": ["hot"]},
    {"text": "hot and noisy", "labels": ["hot", "loud"]},
    {"text": "we heard all of it", "labels": ["loud"]},
    {"text": "nice", "labels": []},
]
VALUES: Rows = [
    {"input": "Mo is 4", "output": {"name": "Mo", "age": 4, "of": {"kin": ["Al"]}}},
    {"input": "Al is 9", "output": {"name": "Al", "age": 9, "of": {"kin": []}}},
]
TEXTS: Rows = [
    {"input": "Mo is 4", "output": '{"name":"Mo","age":4}'},
    {"input": "Al is 9", "output": '{"name":"Al","age":9}'},
]
ONE_KEY: Rows = [{"input": "Mo?", "output": {"text": "Yes."}}, {"input": "Al?", "output": {"text": "No."}}]
RATED: Rows = [
    {"review": "poor", "rating": {"stars": 1}}, {"review": "fine", "rating": {"stars": 4}},
]  # fmt: skip


def write(folder: Path, rows: Rows, name: str = "a.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(folder: Path, rows: Rows, **mapping: Any) -> LoadedSeeds:
    return load_seeds([str(write(folder, rows))], SeedMapping(**mapping))


def outputs(loaded: LoadedSeeds) -> list[Any]:
    return [json.loads(seed.draft.output) for seed in loaded.seeds]


def write_back(folder: Path, path: Path, **mapping: Any) -> str:
    """What `export --to seeds` makes of records that say what the seeds say."""
    loaded = load_seeds([str(path)], SeedMapping(**mapping))
    labels = mapping.get("label_names", ())
    format = detect_format([seed.draft for seed in loaded.seeds], labels=labels)
    records = [
        {**seed_as_record(seed, "task", format.name), "id": seed.name or seed.id} for seed in loaded.seeds
    ]
    more = folder / f"more{path.suffix}"
    named = NamedSeeds((str(path),), SeedMapping(**mapping))
    job = ExportJob(str(more), ExampleRenderer(), seeds=named)
    EXPORTERS["seeds"].write([RecordLine(record, b"") for record in records], job)
    return more.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("rows", "mapping"),
    [
        (SPANS, {}), (OBJECT_SPANS, {}), (TOKENS, {}), (SQUAD, {}), (SETS, {}), (VALUES, {}), (TEXTS, {}),
        (ONE_KEY, {}),
        (RATED, {"input_fields": ("review",), "output_field": "rating"}),
    ],
    ids=["spans", "object spans", "tokens", "squad", "sets", "values", "texts", "one key", "rated"],
)  # fmt: skip
def test_what_came_in_as_structure_goes_out_as_structure(
    tmp_path: Path, rows: Rows, mapping: dict[str, Any]
) -> None:
    assert list(map(json.loads, write_back(tmp_path, write(tmp_path, rows), **mapping).splitlines())) == rows


def test_marked_passages_are_quotes_with_their_places(tmp_path: Path) -> None:
    loaded = load(tmp_path, SPANS)
    assert outputs(loaded)[1] == [{"text": "Rome", "label": "PLACE", "start": 11, "end": 15}]
    assert outputs(loaded)[2] == []
    assert detect_format([seed.draft for seed in loaded.seeds]).name == "json"
    assert loaded.shape.startswith("3 examples: a text and its marked passages (2)")


def test_places_hold_in_the_text_as_it_is_cleaned(tmp_path: Path) -> None:
    rows = [
        {"text": "  Rome or Rome?  ", "label": [[10, 14, "PLACE"]]},
        {"text": "Bo", "label": [[0, 2, "PERSON"]]},
    ]
    loaded = load(tmp_path, rows)
    [span] = outputs(loaded)[0]
    assert loaded.seeds[0].draft.input[span["start"] : span["end"]] == "Rome"
    assert span["start"] == 8


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": "Ada sat.", "label": [[0, 30, "PERSON"]]}, "a span 0 to 30 in a text of 8 characters"),
        ({"tokens": ["Ada", "sat"], "ner_tags": [1, 0]}, "tags that are numbers without names"),
        (
            {"context": "Tar.", "question": "?", "answers": {"text": ["tar"], "answer_start": [2]}},
            "an answer 'tar' that does not stand at its answer_start",
        ),
        ({"input": "Ada?", "output": []}, "has an empty output"),
    ],
)
def test_a_row_that_contradicts_itself_is_told_by_its_line(
    tmp_path: Path, row: dict[str, Any], told: str
) -> None:
    good = {"input": "Who?", "output": "Nobody at all."}
    with pytest.raises(InputError, match=rf"a\.jsonl:2: has {told.removeprefix('has ')}"):
        load(tmp_path, [good, row])


def test_tokens_become_a_text_as_people_write_it() -> None:
    tokens = ["He", "said", '"', "Ada", "(", "Bo", ")", "does", "n't", "care", '"', ",", "at", "$", "5", "."]
    text, spans = read_tokens(tokens, ["O"] * 3 + ["PER"] + ["O"] * 12)
    assert text == 'He said "Ada (Bo) doesn\'t care", at $5.'
    assert spans == [{"text": "Ada", "label": "PER", "start": 9, "end": 12}]
    assert write_tokens(text, spans, ["PER", "O"])[1].count("PER") == 1


@pytest.mark.parametrize(
    "tags", [["B-X", "E-X", "O", "S-X"], ["B-X", "L-X", "O", "U-X"], ["I-X", "I-X", "O", "B-X"]]
)
def test_other_marks_of_tags_are_read(tags: list[str]) -> None:
    _, spans = read_tokens(["Ada", "Byron", "met", "Bo"], tags)
    assert [span["text"] for span in spans] == ["Ada Byron", "Bo"]


def test_a_passage_that_ends_within_a_word_cuts_the_token() -> None:
    spans = [{"text": "un", "label": "NEG", "start": 0, "end": 2}]
    assert write_tokens("undo it", spans, ["B-NEG"]) == (["un", "do", "it"], ["B-NEG", "O", "O"])


def test_numbers_of_tags_have_the_names_of_the_labels(tmp_path: Path) -> None:
    names = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    rows = [
        {"tokens": ["Ada", "Byron", "met", "Bo"], "ner_tags": [1, 2, 0, 1]},
        {"tokens": ["In", "Rome", "."], "ner_tags": [0, 3, 0]},
    ]
    path = write(tmp_path, rows)
    loaded = load_seeds([str(path)], SeedMapping(label_names=names))
    assert [span["label"] for span in outputs(loaded)[0]] == ["PER", "PER"]
    assert detect_format([seed.draft for seed in loaded.seeds], labels=names).name == "json"
    assert list(map(json.loads, write_back(tmp_path, path, label_names=names).splitlines())) == rows


# --- lists and labels -----------------------------------------------------------------------------------------


def test_lists_are_one_answer_each_or_answers_that_are_accepted(tmp_path: Path) -> None:
    assert outputs(load(tmp_path, SETS)) == [["hot"], ["hot", "loud"], ["loud"], []]
    accepted = [
        {"question": "Capital?", "answers": ["Rome", "Roma"]},
        {"question": "River?", "answers": ["Po", "the Po"]},
    ]
    assert [seed.draft.output for seed in load(tmp_path, accepted).seeds] == ["Rome", "Po"]
    single = [{"text": "a", "label": ["x"]}, {"text": "b", "label": ["y"]}]
    assert [seed.draft.output for seed in load(tmp_path, single).seeds] == ["x", "y"]
    numbers: Rows = [{"input": "first three", "output": [1, 2, 3]}, {"input": "none", "output": []}]
    assert outputs(load(tmp_path, numbers)) == [[1, 2, 3], []]


SEPARATED = (
    'text,label\n"late, and twice billed","billing, delivery"\nwhere is it,delivery\ncharged twice,billing\n'
)


def test_labels_with_a_separator_are_found_with_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(SEPARATED, encoding="utf-8")
    names = ("delivery", "billing", "returns")
    assert outputs(load_seeds([str(path)], SeedMapping(label_names=names)))[0] == ["billing", "delivery"]
    assert write_back(tmp_path, path, label_names=names) == SEPARATED.replace(
        "billing, delivery", "billing, delivery"
    )
    plain = load_seeds([str(path)], SeedMapping())
    assert plain.seeds[0].draft.output == "billing, delivery", "without a word of the person it is a text"


def test_a_separator_that_a_person_names_needs_no_labels(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x / y"}, {"text": "b", "label": "y"}, {"text": "c", "label": "x"}]
    path = write(tmp_path, rows)
    assert outputs(load_seeds([str(path)], SeedMapping(label_separator="/"))) == [["x", "y"], ["y"], ["x"]]
    assert list(map(json.loads, write_back(tmp_path, path, label_separator="/").splitlines())) == rows


@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"separators": (",", ":")}, {"indent": 4}])
@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```"])
def test_json_text_goes_out_in_its_own_layout(tmp_path: Path, layout: dict[str, Any], around: str) -> None:
    rows = [{**row, "output": around.replace("{}", json.dumps(row["output"], **layout))} for row in VALUES]
    path = write(tmp_path, rows)
    assert list(map(json.loads, write_back(tmp_path, path).splitlines())) == rows
