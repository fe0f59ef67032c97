"""`aide export --push-to-hub` against a stand-in for the hub's client: no network."""

import inspect
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from aide.cli.main import app
from aide.errors import AideError, EndpointUnusable, InputError
from aide.exporters.dataset_card import MARK

huggingface_hub = pytest.importorskip("huggingface_hub")
pytest.importorskip("pyarrow")
REAL = huggingface_hub.HfApi
RECORD = {
    "id": "r1", "format": "classification", "input": "Wo ist mein Paket?", "output": "Lieferung", "model": "m_1",
    "lineage": {"seed_id": "s", "parent_id": "s", "hop": 1, "operation": "plain"},
}  # fmt: skip


@dataclass
class Repository:
    private: bool = False
    files: dict[str, str] = field(default_factory=dict)


@dataclass
class Hub:
    """Repositories by name. Calls that the real client would not take raise TypeError."""

    folder: Path
    repositories: dict[str, Repository] = field(default_factory=dict)
    fault: Exception | None = None

    def __call__(self, **words: Any) -> "Hub":
        inspect.signature(REAL).bind(**words)
        return self

    def _check(self, method: str, *given: Any, **words: Any) -> None:
        inspect.signature(getattr(REAL, method)).bind(self, *given, **words)
        assert words.get("repo_type") == "dataset" or method == "whoami"

    def whoami(self) -> dict[str, str]:
        self._check("whoami")
        if self.fault:
            raise self.fault
        return {"name": "me"}

    def repo_exists(self, name: str, **words: Any) -> bool:
        self._check("repo_exists", name, **words)
        return name in self.repositories

    def repo_info(self, name: str, **words: Any) -> Any:
        self._check("repo_info", name, **words)
        return SimpleNamespace(private=self.repositories[name].private)

    def file_exists(self, name: str, file: str, **words: Any) -> bool:
        self._check("file_exists", name, file, **words)
        return file in self.repositories[name].files

    def hf_hub_download(self, name: str, file: str, **words: Any) -> str:
        self._check("hf_hub_download", name, file, **words)
        path = self.folder / "downloaded"
        path.write_text(self.repositories[name].files[file])
        return str(path)

    def create_repo(self, name: str, *, private: bool | None, exist_ok: bool, **words: Any) -> str:
        self._check("create_repo", name, private=private, exist_ok=exist_ok, **words)
        self.repositories.setdefault(name, Repository(private=bool(private)))
        return f"https://hub.test/datasets/{name}"

    def upload_folder(self, **words: Any) -> None:
        self._check("upload_folder", **words)
        if self.fault:
            raise self.fault
        choose = huggingface_hub.utils.filter_repo_objects
        files, folder = self.repositories[words["repo_id"]].files, words["folder_path"]
        for old in list(choose(list(files), allow_patterns=words["delete_patterns"])):
            del files[old]
        here = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
        for name in choose(here, allow_patterns=words["allow_patterns"]):
            files[name] = (folder / name).read_text(encoding="utf-8", errors="replace")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    made = Hub(tmp_path)
    monkeypatch.setattr(huggingface_hub, "HfApi", made)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records.jsonl").write_text(json.dumps(RECORD) + "\n")
    yield made


def push(*words: str, to: str = "dataset") -> str:
    """What the command says; its error is raised."""
    done = CliRunner().invoke(app, ["export", "records.jsonl", "--to", to, "-o", "set", *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stderr


def test_the_folder_is_uploaded_and_nothing_else_that_lies_in_it(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "secrets.env").write_text("KEY=1")
    (tmp_path / "set" / "data" / "test-00000-of-00001.parquet").write_text("of an earlier export")
    told = push("--push-to-hub", "words", "--private", "--license", "CC-BY-4.0")
    assert "uploaded to https://hub.test/datasets/me/words" in told
    made = hub.repositories["me/words"]
    assert made.private
    assert sorted(made.files) == ["README.md", "data/train-00000-of-00001.parquet"]
    card = made.files["README.md"]
    for line in ("license: cc-by-4.0", "- n<1K", "- text-classification", "# words", "Written by `m_1`."):
        assert line in card.splitlines()


def test_the_same_command_again_replaces_the_splits_and_keeps_other_files(hub: Hub) -> None:
    old = {"README.md": MARK, "data/train-00000-of-00002.parquet": "old", "notes.txt": "mine"}
    hub.repositories["us/words"] = Repository(files=old)
    push("--push-to-hub", "us/words")
    files = hub.repositories["us/words"].files
    assert sorted(files) == ["README.md", "data/train-00000-of-00001.parquet", "notes.txt"]


@pytest.mark.parametrize(
    ("words", "there", "told"),
    [
        (("--push-to-hub", "a/b/c"), None, "'a/b/c' is no name on the hub"),
        (("--push-to-hub", "../up"), None, "is no name on the hub"),
        (("--private",), None, "--private goes with --push-to-hub"),
        (("--push-to-hub", "x"), Repository(files={"README.md": "mine"}), "card of me/x on the hub was not written"),
        (("--push-to-hub", "me/x", "--private"), Repository(files={"README.md": MARK}), "is on the hub and public"),
    ],
)  # fmt: skip
def test_nothing_is_written_where_it_must_not_be_uploaded(
    words: tuple[str, ...], there: Repository | None, told: str, hub: Hub, tmp_path: Path
) -> None:
    hub.repositories = {"me/x": there} if there else {}
    before = dict(there.files) if there else {}
    with pytest.raises(InputError, match=told):
        push(*words)
    assert not (tmp_path / "set").exists()
    assert (there.files if there else hub.repositories) == before


def test_only_a_data_set_folder_is_uploaded(hub: Hub) -> None:
    with pytest.raises(InputError, match="--push-to-hub takes no --to parquet"):
        push("--push-to-hub", "x", to="parquet")


def test_a_missing_library_is_told_with_the_command_that_installs_it(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="needs huggingface_hub") as told:
        push("--push-to-hub", "x")
    assert told.value.hint == "pip install 'aide-expand[hub]'"
    assert not (tmp_path / "set").exists()
    push()  # the folder alone needs no such library


def test_a_token_that_the_hub_refuses_is_told_before_anything_is_written(hub: Hub, tmp_path: Path) -> None:
    hub.fault = OSError("401 Client Error:\n Invalid user token.")
    with pytest.raises(
        EndpointUnusable, match=r"^the hub can't be used: 401 Client Error: Invalid user"
    ) as told:
        push("--push-to-hub", "x")
    assert "HF_TOKEN" in told.value.hint
    assert not (tmp_path / "set").exists()


def test_an_upload_that_breaks_off_leaves_the_folder(hub: Hub, tmp_path: Path) -> None:
    hub.fault = ConnectionError("reset")
    with pytest.raises(AideError, match=r"^me/x was not uploaded: reset$") as told:
        push("--push-to-hub", "me/x")
    assert told.value.hint == "set is complete; repeat the command"
    assert (tmp_path / "set" / "data" / "train-00000-of-00001.parquet").exists()
