"""What makes a run this run, written as a table: each setting is in one of two lists.

A run folder keeps the fingerprint of its run. A run with another one is refused there, because records of two
runs would stand in one data set without a way to tell them apart. What is excluded says why a folder may go on
under another value.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aide.config.delivery import DELIVERY, keep_answering
from aide.config.resolve import DEFAULT, spell_option
from aide.config.settings import METHOD
from aide.config.spec import OLD_NAMES, RunSpec, rename_settings
from aide.records import DOMAIN

FORMAT: Final = 3
"""The version of a fingerprint as it is kept. Version 0, which had no number, is that of `aide` 0.1; up to version 1
it held all fields of `--extra`, and up to version 2 records had no thoughts.
"""

RECIPE_PROMPTS: Final = "recipes/"
"""The folder of prompts that belong to one recipe each."""
KNOWLEDGE_PROMPT: Final = "knowledge.md"
"""What stands around the passages of `--knowledge`."""
PROMPT: Final = "prompts/"
"""Begins the name of a prompt in a fingerprint; its value is a hash."""
FILES: Final = ("corpus", "knowledge", "avoid", "persona_file", "output_schema")
"""Settings that point at files: a fingerprint has the hashes of these, and no name where none is given."""

IDENTITY: Final = (
    "recipe", "task", "format", "labels", "label_separator", "agree_on",
    "demonstrations", "plain_share", "steer", "residual_after", "residual", "attributes",
    "graph_triples", "operations", "personas", "personas_from", "siblings", "balance", "random_seed", "reflection",
    "min_relevance", "min_diversity", "max_revisions", "keep_ambiguous", "answer", "duplicates", "embeddings",
    "meaning_threshold", "agreement", "run_code", "reasoning", "model", "steps", "extra", "keep", "meta",
    "input_pattern", "subtasks", "queries", "round_trip", "round_trip_by", "negatives", "negatives_from",
    "passage_variants",
)  # fmt: skip

_WHERE = "where a call goes changes nothing in its logical content"
_EXTENSION = "an extension: only the difference is paid for"
_HERE = "concerns this invocation only"
_SEEDS = "seen in the ids of the seeds, which are hashes of their content"

EXCLUDED: Final[Mapping[str, str]] = {
    "together": "each call is composed and kept before it is sent",
    "contexts": _EXTENSION, "hops": _EXTENSION, "target": _EXTENSION, "per_seed": _EXTENSION,
    "guard": _HERE, "card_only": _HERE, "new_labels": _EXTENSION,
    "card": "a path; a card is fixed with the first record, and stands in the folder",
    "partition": "stands in the name of the folder", "parts": "stands in the names of the folders",
    "engine": "where a run lives changes nothing in its calls", "ray_address": _HERE,
    "human": "looks at records, changes none",
    "realism": "looks after the last record, changes none",
    "exam": "looks before the first record, changes none",
    "min_exam": "looks before the first record, changes none",
    "avoid": "paths; the hashes of their contents are added by whoever reads them",
    "corpus": "paths; the hashes of their contents are added by whoever reads them",
    "knowledge": "paths; the hashes of their contents are added by whoever reads them",
    "output_schema": "a path; the hash of its content is added by whoever reads it",
    "persona_file": "a path; the hash of its content is added by whoever reads it",
    "prompts": "a path; the hashes of the prompts are added by whoever reads them",
    "base_url": _WHERE, "embeddings_url": _WHERE, "endpoints": _WHERE, "api_key_env": _WHERE, "api_key_command": _WHERE,
    "concurrency": _WHERE, "rpm": _WHERE, "tpm": _WHERE, "timeout": _WHERE, "endpoint_patience": _WHERE,
    "drain_seconds": _HERE,
    "headers": _WHERE, "query": _WHERE, "batch": _WHERE, "batch_min": _WHERE, "batch_wait": _HERE,
    "tier": "the same model answers, at another price and pace",
    "max_calls": _EXTENSION, "max_total_tokens": _EXTENSION, "max_cost": _EXTENSION,
    "max_cost_per_run": _EXTENSION, "max_minutes": _EXTENSION,
    "price": "counts money, changes no record", "prices": "counts money, changes no record",
    "expect_yield": "an estimate only", "yes": _HERE,
    "encoding": _SEEDS, "header": _SEEDS, "sheet": _SEEDS,
    "input_field": _SEEDS, "output_field": _SEEDS, "choices_field": _SEEDS,
    "skip_bad": _SEEDS, "answer_missing": _SEEDS,
    "run_dir": _HERE, "shard_size": "how lines are laid out in files", "lock_wait": _HERE, "adopt": _HERE,
    "reuse": "answers to identical calls are identical", "retry_failed": _HERE, "progress": _HERE, "quiet": _HERE,
    "log_format": _HERE,
}  # fmt: skip

# Settings whose value had another word: version, name and value as JSON text, and today's value.
_RENAMED: Final[Mapping[tuple[int, str, str], str]] = {(0, "siblings", '"told"'): '"aware"'}

# Settings that the fingerprint knows by an older name: with a new one every folder would be another run.
_KEPT_AS: Final[Mapping[str, str]] = {"random_seed": "seed"}

# What versions did that had no such setting, by version: settings whose default is not what was done before them.
_UNSET: Final[Mapping[int, Mapping[str, Any]]] = {
    0: {"plain_share": 0.0, "steer": False, "reasoning": "drop"},
    1: {"reasoning": "drop"},
    2: {"reasoning": "drop"},
}


def keep_defaults(
    spec: RunSpec,
    origins: Mapping[str, str],
    kept: Mapping[str, Any],
    kept_origins: Mapping[str, str],
    version: int,
) -> RunSpec:
    """The settings of a run that goes on in a folder: what nobody set, then or now, stays as it was then.

    Otherwise a version with other defaults could go on in no folder of an older one, or would mix in it what two
    methods made. `kept` and `kept_origins` are the settings of the folder and where they came from, `version` is that
    of its fingerprint.
    """
    then = {**_UNSET.get(version, {}), **rename_settings(kept)}
    if then.get("recipe", METHOD) != spec.recipe:
        return spec  # of another run; the defaults of its recipe may be none that this one can do with
    kept_origins = rename_settings(kept_origins)
    now = spec.as_dict()
    unset = [
        name
        for name in (*IDENTITY, *(name for name, why in EXCLUDED.items() if why == _EXTENSION))
        if name in then and origins.get(name, DEFAULT) == kept_origins.get(name, DEFAULT) == DEFAULT
    ]
    changed = {name: then[name] for name in unset if then[name] != now[name]}
    if "steps" in changed:  # a step that is gone, or that is new
        changed["steps"] = {
            step: {**how, **then["steps"].get(step, {})} for step, how in now["steps"].items()
        }
    return RunSpec(**{**now, **changed}) if changed else spec


def compute_fingerprint(spec: RunSpec, content: Mapping[str, str] | None = None) -> dict[str, str]:
    """Dotted names of all identifying settings, each value as JSON text.

    `content` adds the hashes of files that settings only point at (prompts, persona bank).
    """
    plain = spec.as_dict()
    plain["extra"] = keep_answering(plain["extra"])
    return {
        **{
            name: value
            for field in IDENTITY
            for name, value in _flatten(_KEPT_AS.get(field, field), plain[field])
        },
        **(content or {}),
    }


def uses_prompt(spec: RunSpec, name: str) -> bool:
    """False for a prompt that this run can't come to: a folder goes on that was begun before there was one."""
    if name.startswith(RECIPE_PROMPTS):
        return name.split("/")[1] == spec.recipe
    if name == KNOWLEDGE_PROMPT:
        return bool(spec.knowledge)
    return DOMAIN in spec.operations or not name.startswith(f"synthesize/{DOMAIN}.")


def upgrade_fingerprint(kept: Mapping[str, str], version: int) -> dict[str, str]:
    """A fingerprint as this version would have written it, from one that an older version wrote."""
    unset = {name: json.dumps(value) for name, value in _UNSET.get(version, {}).items()} if kept else {}
    return unset | {
        name: _RENAMED.get((version, name, value), value)
        for name, value in kept.items()
        if not _is_delivery(name)
    }


def _is_delivery(name: str) -> bool:
    field, _, rest = name.partition(".")
    return field == "extra" and rest.partition(".")[0] in DELIVERY


def compare_fingerprints(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """One line for each setting in which two fingerprints differ; empty where they agree.

    Hashes are told in words. A prompt that is used or not because another setting differs has no line of its own.

    A name that `old` lacks stands for its default: a new setting comes with the default that changes nothing, so
    that is how the older version behaved.
    """
    defaults = compute_fingerprint(RunSpec())
    lines = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, defaults.get(name)), new.get(name)
        if was == now or _follows(name, old, new):
            continue
        if name in FILES:
            lines.append(_compare_files(spell_option(name), was, now))
        elif name.startswith(PROMPT):
            lines.append(f"{name} {'is new' if was is None else 'is gone' if now is None else 'has changed'}")
        else:
            lines.append(f"{OLD_NAMES.get(name, name)} was {_show(was)}, is {_show(now)}")
    return lines


def _follows(name: str, old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Whether a prompt stands in one fingerprint alone because another setting differs, which has a line."""
    if not name.startswith(PROMPT) or (name in old and name in new):
        return False
    if name == PROMPT + KNOWLEDGE_PROMPT:
        return ("knowledge" in old) != ("knowledge" in new)
    return name.startswith(PROMPT + RECIPE_PROMPTS) and old.get("recipe") != new.get("recipe")


def _compare_files(option: str, was: str | None, now: str | None) -> str:
    if was is None:
        return f"{option} was not given, now it is"
    if now is None:
        return f"{option} was given, now it is not"
    return f"{option} was given files with other contents"


def _flatten(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flatten(f"{name}.{key}", value[key])
    else:
        yield name, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _show(value: str | None) -> str:
    return "not there" if value is None else "unset" if value in ("null", '""', "[]", "{}") else value
