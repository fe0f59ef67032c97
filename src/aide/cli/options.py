"""The options of `expand` and `plan`, made from the fields of `RunSpec`: one definition for flag and file."""

import inspect
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import typer

from aide.config.resolve import spell_option
from aide.config.spec import GROUPS, Flag, RunSpec, get_flag

_CONFIG: Final = typer.Option(
    "--config",
    metavar="FILE",
    help="TOML file of settings, or a shipped name such as paper.",
    rich_help_panel="Running",
)


def with_spec_options(
    command: Callable[..., None], only: Container[str] | None = None
) -> Callable[..., None]:
    """Give a command all options of a run, or `only` those; it takes them as `spec_flags`, and `config` beside.

    `spec_flags` maps names of fields to what was typed and holds nothing that was not, so that the layers
    below show through. `config` is the value of `--config` or `None`. Other parameters stay as they are.
    """

    def with_options(**given: Any) -> None:
        flags = {name: given.pop(name) for name in names}
        command(spec_flags={name: value for name, value in flags.items() if value not in (None, [])}, **given)

    taken = inspect.signature(command).parameters
    options = [
        option for option in _options() if option.name not in taken and (only is None or option.name in only)
    ]
    names = [option.name for option in options]
    own = [each for each in _own(command) if each.name not in ("spec_flags", "config")]
    config = inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, _CONFIG]
    )
    parameters = [*own, *options, config]
    # Where `inspect.signature`, and so typer, looks first; typeshed knows no such attribute of a function.
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    with_options.__name__ = command.__name__
    with_options.__doc__ = command.__doc__
    return with_options


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these options of a run, as `spec_options` gives all."""
    return lambda command: with_spec_options(command, frozenset(names))


def _own(command: Callable[..., None]) -> Iterator[inspect.Parameter]:
    for each in inspect.signature(command, eval_str=True).parameters.values():
        yield each.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _options() -> Iterator[inspect.Parameter]:
    for heading in dict.fromkeys(GROUPS.values()):
        for name in RunSpec.model_fields:
            flag = get_flag(name)
            if GROUPS[flag.group] == heading and not flag.hidden:
                yield _option(name, flag)


def _option(name: str, flag: Flag) -> inspect.Parameter:
    info = RunSpec.model_fields[name]
    spelled = spell_option(name)
    if info.annotation is bool and info.default:
        spelled = f"{spelled}/{spell_option(name, False)}"
    kind, metavar = _kind(info.annotation, flag)
    option = typer.Option(
        spelled,
        help=f"{flag.help}{_default(info.default)}",
        metavar=metavar,
        rich_help_panel=GROUPS[flag.group],
        show_default=False,
        autocompletion=_choices(info.annotation),
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _kind(annotation: Any, flag: Flag) -> tuple[Any, str | None]:
    """The type for the command line, and how its value shows.

    Numbers and words out of a few stay text here: the spec alone checks them, so that a flag, a variable and
    a file are refused in the same words.
    """
    if annotation is bool:
        return bool, None
    if get_origin(annotation) is tuple:
        return list[Path] if flag.metavar == "FILE" else list[str], flag.metavar
    if get_origin(annotation) is Literal:
        return str, "|".join(get_args(annotation))
    if flag.metavar in ("FILE", "DIR"):
        return Path, flag.metavar
    return str, flag.metavar or "N"


def _choices(annotation: Any) -> Callable[[str], list[str]] | None:
    """What a shell offers for a setting that is one of a few words."""
    if get_origin(annotation) is not Literal:
        return None
    return lambda incomplete: [word for word in get_args(annotation) if word.startswith(incomplete)]


def _default(value: object) -> str:
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


__all__ = ["with_options", "with_spec_options"]
