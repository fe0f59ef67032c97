"""The options of a run, made from the fields of `RunSpec`: one definition for flags and config files."""

import inspect
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import typer

from aide.cli.helptext import RARE
from aide.config.config_file import list_shipped_configs
from aide.config.resolve import spell_option
from aide.config.spec import GROUPS, SWITCHES, Flag, RunSpec, get_flag

_CONFIG: Final = typer.Option(
    "--config",
    metavar="FILE",
    help="TOML file of settings, or a shipped name such as paper.",
    rich_help_panel="Running",
    autocompletion=lambda incomplete: [
        name for name in list_shipped_configs() if name.startswith(incomplete)
    ],
)

RARE_SETTINGS: Final = frozenset({
    "demonstrations", "residual_after", "residual", "attributes", "graph_triples", "personas_from", "persona_file",
    "subtasks", "queries", "round_trip", "round_trip_by", "negatives", "negatives_from", "passage_variants",
    "siblings", "steer", "random_seed", "embeddings_url", "meaning_threshold", "keep_ambiguous", "exam",
    "min_exam", "realism", "guard", "batch_min", "batch_wait", "timeout", "endpoint_patience", "drain_seconds",
    "max_total_tokens", "expect_yield", "encoding", "header", "sheet", "input_pattern", "run_dir", "shard_size",
    "lock_wait", "adopt", "retry_failed", "log_format", "label_separator", "agree_on", "new_labels",
    "card", "corpus", "parts", "ray_address",
})  # fmt: skip
"""Settings whose options `--help` leaves to `--help-all`."""
_BATCHES: Final = ("batch", "batch_min", "batch_wait")
# What else concerns a step on a record that is there: the journal, the budget, the grades that are asked for.
_ASKING: Final = (
    "min_relevance", "min_diversity", "keep_ambiguous", "max_calls", "max_total_tokens", "max_cost",
    "max_cost_per_run", "max_minutes", "price", "lock_wait", "adopt", "reuse", "retry_failed", "quiet",
)  # fmt: skip


def with_spec_options(
    command: Callable[..., None], only: Container[str] | None = None, shown: Container[str] | None = None
) -> Callable[..., None]:
    """Give a command all options of a run, or `only` those; it gets them as `spec_flags` and `config`.

    Where only some are of use to it, `shown` are the groups (of `config.settings.GROUPS`) that its `--help` has.

    `spec_flags` maps names of fields and switches to what was typed. What was not typed is not in it,
    so that the value of a variable, a file or the default is used. `config` is the value of `--config` or `None`.
    The command's other parameters are unchanged.
    """

    def with_options(**given: Any) -> None:
        flags = {name: given.pop(name) for name in names}
        command(spec_flags={name: value for name, value in flags.items() if value not in (None, [])}, **given)

    own_names = inspect.signature(command).parameters
    options = [
        option
        for option in _make_options(shown)
        if option.name not in own_names and (only is None or _find_setting(option.name) in only)
    ]
    names = [option.name for option in options]
    own = [each for each in _list_parameters(command) if each.name not in ("spec_flags", "config")]
    config = inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, _CONFIG]
    )
    parameters = [*own, *options, config]
    # typer reads parameters by `inspect.signature`, which looks here first; typeshed does not know the attribute.
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    with_options.__name__ = command.__name__
    with_options.__doc__ = command.__doc__
    return with_options


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options of a run, as `with_spec_options` gives all."""
    return lambda command: with_spec_options(command, frozenset(names))


def with_asking_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a run that concern single steps on records that are there, and these."""
    asking = {
        name
        for name in RunSpec.model_fields
        if get_flag(name).group in ("task", "models", "endpoint", "request", "seeds")
        and name not in ("contexts", "card_only", *_BATCHES)
    }
    return with_options(*asking, *_ASKING, *names)


def _list_parameters(command: Callable[..., None]) -> Iterator[inspect.Parameter]:
    for each in inspect.signature(command, eval_str=True).parameters.values():
        yield each.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _make_options(shown: Container[str] | None) -> Iterator[inspect.Parameter]:
    for heading in dict.fromkeys(GROUPS.values()):
        for name in RunSpec.model_fields:
            flag = get_flag(name)
            if GROUPS[flag.group] == heading and not flag.hidden:
                yield _make_option(name, flag, shown is None or flag.group in shown)
                yield from (_make_switch(each) for each in SWITCHES if _find_setting(each) == name)


def _find_setting(name: str) -> str:
    """The setting that an option gives: its own, or that of which a switch stands for one value."""
    return SWITCHES[name][0] if name in SWITCHES else name


def _make_switch(name: str) -> inspect.Parameter:
    setting, value = SWITCHES[name]
    option = typer.Option(
        spell_option(name),
        help=f"The same as {spell_option(setting)} {value}, to see what the part is worth.",
        rich_help_panel=f"{GROUPS[get_flag(setting).group]}{RARE}",
        show_default=False,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[bool | None, option]
    )


def _make_option(name: str, flag: Flag, shown: bool) -> inspect.Parameter:
    info = RunSpec.model_fields[name]
    spelled = spell_option(name)
    if (info.annotation is bool and info.default) or info.annotation == bool | None:
        spelled = f"{spelled}/{spell_option(name, False)}"
    kind, metavar = _choose_type(info.annotation, flag)
    option = typer.Option(
        spelled,
        help=f"{flag.help}{_format_default(info.default)}",
        metavar=metavar,
        rich_help_panel=f"{GROUPS[flag.group]}{RARE if name in RARE_SETTINGS or not shown else ''}",
        show_default=False,
        autocompletion=_make_completion(info.annotation),
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _choose_type(annotation: Any, flag: Flag) -> tuple[Any, str | None]:
    """The type for the command line, and how its value is shown.

    Numbers and choices stay text here: only the spec checks them, so that a wrong value gets the same message
    as a flag, as a variable and in a file.
    """
    if annotation in (bool, bool | None):
        return bool, None
    if get_origin(annotation) is tuple:
        return list[Path] if flag.metavar == "FILE" else list[str], flag.metavar
    if get_origin(annotation) is Literal:
        return str, "|".join(get_args(annotation))
    if flag.metavar in ("FILE", "DIR"):
        return Path, flag.metavar
    return str, flag.metavar or "N"


def _make_completion(annotation: Any) -> Callable[[str], list[str]] | None:
    """What a shell completes for a setting with a few possible words."""
    kinds = [annotation, *get_args(annotation)]
    words = [str(word) for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    return (lambda incomplete: [word for word in words if word.startswith(incomplete)]) if words else None


def _format_default(value: object) -> str:
    if isinstance(value, bool) or value in (None, "", ()) or isinstance(value, dict):
        return ""
    shown = (
        ",".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else value
    )
    return f" (default {shown})" if isinstance(shown, str | int) else ""
