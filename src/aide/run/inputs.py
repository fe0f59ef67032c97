"""Seeds and task as a run takes them: read before anything is spent, and read again under the lock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

from aide.card import count_card, read_labels
from aide.config.spec import RunSpec
from aide.dedup.contamination import Contamination
from aide.dedup.test_sets import read_test_items
from aide.documents import Chunk, frame_card
from aide.errors import InputError
from aide.formats import Format, Label, TaskCard, detect_format
from aide.formats.schema import read_schema
from aide.prompts import Prompts
from aide.recipes import find_recipe
from aide.records import Seed
from aide.retrieval import Knowledge
from aide.run.contexts import read_contexts
from aide.run.folder import RunFolder, hash_inputs
from aide.run.knowledge import read_knowledge
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds, shape_chats
from aide.streams import NO_STREAMS, STDIN, Streams, is_stream
from aide.text.programming import PYTHON
from aide.verify.queries import find_schema

# From this share of a test item on, a seed is the item itself and not a neighbour of it: what a seed and an item of
# one task have in common by chance (a frame, a turn of phrase) stays well below.
SAME: Final = 0.9
# A file that is appended to without a pause can't be read as one state of it. A few tries outlast any single append.
READINGS: Final = 5


@dataclass(frozen=True, slots=True)
class PreparedInputs:
    """Seeds, task and all else that is read from files before the first call."""

    loaded: LoadedSeeds
    seeds: tuple[Seed, ...]
    """Without doubles."""
    format: Format
    """Found in the seeds, or given by `--format`."""
    labels: tuple[Label, ...]
    """Given by `--labels`; empty where they are to be found in the seeds."""
    contexts: tuple[str, ...]
    """Further fixed parts, given by `--contexts` to a recipe that takes no documents."""
    avoid: Contamination | None
    """The test sets of `--avoid`."""
    human: tuple[Seed, ...]
    """Examples of `--human`, to measure records by."""
    hashes: Mapping[str, str]
    """Of each seed file, by its name, the hash of the very bytes that were read; empty for standard input."""
    knowledge: Knowledge | None = None
    """The passages of `--knowledge`."""
    corpus: tuple[str, ...] = ()
    """The texts of `--corpus`."""
    waiting_labels: Mapping[str, int] = field(default_factory=dict)
    """Labels of seeds that wait because the folder's card lacks them, each with the number of such seeds."""

    documents: tuple[Chunk, ...] = ()
    """Chunks of documents, given by `--contexts` to a recipe that takes documents."""
    frames_documents: bool = True
    """Whether these stand in the inputs as their fixed part."""
    supposed: tuple[Seed, ...] = ()
    """Seeds whose answers a plan only supposes: see `missing_answers`."""
    notes: tuple[str, ...] = ()
    """What a person may want to know of how all this is taken, in sentences."""

    @property
    def differing_frames(self) -> bool:
        """Whether chats differ in their system prompts or functions, so that few can share a call."""
        return len({(seed.draft.system, seed.draft.tools) for seed in self.seeds}) > 1

    @property
    def fixed_parts(self) -> bool:
        """Whether inputs have parts that are never rewritten."""
        return bool(self.documents and self.frames_documents) or any(seed.parts.fixed for seed in self.seeds)

    def frame_card(self, card: TaskCard) -> TaskCard:
        """The card of what is grown: where documents stand beside seeds that have no fixed part, they are its part."""
        return frame_card(card) if self.documents and self.frames_documents else card

    def make_prompts(self, spec: RunSpec, **constants: Any) -> Prompts:
        """The templates of a run, which show passages of `--knowledge` where they are given."""
        return Prompts(
            spec.prompts, find_passages=self._find_passages if self.knowledge else None, **constants
        )

    def _find_passages(self, texts: Sequence[str]) -> list[str]:
        return [passage.text for passage in self.knowledge.find(texts)] if self.knowledge else []


class SeedSource:
    """Where the seeds of a run come from: files, folders, standard input.

    They are read twice: before the run, to say what it would take, and under the lock, where they are fixed. What was
    appended in between (while another run held the folder, while a person thought about the price) is part of the run.
    """

    def __init__(self, spec: RunSpec, paths: Sequence[str], stdin: BinaryIO | None = None) -> None:
        self._spec = spec
        self._paths = tuple(paths)
        self._stdin = stdin
        self._streams: dict[str, bytes] = {}
        self._read: PreparedInputs | None = None

    def read(self) -> PreparedInputs:
        """Everything that is read before the first call.

        Raises:
            errors.InputError: a file, a line or the format is wrong; nothing was spent.
        """
        self._read_streams()
        before = self._hash_files()
        for _ in range(READINGS):
            read = read_inputs(self._spec, self._paths, self._streams, before)
            after = self._hash_files()
            if after == before:
                self._read = read
                return read
            before = after
        raise InputError(
            f"{', '.join(self._paths)} changes while it is read", hint="wait until it is written, or copy it"
        )

    def read_again(self) -> PreparedInputs:
        """What `read` gave, or what the files hold now where they have changed since.

        Raises:
            errors.InputError: as `read`.
        """
        if self._read is not None and self._read.hashes == self._hash_files():
            return self._read
        return self.read()

    def _read_streams(self) -> None:
        """Read once what can't be read twice."""
        for path in self._paths:
            if path in self._streams or not is_stream(path):
                continue
            try:
                if path != STDIN:
                    self._streams[path] = Path(path).read_bytes()
                elif self._stdin is not None:
                    self._streams[path] = self._stdin.read()
            except OSError as fault:
                raise InputError(f"{path} can't be read: {fault.strerror}") from fault

    def _hash_files(self) -> dict[str, str]:
        return hash_inputs(self._spec, self._paths)


def read_inputs(
    spec: RunSpec,
    paths: Sequence[str],
    streams: Streams = NO_STREAMS,
    hashes: Mapping[str, str] | None = None,
) -> PreparedInputs:
    """Seeds from files, their format, and what was given beside them.

    Raises:
        errors.InputError: a file, a line or the format is wrong; nothing was spent.
    """
    labels = read_labels(spec.labels)
    mapping = _make_mapping(spec, [label.name for label in labels])
    _check_reuse(spec)
    loaded = load_seeds(paths, mapping, streams)
    seeds = tuple({seed.id: seed for seed in loaded.seeds}.values())
    given = "json" if spec.output_schema is not None and spec.format == "auto" else spec.format
    format = detect_format([seed.draft for seed in seeds], given, labels, hint=loaded.format_hint)
    if not format.chats and not all(seed.draft.output for seed in seeds):
        raise InputError(
            f"--answer-missing answers chats, and --format {format.name} makes texts of them",
            hint="leave --format out, or answer them first with aide answer",
        )
    if format.chats or any(seed.draft.turns for seed in seeds):
        loaded = shape_chats(loaded, as_chats=format.chats)
        seeds = tuple({seed.id: seed for seed in loaded.seeds}.values())
    seeds = tuple(replace(seed, draft=format.normalise(seed.draft)) for seed in seeds)
    _check_effect(spec, seeds, format)
    contexts = read_contexts(spec, seeds, paths)
    avoid = _read_avoided(spec, seeds)
    human = _read_human(spec, mapping, format)
    knowledge = read_knowledge(spec)
    notes = (*loaded.notes, *contexts.notes, *knowledge.notes, *_note_code(spec, seeds, format))
    recipe = find_recipe(spec.recipe)
    inputs = PreparedInputs(
        loaded, seeds, format, labels, contexts.texts, avoid, human, dict(hashes or {}), knowledge.passages,
        corpus=_read_corpus(spec), documents=contexts.documents, frames_documents=recipe.frames_documents, notes=notes,
    )  # fmt: skip
    if spec.output_schema is not None or spec.agree_on:
        count_inputs_card(spec, inputs)  # what is wrong with them is told before anything is spent
    recipe.check(spec, inputs)
    return inputs


def has_fixed_parts(spec: RunSpec, paths: Sequence[str]) -> bool:
    """Whether seeds in these files have a part that is never rewritten.

    Raises:
        errors.InputError: a file or a line is wrong.
    """
    labels = [label.name for label in read_labels(spec.labels)]
    return any(seed.parts.fixed for seed in load_seeds(paths, _make_mapping(spec, labels)).seeds)


def _make_mapping(spec: RunSpec, labels: Sequence[str]) -> SeedMapping:
    return SeedMapping(
        input_fields=spec.input_field,
        output_field=spec.output_field,
        choices_field=spec.choices_field,
        keep=spec.keep,
        meta=spec.meta,
        input_pattern=spec.input_pattern,
        encoding=spec.encoding,
        header=spec.header,
        sheet=spec.sheet,
        skip_bad=spec.skip_bad,
        unanswered=spec.answer_missing,
        labels=tuple(labels),
        label_names=tuple(labels),
        label_separator=spec.label_separator,
    )


def count_inputs_card(spec: RunSpec, inputs: PreparedInputs) -> TaskCard:
    """The half of the task card that is counted, without a call."""
    card = count_card(inputs.seeds, inputs.format, inputs.labels, task=spec.task or inputs.loaded.sentence)
    path = spec.output_schema
    schema = None if path is None else read_schema(_read_schema_file(path), str(path))
    return inputs.format.adopt_schema(card, [seed.draft for seed in inputs.seeds], schema, spec.agree_on)


def _read_schema_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path} can't be read: {fault}", hint="--schema takes a file of JSON") from fault


def _read_human(spec: RunSpec, mapping: SeedMapping, format: Format) -> tuple[Seed, ...]:
    """The examples of `--human`. They are only looked at, so they need none of the columns that go along."""
    paths = [str(path) for path in spec.human]
    if not paths:
        return ()
    return tuple(shape_chats(load_seeds(paths, replace(mapping, meta=())), as_chats=format.chats).seeds)


def _read_corpus(spec: RunSpec) -> tuple[str, ...]:
    """The texts of `--corpus`, each once; their answers are not needed."""
    if not spec.corpus:
        return ()
    items = read_test_items([str(path) for path in spec.corpus], spec.input_field, spec.keep)
    return tuple(dict.fromkeys(item.text for item in items))


def _read_avoided(spec: RunSpec, seeds: Sequence[Seed]) -> Contamination | None:
    """The test sets of `--avoid`; a seed that is an item of one would hand it on to all that grows from it."""
    if not spec.avoid:
        return None
    known = Contamination(read_test_items([str(path) for path in spec.avoid], spec.input_field, spec.keep))
    for seed in seeds:
        hit = known.find(seed.draft.input, seed.draft.choices, seed.parts.fixed_text)
        if hit and hit.share >= SAME:
            raise InputError(
                f"seed {seed.name or seed.id} is the test item {hit.where}: {seed.draft.input[:60]!r}",
                hint="take it out of the seeds, or out of the file of --avoid",
            )
    return known


def _check_effect(spec: RunSpec, seeds: Sequence[Seed], format: Format) -> None:
    """Refuse what a person asked for and would not get."""
    taken = find_recipe(spec.recipe).takes_documents or any(seed.parts.fixed for seed in seeds)
    if spec.contexts and not taken:
        raise InputError(
            "--contexts has no effect: the seeds have no fixed part that its texts could stand for",
            hint="--recipe documents asks about them; --keep or --input-pattern name the part that is never rewritten",
        )
    queries = (
        spec.run_code
        and format.runs_tests
        and format.runs_queries(format.start_card([seed.draft for seed in seeds]))
    )
    if spec.agreement not in ("auto", "off") and not (format.comparable or queries):
        raise InputError(
            f"--agreement {spec.agreement} has no effect: answers of the format {format.name} can't be compared",
            hint="leave it out, or say what the answers are with --format",
        )


def _note_code(spec: RunSpec, seeds: Sequence[Seed], format: Format) -> Iterator[str]:
    """What of `--run-code` has no effect on the programs of these seeds."""
    if not (spec.run_code and format.runs_tests):
        return
    card = format.start_card([seed.draft for seed in seeds])
    if not format.runs_queries(card) and card.code != PYTHON:
        told = f"in {card.code}" if card.code else "in no language that is known here"
        yield f"--run-code runs Python and SQL; the outputs are {told}, so nothing is run"
    elif format.runs_queries(card) and not any(find_schema(seed.parts) for seed in seeds):
        yield "--run-code makes rows from CREATE TABLE statements; no seed has one, so no query is run"


def _check_reuse(spec: RunSpec) -> None:
    if spec.reuse is not None and not RunFolder(spec.reuse).journal.exists():
        raise InputError(
            f"--reuse: {spec.reuse} is no run folder: it has no journal",
            hint="name the folder of an earlier run",
        )
