"""The settings of a run, one field each: type and bounds, default, help and place on the command line together.

Options, config files and `aide config` are derived from these fields.

Those of models, endpoints, budget, seed files and the running are in `service_settings`.

To add a setting: one field, and its name in `fingerprint.IDENTITY` (it changes what a run produces) or in
`fingerprint.EXCLUDED` (with the reason why a folder may go on under another value).
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from aide.config.service_settings import ServiceSettings
from aide.config.values import Flag, PathText
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
RECIPE_SETTINGS: Final = METHOD_SETTINGS | frozenset({
    "corpus", "subtasks", "queries", "round_trip", "round_trip_by", "negatives", "negatives_from", "passage_variants",
})  # fmt: skip
"""Settings that a recipe must name to heed them, those of single recipes included; given with another, they are
refused."""

JUDGE_SETTINGS: Final = frozenset({"min_relevance", "max_revisions", "keep_ambiguous"})
"""What says how the judge's grades are used, besides `min_diversity`, which is a recipe's."""


class RunSettings(ServiceSettings):
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
        Flag("task", "Documents to ask about: files and folders; see the recipe documents.", "PATH"),
    ] = ()
    knowledge: Annotated[
        tuple[PathText, ...], Flag("task", "Passages; the best few stand beside answer and judge.", "PATH")
    ] = ()
    corpus: Annotated[
        tuple[PathText, ...],
        Flag("task", "Further instructions that lend their constraints (recipe tcia); repeatable.", "FILE"),
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
    subtasks: Annotated[
        int, Field(ge=1, le=50), Flag("tree", "Sub-tasks that a domain is taken apart into (recipe tasks).")
    ] = 8
    queries: Annotated[
        int, Field(ge=1, le=50), Flag("tree", "Queries for each passage (recipe retrieval).")
    ] = 3
    round_trip: Annotated[
        int,
        Field(ge=0),
        Flag("tree", "Place at which a query must find its passage again (recipe retrieval); 0 keeps all."),
    ] = 1
    round_trip_by: Annotated[
        Literal["both", "words"],
        Flag("tree", "How it is searched: by words and, with --embeddings, by meaning; or by words alone."),
    ] = "both"
    negatives: Annotated[
        int, Field(ge=0, le=50), Flag("tree", "Hard negatives of each query (recipe retrieval).")
    ] = 5
    negatives_from: Annotated[
        Literal["search", "model"],
        Flag("tree", "Hard negatives found among the passages, or written (recipe retrieval)."),
    ] = "search"
    passage_variants: Annotated[
        tuple[Literal["paraphrase", "augmentation"], ...],
        Flag(
            "tree",
            "Further records with the passage in other words, or in company (recipe retrieval).",
            "A,B",
            commas=True,
        ),
    ] = ()
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
    random_seed: Annotated[
        int,
        Flag("tree", "Another number gives calls another `seed`, for other answers to the same prompts."),
    ] = 0

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
