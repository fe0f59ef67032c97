"""Files and folders are read one after another; what can't be read is named, what is no document is counted."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.documents import DocumentReader, load_whole
from aide.documents import convert as converting
from aide.documents import files as module
from aide.errors import InputError
from unit.documents.makers import DOCS, make_page, make_pdf, make_word_document

RENT = "The rent is due on the first."


def read(*paths: Path, **how: Any) -> dict[str, str]:
    return {document.name: document.text for document in DocumentReader(paths, **how).read()}


def notes(*paths: Path, **how: Any) -> Sequence[str]:
    reader = DocumentReader(paths, **how)
    list(reader.read())
    return reader.notes


def test_a_folder_is_read_to_its_leaves_in_one_order(tmp_path: Path) -> None:
    for name in (
        "b/c.md",
        "a.txt",
        "b/a.rst",
        ".git/hidden.md",
        "node_modules/x.md",
        "b/picture.png",
        "b/style.css",
    ):
        (tmp_path / "lease" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lease" / name).write_text(name)
    assert list(read(tmp_path / "lease")) == ["lease/a.txt", "lease/b/a.rst", "lease/b/c.md"]
    assert notes(tmp_path / "lease") == ["--contexts leaves out 2 files of other kinds (.png 1, .css 1)"]


def test_the_folder_of_a_run_and_the_seeds_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "run.aide/shards").mkdir(parents=True)
    (tmp_path / "run.aide/journal.sqlite").touch()
    for name in ("run.aide/shards/part-00000.jsonl", "seeds.jsonl", "lease.jsonl"):
        (tmp_path / name).write_text(json.dumps({"text": RENT}))
    assert list(read(tmp_path, besides=[tmp_path / "seeds.jsonl"])) == [f"{tmp_path.name}/lease.jsonl:1"]


def test_a_seed_file_that_is_named_is_no_document_either(tmp_path: Path) -> None:
    seeds, lease = tmp_path / "seeds.jsonl", tmp_path / "lease.jsonl"
    for path in (seeds, lease):
        path.write_text(json.dumps({"text": RENT}))
    assert list(read(seeds, lease, besides=[seeds])) == ["lease.jsonl:1"]
    told = ["--contexts leaves out seeds.jsonl, which is a seed file"]
    assert notes(seeds, lease, besides=[seeds]) == told
    with pytest.raises(InputError, match="which is a seed file"):
        load_whole(DocumentReader([seeds], besides=[seeds]), most=100)


def test_two_files_of_one_name_stay_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lease.txt").write_text(folder)
    assert read(tmp_path / "a/lease.txt", tmp_path / "b/lease.txt") == {
        "lease.txt": "a", str(tmp_path / "b/lease.txt"): "b"
    }  # fmt: skip


def test_json_lines_have_a_document_a_line(tmp_path: Path) -> None:
    rows = ['"A string."', '{"id": "x1", "text": "A text."}', "", '{"title": "The first string."}']
    (tmp_path / "leases.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode("utf-8-sig")))
    assert read(tmp_path / "leases.jsonl.gz") == {
        "leases.jsonl.gz:1": "A string.", "leases.jsonl.gz:2": "A text.", "leases.jsonl.gz:4": "The first string."
    }  # fmt: skip


def test_a_row_may_have_a_title(tmp_path: Path) -> None:
    rows = ['{"title": " The\\nlease", "text": "Pay."}', '{"title": "Pay."}', '{"title": 7, "text": "Pay."}']
    (tmp_path / "leases.jsonl").write_text("\n".join(rows))
    titles = [document.title for document in DocumentReader([tmp_path / "leases.jsonl"]).read()]
    assert titles == ["The lease", "", ""]


@pytest.mark.parametrize(
    ("row", "told"), [("{", "is not JSON"), ('{"n": 1}', "holds no text"), ("7", "holds no text")]
)
def test_a_bad_line_is_named(row: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "leases.jsonl"
    path.write_text(f'"{RENT}"\n{row}\n')
    with pytest.raises(InputError, match=rf"leases\.jsonl:2 {told}"):
        read(path)
    assert list(read(path, skip_bad=True)) == ["leases.jsonl:1"]
    assert notes(path, skip_bad=True) == [f"--contexts leaves out what can't be read: leases.jsonl:2 {told}"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe: 30 m²".encode(), "Größe: 30 m²"),
        ("Größe".encode("utf-8-sig"), "Größe"),
        ("Größe".encode("utf-16"), "Größe"),
        (b"one\r\ntwo\x1b[31m red\x07", "one\ntwo red"),
        (make_page(RENT).encode(), f"# The manual\n\n{RENT}"),
        (b"<?xml version='1.0'?><rent>900</rent>", "<?xml version='1.0'?><rent>900</rent>"),
    ],
)
def test_a_named_file_is_what_its_content_says(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "lease").write_bytes(data)
    assert read(tmp_path / "lease") == {"lease": text}


def test_texts_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_bytes("Größe".encode("cp1252"))
    with pytest.raises(InputError, match=r"lease\.txt:1: is not utf-8") as caught:
        read(tmp_path / "lease.txt")
    assert "--encoding" in caught.value.hint
    assert read(tmp_path / "lease.txt", encoding="cp1252") == {"lease.txt": "Größe"}
    (tmp_path / "lease.html").write_bytes("<p>Größe".encode("cp1252"))
    assert read(tmp_path / "lease.html") == {"lease.html": "Größe"}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("lease.md", b"\x89PNG\r\n", "lease.md is an image"),
        ("lease.txt", b"ab\x00\x00\x01\x02\x03cd" * 9, "lease.txt is a binary file"),
        ("lease.zip", b"PK\x03\x04", "lease.zip is an archive"),
        ("lease.pdf", b"%PDF-1.4 and nothing more", "lease.pdf can't be read as a PDF"),
        ("lease.docx", b"PK\x03\x04 broken", "lease.docx can't be read as a Word document"),
    ],
)
def test_a_binary_or_broken_file_is_named(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    if name.endswith((".pdf", ".docx")):
        pytest.importorskip("markitdown")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=told) as caught:
        read(tmp_path / name)
    assert caught.value.hint
    (tmp_path / "good.txt").write_text(RENT)
    assert read(tmp_path / name, tmp_path / "good.txt", skip_bad=True) == {"good.txt": RENT}


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "leases.md").write_text(RENT)
    with pytest.raises(InputError, match=r"there is no file .*; did you mean 'leases\.md'"):
        read(tmp_path / "lease.md")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no documents"):
        read(tmp_path / "empty")


def test_a_text_too_large_to_be_read_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1 << 20)
    (tmp_path / "lease.txt").write_text("x" * (1 << 20) + "y")
    with pytest.raises(InputError, match=r"lease\.txt is larger than 1 MiB"):
        read(tmp_path / "lease.txt")


# --- what is converted --------------------------------------------------------------------------------------


def test_a_pdf_of_the_documentation(tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    source = (DOCS / "endpoints.md").read_text()
    (tmp_path / "manual.pdf").write_bytes(make_pdf(source))
    (text,) = read(tmp_path / "manual.pdf").values()
    said, read_back = source.split(), text.split()
    assert len(read_back) > 0.98 * len(said)
    assert "Nothing about a server has to be configured" in " ".join(read_back)


def test_pages_of_a_pdf_are_joined(tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    (tmp_path / "lease.pdf").write_bytes(
        make_pdf("The rent is due\non the first day.\nIt is paid in ad-\nvance.", 1)
    )
    (text,) = read(tmp_path / "lease.pdf").values()
    assert " ".join(text.split()) == "The rent is due on the first day. It is paid in ad- vance."
    assert "\f" not in text


def test_a_word_document(tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    (tmp_path / "lease.docx").write_bytes(make_word_document(["Lease", RENT]))
    assert read(tmp_path / "lease.docx") == {"lease.docx": f"# Lease\n\n{RENT}"}


def test_a_scan_holds_no_text(tmp_path: Path) -> None:
    pytest.importorskip("markitdown")
    (tmp_path / "scan.pdf").write_bytes(make_pdf("").replace(b"(1) Tj", b""))
    assert read(tmp_path / "scan.pdf") == {}
    assert notes(tmp_path / "scan.pdf") == ["--contexts: scan.pdf holds no text; a scan is a picture"]


def test_without_the_converter_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def miss(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(converting, "import_module", miss)
    (tmp_path / "lease.pdf").write_bytes(make_pdf(RENT))
    with pytest.raises(InputError, match=r"lease\.pdf can't be read without markitdown") as caught:
        read(tmp_path / "lease.pdf")
    assert caught.value.hint == "pip install 'aide-expand[documents]'"
