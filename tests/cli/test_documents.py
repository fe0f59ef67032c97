"""Documents from end to end: which recipe takes them, what they are shared out over, and where each record stands."""

import json
from collections import Counter
from pathlib import Path

import pytest

from aide.journal import Journal
from aide.recipes.documents import fold_document, stands_in_words
from runs import ROOT, aide, contents, expand, paid, records, summary
from unit.documents.makers import DOCS, make_page, make_pdf

QUESTIONS = (
    (
        "How long is the notice that I have to give before I leave the flat?",
        "Three months to the end of a month.",
    ),
    (
        "May I paint the walls in another colour while I live there?",
        "Yes, but they must be white when you leave.",
    ),
    ("Who pays when the boiler breaks down in winter?", "The landlord, unless the tenant broke it."),
    ("Can the rent be raised in the first year of the lease?", "No, the lease fixes it for twelve months."),
    ("Where do I hand in the keys on the last day?", "At the office on the ground floor, before noon."),
    ("What happens if I pay the rent a week too late?", "The landlord may charge a fee of ten euros."),
)
PAGES = (
    "ablation", "chats", "compare", "comparison", "endpoints", "exports", "json", "nightly", "performance", "records",
    "report", "review",
)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the texts of converted files go: nobody's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    path = tmp_path / "seeds.jsonl"
    rows = ({"question": question, "answer": answer} for question, answer in QUESTIONS)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twelve pages of the project's own documentation, one of them a PDF and one a page of a site."""
    folder = tmp_path / "manual"
    folder.mkdir()
    for name in PAGES:
        text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        if name == "report":
            (folder / f"{name}.html").write_text(make_page(text), encoding="utf-8")
        elif name == "review":
            pytest.importorskip("markitdown")
            (folder / f"{name}.pdf").write_bytes(make_pdf(text))
        else:
            (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_twelve_documents_have_even_shares_of_records_that_stand_in_them(
    seeds: Path, corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    options = ("--contexts", corpus, "--target", 120)
    expand(seeds, folder, *options)
    found = records(folder)
    assert len(found) == 120
    for record in found:
        triple, document = record["lineage"]["triple"], record["parts"]["document"]
        assert stands_in_words(triple["attribute"], fold_document(document))
        assert record["input"] == f"{document}\n\n{record['parts']['question']}"
        assert record["meta"]["evidence"] in document
    shares = Counter(record["meta"]["document"]["file"] for record in found)
    assert len(shares) == 12
    assert max(shares.values()) <= 2 * min(shares.values())
    assert {"manual/report.html", "manual/review.pdf"} <= shares.keys()
    assert len(list((tmp_path / "cache/aide/documents").iterdir())) == 1
    counted = summary(folder)["documents"]
    assert {file: each["records"] for file, each in counted.items()} == shares
    page = aide("report", folder) and (folder / "report.html").read_text(encoding="utf-8")
    assert "manual/review.pdf" in page
    plain = next(each for each in found if each["meta"]["document"]["file"] == "manual/chats.md")
    source, place = (corpus / "chats.md").read_text(encoding="utf-8"), plain["meta"]["document"]
    assert source[place["offset"] :].startswith(plain["parts"]["document"])
    assert place["heading"].startswith("Chats: several turns")


def test_the_plan_knows_the_calls(seeds: Path, corpus: Path, tmp_path: Path) -> None:
    options = ("--contexts", corpus, "--target", 120)
    planned = json.loads(aide("plan", seeds, *options, "--expect-yield", 1, "--json"))["expected"]
    expand(seeds, tmp_path / "run", *options, url="sim:?accept_all=true")
    assert planned["calls"] == pytest.approx(paid(tmp_path / "run"), rel=0.15)


def test_a_killed_run_goes_on_without_paying_twice(seeds: Path, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = ("--contexts", corpus, "--target", 40)
    expand(seeds, folder, *options, code=-9, env={"AIDE_CRASH_AT": "after_journal:20"})
    before = paid(folder)
    assert before
    expand(seeds, folder, *options)
    assert len(contents(folder)) == 40
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        keys = [call.key for call in journal.read_calls()]
    assert len(keys) == len(set(keys)) >= before


def test_contexts_choose_the_recipe_where_no_part_could_stand_for_them(
    seeds: Path, corpus: Path, tmp_path: Path
) -> None:
    def plan(path: object, *more: object) -> list[str]:
        facts = json.loads(aide("plan", path, "--contexts", corpus, "--target", 20, "--json", *more))
        return [name for name, spent in facts["expected"]["steps"].items() if spent["calls"]]

    assert "extract" in plan(seeds)
    told = aide("plan", seeds, "--contexts", corpus, "--recipe", "aide", code=2)
    assert "--contexts has no effect" in told
    assert "--recipe documents" in told
    contracts = ROOT / "sample_seeds/contract_questions.jsonl"
    for recipe in ((), ("--recipe", "documents")):
        folder = tmp_path / f"run{len(recipe)}"
        expand(contracts, folder, "--contexts", corpus, "--target", 12, *recipe)
        named = {record["meta"].get("document", {}).get("file", "") for record in records(folder)}
        assert (named == {""}) == (not recipe)
        assert all("contract" in record["parts"] for record in records(folder))


@pytest.mark.parametrize(("name", "data", "told"), [
    ("lease.md", b"\x00\x01\x02\x03", "lease.md is a binary file"),
    ("lease.pdf", b"%PDF-1.4 nothing", "lease.pdf can't be read as a PDF"),
    ("lease.jsonl", b"{", "lease.jsonl:1 is not JSON"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_ends_the_command_by_its_name(
    name: str, data: bytes, told: str, seeds: Path, tmp_path: Path
) -> None:
    if name.endswith(".pdf"):
        pytest.importorskip("markitdown")
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / name).write_bytes(data)
    assert told in aide("plan", seeds, "--contexts", folder, code=2)
