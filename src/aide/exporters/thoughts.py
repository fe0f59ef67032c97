"""Reasoning for an export: from the record's line, or from the journal of the run that it came from.

The journal keeps whole answers, thoughts included, whether or not the records were to hold them. Only a call that gave
this record's own answer counts: what a writer thought belongs to all the records that it wrote together.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final, cast

import orjson

from aide.completion import read_completion, read_reasoning
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import name_record, read_draft
from aide.dataset.seed_sources import find_run_folders
from aide.errors import InputError, Unusable
from aide.exporters.rendering import ReasoningForm
from aide.formats import TaskCard
from aide.formats.convention import apply_convention
from aide.journal import AnsweredCall, Journal
from aide.parsing import parse_json
from aide.records import REASONING_MARKS, Draft, read_varying
from aide.text.markers import find_control_mark

FORMS: Final = ("think", "field", "drop")
_STEPS: Final = ("answer", "check")
# Targets that have no place for some forms, and why.
_UNFIT: Final = {
    "dpo": (FORMS, "pairs compare answers alone"),
    "seeds": (FORMS, "rows keep the form that the seeds have"),
    "openai": (("field",), "OpenAI takes no further field in a turn; --reasoning think is taken"),
    "llama-factory": (("field",), "LLaMA-Factory reads no reasoning_content; --reasoning think is read"),
}


def check_form(form: str, target: str) -> ReasoningForm:
    """The form that a person asked for; raises `InputError` where it is none, or the target has no place for it."""
    if form and form not in FORMS:
        raise InputError(
            f"--reasoning {form}: there is no such form", hint=f"it is one of {', '.join(FORMS)}"
        )
    unfit, why = _UNFIT.get(target, ((), ""))
    if form in unfit:
        raise InputError(f"--reasoning {form} has no effect on --to {target}: {why}", hint="leave it out")
    return cast("ReasoningForm", form)


class JournaledThoughts:
    """Adds to records what the model thought before their answers, where the journals of `sources` have it."""

    def __init__(self, sources: Sequence[str], card: TaskCard | None) -> None:
        self._sources = sources
        self._convention = card.convention if card else ""
        self.missing = 0
        """Records for which no thoughts were found."""

    def add_to(self, lines: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The records, each with its reasoning where it has or finds one."""
        with ExitStack() as stack:
            journals = [
                stack.enter_context(Journal.open(folder.journal, readonly=True))
                for folder in find_run_folders(self._sources)
                if folder.journal.exists()
            ]
            for line in lines:
                draft = read_draft(line)
                found = draft.thoughts or self._find(line, draft, journals)
                self.missing += not found and not draft.reasoning
                if not found or draft.thoughts:
                    yield line
                    continue
                values = replace(draft, thoughts=found).as_dict()
                names = ("reasoning", *REASONING_MARKS)
                added: dict[str, Any] = {name: values[name] for name in names if name in values}
                yield replace(line, record={**line.record, **added})

    def _find(self, line: RecordLine, draft: Draft, journals: Sequence[Journal]) -> str:
        """The thoughts of the first call that answered this very input with this output; empty where none shows any."""
        for journal in journals:
            calls = [call for call in journal.read_calls(node=name_record(line)) if call.step in _STEPS]
            for call in sorted(calls, key=lambda call: _STEPS.index(call.step)):
                if is_about(call, line) and (found := self._read(call, draft)):
                    return found
        return ""

    def _read(self, call: AnsweredCall, draft: Draft) -> str:
        try:
            data = orjson.loads(call.body)
            said = read_completion(data)
        except (Unusable, orjson.JSONDecodeError):
            return ""
        thoughts = read_reasoning(data) if self._says(said, draft) else ""
        return "" if find_control_mark(thoughts) else thoughts

    def _says(self, said: str, draft: Draft) -> bool:
        """True when this answer is that of the record."""
        if any(_fold(text) == _fold(draft.output) for text in _list_values(said)):
            return True
        wanted, texts = draft.reasoning or draft.output, [said]
        if self._convention:
            texts.append(apply_convention(said, self._convention))
        # A word alone may stand anywhere by chance.
        alone = not draft.reasoning and len(wanted.split()) < 2
        return any(_fold(wanted) == _fold(text) if alone else _fold(wanted) in _fold(text) for text in texts)


def is_about(call: AnsweredCall, line: RecordLine) -> bool:
    """True if the call asked about the record's input as it is now, not about an earlier draft of it."""
    varying = read_varying(line.record)
    # A prompt may show its inputs as JSON, with line ends and quotes escaped.
    return varying in call.user or orjson.dumps(varying).decode()[1:-1] in call.user


def _list_values(said: str) -> Iterator[str]:
    """The texts of a reply that is one JSON object: its label, its right option."""
    if not said.lstrip().startswith("{"):
        return
    try:
        value: Any = parse_json(said)
    except Unusable:
        return
    if isinstance(value, dict):
        yield from (text for text in value.values() if isinstance(text, str))


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold().strip("`")
