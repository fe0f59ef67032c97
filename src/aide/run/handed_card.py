"""`--card`: a run begins with a card that was made before, and with the precheck that belongs to it."""

from pathlib import Path

from aide.atomic import write_atomic
from aide.card import card_from_toml
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.journal import Journal
from aide.run.folder import RunFolder
from aide.run.inputs import PreparedInputs
from aide.run.precheck import DECISION
from aide.run.session import Session


def take_card(session: Session, inputs: PreparedInputs) -> None:
    """Put the card of `--card` into a folder that has none yet, and the results of its precheck into the journal.

    These are there where the card stands in the folder of a run, of these seeds or of others.

    Raises:
        errors.InputError: the card can't be read, or is of another format than the seeds.
    """
    path, folder, journal = session.spec.card, session.folder, session.journal
    if path is None or folder.card.exists() or journal.get_meta("card") is not None:
        return
    given, path = _find_card(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(
            f"--card: {path} can't be read: {fault}", hint="name a task.toml, or a run folder"
        ) from fault
    card = card_from_toml(text)
    if card.format != inputs.format.name:
        raise InputError(
            f"--card: {path} is a card for {card.format}, and the seeds are {inputs.format.name}",
            hint="name the card of this task, or say what the outputs are with --format",
        )
    if _has_precheck(given, path):
        with Journal.open(given.journal, readonly=True) as other:
            for seed, result in other.read_decisions(DECISION):
                journal.decide(DECISION, seed, result)
    write_atomic(folder.card, text)


def is_card_handed(spec: RunSpec) -> bool:
    """True where a run that begins makes no card: it was given one, or is a part, which takes that of its root."""
    return spec.card is not None or spec.part is not None


def is_precheck_handed(spec: RunSpec) -> bool:
    """True where the card comes with the results of its precheck."""
    return _has_precheck(*_find_card(spec.card)) if spec.card is not None else spec.part is not None


def _find_card(path: Path) -> tuple[RunFolder, Path]:
    """The folder and the file of a card that was named by either."""
    given = RunFolder(path) if path.is_dir() else RunFolder(path.parent)
    return given, given.card if path.is_dir() else path


def _has_precheck(given: RunFolder, card: Path) -> bool:
    return card == given.card and given.journal.is_file()
