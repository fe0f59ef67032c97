"""Texts of converted files, kept in a folder: a conversion takes a second for ten pages, and each command wants it."""

from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from aide.atomic import write_atomic
from aide.documents.convert import convert_file
from aide.errors import AideError

MOST: Final = 2000
"""Texts that are kept; of more, those that were not wanted for longest go."""
_FORM: Final = "1"  # of what is made of a converter's output
_LOOK: Final = 100  # texts that are written between two looks at how many there are


def find_cache() -> Path:
    """Where the texts are kept: in the user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_path("aide")) / "documents"


class ConversionCache:
    """Converts files, each content once. A folder that can't be written is no fault."""

    def __init__(self, folder: Path | None, most: int = MOST) -> None:
        """Without a `folder` nothing is kept."""
        self._folder = folder
        self._most = most
        self._written = 0

    def convert(self, name: str, data: bytes, ending: str) -> str:
        """See `convert.convert_file`."""
        path = self._find_path(data, ending)
        if path is None:
            return convert_file(name, data, ending)
        with suppress(OSError, UnicodeDecodeError):
            text = path.read_text(encoding="utf-8")
            path.touch()
            return text
        text = convert_file(name, data, ending)
        with suppress(OSError, AideError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(path, text, private=True)
            if self._written % _LOOK == 0:
                self._forget(path.parent)
            self._written += 1
        return text

    def _find_path(self, data: bytes, ending: str) -> Path | None:
        """Where the text of this content is kept, by the converter that is installed; `None` where there is none."""
        if self._folder is None:
            return None
        try:
            converter = version("markitdown")
        except PackageNotFoundError:
            return None
        key = blake2b(f"{_FORM} {converter} {ending} ".encode(), digest_size=16)
        key.update(data)
        return self._folder / f"{key.hexdigest()}.md"

    def _forget(self, folder: Path) -> None:
        paths = sorted(folder.glob("*.md"), key=lambda path: path.stat().st_mtime)
        for path in paths[: max(0, len(paths) - self._most)]:
            path.unlink(missing_ok=True)
