"""`RunSpec`: everything a run was asked to do, complete, frozen and checked.

One field is one setting: its type and bounds, its default, its help and its place on the command line stand
together, and options, config files and `aide config` are derived from it. Whoever holds a `RunSpec` needs no
defaults of their own.

To add a setting: one field here, and its name in `fingerprint.IDENTITY` (it changes what a run produces) or in
`fingerprint.EXCLUDED` (with the reason why a folder may go on under another value).
"""

import codecs
import re
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from aide.config.values import SIMULATOR, EndpointSpec, Flag, Frozen, PathText, Price, StepSpec, StepSpecs
from aide.records import OPERATIONS, FormatName

SIMULATOR_MODEL: Final = "simulator"
# Triples of graph expansion. None with fixed labels or fixed parts: there the attributes must come from what
# stands, and added ones lead away from it.
GRAPH_TRIPLES: Final = 2
EMBED: Final = "embed"  # the step under which embeddings are counted; its model is that of --embeddings

GROUPS: Final = {
    "task": "The task", "tree": "The tree", "quality": "Quality", "models": "Models", "endpoint": "Endpoint",
    "request": "Endpoint", "budget": "Budget", "seeds": "Seed files", "running": "Running",
}  # fmt: skip


class RunSpec(Frozen):
    """What a run was asked to do. Grouped as in `aide expand --help`."""

    # --- The task
    task: Annotated[str, Flag("task", "One sentence that says what the task is.", "TEXT")] = ""
    format: Annotated[
        Literal["auto", FormatName],
        Flag("task", "Form of the output; auto recognises it from the seeds."),
    ] = "auto"
    labels: Annotated[
        tuple[str, ...],
        Flag(
            "task",
            "The closed set of labels, or a file of lines `name: description`.",
            "A,B|FILE",
            commas=True,
        ),
    ] = ()
    contexts: Annotated[
        tuple[PathText, ...], Flag("task", "More documents to ask about: further fixed parts.", "FILE")
    ] = ()
    demonstrations: Annotated[
        int, Field(ge=0, le=20), Flag("task", "Seeds that each prompt shows as examples.")
    ] = 6

    # --- The tree
    hops: Annotated[int, Field(ge=1, le=50), Flag("tree", "Hops to grow from each seed.")] = 2
    target: Annotated[
        Annotated[int, Field(ge=0)] | Literal["all"],
        Flag("tree", "Records to accept; all grows the whole tree.", "N|all"),
    ] = 1000
    per_seed: Annotated[
        int | None,
        Field(ge=0),
        Flag(
            "tree",
            "Records to accept for each seed, so that the total grows with the seeds; replaces --target.",
            "N",
        ),
    ] = None
    plain_share: Annotated[
        float,
        Field(ge=0, le=1),
        Flag("tree", "Share of plain records: the usual things, as most real examples are.", "SHARE"),
    ] = 0.6
    residual_after: Annotated[
        int, Field(ge=0), Flag("tree", "Beyond this hop the prompt also carries the seed.")
    ] = 1
    residual: Annotated[
        Literal["fixed", "adaptive", "off"],
        Flag(
            "tree",
            "Carry the seed beyond a fixed hop, or if the parent has drifted too far from it; or never.",
        ),
    ] = "fixed"
    attributes: Annotated[
        int, Field(ge=0, le=20), Flag("tree", "Knowledge attributes extracted from each parent.")
    ] = 3
    graph_triples: Annotated[
        int | None,
        Field(ge=0, le=20),
        Flag("tree", "Triples added by graph expansion (unset: 2, or 0 with fixed labels or parts).", "N"),
    ] = None
    operations: Annotated[
        tuple[str, ...], Flag("tree", "Operations that are applied to each attribute.", "A,B,…", commas=True)
    ] = OPERATIONS
    personas: Annotated[int, Field(ge=0, le=100), Flag("tree", "Personas for each parent.")] = 5
    personas_from: Annotated[
        Literal["model", "bank"],
        Flag("tree", "Personas written by the model for each topic, or chosen from a bank."),
    ] = "model"
    persona_file: Annotated[
        PathText | None, Flag("tree", "Your own bank: JSONL with `persona`, or one persona a line.", "FILE")
    ] = None
    siblings: Annotated[
        Literal["apart", "aware"],
        Flag(
            "tree", "Whether the prompt of a child that is written alone names what its siblings are about."
        ),
    ] = "apart"
    balance: Annotated[
        Literal["uniform", "seeds", "none"],
        Flag("tree", "Labels in equal shares, in the shares of the seeds, or in these but not enforced."),
    ] = "uniform"
    steer: Annotated[
        bool,
        Flag("tree", "Let the lengths so far correct those that are asked for next (not with --target all)."),
    ] = True
    together: Annotated[
        Annotated[int, Field(ge=1, le=40)] | Literal["auto"],
        Flag("tree", "Records that share a call; auto: as many as the model does well.", "N|auto"),
    ] = "auto"
    seed: Annotated[int, Flag("tree", "Another number selects other records from the same tree.")] = 0

    # --- Quality
    reflection: Annotated[
        bool, Flag("quality", "Have the judge grade each record and reject what falls short.")
    ] = True
    min_relevance: Annotated[
        int, Field(ge=1, le=10), Flag("quality", "Lowest accepted relevance to the task's examples, 1 to 10.")
    ] = 7
    min_diversity: Annotated[
        int,
        Field(ge=1, le=10),
        Flag("quality", "Lowest accepted diversity from the parent, 1 to 10."),
    ] = 5
    max_revisions: Annotated[
        int,
        Field(ge=0, le=20),
        Flag("quality", "How often a draft that falls short is rewritten with the judge's critique."),
    ] = 1
    answer: Annotated[
        Literal["separate", "joint"],
        Flag("quality", "Answers in separate calls, or joint with the input if the format allows it."),
    ] = "joint"
    duplicates: Annotated[
        Literal["near", "exact", "off"],
        Flag("quality", "Which duplicates of seeds and accepted records are rejected."),
    ] = "near"
    embeddings: Annotated[
        str,
        Flag("quality", "Embedding model at the same endpoint: also rejects what means the same.", "MODEL"),
    ] = ""
    avoid: Annotated[
        tuple[PathText, ...],
        Flag("quality", "Test set that no record may give away; repeatable.", "FILE"),
    ] = ()
    agreement: Annotated[
        str,
        Flag("quality", "Answers that must agree, K of at most N; auto: 2/3 for worked answers.", "K/N"),
    ] = "auto"
    keep_ambiguous: Annotated[
        bool, Flag("quality", "Keep records that a second label or option fits nearly as well.")
    ] = False
    run_code: Annotated[
        bool, Flag("quality", "Run solutions against their tests, in a sandbox without network.")
    ] = False
    exam: Annotated[
        bool, Flag("quality", "Precheck: try model and judge on the seeds, three calls a seed.")
    ] = True
    min_exam: Annotated[
        float | None,
        Field(ge=0, le=1),
        Flag("quality", "Share of seeds that the model must get right in the precheck.", "SHARE"),
    ] = None

    realism: Annotated[
        int,
        Field(ge=0, le=1000),
        Flag(
            "quality",
            "Records that are shown among seeds at the end, to see whether they can be told; 0 for none.",
            "N",
        ),
    ] = 16

    # --- Models
    model: Annotated[str, Flag("models", "Name of the model (unset: AIDE_MODEL).", "NAME")] = ""
    steps: Annotated[StepSpecs, Flag("models", "Model and sampling of each step.", hidden=True)] = StepSpecs()
    prompts: Annotated[
        PathText | None, Flag("models", "Folder with prompt files that replace the built-in ones.", "DIR")
    ] = None

    # --- Endpoint
    base_url: Annotated[
        tuple[str, ...],
        Flag("endpoint", "Address of the endpoint; repeatable; sim: is the built-in simulator.", "URL"),
    ] = ()
    endpoints: Annotated[
        tuple[EndpointSpec, ...],
        Flag("endpoint", "Several endpoints, each with its own settings.", hidden=True),
    ] = ()
    api_key_env: Annotated[str, Flag("endpoint", "Environment variable that holds the API key.", "NAME")] = (
        "OPENAI_API_KEY"
    )
    api_key_command: Annotated[
        str, Flag("endpoint", "Command that prints the API key, for keys that expire.", "CMD")
    ] = ""
    concurrency: Annotated[
        int | None,
        Field(ge=1),
        Flag("endpoint", "Calls in flight, from the start (unset: adapted to the endpoint, up to 64).", "N"),
    ] = None
    rpm: Annotated[int | None, Field(ge=1), Flag("endpoint", "Maximum requests a minute.", "N")] = None
    tpm: Annotated[int | None, Field(ge=1), Flag("endpoint", "Maximum tokens a minute.", "N")] = None
    timeout: Annotated[float, Field(gt=0), Flag("endpoint", "Seconds to wait for one answer.", "S")] = 600.0
    endpoint_patience: Annotated[
        float, Field(ge=0), Flag("endpoint", "Stop after so many seconds without any answer.", "S")
    ] = 300.0
    extra: Annotated[dict[str, Any], Flag("request", "Extra fields of each request.", "JSON")] = Field(
        default_factory=dict
    )
    headers: Annotated[dict[str, str], Flag("request", "Extra headers of each request.", hidden=True)] = (
        Field(default_factory=dict)
    )
    query: Annotated[dict[str, str], Flag("request", "Query string of each request.", hidden=True)] = Field(
        default_factory=dict
    )

    # --- Budget
    max_calls: Annotated[
        int | None, Field(ge=0), Flag("budget", "Maximum calls, over all runs of the folder.", "N")
    ] = None
    max_total_tokens: Annotated[
        int | None, Field(ge=0), Flag("budget", "Maximum tokens, over all runs of the folder.", "N")
    ] = None
    max_cost: Annotated[
        float | None,
        Field(ge=0),
        Flag("budget", "Maximum US dollars, over all runs of the folder.", "USD"),
    ] = None
    max_cost_per_run: Annotated[
        float | None, Field(ge=0), Flag("budget", "Maximum US dollars of this run.", "USD")
    ] = None
    max_minutes: Annotated[float | None, Field(ge=0), Flag("budget", "Maximum minutes of this run.", "M")] = (
        None
    )
    price: Annotated[
        Price | None,
        Flag("budget", "US dollars per million tokens, for models missing from the price table.", "IN/OUT"),
    ] = None
    prices: Annotated[dict[str, Price], Flag("budget", "Prices by model name.", hidden=True)] = Field(
        default_factory=dict
    )
    expect_yield: Annotated[
        float | None,
        Field(gt=0, le=1),
        Flag("budget", "Share of candidates that the estimate assumes to be accepted.", "SHARE"),
    ] = None
    yes: Annotated[bool, Flag("budget", "Do not ask before spending.")] = False

    # --- Seed files
    encoding: Annotated[
        str, Flag("seeds", "Encoding of the seed files (unset: UTF-8, or by their byte order mark).", "E")
    ] = ""
    input_field: Annotated[
        tuple[str, ...], Flag("seeds", "Field that holds the input; repeatable.", "F")
    ] = ()
    output_field: Annotated[str, Flag("seeds", "Field that holds the output.", "F")] = ""
    choices_field: Annotated[str, Flag("seeds", "Field that holds the options.", "F")] = ""
    keep: Annotated[
        tuple[str, ...],
        Flag("seeds", "Field that is a fixed part, never rewritten; repeatable.", "F"),
    ] = ()
    input_pattern: Annotated[
        str, Flag("seeds", "Regular expression whose named groups split one input into parts.", "REGEX")
    ] = ""
    skip_bad: Annotated[bool, Flag("seeds", "Skip lines that can't be used, instead of stopping.")] = False

    # --- Running
    run_dir: Annotated[
        PathText | None, Flag("running", "Run folder when records go to stdout (-o -).", "DIR")
    ] = None
    shard_size: Annotated[int, Field(ge=1), Flag("running", "Lines in one output file.")] = 1000
    lock_wait: Annotated[
        float, Field(ge=0), Flag("running", "Seconds to wait for another run in the folder.", "S")
    ] = 0.0
    adopt: Annotated[bool, Flag("running", "Continue a folder that was started with other prompts.")] = False
    reuse: Annotated[
        PathText | None, Flag("running", "Take answers to identical calls from this run folder.", "DIR")
    ] = None
    retry_failed: Annotated[bool, Flag("running", "Try again what failed in an earlier run.")] = False
    quiet: Annotated[bool, Flag("running", "Print errors only.")] = False
    log_format: Annotated[Literal["text", "json"], Flag("running", "Format of the log lines.")] = "text"

    @field_validator("siblings", mode="before")
    @classmethod
    def _reads_the_old_word(cls, siblings: Any) -> Any:
        return "aware" if siblings == "told" else siblings  # as 0.1 had it

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

    def count_graph_triples(self, *, fixed: bool) -> int:
        """Triples of graph expansion; `fixed` says that the task has fixed labels or fixed parts."""
        if self.graph_triples is not None:
            return self.graph_triples
        return 0 if fixed else GRAPH_TRIPLES

    def compute_target(self, seeds: int) -> int | None:
        """How many records are wanted from so many seeds; `None` is the whole tree."""
        if self.per_seed is not None:
            return self.per_seed * seeds
        return None if self.target == "all" else self.target

    def list_endpoints(self) -> tuple[EndpointSpec, ...]:
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

    def get_step(self, name: str) -> StepSpec:
        """How the step samples, its model filled in; raises `KeyError` for a step that there is not."""
        if name == EMBED:
            return StepSpec(model=self.embeddings)
        if name not in StepSpecs.model_fields:
            raise KeyError(name)
        step: StepSpec = getattr(self.steps, name)
        judged = (
            self.steps.reflect.model if name == "realism" else ""
        )  # whoever grades also tells real from made
        return step if step.model else step.model_copy(update={"model": judged or self.model})

    @property
    def prechecked(self) -> bool:
        """True when model and judge are tried on the seeds first. The simulator knows no seed's answer and is not."""
        return self.exam and not self._simulated

    @property
    def measures_realism(self) -> bool:
        """True when some records are shown among seeds. The simulator's are no texts, and are not."""
        return bool(self.realism) and not self._simulated

    @property
    def _simulated(self) -> bool:
        return all(each.simulated for each in self.list_endpoints())

    def find_price(self, model: str) -> Price | None:
        """The price of a model, from the table before `--price`; `None` where it is unknown."""
        return self.prices.get(model, self.price)

    def as_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values; `RunSpec(**…)` is the inverse."""
        return self.model_dump(mode="json")


def get_flag(name: str) -> Flag:
    """The `Flag` of a field of `RunSpec`."""
    return next(each for each in RunSpec.model_fields[name].metadata if isinstance(each, Flag))


__all__ = [
    "EMBED", "GROUPS", "SIMULATOR", "SIMULATOR_MODEL", "EndpointSpec", "Flag", "Price",
    "RunSpec", "StepSpec", "StepSpecs", "get_flag",
]  # fmt: skip
