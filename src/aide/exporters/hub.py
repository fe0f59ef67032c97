"""Uploading a data set folder to the Hugging Face hub."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from aide import __version__
from aide.errors import EndpointUnusable, InputError
from aide.exporters.dataset import SPLITS
from aide.exporters.dataset_card import CARD, MARK

if TYPE_CHECKING:
    from huggingface_hub import HfApi

INSTALL: Final = "pip install 'aide-expand[hub]'"
_KIND: Final = "dataset"
_PART: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_NAME: Final = re.compile(rf"(?:{_PART}/)?{_PART}")
_LONGEST: Final = 96  # characters of a whole name, as the hub has it
_LONGEST_FAULT: Final = 300


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository of the hub that may be written: it is new, or an earlier export made it."""

    api: "HfApi"
    name: str
    """With its owner."""
    private: bool

    def upload(self, folder: Path, files: Sequence[str]) -> str:
        """Put these files of a folder into the repository in one commit; returns its address.

        Splits of an earlier export that are not among them are removed, and other files of the folder stay here.

        Raises:
            EndpointUnusable: the hub did not take them.
        """
        with _tell_faults(f"{self.name} was not uploaded", f"{folder} is complete; repeat the command"):
            made = self.api.create_repo(
                self.name, repo_type=_KIND, private=True if self.private else None, exist_ok=True
            )
            self.api.upload_folder(
                repo_id=self.name,
                repo_type=_KIND,
                folder_path=folder,
                allow_patterns=list(files),
                delete_patterns=[f"data/{split}-*.parquet" for split in SPLITS],
                commit_message="Records exported by aide",
            )
        return str(made)


def open_repository(name: str, *, private: bool) -> HubRepository:
    """A repository that may be written, looked at before anything is; the token is the library's own.

    Raises:
        InputError: the library is missing, the name is none, or the repository is public or somebody else's work.
        EndpointUnusable: the hub can't be reached or knows no token.
    """
    if len(name) > _LONGEST or not _NAME.fullmatch(name) or "--" in name or ".." in name:
        raise InputError(f"--push-to-hub {name!r} is no name on the hub", hint="such as my_set or me/my_set")
    try:
        from huggingface_hub import HfApi
    except ImportError as fault:
        raise InputError("--push-to-hub needs huggingface_hub", hint=INSTALL) from fault
    api = HfApi(library_name="aide", library_version=__version__)
    token = "it must be in reach; `hf auth login` or the variable HF_TOKEN gives a token that may write"
    with _tell_faults("the hub can't be used", token):
        full = name if "/" in name else f"{api.whoami()['name']}/{name}"
        if not api.repo_exists(full, repo_type=_KIND):
            return HubRepository(api, full, private)
        public = not cast("Any", api.repo_info(full, repo_type=_KIND)).private
        foreign = api.file_exists(full, CARD, repo_type=_KIND) and MARK not in _read_card(api, full)
    if private and public:
        raise InputError(
            f"{full} is on the hub and public", hint="make it private there, or choose another name"
        )
    if foreign:
        raise InputError(
            f"the card of {full} on the hub was not written by aide export", hint="choose another name"
        )
    return HubRepository(api, full, private)


def _read_card(api: "HfApi", name: str) -> str:
    path = cast("Callable[..., str]", api.hf_hub_download)(name, CARD, repo_type=_KIND)
    return Path(path).read_text(encoding="utf-8", errors="replace")


@contextmanager
def _tell_faults(what: str, hint: str) -> Iterator[None]:
    """Whatever the library raises as one sentence: its errors come from an HTTP client that it has changed twice."""
    try:
        yield
    except Exception as fault:
        said = " ".join(str(fault).split())[:_LONGEST_FAULT] or type(fault).__name__
        raise EndpointUnusable(f"{what}: {said}", hint=hint) from fault
