"""What makes a run this run, written as a table: each setting is in one of two lists.

Both work on plain JSON values; `aide.config.spec` holds them against the fields of `RunSpec`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

IDENTITY: Final = (
    "task", "format", "labels", "demonstrations", "residual_after", "residual", "attributes", "graph_triples",
    "operations", "personas", "personas_from", "siblings", "balance", "seed", "reflection", "min_relevance",
    "min_diversity", "max_revisions", "answer", "duplicates", "embeddings", "agreement", "run_code", "model", "steps",
    "extra", "keep", "input_pattern",
)  # fmt: skip

_WHERE = "where a call goes changes nothing in its logical content"
_EXTENSION = "an extension: only the difference is paid for"
_HERE = "concerns this invocation only"
_SEEDS = "seen in the ids of the seeds, which are hashes of their content"

EXCLUDED: Final[Mapping[str, str]] = {
    "contexts": _EXTENSION, "hops": _EXTENSION, "target": _EXTENSION, "per_seed": _EXTENSION,
    "exam": "looks before the first record, changes none",
    "min_exam": "looks before the first record, changes none",
    "avoid": "paths; the hashes of their contents are added by whoever reads them",
    "persona_file": "a path; the hash of its content is added by whoever reads it",
    "prompts": "a path; the hashes of the prompts are added by whoever reads them",
    "base_url": _WHERE, "endpoints": _WHERE, "api_key_env": _WHERE, "api_key_command": _WHERE,
    "concurrency": _WHERE, "rpm": _WHERE, "tpm": _WHERE, "timeout": _WHERE, "endpoint_patience": _WHERE,
    "headers": _WHERE, "query": _WHERE,
    "max_calls": _EXTENSION, "max_total_tokens": _EXTENSION, "max_cost": _EXTENSION,
    "max_cost_per_run": _EXTENSION, "max_minutes": _EXTENSION,
    "price": "counts money, changes no record", "prices": "counts money, changes no record",
    "expect_yield": "an estimate only", "yes": _HERE,
    "encoding": _SEEDS, "input_field": _SEEDS, "output_field": _SEEDS, "choices_field": _SEEDS,
    "skip_bad": _SEEDS,
    "run_dir": _HERE, "shard_size": "how lines are laid out in files", "lock_wait": _HERE, "adopt": _HERE,
    "reuse": "answers to identical calls are identical", "retry_failed": _HERE, "quiet": _HERE,
    "log_format": _HERE,
}  # fmt: skip

_RENAMED: Final[Mapping[tuple[str, str | None], str]] = {("siblings", '"told"'): '"aware"'}


def compute_fingerprint(plain: Mapping[str, Any], content: Mapping[str, str]) -> dict[str, str]:
    """Dotted names of all identifying settings, each value as JSON text, and the hashes in `content`."""
    return {**{name: value for field in IDENTITY for name, value in _flat(field, plain[field])}, **content}


def compare_fingerprints(
    old: Mapping[str, str], new: Mapping[str, str], defaults: Mapping[str, str]
) -> list[str]:
    """One line for each setting in which two fingerprints differ; empty where they agree.

    A name that `old` lacks, because an older version wrote it, stands for its default; a value that an older
    version had another word for, stands for today's.
    """
    lines = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, defaults.get(name)), new.get(name)
        was = _RENAMED.get((name, was), was)
        if was != now:
            lines.append(f"{name} was {_told(was)}, is {_told(now)}")
    return lines


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flat(f"{name}.{key}", value[key])
    else:
        yield name, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _told(value: str | None) -> str:
    return "not there" if value is None else "unset" if value in ("null", '""', "[]", "{}") else value
