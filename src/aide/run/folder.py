"""A run folder: its files, its manifest, and the question whether this run may go on in it."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from aide import __version__
from aide.atomic import write_atomic
from aide.config.delivery import keep_answering
from aide.config.fingerprint import FORMAT as FINGERPRINT_FORMAT
from aide.config.fingerprint import (
    PROMPT,
    compute_fingerprint,
    keep_defaults,
    upgrade_fingerprint,
    uses_prompt,
)
from aide.config.resources import hash_files
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.jsonl import parse_json
from aide.places import suggest_place
from aide.run.file_hashes import hash_content, hash_file
from aide.run.journal_check import refuse_cut

FORMAT = 1
"""The version of `run.json` and of what stands beside it. Version 0, which had no number, is that of `aide` 0.1."""
MEASURING = frozenset({"realism.md"})
"""Prompts that look at finished records and change none: a folder goes on under another wording of them."""
_SCRATCH = re.compile(
    r"\.(run\.json|journal\.sqlite|progress\.json|summary\.json|task\.toml|report\.html|stats\.json|parts)\.(?:(\d+)-)?.*tmp"
)
"""What `write_atomic` and the journal begin with: after a kill it may stand there for good."""
EXTENSIONS = (
    "contexts", "hops", "target", "per_seed", "max_calls", "max_total_tokens", "max_cost", "max_cost_per_run",
    "max_minutes", "shard_size",
)  # fmt: skip

COLUMNS = ("input_field", "output_field", "choices_field", "header", "sheet")
"""Settings that say what of a seed file is read: under others the same file holds other seeds."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where each file of a run stands."""

    path: Path

    @property
    def manifest(self) -> Path:
        """`run.json`: spec with origins, fingerprint, versions, prompt hashes, how the last run ended."""
        return self.path / "run.json"

    @property
    def card(self) -> Path:
        """`task.toml`: the task card."""
        return self.path / "task.toml"

    @property
    def journal(self) -> Path:
        """`journal.sqlite`."""
        return self.path / "journal.sqlite"

    @property
    def shards(self) -> Path:
        """`shards/`."""
        return self.path / "shards"

    @property
    def rejects(self) -> Path:
        """`rejects.jsonl`."""
        return self.path / "rejects.jsonl"

    @property
    def progress(self) -> Path:
        """`progress.json`, rewritten about once a second."""
        return self.path / "progress.json"

    @property
    def timeline(self) -> Path:
        """`timeline.jsonl`: a sample of the run about once a second."""
        return self.path / "timeline.jsonl"

    @property
    def report(self) -> Path:
        """`report.html`."""
        return self.path / "report.html"

    @property
    def summary(self) -> Path:
        """`summary.json`."""
        return self.path / "summary.json"

    @property
    def stats(self) -> Path:
        """`stats.json`: the records measured beside human data."""
        return self.path / "stats.json"

    @property
    def lock(self) -> Path:
        """`lock`: there from the moment the folder is a run's, and naming the process that writes in it."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """`aide.log`."""
        return self.path / "aide.log"

    def create(self) -> None:
        """Make the folder.

        Raises:
            InputError: where it can't be written, or holds files that are not of a run.
        """
        if self.path.is_file():
            raise InputError(
                f"{self.path} is a file, and a run needs a folder", hint="name another with -o DIR"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            foreign = [] if self.manifest.exists() or self.journal.exists() else [
                p.name for p in self.path.iterdir()
                if p.name not in ("lock", "task.toml", "shards", "aide.log") and not _SCRATCH.match(p.name)
            ]  # fmt: skip
            if not foreign:
                self.lock.touch()
        except OSError as fault:
            raise InputError(
                f"the run folder {self.path} can't be written: {fault.strerror}",
                hint="name another with -o DIR",
            ) from fault
        if foreign:
            raise InputError(
                f"{self.path} is not empty and holds no run (it has {foreign[0]})",
                hint="name a new folder with -o DIR",
            )

    def require(self, file: Path) -> None:
        """Refuse a folder that is no run's, by one of the files that a run has.

        Raises:
            InputError: there is no such folder, or it lacks the file.
        """
        if file.exists():
            return
        hint = "name the folder that `aide expand` wrote"
        if not self.path.exists():
            raise InputError(f"there is no folder {self.path}{suggest_place(self.path)}", hint=hint)
        runs = sorted(found.parent.name for found in self.path.glob(f"*/{self.manifest.name}"))
        if runs:
            hint = "name one of the runs in it: " + ", ".join(str(self.path / name) for name in runs[:3])
        raise InputError(f"{self.path} is no run folder: it has no {file.name}", hint=hint)

    def clear_scratch(self) -> None:
        """Remove what a killed run has left half written. Only under the lock: else it may be of a run at work."""
        for path in self.path.iterdir():
            found = _SCRATCH.match(path.name)
            # A report is written without the lock: its writer may be at work.
            if found and (found[2] in (None, str(os.getpid())) or not Path(f"/proc/{found[2]}").exists()):
                path.unlink(missing_ok=True)

    def check_journal(self) -> None:
        """Refuse a journal that is damaged or gone: the answers of its records would all be paid for again.

        Raises:
            InputError: the journal is not whole, or the folder has records and none.
        """
        refuse_cut(self.journal)
        if self.journal.exists() or not any(measure_shards(self).values()):
            return
        raise InputError(
            f"{self.path} has records and no journal ({self.journal.name}): going on would pay for them again",
            hint="put the journal back, or name a new folder with -o DIR; the records can still be read",
        )

    def read_manifest(self) -> dict[str, Any]:
        """The manifest as this version writes it; empty where there is none yet.

        Raises:
            InputError: it can't be read, or was written by a newer version.
        """
        return _upgrade_manifest(read_json_object(self.manifest), self.path)

    def read_summary(self) -> dict[str, Any]:
        """The summary of the last run; empty where none has ended yet."""
        return read_json_object(self.summary)

    def read_progress(self) -> dict[str, Any]:
        """The counts of a second ago at most; empty where no run has begun."""
        return read_json_object(self.progress)

    def read_stats(self) -> dict[str, Any]:
        """What `aide stats` measured; empty where it was never asked."""
        return read_json_object(self.stats)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest, all or nothing."""
        write_atomic(self.manifest, json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", private=True)


def read_json_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file as it stands there; empty where there is no file.

    Raises:
        InputError: it can't be read, or holds something else.
    """
    try:
        loaded = parse_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} can't be read: {fault}", hint="is this the folder of a run?") from fault
    if not isinstance(loaded, dict):
        raise InputError(f"{path} holds no JSON object", hint="is this the folder of a run?")
    return loaded


def _upgrade_manifest(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    """A manifest of an older version as this one writes it."""
    if not manifest:
        return manifest
    version, older = manifest.get("format", 0), manifest.get("fingerprint_format", 0)
    if version > FORMAT or older > FINGERPRINT_FORMAT:
        raise InputError(
            f"{path} was written by a newer aide (run folders of format {version}, this one knows {FORMAT})",
            hint="update with `pip install -U aide-expand`",
        )
    fingerprint = upgrade_fingerprint(manifest.get("fingerprint") or {}, older)
    extra = (manifest.get("spec") or {}).get("extra") or {}
    counted = {} if older >= 2 or keep_answering(extra) == extra else {"earlier_extras": [extra]}
    return {
        **manifest,
        **counted,  # the journal's keys hold all that was sent
        "format": FORMAT,
        "fingerprint_format": FINGERPRINT_FORMAT,
        "fingerprint": fingerprint,
    }


def compute_identity(spec: RunSpec) -> dict[str, str]:
    """The fingerprint of a run with the content of the files its settings point at."""
    hashes = hash_files("prompts", spec.prompts)
    content = {
        f"{PROMPT}{name}": value
        for name, value in hashes.items()
        if name not in MEASURING and uses_prompt(spec, name)
    }
    if spec.persona_file is not None:
        content["persona_file"] = hash_file(str(spec.persona_file))
    if spec.output_schema is not None:
        content["output_schema"] = hash_file(str(spec.output_schema))
    for name, paths in (("corpus", spec.corpus), ("knowledge", spec.knowledge)):
        if paths:
            content[name] = " ".join(map(hash_content, paths))
    if spec.avoid:
        content["avoid"] = " ".join(sorted(hash_file(str(path)) for path in spec.avoid))
    return compute_fingerprint(spec, content)


def resume_spec(folder: RunFolder, spec: RunSpec, origins: Mapping[str, str]) -> RunSpec:
    """The settings for a run in this folder: defaults are those of the version that began it."""
    manifest = read_json_object(folder.manifest)
    kept, origins_then = manifest.get("spec") or {}, manifest.get("origins") or {}
    return (
        keep_defaults(spec, origins, kept, origins_then, manifest.get("fingerprint_format", 0))
        if kept
        else spec
    )


def take_kept_endpoint(folder: RunFolder, spec: RunSpec) -> RunSpec:
    """The settings with the endpoint and the model that the folder's run asked, where none is named now."""
    kept = read_json_object(folder.manifest).get("spec") or {}
    if spec.list_endpoints() or not kept:
        return spec
    taken = {name: kept[name] for name in ("base_url", "endpoints") if name in kept}
    if not spec.model:
        taken["model"] = kept.get("model", "")
    return RunSpec(**{**spec.as_dict(), **taken})


def hash_inputs(spec: RunSpec, seeds: Sequence[str]) -> dict[str, str]:
    """Hash of each file that a run reads once, by its name as it was given: seeds, then contexts."""
    return {path: hash_file(path) for path in (*seeds, *map(str, spec.contexts))}


def compute_invocation(spec: RunSpec, fingerprint: Mapping[str, str], hashes: Mapping[str, str]) -> str:
    """What a rerun must share with a finished run to have nothing left to do: identity, extensions, seed files.

    `hashes` are those of `hash_inputs`, in its order.
    """
    plain = spec.as_dict()
    asked = [
        fingerprint,
        [plain[name] for name in EXTENSIONS],
        list(hashes.values()),
    ]
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def measure_shards(folder: RunFolder) -> dict[str, int]:
    """Name of each shard to its size in bytes: what a finished run wrote must still be there."""
    return {part.name: part.stat().st_size for part in sorted(folder.shards.glob("part-*.jsonl"))}


def list_earlier_extras(folder: RunFolder, spec: RunSpec) -> list[dict[str, Any]]:
    """The values of `--extra` under which the journals may hold answers to this run's questions, besides today's."""
    manifest, now = folder.read_manifest(), keep_answering(spec.extra)
    found = [*manifest.get("earlier_extras", ())]
    if kept := manifest.get("spec"):
        found.append(keep_answering(kept.get("extra") or {}))
    if spec.reuse is not None:  # another run: its answers are taken where they were asked for just so
        taken = RunFolder(spec.reuse).read_manifest().get("earlier_extras", ())
        found += [extra for extra in taken if keep_answering(extra) == now]
    distinct = {json.dumps(extra, sort_keys=True): dict(extra) for extra in found if extra != now}
    return list(distinct.values())


def make_manifest(
    spec: RunSpec, origins: Mapping[str, str], fingerprint: Mapping[str, str], seeds: Mapping[str, str]
) -> dict[str, Any]:
    """The manifest of a run that begins."""
    return {
        "aide": __version__,
        "format": FORMAT,
        "seeds": [{"path": path, "hash": found} for path, found in seeds.items()],
        "spec": spec.as_dict(),
        "origins": dict(origins),
        "fingerprint_format": FINGERPRINT_FORMAT,
        "fingerprint": dict(fingerprint),
    }
