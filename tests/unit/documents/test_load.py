"""What is left out is told, and of too many chunks every document keeps its share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aide.documents import DocumentReader, LoadedChunks, load_chunks, load_whole
from aide.errors import InputError
from aide.text.language import is_available

ENGLISH = "Please tell me how long the notice is that I have to give before I may leave the flat."
LICENCE = (
    'Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance '
    "with the License. You may obtain a copy of the License at the address below. Unless required by law or agreed to "
    "in writing, it is distributed without warranties or conditions of any kind, either express or implied."
)
GERMAN = (
    "Die Miete ist am ersten Tag eines jeden Monats im Voraus zu zahlen. Der Mieter darf die Wohnung ohne die "
    "Zustimmung des Vermieters nicht an andere Personen überlassen, auch nicht für eine kurze Zeit."
)


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def load(folder: Path, seeds: tuple[str, ...] = (ENGLISH,), size: int = 80, most: int = 1000) -> LoadedChunks:
    return load_chunks(DocumentReader([folder]), seeds, size=size, most=most)


def say(number: int, sentences: int = 3) -> str:
    return " ".join(
        f"In house {number} the rent of flat {n} is {number * 90 + n} euros, and it is due on day {n + 1} of the month."
        for n in range(sentences)
    )


def test_chunks_come_with_their_places(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, lease=f"# Lease\n\n{say(1, 8)}\n\n## Keys\n\n{say(2, 8)}"), size=90)
    assert {chunk.file for chunk in loaded.chunks} == {f"{tmp_path.name}/lease.md"}
    assert {chunk.heading for chunk in loaded.chunks} == {"Lease", "Lease > Keys"}
    assert loaded.notes == ()


@pytest.mark.parametrize(("text", "told"), [
    ("Nothing here.", "leaves out 1 chunk with fewer than 10 words or hardly any letters"),
    ("17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28", "or hardly any letters"),
    (LICENCE, "leaves out 1 chunk of boilerplate"),
    ("\n".join(f"- [Chapter {n} of the manual](chapter-{n}.md)" for n in range(9)), "1 chunk of boilerplate"),
    ("\n".join(f"Rent and keys, part {n} .......... {n * 7}" for n in range(9)), "1 chunk of boilerplate"),
    (say(1), "leaves out 1 chunk with the text of another"),
])  # fmt: skip
def test_a_chunk_that_nobody_would_ask_about_is_left_out(text: str, told: str, tmp_path: Path) -> None:
    loaded = load(write(tmp_path, a=say(1), b=text))
    assert [chunk.text for chunk in loaded.chunks] == [say(1)]
    (note,) = loaded.notes
    assert told in note
    assert f"{tmp_path.name}/b.md" in note


@pytest.mark.skipif(not is_available(), reason="needs pycld2")
def test_another_language_than_the_seeds_is_left_out(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, a=say(1), b=GERMAN))
    assert [chunk.text for chunk in loaded.chunks] == [say(1)]
    assert loaded.notes == (
        f"--contexts leaves out 1 chunk in another language than English, such as {tmp_path.name}/b.md (German)",
    )


@pytest.mark.skipif(not is_available(), reason="needs pycld2")
def test_where_no_document_has_the_seeds_language_that_of_most_is_taken(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, b=GERMAN))
    assert [chunk.text for chunk in loaded.chunks] == [GERMAN]
    assert loaded.notes == ("--contexts: the documents are in German, the seeds in English",)


def test_a_notice_that_recurs_in_many_documents_is_no_matter_to_ask_about(tmp_path: Path) -> None:
    notice = "This page was translated by volunteers of the tenants' union, who are glad to hear of any mistake in it."
    texts = {f"page_{n}": f"# House\n\n{say(n)}\n\n# About\n\n{notice}" for n in range(5)}
    loaded = load(write(tmp_path, **texts), size=70)
    assert [chunk.text for chunk in loaded.chunks] == [f"# House\n\n{say(n)}" for n in range(5)]
    assert "of boilerplate" in "".join(loaded.notes)


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing is left of the documents") as caught:
        load(write(tmp_path, a="Nothing here."))
    assert "fewer than 10 words" in caught.value.hint


@pytest.mark.parametrize("take", [load_chunks, lambda reader: load_whole(reader, most=100)])
def test_an_empty_file_is_no_scan(tmp_path: Path, take: Callable[[DocumentReader], LoadedChunks]) -> None:
    with pytest.raises(InputError, match=r"^--contexts: a\.md holds no text$") as caught:
        take(DocumentReader([write(tmp_path, a=" ") / "a.md"]))
    assert caught.value.hint == "name files that hold text"


def test_of_too_many_chunks_each_document_keeps_its_share(tmp_path: Path) -> None:
    texts = {f"house_{n}": say(n, 100) for n in range(8)} | {"short": say(9)}
    whole = load(write(tmp_path, **texts))
    loaded = load(tmp_path, most=40)
    counts = {name: sum(chunk.file.endswith(f"{name}.md") for chunk in loaded.chunks) for name in texts}
    assert counts == {**dict.fromkeys(texts, 4), "short": 1}
    places = [whole.chunks.index(chunk) for chunk in loaded.chunks]
    assert places == sorted(places)
    assert loaded.notes == (f"--contexts takes 33 of {len(whole.chunks)} chunks, evenly from all documents",)
    assert len(load(tmp_path, most=5).chunks) == 5


def test_documents_that_stand_for_fixed_parts_stay_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, a="Another contract.", b=say(2, 60))
    loaded = load_whole(DocumentReader([tmp_path]), most=500)
    assert loaded.chunks[0].text == "Another contract."
    assert len(loaded.chunks) > 2
