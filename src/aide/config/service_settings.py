"""Settings of a run that say nothing of its records' form: models, endpoints, budget, seed files, the running."""

from typing import Annotated, Any, Literal

from pydantic import Field

from aide.config.values import EndpointSpec, Flag, Frozen, PathText, Price, StepSpecs


class ServiceSettings(Frozen):
    """See `settings`."""

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
    timeout: Annotated[
        float, Field(gt=0), Flag("endpoint", "Seconds to wait for one answer, to its end.", "S")
    ] = 600.0
    endpoint_patience: Annotated[
        float,
        Field(ge=0),
        Flag(
            "endpoint",
            "Stop once calls fail and none was answered for so many seconds; calls under way are awaited first, each "
            "up to --timeout.",
            "S",
        ),
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
    engine: Annotated[
        Literal["local", "ray"],
        Flag("running", "Where the run lives: in this process, or in parts on a Ray cluster."),
    ] = "local"
    parts: Annotated[
        int | None,
        Field(ge=1),
        Flag("running", "Parts of a run on Ray (unset: one a node; on a single node one a CPU).", "N"),
    ] = None
    ray_address: Annotated[
        str,
        Flag("running", "Ray cluster to use (unset: RAY_ADDRESS, else Ray is started here).", "ADDRESS"),
    ] = ""
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
