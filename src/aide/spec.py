"""`RunSpec`: everything a run was asked to do, complete, frozen and checked.

One field is one setting: its type and bounds, its default, its help and its place on the command line stand
together in one line of the class, and options, config files and `aide config` are derived from it. Whoever holds a
`RunSpec` needs no defaults of their own.

To add a setting: one field here, and its name in `IDENTITY` (it changes what a run produces) or in `EXCLUDED` (with
the reason why a folder may go on under another value).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

from aide.records import OPERATIONS

SIMULATOR: Final = "sim:"
SIMULATOR_MODEL: Final = "simulator"
CEILING: Final = 64
SMALL_CEILING: Final = 4
SMALL_PORTS: Final = (11434, 1234)  # Ollama and LM Studio: a few slots, and all beyond waits unseen
GRAPH_TRIPLES: Final = 2

GROUPS: Final = (
    "The task", "The tree", "Quality", "Models", "Endpoint", "Budget", "Seed files", "Running",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """How a setting shows on the command line.

    `group` is its heading in `--help`; `name` is given where the option is not the field's own name; `off` is the
    name of the switch that turns a setting off which is on by default; `hidden` settings have no option of their
    own and come from a config file alone.
    """

    group: str
    help: str
    metavar: str = ""
    name: str = ""
    off: str = ""
    hidden: bool = False
    commas: bool = False


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepSpec(_Frozen):
    """How one step samples. Empty `model`: the run's model. `max_output` (tokens) `None`: learned from the seeds.

    `further` is the temperature of draws after the first; `None` means as the first.
    """

    model: str = ""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_output: int | None = Field(default=None, ge=1)
    further: float | None = Field(default=None, ge=0, le=2)

    def temperature_of(self, draw: int) -> float | None:
        """The temperature of the `draw`-th sample of the same question."""
        return self.further if draw and self.further is not None else self.temperature


class StepSpecs(_Frozen):
    """The steps, each with the defaults of METHOD: what is read is cold, what is invented is warm."""

    card: StepSpec = StepSpec(temperature=0.3)
    extract: StepSpec = StepSpec(temperature=0.3)
    expand_graph: StepSpec = StepSpec(temperature=0.7)
    personas: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    synthesize: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    revise: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    answer: StepSpec = StepSpec(temperature=0.2, further=0.7)
    tests: StepSpec = StepSpec(temperature=0.2, further=0.7)
    reflect: StepSpec = StepSpec(temperature=0.0)

    @model_validator(mode="before")
    @classmethod
    def _keep_other_defaults(cls, data: Any) -> Any:
        """A step of which only the model is given keeps its temperatures."""
        if not isinstance(data, Mapping):
            return data
        return {
            name: {**cls.model_fields[name].default.model_dump(), **given}
            if name in cls.model_fields and isinstance(given, Mapping)
            else given
            for name, given in data.items()
        }


class EndpointSpec(_Frozen):
    """One place that serves the model. Empty fields take the run's own value."""

    base_url: str = Field(min_length=1)
    name: str = ""
    model: str = ""
    api_key_env: str = ""
    api_key_command: str = ""
    concurrency: int | None = Field(default=None, ge=1)
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    headers: dict[str, str] = {}
    query: dict[str, str] = {}

    @property
    def simulated(self) -> bool:
        """Whether this is the stand-in in process, which needs neither key nor network."""
        return self.base_url.startswith(SIMULATOR)


class Price(_Frozen):
    """US dollars per million tokens; written `IN/OUT`. `cached` `None`: cached tokens cost as others do."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        into, slash, out = data.partition("/")
        if not slash:
            raise ValueError("write a price as IN/OUT, US dollars per million tokens, such as 0.15/0.60")
        return {"input": into.strip(), "output": out.strip()}


PathText = Annotated[Path, PlainSerializer(str, return_type=str)]


class RunSpec(_Frozen):
    """What a run was asked to do. Grouped as in `aide expand --help`."""

    # --- The task
    task: Annotated[str, Flag("The task", "One sentence that says what the task is.", "TEXT")] = ""
    format: Annotated[
        Literal["auto", "open", "free_text", "multiple_choice", "yes_no", "classification", "code"],
        Flag("The task", "Form of the output; auto finds it from the seeds."),
    ] = "auto"
    labels: Annotated[
        tuple[str, ...],
        Flag(
            "The task",
            "The closed set of labels, or a file with one a line, `name: description`.",
            "A,B|FILE",
            commas=True,
        ),
    ] = ()
    contexts: Annotated[
        tuple[PathText, ...], Flag("The task", "More fixed parts (documents) to ask about.", "FILE")
    ] = ()
    demonstrations: Annotated[
        int, Field(ge=0, le=20), Flag("The task", "How many seeds each prompt shows as examples.")
    ] = 3

    # --- The tree
    hops: Annotated[int, Field(ge=1, le=50), Flag("The tree", "How many hops to walk from each seed.")] = 2
    target: Annotated[
        Annotated[int, Field(ge=0)] | Literal["all"],
        Flag("The tree", "How many records to accept; all takes the whole tree.", "N|all"),
    ] = 1000
    per_seed: Annotated[
        int | None,
        Field(ge=0),
        Flag(
            "The tree",
            "A target for each seed, so that the whole grows with the seeds; replaces --target.",
            "N",
        ),
    ] = None
    residual_after: Annotated[
        int, Field(ge=0), Flag("The tree", "Past this hop the prompt also carries the seed.")
    ] = 1
    attributes: Annotated[
        int, Field(ge=0, le=20), Flag("The tree", "Knowledge attributes taken from a data point.")
    ] = 3
    graph_triples: Annotated[
        int | None,
        Field(ge=0, le=20),
        Flag(
            "The tree",
            "Triples added by graph expansion (unset: 2, or 0 for fixed labels and fixed parts).",
            "N",
        ),
    ] = None
    operations: Annotated[
        tuple[str, ...], Flag("The tree", "The operations applied to each attribute.", "A,B,…", commas=True)
    ] = OPERATIONS
    personas: Annotated[int, Field(ge=0, le=100), Flag("The tree", "Personas for each data point.")] = 5
    personas_from: Annotated[
        Literal["model", "bank"],
        Flag("The tree", "Personas written by the model for each topic, or ranked from a bank."),
    ] = "model"
    persona_file: Annotated[
        PathText | None, Flag("The tree", "Your own bank: JSONL with `persona`, or plain lines.", "FILE")
    ] = None
    balance: Annotated[
        Literal["uniform", "seeds", "none"],
        Flag("The tree", "Labels in equal shares, in the shares of the seeds, or as they come."),
    ] = "uniform"
    seed: Annotated[int, Flag("The tree", "Another number gives another selection from the same tree.")] = 0

    # --- Quality
    reflection: Annotated[
        bool, Flag("Quality", "Accept what is well formed without asking the judge.", off="--no-reflection")
    ] = True
    min_relevance: Annotated[
        int, Field(ge=1, le=10), Flag("Quality", "Least grade of relevance to the seed, 1 to 10.")
    ] = 7
    min_diversity: Annotated[
        int, Field(ge=1, le=10), Flag("Quality", "Least grade of diversity from the parent, 1 to 10.")
    ] = 5
    max_revisions: Annotated[
        int,
        Field(ge=0, le=20),
        Flag("Quality", "How often a record that falls short is rewritten with the critique."),
    ] = 1
    duplicates: Annotated[
        Literal["near", "exact", "off"],
        Flag("Quality", "Which duplicates of seeds and accepted records are refused."),
    ] = "near"

    # --- Models
    model: Annotated[str, Flag("Models", "Name of the model (else AIDE_MODEL).", "NAME")] = ""
    steps: Annotated[StepSpecs, Flag("Models", "Sampling and model of each step.", hidden=True)] = StepSpecs()
    prompts: Annotated[
        PathText | None, Flag("Models", "Folder whose prompt files go before the built-in ones.", "DIR")
    ] = None

    # --- Endpoint
    base_url: Annotated[
        tuple[str, ...],
        Flag("Endpoint", "Where the model is served; may be repeated; sim: is the built-in stand-in.", "URL"),
    ] = ()
    endpoints: Annotated[
        tuple[EndpointSpec, ...],
        Flag("Endpoint", "Several endpoints, each with its own settings.", hidden=True),
    ] = ()
    api_key_env: Annotated[str, Flag("Endpoint", "Environment variable that holds the key.", "NAME")] = (
        "OPENAI_API_KEY"
    )
    api_key_command: Annotated[
        str, Flag("Endpoint", "Command that prints the key (for keys that expire).", "CMD")
    ] = ""
    concurrency: Annotated[
        int | None,
        Field(ge=1),
        Flag("Endpoint", "Most calls in flight (unset: 64, or 4 for Ollama and LM Studio).", "N"),
    ] = None
    rpm: Annotated[int | None, Field(ge=1), Flag("Endpoint", "Most requests a minute.", "N")] = None
    tpm: Annotated[int | None, Field(ge=1), Flag("Endpoint", "Most tokens a minute.", "N")] = None
    timeout: Annotated[float, Field(gt=0), Flag("Endpoint", "Seconds to wait for one answer.", "S")] = 600.0
    endpoint_patience: Annotated[
        float, Field(ge=0), Flag("Endpoint", "Seconds without any answer after which the run stops.", "S")
    ] = 300.0
    extra: Annotated[dict[str, Any], Flag("Endpoint", "Further fields of each request.", "JSON")] = {}
    headers: Annotated[dict[str, str], Flag("Endpoint", "Further headers of each request.", hidden=True)] = {}
    query: Annotated[dict[str, str], Flag("Endpoint", "Query string of each request.", hidden=True)] = {}

    # --- Budget
    max_calls: Annotated[
        int | None, Field(ge=0), Flag("Budget", "Most calls, over all runs of the folder.", "N")
    ] = None
    max_total_tokens: Annotated[
        int | None, Field(ge=0), Flag("Budget", "Most tokens, over all runs of the folder.", "N")
    ] = None
    max_cost: Annotated[
        float | None, Field(ge=0), Flag("Budget", "Most US dollars, over all runs of the folder.", "USD")
    ] = None
    max_cost_per_run: Annotated[
        float | None, Field(ge=0), Flag("Budget", "Most US dollars for this run.", "USD")
    ] = None
    max_minutes: Annotated[float | None, Field(ge=0), Flag("Budget", "Most minutes for this run.", "M")] = (
        None
    )
    price: Annotated[
        Price | None, Flag("Budget", "US dollars per million tokens, for models not in [prices].", "IN/OUT")
    ] = None
    prices: Annotated[dict[str, Price], Flag("Budget", "Prices by model name.", hidden=True)] = {}
    expect_yield: Annotated[
        float | None,
        Field(gt=0, le=1),
        Flag("Budget", "Share of candidates that the estimate takes as accepted.", "SHARE"),
    ] = None
    yes: Annotated[bool, Flag("Budget", "Do not ask before spending.")] = False

    # --- Seed files
    encoding: Annotated[
        str, Flag("Seed files", "Encoding of the seed files (unset: UTF-8, or by their mark).", "E")
    ] = ""
    input_field: Annotated[
        tuple[str, ...], Flag("Seed files", "Field that holds the input; may be repeated.", "F")
    ] = ()
    output_field: Annotated[str, Flag("Seed files", "Field that holds the output.", "F")] = ""
    choices_field: Annotated[str, Flag("Seed files", "Field that holds the options.", "F")] = ""
    keep: Annotated[
        tuple[str, ...],
        Flag("Seed files", "Field that is a fixed part and never rewritten; may be repeated.", "F"),
    ] = ()
    input_pattern: Annotated[
        str, Flag("Seed files", "Regular expression whose named groups split one input into parts.", "REGEX")
    ] = ""
    skip_bad: Annotated[bool, Flag("Seed files", "Go on without the lines that can't be used.")] = False

    # --- Running
    run_dir: Annotated[
        PathText | None, Flag("Running", "Run folder where records go to stdout (-o -).", "DIR")
    ] = None
    shard_size: Annotated[int, Field(ge=1), Flag("Running", "Lines of one output file.")] = 1000
    lock_wait: Annotated[
        float, Field(ge=0), Flag("Running", "Seconds to wait for another run of the folder.", "S")
    ] = 0.0
    adopt: Annotated[bool, Flag("Running", "Go on in a folder that was begun with other prompts.")] = False
    reuse: Annotated[
        PathText | None, Flag("Running", "Take answers to identical calls from this run folder.", "DIR")
    ] = None
    retry_failed: Annotated[bool, Flag("Running", "Try again what failed in an earlier run.")] = False
    quiet: Annotated[bool, Flag("Running", "Print errors only.")] = False
    log_format: Annotated[Literal["text", "json"], Flag("Running", "Form of the log lines.")] = "text"

    @model_validator(mode="after")
    def _grows_something(self) -> Self:
        if not self.personas and not (self.operations and (self.attributes or self.graph_triples)):
            raise ValueError(
                "nothing can grow: no personas, and no operations with attributes to apply them to"
            )
        return self

    def graph(self, *, fixed: bool) -> int:
        """Triples of graph expansion; `fixed` says that the task has fixed labels or fixed parts."""
        if self.graph_triples is not None:
            return self.graph_triples
        return 0 if fixed else GRAPH_TRIPLES

    def goal(self, seeds: int) -> int | None:
        """How many records are wanted from so many seeds; `None` is the whole tree."""
        if self.per_seed is not None:
            return self.per_seed * seeds
        return None if self.target == "all" else self.target

    def served_by(self) -> tuple[EndpointSpec, ...]:
        """All endpoints with nothing left open: key, model, ceiling, headers and query filled from the run's own."""
        plain = tuple(EndpointSpec(base_url=url) for url in self.base_url)
        return tuple(
            self._complete(number, each) for number, each in enumerate((*plain, *self.endpoints), start=1)
        )

    def _complete(self, number: int, each: EndpointSpec) -> EndpointSpec:
        parts = urlsplit(each.base_url)
        ceiling = (
            each.concurrency or self.concurrency or (SMALL_CEILING if parts.port in SMALL_PORTS else CEILING)
        )
        keyed = bool(each.api_key_env or each.api_key_command)
        return each.model_copy(
            update={
                "name": each.name or f"{number}:{parts.netloc or parts.scheme}",
                "model": each.model or self.model,
                "api_key_env": each.api_key_env if keyed else self.api_key_env,
                "api_key_command": each.api_key_command if keyed else self.api_key_command,
                "concurrency": ceiling,
                "rpm": each.rpm or self.rpm,
                "tpm": each.tpm or self.tpm,
                "headers": {**self.headers, **each.headers},
                "query": {**self.query, **each.query},
            }
        )

    def step(self, name: str) -> StepSpec:
        """How the step samples, its model filled in; raises `KeyError` for a step that there is not."""
        if name not in StepSpecs.model_fields:
            raise KeyError(name)
        step: StepSpec = getattr(self.steps, name)
        return step if step.model else step.model_copy(update={"model": self.model})

    def price_of(self, model: str) -> Price | None:
        """The price of a model, from the table before `--price`; `None` where nobody told."""
        return self.prices.get(model, self.price)

    def as_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values; `RunSpec(**…)` is the inverse."""
        return self.model_dump(mode="json")

    def fingerprint(self, content: Mapping[str, str] | None = None) -> dict[str, str]:
        """What makes a run this run: dotted names of all identifying settings, each value as JSON text.

        `content` adds the hashes of files that settings only point at (prompts, persona bank).
        """
        plain = self.as_dict()
        table = {name: value for field in IDENTITY for name, value in _flat(field, plain[field])}
        return {**table, **(content or {})}


IDENTITY: Final = (
    "task", "format", "labels", "demonstrations",
    "residual_after", "attributes", "graph_triples", "operations", "personas", "personas_from", "balance", "seed",
    "reflection", "min_relevance", "min_diversity", "max_revisions", "duplicates",
    "model", "steps", "extra",
    "keep", "input_pattern",
)  # fmt: skip

_WHERE = "where a call goes changes nothing in its logical content"
_EXTENSION = "an extension: only the difference is paid for"
_HERE = "concerns this invocation only"
_SEEDS = "seen in the ids of the seeds, which are hashes of their content"

EXCLUDED: Final[Mapping[str, str]] = {
    "contexts": _EXTENSION, "hops": _EXTENSION, "target": _EXTENSION, "per_seed": _EXTENSION,
    "persona_file": "a path; the hash of its content is added by whoever reads it",
    "prompts": "a path; the hashes of the prompts are added by whoever reads them",
    "base_url": _WHERE, "endpoints": _WHERE, "api_key_env": _WHERE, "api_key_command": _WHERE,
    "concurrency": _WHERE, "rpm": _WHERE, "tpm": _WHERE, "timeout": _WHERE, "endpoint_patience": _WHERE,
    "headers": _WHERE, "query": _WHERE,
    "max_calls": _EXTENSION, "max_total_tokens": _EXTENSION, "max_cost": _EXTENSION,
    "max_cost_per_run": _EXTENSION, "max_minutes": _EXTENSION,
    "price": "counts money, changes no record", "prices": "counts money, changes no record",
    "expect_yield": "an estimate only", "yes": _HERE,
    "encoding": _SEEDS, "input_field": _SEEDS, "output_field": _SEEDS, "choices_field": _SEEDS, "skip_bad": _SEEDS,
    "run_dir": _HERE, "shard_size": "how lines are laid out in files", "lock_wait": _HERE, "adopt": _HERE,
    "reuse": "answers to identical calls are identical", "retry_failed": _HERE, "quiet": _HERE, "log_format": _HERE,
}  # fmt: skip


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """One line for each setting in which two fingerprints differ; empty where they agree.

    A name that `old` lacks, because an older version wrote it, stands for the default of today.
    """
    defaults = RunSpec().fingerprint()
    lines = []
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, defaults.get(name)), new.get(name)
        if was != now:
            lines.append(f"{name} was {_told(was)}, is {_told(now)}")
    return lines


def flag_of(name: str) -> Flag:
    """The `Flag` of a field of `RunSpec`."""
    return next(each for each in RunSpec.model_fields[name].metadata if isinstance(each, Flag))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flat(f"{name}.{key}", value[key])
    else:
        yield name, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _told(value: str | None) -> str:
    return "not there" if value is None else "unset" if value in ("null", '""', "[]", "{}") else value
