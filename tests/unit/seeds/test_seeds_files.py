import gzip
import json
from pathlib import Path

import pytest

from aide.errors import InputError
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds

ROWS = [{"input": "Wie heißt „es“?", "output": "eins\u2028zwei"}, {"input": "b, c\nd", "output": "drei"}]
WANTED = [(row["input"], row["output"]) for row in ROWS]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
CSV = 'input;output\r\n"Wie heißt „es“?";"eins\u2028zwei"\r\n"b, c\nd";drei\r\n'


def pairs(loaded: LoadedSeeds) -> list[tuple[str, str]]:
    return [(seed.draft.input, seed.draft.output) for seed in loaded.seeds]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", LINES.encode()),
        ("a.jsonl", LINES.encode("utf-8-sig")),
        ("a.jsonl", LINES.replace("\n", "\r\n").encode()),
        ("a.jsonl", LINES.encode("utf-16")),
        ("a.jsonl", LINES.encode("utf-16-le")),
        ("a.jsonl", ("\n" + LINES.replace("\n", "\n\n")).encode()),
        ("a.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("no-ending", LINES.encode()),
        ("a.json", json.dumps(ROWS, indent=2).encode()),
        ("a.jsonl", json.dumps(ROWS).encode()),
        ("a.json", json.dumps({"description": "Say it.", "data": ROWS}, indent=1).encode()),
        ("a.json", json.dumps({"version": 1, "examples": ROWS}).encode()),
        ("a.json", json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]}).encode()),
        ("a.json", "\n".join(json.dumps(row, indent=2) for row in ROWS).encode()),
        ("a.csv", CSV.encode()),
        ("a.csv", CSV.replace(";", ",").encode()),
        ("a.tsv", CSV.replace(";", "\t").encode("utf-16")),
        ("a.txt", CSV.replace(";", "|").encode()),
        ("a.csv", CSV.partition("\r\n")[2].encode()),
    ],
)
def test_files_of_all_kinds(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    loaded = load_seeds([str(path)])
    assert pairs(loaded) == WANTED
    assert loaded.task == name.partition(".")[0]
    assert pairs(load_seeds(["-"], streams={"-": data})) == WANTED


def test_zstd(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(LINES.encode()))
    assert pairs(load_seeds([str(path)])) == WANTED


def test_parquet_and_arrow_folders_with_class_names(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    features = {"info": {"features": {"label": {"names": ["good", "bad"], "_type": "ClassLabel"}}}}
    table = pyarrow.table({"text": ["fine", "awful"], "label": [0, 1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    parquet.write_table(table, tmp_path / "a.parquet")
    folder = tmp_path / "saved" / "train"
    folder.mkdir(parents=True)
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (folder / "state.json").write_text("{}")
    sink = pyarrow.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb")
    with sink, pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    for path in (tmp_path / "a.parquet", tmp_path / "saved", folder):
        assert pairs(load_seeds([str(path)])) == [("fine", "good"), ("awful", "bad")]


def test_a_folder_of_files_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    (tmp_path / "one.jsonl").write_text('{"input": "a", "output": "b"}\n')
    (tmp_path / "two.csv").write_text("question,answer\nc,d\n")
    assert pairs(load_seeds([str(tmp_path)])) == [("a", "b"), ("c", "d")]
    named = load_seeds([str(tmp_path / "two.csv"), str(tmp_path / "one.jsonl")])
    assert (pairs(named), named.task) == ([("c", "d"), ("a", "b")], "two")


def test_a_table_of_six_nameless_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Which is it?,one,two,three,four,C\nAnd now?,5,6,7,8,A\n")
    loaded = load_seeds([str(tmp_path / "a.csv")])
    assert [(seed.draft.output, seed.draft.choices) for seed in loaded.seeds] == [
        ("three", ("one", "two", "three", "four")),
        ("5", ("5", "6", "7", "8")),
    ]
    assert (loaded.origin.container, loaded.origin.delimiter, loaded.origin.header) == ("csv", ",", False)


def test_columns_named_by_the_person_are_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("nr,frage,antwort\n1,Was?,Das.\n2,Wer?,Die.\n")
    loaded = load_seeds([str(path)], SeedMapping(input_fields=("frage",), output_field="antwort"))
    assert pairs(loaded) == [("Was?", "Das."), ("Wer?", "Die.")]
    assert loaded.seeds[0].own == {"nr": "1"}


@pytest.mark.parametrize(
    ("name", "data", "told", "hint"),
    [
        ("a.jsonl", b"", "a.jsonl is empty", "one a line"),
        ("a.jsonl", b" \n\n", "a.jsonl is empty", "one a line"),
        ("a.jsonl", b'{"input": "a", "output": "b"}\nnonsense\n', "a.jsonl:2: is not JSON", "--skip-bad"),
        (
            "a.jsonl",
            b'{"input": "a", "output": "b"}\n{"input": "a", "out\n',
            "a.jsonl:2: is not JSON",
            "--skip-bad",
        ),
        ("a.jsonl", b'{"input": "a", "output": "b"}\n[1]\n', "a.jsonl:2: is no JSON object", "--skip-bad"),
        ("a.json", b'[\n{"input": "a" "output": "b"}]', "a.json:2: is not JSON", ""),
        ("a.json", b"[]", "holds no examples", "ten"),
        ("a.txt", b"just some prose\nwithout columns\n", "neither JSON lines", "input"),
        ("a.csv", b"input,output\na,b\nc,d,e\n", "a.csv:3: has 3 columns instead of 2", "--skip-bad"),
        ("a.jsonl", 'x\n{"input": "größer"}'.encode("cp1252"), "a.jsonl:2: is not utf-8", "--encoding"),
        ("a.jsonl.gz", b"\x1f\x8bbroken", "can't be read to its end", ""),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    tmp_path: Path, name: str, data: bytes, told: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        load_seeds([str(tmp_path / name)])
    assert told in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_no_file_no_data_no_seeds(tmp_path: Path) -> None:
    for paths, told in (
        ([str(tmp_path / "gone.jsonl")], "there is no file"),
        ([str(tmp_path)], "holds no data"),
        ([], "no seeds"),
    ):
        with pytest.raises(InputError, match=told):
            load_seeds(paths)


def test_an_encoding_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"input": "größer", "output": "ja"}\n'.encode("cp1252"))
    loaded = load_seeds([str(tmp_path / "a.jsonl")], SeedMapping(encoding="cp1252"))
    assert loaded.seeds[0].draft.input == "größer"


def test_a_wrapped_objects_description_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "x", "description": "Count.", "examples": ROWS}))
    assert load_seeds([str(tmp_path / "a.json")]).sentence == "Count."
