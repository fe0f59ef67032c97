"""Tables as people save them: with and without a header, of any separator, as Markdown."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds

ROOMS = (
    ("The tap in the bath drips all night.", "plumbing"),
    ("No light comes on in the hall.", "wiring"),
    ("The sink fills up and stays full.", "plumbing"),
    ("A socket sparks when I plug in the lamp.", "wiring"),
    ("The window will not close.", "joinery"),
)
ANSWERS = [(said, f"Somebody from {kind} will come and look at it.") for said, kind in ROOMS]
WORDS = [("house", "Haus"), ("tree", "Baum"), ("stone", "Stein"), ("sky", "Himmel")]


def write(path: Path, rows: Sequence[tuple[str, ...]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def load(path: Path, **mapping: Any) -> LoadedSeeds:
    return load_seeds([str(path)], SeedMapping(**mapping))


def pairs(loaded: LoadedSeeds) -> list[tuple[str, str]]:
    return [(seed.draft.input, seed.draft.output) for seed in loaded.seeds]


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (("Meldung", "Gewerk"), ROOMS),  # labels come again below, their name does not
        (("Meldung", "Antwort"), ANSWERS),  # texts are longer than their names
        (("What the tenant says", "What we say"), ANSWERS),
        (("de_text", "en_text"), WORDS),  # spelled like no value
        (("English", "german"), WORDS),
    ],
)
def test_a_header_of_unknown_names_is_asked_about_once(tmp_path: Path, header: Any, rows: Any) -> None:
    with pytest.raises(InputError) as fault:
        load(write(tmp_path / "t.csv", [header, *rows]))
    assert str(fault.value).endswith(f"its columns are {', '.join(header)}")
    assert str(fault.value).count("\n") == 0
    assert all(
        word in (fault.value.hint or "") for word in ("--input-field", "--output-field", "--no-header")
    )
    loaded = load(tmp_path / "t.csv", input_fields=(header[0],), output_field=header[1])
    assert pairs(loaded) == list(rows)
    assert len(load(tmp_path / "t.csv", header=False).seeds) == len(rows) + 1


@pytest.mark.parametrize("rows", [ROOMS, ANSWERS, WORDS, [("2 + 2", "4"), ("3 + 5", "8"), ("1 + 6", "7")]])
def test_a_table_without_a_header_loses_no_row(tmp_path: Path, rows: Any) -> None:
    loaded = load(write(tmp_path / "t.csv", rows))
    assert (pairs(loaded), loaded.origin.header) == (list(rows), False)
    assert loaded.notes == [
        f"{tmp_path}/t.csv: it has no header, its first example is: {rows[0][0][:40]} | {rows[0][1][:40]}"
    ]


def test_a_label_that_is_a_known_name_is_no_header(tmp_path: Path) -> None:
    rows = [("Great food", "review"), ("Where is it", "question"), ("So good", "review"), ("Why", "question")]
    assert pairs(load(write(tmp_path / "t.csv", rows))) == rows


def test_one_word_above_short_texts_is_asked_about(tmp_path: Path) -> None:
    rows = [("frage", "antwort"), ("Who made it", "Anna"), ("Where is it", "Rye"), ("Why", "so")]
    with pytest.raises(InputError, match=r"may be a header or an example: frage \| antwort"):
        load(write(tmp_path / "t.csv", rows))
    assert len(load(write(tmp_path / "t.csv", rows), header=False).seeds) == 4


def test_a_sentence_beside_a_known_name_is_asked_about(tmp_path: Path) -> None:
    rows = [("It stands in the kitchen, on four legs.", "table"), ("It bears apples.", "tree")]
    with pytest.raises(InputError, match="may be a header or an example") as fault:
        load(write(tmp_path / "t.csv", rows))
    assert fault.value.hint == "say --header or --no-header"
    assert pairs(load(tmp_path / "t.csv", header=False)) == rows


def test_known_names_are_a_header_in_any_case_and_of_one_row_too(tmp_path: Path) -> None:
    loaded = load(write(tmp_path / "t.csv", [("Question", "Correct Answer"), ("Who?", "Me.")]))
    assert pairs(loaded) == [("Who?", "Me.")]
    assert loaded.notes == [f"{tmp_path}/t.csv: its first row is a header: Question, Correct Answer"]


def test_a_person_may_call_the_first_row_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [("engl", "germ"), *WORDS])
    assert len(load(path).seeds) == 5
    assert pairs(load(path, header=True, input_fields=("engl",), output_field="germ")) == WORDS


def test_the_ready_command_names_the_likely_columns(tmp_path: Path) -> None:
    header = ("nr", "Team", "Was war los")
    rows = [header, *((str(n), kind, said) for n, (said, kind) in enumerate(ROOMS))]
    with pytest.raises(InputError) as fault:
        load(write(tmp_path / "t.csv", rows))
    assert (fault.value.hint or "").startswith("add --input-field 'Was war los' --output-field Team")


def test_numbers_may_be_the_answers(tmp_path: Path) -> None:
    rows = [("sum", "is"), *((f"{n} + {n}", str(2 * n)) for n in range(5))]
    with pytest.raises(InputError) as fault:
        load(write(tmp_path / "t.csv", rows))
    assert (fault.value.hint or "").startswith("add --input-field sum --output-field is")


def test_rows_of_json_with_unknown_fields_are_told_once_too(tmp_path: Path) -> None:
    rows = [{"Frage": said, "Gewerk": kind} for said, kind in ROOMS]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(InputError, match="its columns are Frage, Gewerk") as fault:
        load(tmp_path / "t.jsonl")
    assert fault.value.hint == "add --input-field Frage --output-field Gewerk"


# --- how tables are written ---------------------------------------------------------------------------------


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", [("text", "label", "text"), ("It drips.", "plumbing", "Es tropft.")])
    with pytest.raises(InputError, match="two columns named text"):
        load(path)


def test_a_column_without_a_name_is_an_index(tmp_path: Path) -> None:
    rows = [(str(n), *row) for n, row in enumerate(ROOMS)]
    loaded = load(write(tmp_path / "t.csv", [("", "text", "label"), *rows]))
    assert (pairs(loaded), loaded.left_out) == (list(ROOMS), ("column 1",))


def test_joined_files_repeat_their_header(tmp_path: Path) -> None:
    header = ("text", "label")
    assert pairs(load(write(tmp_path / "t.csv", [header, *ROOMS[:2], header, *ROOMS[2:]]))) == list(ROOMS)


def test_spaces_after_separators_and_a_line_that_names_the_separator(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text, label\n"No light, no heat", wiring\n"So, a leak", plumbing\n')
    assert pairs(load(tmp_path / "t.csv")) == [("No light, no heat", "wiring"), ("So, a leak", "plumbing")]
    (tmp_path / "s.csv").write_text("sep=;\r\ntext;label\r\nNo light, no heat;wiring\r\nbad\r\n")
    with pytest.raises(InputError, match=r"s\.csv:4: has 1 columns"):
        load(tmp_path / "s.csv")
    assert pairs(load(tmp_path / "s.csv", skip_bad=True)) == [("No light, no heat", "wiring")]


def test_a_cell_may_be_long_and_the_limit_of_the_process_stays(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    text = "word " * 40_000
    loaded = load(write(tmp_path / "t.csv", [("text", "label"), (text, "long"), ("No.", "short")]))
    assert len(loaded.seeds[0].draft.input) == len(text.strip())
    assert csv.field_size_limit() == before


MARKDOWN = r"""
| question | answer |
|:---|---:|
| Which key is left of 1? | The one with \| or ` on it. |
| Two lines? | One.<br>Two. |
"""


def test_a_markdown_table_comes_in_and_goes_out(tmp_path: Path) -> None:
    path = tmp_path / "t.md"
    path.write_text("# Keys\n\nSome prose.\n" + MARKDOWN + "\nMore prose.\n")
    loaded = load(path)
    found = [("Which key is left of 1?", "The one with | or ` on it."), ("Two lines?", "One.\nTwo.")]
    assert (pairs(loaded), loaded.task) == (found, "t")
    records = [{"id": str(n), "input": ask, "output": said} for n, (ask, said) in enumerate(found)]
    more = tmp_path / "more.md"
    job = ExportJob(str(more), ExampleRenderer(), seeds=NamedSeeds((str(path),), SeedMapping()))
    EXPORTERS["seeds"].write((RecordLine(each, b"") for each in records), job)
    assert pairs(load(more)) == found
    assert more.read_text().splitlines()[:2] == ["| question | answer |", "|---|---|"]


def test_a_markdown_table_inside_a_cell_is_text(tmp_path: Path) -> None:
    cell = "Read it:\n| a | b |\n|---|---|\n| 1 | 2 |"
    loaded = load(write(tmp_path / "t.csv", [("text", "label"), (cell, "table"), ("No.", "prose")]))
    assert loaded.seeds[0].draft.input == cell
