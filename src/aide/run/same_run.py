"""Whether a folder holds the run that is asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aide.config.fingerprint import FILES, PROMPT, compare_fingerprints
from aide.config.resolve import spell_option
from aide.config.spec import RunSpec
from aide.errors import AideError, InputError
from aide.journal import Journal
from aide.run.folder import RunFolder, compute_identity
from aide.run.folder_inputs import fit_to_folder, refuse_other_columns
from aide.run.inputs import PreparedInputs

# What a first try may get wrong. Until a call is answered nothing in a folder depends on it.
_MODEL: Final = ("model ", "steps.", "extra ", "extra.")
# What --adopt lets change: how new questions are asked. Which records there are to be stays.
_ADOPTED: Final = (PROMPT, "extra ", "extra.")


def check_settings(folder: RunFolder, spec: RunSpec) -> None:
    """Refuse a folder whose run has other settings, or whose journal is gone.

    Raises:
        InputError: the message names what differs.
    """
    check_same_run(
        folder, folder.read_manifest(), compute_identity(spec), adopt=spec.adopt, answered=_was_answered(folder),
        own_prompts=spec.prompts is not None,
    )  # fmt: skip
    folder.check_journal()


def check_seeds(folder: RunFolder, spec: RunSpec, inputs: PreparedInputs) -> None:
    """Refuse a folder that grew from other columns of these files, or from seeds of another kind.

    Raises:
        InputError: the message says what the folder grew from.
    """
    refuse_other_columns(inputs, folder, spec, folder.read_manifest())
    if folder.journal.exists():
        with Journal.open(folder.journal, readonly=True) as journal:
            fit_to_folder(inputs, journal, spec)


def check_same_run(
    folder: RunFolder,
    manifest: Mapping[str, Any],
    fingerprint: Mapping[str, str],
    *,
    adopt: bool,
    answered: bool = True,
    own_prompts: bool = False,
) -> None:
    """Refuse to go on in the folder of another run.

    Where no call was ever `answered`, another model is no other run: the first one may not have existed. Without a
    person's `own_prompts`, one that the folder does not know was shipped later, and is no difference either.

    Raises:
        InputError: naming the fields that differ; with `adopt`, changed prompts and further fields of requests are no
            difference.
    """
    old = manifest.get("fingerprint")
    if not old:
        return
    passed_over = (*(_ADOPTED if adopt else ()), *(() if answered else _MODEL))
    if not own_prompts:  # what is shipped since then is no file that this run could have used
        later = [name for name in fingerprint if name.startswith(PROMPT) and name not in old]
        fingerprint = {name: value for name, value in fingerprint.items() if name not in later}
    changed = [line for line in compare_fingerprints(old, fingerprint) if not line.startswith(passed_over)]
    if not changed:
        return
    missing = [name for name in FILES if name in old and name not in fingerprint]
    hint, remedy = "name another folder with -o DIR (--reuse takes its answers over)", []
    if all(line.startswith(_ADOPTED) for line in changed):
        hint = "--adopt goes on with what changed: what was answered stays, further calls use the new ones"
    elif len(missing) == len(changed):
        hint = f"give {', '.join(map(spell_option, missing))} again to go on here, or {hint}"
        remedy = _repeat_options(missing, manifest.get("spec") or {})
    raise InputError(f"{folder.path} holds another run: {'; '.join(changed[:6])}", hint=hint, remedy=remedy)


def _repeat_options(names: Sequence[str], kept: Mapping[str, Any]) -> list[str]:
    """Options as the run of a folder had them."""
    words = []
    for name in names:
        paths = kept.get(name) or ()
        for path in [paths] if isinstance(paths, str) else paths:
            words += [spell_option(name), path]
    return words


def _was_answered(folder: RunFolder) -> bool:
    """True when the journal holds an answer; a journal that can't be read may."""
    if not folder.journal.exists():
        return False
    try:
        with Journal.open(folder.journal, readonly=True) as journal:
            return next(journal.read_calls(), None) is not None
    except AideError:
        return True
