"""Which format the seeds are of: said by the person, named in the file, or recognised by their shape."""

from collections.abc import Sequence
from typing import Final

from aide.errors import InputError
from aide.formats.base import FORMATS, Format
from aide.formats.comparing import fold_label
from aide.formats.label_sets import read_label_set
from aide.formats.labels import find_yes_no_pair
from aide.formats.task import Label
from aide.records import Draft
from aide.text.structure import read_fenced_structure, read_structure

_MOSTLY: Final = 0.7  # of the outputs that are JSON objects, so that the others are slips


def detect_format(
    drafts: Sequence[Draft], given: str = "auto", labels: Sequence[Label | str] = (), *, hint: str = ""
) -> Format:
    """The format of these examples.

    Args:
        drafts: the seeds' content, at least one.
        given: what the person asked for; `auto` or empty leaves the choice here.
        labels: the labels that the person gave; they make it a fixed label set.
        hint: the format that the seeds file itself names.

    Raises:
        InputError: an unknown format; options beside only some seeds; outputs that may be labels or answers,
            where only the person can know.
    """
    if given and given != "auto":
        return FORMATS[given]
    if labels:
        names = [label if isinstance(label, str) else label.name for label in labels]
        if all(read_label_set(draft.output) is not None for draft in drafts):
            return FORMATS["multi_label"]
        if all(isinstance(read_structure(draft.output), list) for draft in drafts):
            return FORMATS["json"]  # marked passages, whose tags these are
        return FORMATS["yes_no" if len(names) == 2 and find_yes_no_pair(names) else "classification"]
    _refuse_broken_json(drafts)
    if hint in FORMATS:
        return FORMATS[hint]
    if any(draft.choices for draft in drafts) and not all(draft.choices for draft in drafts):
        raise InputError(
            "some seeds have options to choose from and some have none",
            hint="give --format, or keep the two kinds in files of their own",
        )
    for name in FORMATS:
        if FORMATS[name].detect(drafts):
            return FORMATS[name]
    if _could_be_labels(drafts):
        raise InputError(
            "the outputs are a word or two each and all different: labels of a fixed set, or answers?",
            hint="give all labels with --labels A,B,… or say --format free_text",
        )
    return FORMATS["free_text"]


def _refuse_broken_json(drafts: Sequence[Draft]) -> None:
    """Raise where nearly all outputs are JSON objects: what the others are, only the person can know."""
    objects = [isinstance(read_fenced_structure(draft.output), dict) for draft in drafts]
    if _MOSTLY * len(drafts) <= sum(objects) < len(drafts):
        place = objects.index(False)
        raise InputError(
            f"the outputs are JSON objects, but that of seed {place + 1} is none: {drafts[place].output[:60]!r}",
            hint="mend or leave out such seeds, or take all for text with --format free_text",
        )


def guess_format(draft: Draft) -> Format:
    """The format of a single example by what stands beside its output: detection compares several."""
    if draft.turns:
        return FORMATS["chat"]
    return FORMATS["multiple_choice" if draft.choices else "code" if draft.tests else "free_text"]


def _could_be_labels(drafts: Sequence[Draft]) -> bool:
    """True when the outputs are a name each, all different: capitals of countries, or labels that came once."""
    outputs = [fold_label(draft.output) for draft in drafts]
    return (
        len(set(outputs)) == len(outputs) > 1
        and all(
            1 <= len(output.replace("_", " ").split()) <= 2 or ("_" in output and " " not in output)
            for output in outputs
        )
        and not any(letter.isdigit() for output in outputs for letter in output)
        and not any(fold_label(draft.output) in fold_label(draft.input) for draft in drafts)
    )
