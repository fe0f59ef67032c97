"""A file is converted once; what keeps its text may be missing, full or gone."""

import os
from pathlib import Path

import pytest

from aide.documents import DocumentReader
from aide.documents import conversions as module
from aide.documents.conversions import ConversionCache


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were converted, by a converter that is there."""
    names: list[str] = []

    def convert(name: str, data: bytes, ending: str) -> str:
        names.append(name)
        return f"{ending}: {data.decode()}"

    monkeypatch.setattr(module, "convert_file", convert)
    monkeypatch.setattr(module, "version", lambda name: "0.1")
    return names


def test_a_content_is_converted_once_whatever_its_name(tmp_path: Path, converted: list[str]) -> None:
    for name in ("a.pdf", "b.pdf"):
        assert ConversionCache(tmp_path / "cache").convert(name, b"Pay.", ".pdf") == ".pdf: Pay."
    assert converted == ["a.pdf"]
    assert ConversionCache(tmp_path / "cache").convert("c.docx", b"Pay.", ".docx") == ".docx: Pay."
    (kept, _) = (tmp_path / "cache").iterdir()
    assert kept.stat().st_mode & 0o077 == 0, "documents are for their owner alone"


def test_another_converter_converts_again(
    tmp_path: Path, converted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("0.1", "0.2"):
        monkeypatch.setattr(module, "version", lambda name, number=number: number)
        ConversionCache(tmp_path).convert("a.pdf", b"Pay.", ".pdf")
    assert len(converted) == 2


def test_what_was_not_wanted_for_longest_goes(tmp_path: Path, converted: list[str]) -> None:
    for place, data in enumerate((b"one", b"two", b"three")):
        ConversionCache(tmp_path, most=2).convert("a.pdf", data, ".pdf")
        for path in tmp_path.glob("*.md"):
            if path.read_text() == f".pdf: {data.decode()}":
                os.utime(path, (place, place))
    assert {path.read_text() for path in tmp_path.glob("*.md")} == {".pdf: two", ".pdf: three"}


def test_a_reader_keeps_what_it_converts(tmp_path: Path, converted: list[str]) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF Pay.")
    for _ in range(2):
        (document,) = DocumentReader([tmp_path / "a.pdf"], cache=tmp_path / "cache").read()
        assert document.text == ".pdf: %PDF Pay."
    assert converted == ["a.pdf"]


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, converted: list[str]) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "cache", None):
        assert ConversionCache(folder).convert("a.pdf", b"Pay.", ".pdf") == ".pdf: Pay."
    assert len(converted) == 2
