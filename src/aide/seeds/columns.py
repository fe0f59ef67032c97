"""Columns that are no part of an example: which hold for whatever grows from a seed, and which are made of its content.

A new record has an input and an output of its own. A column that tells of the seed's (its tokens, its wrong answer, the
text for training made of both) would be false in it, and nobody would notice: trainers read such columns by name.
Nothing can be known of a column that differs between seeds, so it goes along only where a person says so.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aide.errors import InputError
from aide.records import Seed

# Told by their names, because in ten seeds they may well be the same: "No." as the wrong answer of every pair.
_OF_CONTENT: Final = frozenset({
    "rejected", "rejected_response", "negative", "negatives", "neg", "hard_negatives", "positive", "positives",
    "text", "history", "correct_answers", "incorrect_answers", "best_answer", "distractors", "embedding", "embeddings",
    "num_tokens", "n_tokens", "token_count", "tokens", "length", "word_count", "char_count", "hash", "md5", "sha256",
    "score_chosen", "score_rejected", "margin", "answer_start", "start", "end",
})  # fmt: skip


def split_columns(seeds: Sequence[Seed], along: Sequence[str]) -> tuple[list[Seed], tuple[str, ...]]:
    """The seeds with `meta` parted from `own`, and the names of the columns that new records go without.

    `along` are columns that a person wants in new records, whatever they hold.

    Raises:
        InputError: no seed has one of them.
    """
    names = list(dict.fromkeys(name for seed in seeds for name in seed.meta))
    if unknown := [name for name in along if name not in names]:
        raise InputError(
            f"--meta {unknown[0]}: no seed has such a column beside its example",
            hint=f"those that are there: {', '.join(names)}" if names else "leave --meta out",
        )
    left_out = tuple(name for name in names if name not in along and not _holds_for_all(name, seeds))
    values = {name: _unify([seed.meta.get(name) for seed in seeds]) for name in along}
    parted = []
    for place, seed in enumerate(seeds):
        own = {name: value for name, value in seed.meta.items() if name in left_out}
        meta = {
            name: values[name][place] if name in values else value
            for name, value in seed.meta.items()
            if name not in own
        }
        parted.append(replace(seed, meta=meta, own=own))
    return parted, left_out


def _holds_for_all(name: str, seeds: Sequence[Seed]) -> bool:
    """True when every seed has the same under `name`, and it isn't told by name or content to be of one seed."""
    value = seeds[0].meta.get(name)
    if any(name not in seed.meta or _write(seed.meta[name]) != _write(value) for seed in seeds):
        return False
    if value in (None, "", [], {}):
        return True
    if name.strip().casefold().replace(" ", "_") in _OF_CONTENT:
        return False
    # One seed alone can't show whether a column varies; there its content has to tell.
    return len(seeds) > 1 or not _is_made_of(value, seeds[0])


def _is_made_of(value: Any, seed: Seed) -> bool:
    parts = (seed.draft.input, seed.draft.output)
    return any(part in text for text in _list_texts(value) for part in parts)


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _list_texts(inner)


def _unify(values: Sequence[Any]) -> list[Any]:
    """Values of one type: readers of data sets refuse a column that is a number here and a text there."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2:
        return list(values)
    if kinds == {int, float}:
        return [None if value is None else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else _write(value) for value in values]


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
