"""The settings of a run, one field each: type and bounds, default, help and place on the command line together.

Options, config files and `aide config` are derived from these fields.

To add a setting: one field here, and its name in `fingerprint.IDENTITY` (it changes what a run produces) or in
`fingerprint.EXCLUDED` (with the reason why a folder may go on under another value).
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from aide.config.values import EndpointSpec, Flag, Frozen, PathText, Price, StepSpecs
from aide.records import OPERATIONS, FormatName

GROUPS: Final = {
    "task": "The task", "tree": "The tree", "quality": "Quality", "models": "Models", "endpoint": "Endpoint",
    "request": "Endpoint", "budget": "Budget", "seeds": "Seed files", "running": "Running",
}  # fmt: skip

METHOD: Final = "aide"
"""The recipe of the paper, and the default."""
METHOD_SETTINGS: Final = frozenset({
    "hops", "plain_share", "residual_after", "residual", "attributes", "graph_triples", "operations", "personas",
    "personas_from", "persona_file", "siblings", "steer", "min_diversity",
})  # fmt: skip
"""Settings of that recipe, of which others may heed some."""
RECIPE_SETTINGS: Final = METHOD_SETTINGS | frozenset[str]()
"""Settings that a recipe must name to heed them, those of single recipes included; given with another, they are
refused."""


class RunSettings(Frozen):
    """All settings, grouped as in `aide expand --help`."""

    # --- The task
    task: Annotated[str, Flag("task", "One sentence that says what the task is.", "TEXT")] = ""
    format: Annotated[
        Literal["auto", FormatName], Flag("task", "Form of the output; auto recognises it from the seeds.")
    ] = "auto"
    labels: Annotated[
        tuple[str, ...],
        Flag(
            "task", "Closed set of labels, or a file of lines `name: description`.", "A,B|FILE", commas=True
        ),
    ] = ()
    label_separator: Annotated[
        str,
        Flag("task", "What stands between several labels of one output; unset: found with --labels.", "TEXT"),
    ] = ""
    output_schema: Annotated[
        PathText | None, Flag("task", "JSON Schema of the outputs; unset: inferred from the seeds.", "FILE")
    ] = None
    agree_on: Annotated[
        tuple[str, ...],
        Flag("task", "Fields of JSON outputs in which independent answers must agree.", "F,…", commas=True),
    ] = ()
    contexts: Annotated[
        tuple[PathText, ...],
        Flag("task", "More documents to ask about: further fixed parts; files and folders.", "PATH"),
    ] = ()
    knowledge: Annotated[
        tuple[PathText, ...], Flag("task", "Passages; the best few stand beside answer and judge.", "PATH")
    ] = ()
    demonstrations: Annotated[
        int, Field(ge=0, le=20), Flag("task", "Seeds that each prompt shows as examples.")
    ] = 6
    new_labels: Annotated[
        Literal["ignore", "add", "stop"],
        Flag(
            "task",
            "Seeds that came later with a label that the card lacks: they wait, extend it, or stop the run.",
        ),
    ] = "ignore"
    card_only: Annotated[
        bool,
        Flag("task", "Stop after the checked task card, to edit it; the same command without it goes on."),
    ] = False
    card: Annotated[
        PathText | None, Flag("task", "Task card to begin with, or a run folder that has one.", "FILE")
    ] = None

    # --- The tree
    recipe: Annotated[str, Flag("tree", "The way to grow; `aide recipes` lists them.", "NAME")] = METHOD
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
        tuple[str, ...],
        Flag(
            "tree",
            "Operations that are applied to each attribute; domain, which leaves the seeds' domains, may be added.",
            "A,B,…",
            commas=True,
        ),
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
    random_seed: Annotated[int, Flag("tree", "Another number selects other records from the same tree.")] = 0

    # --- Quality
    reflection: Annotated[
        bool, Flag("quality", "Have the judge grade each record and reject what falls short.")
    ] = True
    min_relevance: Annotated[
        int, Field(ge=1, le=10), Flag("quality", "Lowest accepted relevance to the task's examples, 1 to 10.")
    ] = 7
    min_diversity: Annotated[
        int, Field(ge=1, le=10), Flag("quality", "Lowest accepted diversity from the parent, 1 to 10.")
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
    reasoning: Annotated[
        Literal["auto", "keep", "drop"],
        Flag("quality", "What the model thinks before an answer; auto keeps it where the seeds have such."),
    ] = "auto"
    duplicates: Annotated[
        Literal["near", "exact", "off"],
        Flag("quality", "Which duplicates of seeds and accepted records are rejected."),
    ] = "near"
    embeddings: Annotated[
        str, Flag("quality", "Embedding model: also rejects what means the same.", "MODEL")
    ] = ""
    embeddings_url: Annotated[
        str, Flag("quality", "Endpoint of the embedding model, where it is not that of the run.", "URL")
    ] = ""
    meaning_threshold: Annotated[
        float | None,
        Field(gt=0, le=1),
        Flag(
            "quality",
            "Cosine from which two texts mean the same (unset: learned for the model, and plain records may).",
            "COSINE",
        ),
    ] = None
    avoid: Annotated[
        tuple[PathText, ...], Flag("quality", "Test set that no record may give away; repeatable.", "FILE")
    ] = ()
    agreement: Annotated[
        str, Flag("quality", "Answers that must agree, K of at most N; auto: 2/3 for worked answers.", "K/N")
    ] = "auto"
    keep_ambiguous: Annotated[
        bool, Flag("quality", "Keep records that a second label or option fits nearly as well.")
    ] = False
    run_code: Annotated[
        bool, Flag("quality", "Run solutions against their tests, and SQL, in a sandbox without network.")
    ] = False
    exam: Annotated[
        bool, Flag("quality", "Precheck: try model and judge on the seeds, three calls a seed.")
    ] = True
    min_exam: Annotated[
        float | None,
        Field(ge=0, le=1),
        Flag("quality", "Share of seeds that the model must get right in the precheck.", "SHARE"),
    ] = None
    human: Annotated[
        tuple[PathText, ...],
        Flag(
            "quality",
            "Examples that people wrote: the records are measured beside them, too; repeatable.",
            "FILE",
        ),
    ] = ()
    realism: Annotated[
        int,
        Field(ge=0, le=1000),
        Flag(
            "quality",
            "Records that are shown among seeds at the end, to see whether they can be told; 0 for none.",
            "N",
        ),
    ] = 12
    guard: Annotated[
        bool,
        Flag(
            "quality",
            "Stop when 48 candidates in a row were refused, or half of the seeds give no attributes.",
        ),
    ] = True

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
    tier: Annotated[
        tuple[str, ...],
        Flag(
            "endpoint",
            "Tier of service: flex is cheaper and slower; flex,standard falls back if flex has no capacity.",
            "NAME",
            commas=True,
        ),
    ] = ()
    batch: Annotated[
        str,
        Flag(
            "endpoint",
            "Send calls in batches, at half the price and within a day: --batch to the endpoint, or "
            "--batch files:DIR for `vllm run-batch`.",
            "[files:DIR]",
        ),
    ] = ""
    batch_min: Annotated[
        int, Field(ge=1), Flag("endpoint", "Fewer calls than this go out one by one.", "N")
    ] = 20
    batch_wait: Annotated[
        float,
        Field(ge=0),
        Flag("endpoint", "Seconds to wait for batches, instead of ending with exit 7.", "S"),
    ] = 0.0
    timeout: Annotated[float, Field(gt=0), Flag("endpoint", "Seconds to wait for one answer.", "S")] = 600.0
    endpoint_patience: Annotated[
        float, Field(ge=0), Flag("endpoint", "Stop after so many seconds without any answer.", "S")
    ] = 300.0
    drain_seconds: Annotated[
        float,
        Field(ge=0),
        Flag("endpoint", "Seconds to wait for answers under way once the run is interrupted.", "S"),
    ] = 30.0
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
        float | None, Field(ge=0), Flag("budget", "Maximum US dollars, over all runs of the folder.", "USD")
    ] = None
    max_cost_per_run: Annotated[
        float | None, Field(ge=0), Flag("budget", "Maximum US dollars of this run.", "USD")
    ] = None
    max_minutes: Annotated[float | None, Field(ge=0), Flag("budget", "Maximum minutes of this run.", "M")] = (
        None
    )
    price: Annotated[
        Price | None,
        Flag("budget", "US dollars per million tokens (unset: list prices of well-known models).", "IN/OUT"),
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
    header: Annotated[
        bool | None, Flag("seeds", "The first row of a table names its columns (unset: where it looks so).")
    ] = None
    sheet: Annotated[str, Flag("seeds", "Sheet of an Excel workbook (unset: the only one).", "NAME")] = ""
    input_field: Annotated[
        tuple[str, ...], Flag("seeds", "Field that holds the input; repeatable.", "F")
    ] = ()
    output_field: Annotated[str, Flag("seeds", "Field that holds the output.", "F")] = ""
    choices_field: Annotated[str, Flag("seeds", "Field that holds the options.", "F")] = ""
    keep: Annotated[
        tuple[str, ...], Flag("seeds", "Field that is a fixed part, never rewritten; repeatable.", "F")
    ] = ()
    meta: Annotated[
        tuple[str, ...],
        Flag("seeds", "Field that new records take over from their seed as it is; repeatable.", "F"),
    ] = ()
    input_pattern: Annotated[
        str, Flag("seeds", "Regular expression whose named groups split one input into parts.", "REGEX")
    ] = ""
    skip_bad: Annotated[bool, Flag("seeds", "Skip lines that can't be used, instead of stopping.")] = False
    answer_missing: Annotated[
        bool, Flag("seeds", "Answer chats that end with the user's turn, which are refused otherwise.")
    ] = False

    # --- Running
    partition: Annotated[str, Flag("running", "Grow part I (from 0) of N, below -o DIR.", "I/N")] = ""
    run_dir: Annotated[
        PathText | None, Flag("running", "Run folder when records go to stdout (-o -).", "DIR")
    ] = None
    shard_size: Annotated[int, Field(ge=1), Flag("running", "Lines in one output file.")] = 1000
    lock_wait: Annotated[
        float, Field(ge=0), Flag("running", "Seconds to wait for another run in the folder.", "S")
    ] = 0.0
    adopt: Annotated[
        bool, Flag("running", "Continue a folder that was started with other prompts or another --extra.")
    ] = False
    reuse: Annotated[
        PathText | None, Flag("running", "Take answers to identical calls from this run folder.", "DIR")
    ] = None
    retry_failed: Annotated[bool, Flag("running", "Try again what failed in an earlier run.")] = False
    progress: Annotated[
        Literal["auto", "plain", "off"],
        Flag(
            "running", "Progress as a live picture on a terminal and else in lines; always in lines; or not."
        ),
    ] = "auto"
    quiet: Annotated[bool, Flag("running", "Print errors only.")] = False
    log_format: Annotated[Literal["text", "json"], Flag("running", "Format of the log lines.")] = "text"
