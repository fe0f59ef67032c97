"""Makes the demo's recordings from finished run folders: `python -m aide.demo.record FOLDER…`.

What tells of the machine or of the endpoint is taken out: paths, addresses, headers, log and lock. What is left,
prompts and answers included, is read through for such things before anything is written.
"""

import argparse
import json
import re
import socket
import sqlite3
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aide.demo.recording import ENDING, FACTS, SHIPPED, Recording
from aide.demo.story import choose_mending, choose_tree
from aide.errors import AideError, InputError
from aide.journal import Journal
from aide.jsonl import encode_json
from aide.run.folder import RunFolder

MODEL: Final = "a large language model"
"""What answered, where nothing else is said."""

ADDRESS: Final = "http://recorded.invalid/v1"
"""In place of the endpoint's: an address that no machine can have (RFC 2606)."""

_ENDPOINT: Final = "recorded"
_COPIED: Final = ("task.toml", "timeline.jsonl", "progress.json", "rejects.jsonl")
# Settings that say where and how a request went.
_SENT: Final[Mapping[str, Any]] = {
    "base_url": [ADDRESS], "endpoints": [], "api_key_command": "", "extra": {}, "headers": {}, "query": {},
    "config": None, "run_dir": None, "prompts": None, "reuse": None,
}  # fmt: skip
_PRIVATE: Final = re.compile(
    rb"(?<![\w.])/(?:tmp|home|root|work|Users|var|mnt)/[\w.]|[A-Z]:\\\\|127\.0\.0\.1|localhost|0\.0\.0\.0"
    rb"|\b(?:10|192\.168)(?:\.\d{1,3}){2,3}\b|\bsk-[\w-]{8}|\bBearer |\bapi[_-]?key\"?: *\"\w"
)


def pack_run(source: RunFolder, model: str = MODEL) -> tuple[Recording, bytes]:
    """A finished run as a recording: its facts and the archive that holds them.

    Raises:
        InputError: the run is not finished, or something private is left in it.
    """
    manifest = source.read_manifest()
    source.require(source.journal)
    if "finished" not in manifest or len(manifest["seeds"]) != 1:
        raise InputError(f"{source.path} is no finished run of one seed file", hint="run it to its end")
    with TemporaryDirectory() as scratch:
        files = _strip_files(source, manifest, Path(scratch))
        path = Path(scratch) / "journal.sqlite"
        with Journal.open(path, readonly=True) as journal:
            recording = Recording(
                name=Path(manifest["seeds"][0]["path"]).stem,
                date=datetime.fromtimestamp(manifest["ended"], UTC).date().isoformat(),
                model=model,
                aide=manifest["aide"],
                tree=choose_tree(journal),
                mended=choose_mending(journal),
            )
            files[FACTS] = _write_json(recording.as_dict())
            texts = {"journal.sqlite": b"\n".join(_read_texts(journal, path)), **files}
        for name, text in texts.items():
            _check_text(source.path / name, text)
        files["journal.sqlite"] = path.read_bytes()
        _check_text(source.path / "journal.sqlite", files["journal.sqlite"])
    return recording, _pack_files(files, int(manifest["ended"]))


def _strip_files(source: RunFolder, manifest: Mapping[str, Any], scratch: Path) -> dict[str, bytes]:
    """All files but the journal, which is written to `scratch`."""
    spec = {name: _SENT.get(name, value) for name, value in manifest["spec"].items()}
    seeds = [{**each, "path": Path(each["path"]).name} for each in manifest["seeds"]]
    summary = source.read_summary()
    endpoints = dict(zip(_name_endpoints(), summary.get("endpoints", {}).values(), strict=False))
    files = {
        "run.json": _write_json({**manifest, "seeds": seeds, "spec": spec, "earlier_extras": []}),
        "summary.json": _write_json({**summary, "endpoints": endpoints}),
    }
    for path in (*(source.path / name for name in _COPIED), *sorted(source.shards.glob("part-*.jsonl"))):
        if path.is_file():
            files[path.relative_to(source.path).as_posix()] = path.read_bytes()
    _copy_journal(source.journal, scratch / "journal.sqlite")
    return files


def _copy_journal(source: Path, target: Path) -> None:
    """The journal without the names of endpoints and what is known of them, and without what was deleted from it."""
    with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as journal:
        journal.execute("VACUUM INTO ?", (str(target),))
    with closing(sqlite3.connect(target, isolation_level=None)) as journal:
        journal.execute("DELETE FROM meta WHERE name = 'capabilities'")
        names = [name for (name,) in journal.execute("SELECT DISTINCT endpoint FROM calls ORDER BY endpoint")]
        for name, ours in zip(names, _name_endpoints(), strict=False):
            journal.execute("UPDATE calls SET endpoint = ? WHERE endpoint = ?", (ours, name))
        journal.execute("VACUUM")


def _name_endpoints() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{number}:{_ENDPOINT}"


def _read_texts(journal: Journal, path: Path) -> Iterator[bytes]:
    """All that is packed in a journal, where a look at the file would find nothing."""
    with closing(sqlite3.connect(path)) as database:
        kinds = [kind for (kind,) in database.execute("SELECT DISTINCT kind FROM decisions")]
    for call in journal.read_calls():
        yield encode_json([call.system, call.user, call.sent])
        yield call.body
    for outcome in journal.read_outcomes():
        yield outcome.payload
    for kind in kinds:
        yield from (encode_json([key, value]) for key, value in journal.read_decisions(kind))


def _check_text(path: Path, text: bytes) -> None:
    host = re.escape(socket.gethostname().encode())
    found = (
        _PRIVATE.search(text) or re.search(rb"\b%b\b" % host, text)
        if len(host) > 3
        else _PRIVATE.search(text)
    )
    if found:
        around = text[max(0, found.start() - 40) : found.end() + 40].decode("utf-8", "replace")
        raise InputError(
            f"{path} names a place or a key of this machine: …{around}…", hint="record another run"
        )


def _write_json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _pack_files(files: Mapping[str, bytes], at: int) -> bytes:
    """One archive, the same bytes for the same files; the facts stand first, where they are read without the rest."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", preset=9) as archive:
        for name in sorted(files, key=lambda name: (name != FACTS, name)):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(files[name]), at, 0o644
            archive.addfile(member, BytesIO(files[name]))
    return packed.getvalue()


def main(words: Sequence[str] | None = None) -> int:
    """Record the run folders that are named; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m aide.demo.record", description="Record runs for aide demo."
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="finished run folder")
    parser.add_argument("--model", default=MODEL, help="what answered, in words (default: %(default)s)")
    parser.add_argument("-o", "--out", type=Path, default=SHIPPED, metavar="DIR", help="where recordings go")
    asked = parser.parse_args(words)
    try:
        packed = [pack_run(RunFolder(folder), asked.model) for folder in asked.folders]
    except AideError as error:
        sys.stderr.write(f"{error}\nhint: {error.hint}\n")
        return error.exit_code
    for recording, content in packed:
        path = asked.out / f"{recording.name}{ENDING}"
        path.write_bytes(content)
        sys.stdout.write(f"{path}: {len(content):,} bytes, recorded on {recording.day}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
