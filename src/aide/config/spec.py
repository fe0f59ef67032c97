"""`RunSpec`: everything a run was asked to do, complete, frozen and checked.

One field is one setting: its type and bounds, its default, its help and its place on the command line stand
together, and options, config files and `aide config` are derived from it. Whoever holds a `RunSpec` needs no
defaults of their own.

To add a setting: one field here, and its name in `IDENTITY` (it changes what a run produces) or in `EXCLUDED`
(with the reason why a folder may go on under another value).
"""

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from aide.config.fingerprint import EXCLUDED, IDENTITY, compare_fingerprints, compute_fingerprint
from aide.config.values import SIMULATOR, EndpointSpec, Flag, Frozen, PathText, Price, StepSpec, StepSpecs
from aide.records import OPERATIONS

SIMULATOR_MODEL: Final = "simulator"
GRAPH_TRIPLES: Final = 2
EMBED: Final = "embed"  # the one step that is no chat: its model is that of --embeddings

GROUPS: Final = {
    "task": "The task", "tree": "The tree", "quality": "Quality", "models": "Models", "endpoint": "Endpoint",
    "request": "Endpoint", "budget": "Budget", "seeds": "Seed files", "running": "Running",
}  # fmt: skip


class RunSpec(Frozen):
    """What a run was asked to do. Grouped as in `aide expand --help`."""

    # --- The task
    task: Annotated[str, Flag("task", "One sentence that says what the task is.", "TEXT")] = ""
    format: Annotated[
        Literal["auto", "open", "free_text", "multiple_choice", "yes_no", "classification", "code"],
        Flag("task", "Form of the output; auto finds it from the seeds."),
    ] = "auto"
    labels: Annotated[
        tuple[str, ...],
        Flag(
            "task",
            "The closed set of labels, or a file with one a line, `name: description`.",
            "A,B|FILE",
            commas=True,
        ),
    ] = ()
    contexts: Annotated[
        tuple[PathText, ...], Flag("task", "More fixed parts (documents) to ask about.", "FILE")
    ] = ()
    demonstrations: Annotated[
        int, Field(ge=0, le=20), Flag("task", "How many seeds each prompt shows as examples.")
    ] = 3

    # --- The tree
    hops: Annotated[int, Field(ge=1, le=50), Flag("tree", "How many hops to walk from each seed.")] = 2
    target: Annotated[
        Annotated[int, Field(ge=0)] | Literal["all"],
        Flag("tree", "How many records to accept; all takes the whole tree.", "N|all"),
    ] = 1000
    per_seed: Annotated[
        int | None,
        Field(ge=0),
        Flag(
            "tree",
            "A target for each seed, so that the whole grows with the seeds; replaces --target.",
            "N",
        ),
    ] = None
    residual_after: Annotated[
        int, Field(ge=0), Flag("tree", "Past this hop the prompt also carries the seed.")
    ] = 1
    residual: Annotated[
        Literal["fixed", "adaptive"],
        Flag(
            "tree",
            "The seed past a fixed hop, or wherever the parent has drifted past the seeds' own spread.",
        ),
    ] = "fixed"
    attributes: Annotated[
        int, Field(ge=0, le=20), Flag("tree", "Knowledge attributes taken from a data point.")
    ] = 3
    graph_triples: Annotated[
        int | None,
        Field(ge=0, le=20),
        Flag(
            "tree",
            "Triples added by graph expansion (unset: 2, or 0 for fixed labels and fixed parts).",
            "N",
        ),
    ] = None
    operations: Annotated[
        tuple[str, ...], Flag("tree", "The operations applied to each attribute.", "A,B,…", commas=True)
    ] = OPERATIONS
    personas: Annotated[int, Field(ge=0, le=100), Flag("tree", "Personas for each data point.")] = 5
    personas_from: Annotated[
        Literal["model", "bank"],
        Flag("tree", "Personas written by the model for each topic, or ranked from a bank."),
    ] = "model"
    persona_file: Annotated[
        PathText | None, Flag("tree", "Your own bank: JSONL with `persona`, or plain lines.", "FILE")
    ] = None
    siblings: Annotated[
        Literal["apart", "told"],
        Flag(
            "tree", "Children of one parent know nothing of each other, or are told what the others take up."
        ),
    ] = "apart"
    balance: Annotated[
        Literal["uniform", "seeds", "none"],
        Flag("tree", "Labels in equal shares, in the shares of the seeds, or as they come."),
    ] = "uniform"
    seed: Annotated[int, Flag("tree", "Another number gives another selection from the same tree.")] = 0

    # --- Quality
    reflection: Annotated[
        bool, Flag("quality", "Let the judge grade each record and refuse what falls short.")
    ] = True
    min_relevance: Annotated[
        int, Field(ge=1, le=10), Flag("quality", "Least grade of relevance to the seed, 1 to 10.")
    ] = 7
    min_diversity: Annotated[
        int, Field(ge=1, le=10), Flag("quality", "Least grade of diversity from the parent, 1 to 10.")
    ] = 5
    max_revisions: Annotated[
        int,
        Field(ge=0, le=20),
        Flag("quality", "How often a record that falls short is rewritten with the critique."),
    ] = 1
    answer: Annotated[
        Literal["separate", "joint"],
        Flag(
            "quality",
            "Answers in calls of their own, or written together with the input where the format allows it.",
        ),
    ] = "separate"
    duplicates: Annotated[
        Literal["near", "exact", "off"],
        Flag("quality", "Which duplicates of seeds and accepted records are refused."),
    ] = "near"
    embeddings: Annotated[
        str,
        Flag("quality", "Embedding model, at the same endpoint: refuses what means the same, too.", "MODEL"),
    ] = ""
    avoid: Annotated[
        tuple[PathText, ...],
        Flag("quality", "Test sets that no record may give away; may be repeated.", "FILE"),
    ] = ()
    agreement: Annotated[
        str,
        Flag("quality", "Answers that must agree, K of at most N; auto is 2/3 for worked answers.", "K/N"),
    ] = "auto"
    run_code: Annotated[
        bool, Flag("quality", "Run solutions against their tests, in a sandbox without network.")
    ] = False
    exam: Annotated[bool, Flag("quality", "Try model and judge on the seeds first, three calls a seed.")] = (
        True
    )
    min_exam: Annotated[
        float | None,
        Field(ge=0, le=1),
        Flag("quality", "Least share of the seeds that the model must answer as they are.", "SHARE"),
    ] = None

    # --- Models
    model: Annotated[str, Flag("models", "Name of the model (else AIDE_MODEL).", "NAME")] = ""
    steps: Annotated[StepSpecs, Flag("models", "Sampling and model of each step.", hidden=True)] = StepSpecs()
    prompts: Annotated[
        PathText | None, Flag("models", "Folder whose prompt files go before the built-in ones.", "DIR")
    ] = None

    # --- Endpoint
    base_url: Annotated[
        tuple[str, ...],
        Flag("endpoint", "Where the model is served; may be repeated; sim: is the built-in stand-in.", "URL"),
    ] = ()
    endpoints: Annotated[
        tuple[EndpointSpec, ...],
        Flag("endpoint", "Several endpoints, each with its own settings.", hidden=True),
    ] = ()
    api_key_env: Annotated[str, Flag("endpoint", "Environment variable that holds the key.", "NAME")] = (
        "OPENAI_API_KEY"
    )
    api_key_command: Annotated[
        str, Flag("endpoint", "Command that prints the key (for keys that expire).", "CMD")
    ] = ""
    concurrency: Annotated[
        int | None,
        Field(ge=1),
        Flag("endpoint", "Calls in flight, from the start (unset: found out, up to 64).", "N"),
    ] = None
    rpm: Annotated[int | None, Field(ge=1), Flag("endpoint", "Most requests a minute.", "N")] = None
    tpm: Annotated[int | None, Field(ge=1), Flag("endpoint", "Most tokens a minute.", "N")] = None
    timeout: Annotated[float, Field(gt=0), Flag("endpoint", "Seconds to wait for one answer.", "S")] = 600.0
    endpoint_patience: Annotated[
        float, Field(ge=0), Flag("endpoint", "Seconds without any answer after which the run stops.", "S")
    ] = 300.0
    extra: Annotated[dict[str, Any], Flag("request", "Further fields of each request.", "JSON")] = Field(
        default_factory=dict
    )
    headers: Annotated[dict[str, str], Flag("request", "Further headers of each request.", hidden=True)] = (
        Field(default_factory=dict)
    )
    query: Annotated[dict[str, str], Flag("request", "Query string of each request.", hidden=True)] = Field(
        default_factory=dict
    )

    # --- Budget
    max_calls: Annotated[
        int | None, Field(ge=0), Flag("budget", "Most calls, over all runs of the folder.", "N")
    ] = None
    max_total_tokens: Annotated[
        int | None, Field(ge=0), Flag("budget", "Most tokens, over all runs of the folder.", "N")
    ] = None
    max_cost: Annotated[
        float | None, Field(ge=0), Flag("budget", "Most US dollars, over all runs of the folder.", "USD")
    ] = None
    max_cost_per_run: Annotated[
        float | None, Field(ge=0), Flag("budget", "Most US dollars for this run.", "USD")
    ] = None
    max_minutes: Annotated[float | None, Field(ge=0), Flag("budget", "Most minutes for this run.", "M")] = (
        None
    )
    price: Annotated[
        Price | None,
        Flag("budget", "US dollars per million tokens, for models that the price table lacks.", "IN/OUT"),
    ] = None
    prices: Annotated[dict[str, Price], Flag("budget", "Prices by model name.", hidden=True)] = Field(
        default_factory=dict
    )
    expect_yield: Annotated[
        float | None,
        Field(gt=0, le=1),
        Flag("budget", "Share of candidates that the estimate takes as accepted.", "SHARE"),
    ] = None
    yes: Annotated[bool, Flag("budget", "Do not ask before spending.")] = False

    # --- Seed files
    encoding: Annotated[
        str, Flag("seeds", "Encoding of the seed files (unset: UTF-8, or by their mark).", "E")
    ] = ""
    input_field: Annotated[
        tuple[str, ...], Flag("seeds", "Field that holds the input; may be repeated.", "F")
    ] = ()
    output_field: Annotated[str, Flag("seeds", "Field that holds the output.", "F")] = ""
    choices_field: Annotated[str, Flag("seeds", "Field that holds the options.", "F")] = ""
    keep: Annotated[
        tuple[str, ...],
        Flag("seeds", "Field that is a fixed part and never rewritten; may be repeated.", "F"),
    ] = ()
    input_pattern: Annotated[
        str, Flag("seeds", "Regular expression whose named groups split one input into parts.", "REGEX")
    ] = ""
    skip_bad: Annotated[bool, Flag("seeds", "Go on without the lines that can't be used.")] = False

    # --- Running
    run_dir: Annotated[
        PathText | None, Flag("running", "Run folder where records go to stdout (-o -).", "DIR")
    ] = None
    shard_size: Annotated[int, Field(ge=1), Flag("running", "Lines of one output file.")] = 1000
    lock_wait: Annotated[
        float, Field(ge=0), Flag("running", "Seconds to wait for another run of the folder.", "S")
    ] = 0.0
    adopt: Annotated[bool, Flag("running", "Go on in a folder that was begun with other prompts.")] = False
    reuse: Annotated[
        PathText | None, Flag("running", "Take answers to identical calls from this run folder.", "DIR")
    ] = None
    retry_failed: Annotated[bool, Flag("running", "Try again what failed in an earlier run.")] = False
    quiet: Annotated[bool, Flag("running", "Print errors only.")] = False
    log_format: Annotated[Literal["text", "json"], Flag("running", "Form of the log lines.")] = "text"

    @field_validator("input_pattern")
    @classmethod
    def _names_parts(cls, pattern: str) -> str:
        try:
            named = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        if pattern and not named:
            raise ValueError("has no named group; name each part, such as (?P<question>.*)")
        return pattern

    @field_validator("agreement")
    @classmethod
    def _is_a_quorum(cls, agreement: str) -> str:
        needed, slash, most = agreement.partition("/")
        numbers = slash and needed.isdecimal() and most.isdecimal()
        if agreement in ("auto", "off") or (numbers and 1 <= int(needed) <= int(most) <= 20):
            return agreement
        raise ValueError("is auto, off, or K/N with K at most N, such as 2/3")

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name if encoding else ""
        except LookupError as error:
            raise ValueError(f"names no encoding: {encoding}") from error

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
        """All endpoints with nothing left open: what they leave empty is taken from the run."""
        plain = tuple(EndpointSpec(base_url=url) for url in self.base_url)
        return tuple(
            self._complete(number, each) for number, each in enumerate((*plain, *self.endpoints), start=1)
        )

    def _complete(self, number: int, each: EndpointSpec) -> EndpointSpec:
        parts = urlsplit(each.base_url)
        keyed = bool(each.api_key_env or each.api_key_command)
        return each.model_copy(
            update={
                "name": each.name or f"{number}:{parts.netloc or parts.scheme}",
                "model": each.model or self.model,
                "api_key_env": each.api_key_env if keyed else self.api_key_env,
                "api_key_command": each.api_key_command if keyed else self.api_key_command,
                "concurrency": each.concurrency or self.concurrency,
                "rpm": each.rpm or self.rpm,
                "tpm": each.tpm or self.tpm,
                "headers": {**self.headers, **each.headers},
                "query": {**self.query, **each.query},
            }
        )

    def step(self, name: str) -> StepSpec:
        """How the step samples, its model filled in; raises `KeyError` for a step that there is not."""
        if name == EMBED:
            return StepSpec(model=self.embeddings)
        if name not in StepSpecs.model_fields:
            raise KeyError(name)
        step: StepSpec = getattr(self.steps, name)
        return step if step.model else step.model_copy(update={"model": self.model})

    @property
    def prechecked(self) -> bool:
        """True when model and judge are tried on the seeds first. The simulator knows no seed's answer and is not."""
        plain = all(each.simulated and "corpus=" not in each.base_url for each in self.served_by())
        return self.exam and not plain

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
        return compute_fingerprint(self.as_dict(), content or {})


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """One line for each setting in which two fingerprints differ; empty where they agree.

    A name that `old` lacks, because an older version wrote it, stands for the default of today.
    """
    return compare_fingerprints(old, new, RunSpec().fingerprint())


def get_flag(name: str) -> Flag:
    """The `Flag` of a field of `RunSpec`."""
    return next(each for each in RunSpec.model_fields[name].metadata if isinstance(each, Flag))


__all__ = [
    "EMBED", "EXCLUDED", "GROUPS", "IDENTITY", "SIMULATOR", "SIMULATOR_MODEL", "EndpointSpec", "Flag", "Price",
    "RunSpec", "StepSpec", "StepSpecs", "differences", "get_flag",
]  # fmt: skip
