"""Whether a run ended before and nothing new is asked of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from aide.config.fingerprint import PROMPT, compare_fingerprints, upgrade_fingerprint
from aide.config.spec import RunSpec
from aide.run.folder import (
    COLUMNS,
    FORMAT,
    RunFolder,
    compute_identity,
    compute_invocation,
    hash_inputs,
    measure_shards,
    read_json_object,
)
from aide.run.journal_check import is_cut
from aide.streams import is_stream


def read_finished(folder: RunFolder, spec: RunSpec, seeds: Sequence[str]) -> dict[str, Any] | None:
    """The summary of this very run where it ended before and nothing new is asked of it; `None` where there is work.

    A lower target than that of the run is nothing new where the folder has as many records. It is told from the
    manifest alone, so that a scheduled rerun is over before anything heavy is loaded.
    """
    manifest = read_json_object(folder.manifest)
    end = manifest.get("finished")
    if not end or spec.retry_failed or any(map(is_stream, seeds)):
        return None
    if is_cut(folder.journal) or (spec.part and not folder.journal.exists()):
        return None  # a merge would refuse it
    kept = manifest.get("spec") or {}
    if any(kept[name] != value for name, value in _list_columns(spec).items() if name in kept):
        return None  # the same files, read as other seeds
    summary = folder.read_summary()
    if _asks_beside_records(spec, kept, summary):
        return None
    if lower := _asks_less(spec, kept, summary):
        spec = spec.model_copy(update={"target": kept["target"]})
    identity = compute_identity(spec)
    if (
        manifest.get("format", 0) < FORMAT
        and spec.prompts is None
        and _differs_in_prompts_alone(manifest, identity)
    ):
        # Nobody changed a prompt: this version has others than the one that wrote the folder. Nothing is to be asked,
        # so none is needed, and a job on a schedule stays quiet after an upgrade.
        identity = manifest["fingerprint"]
    if end["invocation"] != compute_invocation(spec, identity, hash_inputs(spec, seeds)):
        return None
    if end["shards"] != measure_shards(folder):
        return None
    return {**summary, "exit_code": 0} if lower else summary


def _asks_beside_records(spec: RunSpec, kept: Mapping[str, Any], summary: Mapping[str, Any]) -> bool:
    """Whether a run with as many records has work: labels that wait, other human data, or a larger realism sample."""
    human = spec.as_dict()["human"]
    usual = RunSpec.model_fields["realism"].default
    return (
        (spec.new_labels != "ignore" and bool(summary.get("waiting_labels")))
        or (bool(human) and human != kept.get("human"))
        or (spec.measures_realism and spec.realism > kept.get("realism", usual))
    )


def _asks_less(spec: RunSpec, kept: Mapping[str, Any], summary: Mapping[str, Any]) -> bool:
    """Whether the target is lower than that of the run, and met."""
    then, now = kept.get("target"), spec.target
    if not isinstance(now, int) or spec.per_seed is not None or kept.get("per_seed") is not None:
        return False
    return (then == "all" or (isinstance(then, int) and now < then)) and summary.get("accepted", 0) >= now


def _list_columns(spec: RunSpec) -> dict[str, Any]:
    plain = spec.as_dict()
    return {name: plain[name] for name in COLUMNS}


def _differs_in_prompts_alone(manifest: Mapping[str, Any], identity: Mapping[str, str]) -> bool:
    kept = upgrade_fingerprint(manifest.get("fingerprint") or {}, manifest.get("fingerprint_format", 0))
    return all(line.startswith(PROMPT) for line in compare_fingerprints(kept, identity))
