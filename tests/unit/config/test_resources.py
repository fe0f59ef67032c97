"""Looking up prompts, configurations and sample seeds."""

from pathlib import Path

import pytest

from aide.config import resources
from aide.errors import InputError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    checkout = tmp_path / "checkout"
    write(checkout / "prompts/extract.md", "shipped extract")
    write(checkout / "prompts/synthesize/constraint.md", "shipped constraint")
    return (tmp_path / "package-without-data", checkout)


def test_a_packaged_copy_goes_before_the_checkout(tmp_path: Path, roots: tuple[Path, ...]) -> None:
    write(roots[0] / "prompts/extract.md", "packaged")
    assert resources.read_file("prompts", "extract.md", roots=roots) == "packaged"


def test_one_changed_file_is_a_complete_override(tmp_path: Path, roots: tuple[Path, ...]) -> None:
    mine = tmp_path / "mine"
    changed = write(mine / "synthesize/constraint.md", "my constraint")
    write(mine / "synthesize/analogy.md", "a new operation")
    assert resources.find_file("prompts", "synthesize/constraint.md", mine, roots=roots) == changed
    assert resources.read_file("prompts", "extract.md", mine, roots=roots) == "shipped extract"
    assert resources.list_names("prompts", mine, roots=roots) == [
        "extract.md",
        "synthesize/analogy.md",
        "synthesize/constraint.md",
    ]


def test_hidden_files_have_no_name(roots: tuple[Path, ...]) -> None:
    write(roots[1] / "prompts/.DS_Store", "")
    assert ".DS_Store" not in resources.list_names("prompts", roots=roots)


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path, roots: tuple[Path, ...]) -> None:
    mine = tmp_path / "mine"
    write(mine / "extract.md", "\ufeff# system")
    assert resources.read_file("prompts", "extract.md", mine, roots=roots) == "# system"


def test_a_typo_is_answered_with_the_nearest_name(roots: tuple[Path, ...]) -> None:
    with pytest.raises(InputError, match=r"did you mean 'extract\.md'") as caught:
        resources.find_file("prompts", "extrakt.md", roots=roots)
    assert "synthesize/constraint.md" in caught.value.hint


def test_nothing_installed_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        resources.find_file("configs", "quick.toml", roots=(tmp_path,))
    assert str(tmp_path / "configs") in caught.value.hint


@pytest.mark.parametrize("name", ["../secret.md", "synthesize/../../secret.md", "/etc/passwd"])
def test_a_name_can_not_lead_out_of_its_folder(name: str, roots: tuple[Path, ...]) -> None:
    write(roots[1] / "secret.md", "not a prompt")
    with pytest.raises(InputError, match="leads out"):
        resources.find_file("prompts", name, roots=roots)


def test_an_override_that_is_no_folder_is_refused(tmp_path: Path, roots: tuple[Path, ...]) -> None:
    with pytest.raises(InputError, match="is no folder"):
        resources.list_names("prompts", tmp_path / "gone", roots=roots)


def test_a_file_in_another_encoding_is_named(tmp_path: Path, roots: tuple[Path, ...]) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "extract.md").write_bytes("Fähre".encode("latin-1"))
    with pytest.raises(InputError, match=r"extract\.md is not UTF-8"):
        resources.read_file("prompts", "extract.md", mine, roots=roots)
