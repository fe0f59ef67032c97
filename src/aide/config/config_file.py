"""A config file read as TOML: flat values by name, each with the line where it stands.

Sections are those of `spec.GROUPS`; a key may stand in its section or at the top.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aide.config import resources
from aide.config.spec import GROUPS, OLD_NAMES, RunSpec, get_flag
from aide.errors import InputError
from aide.text.suggestions import suggest_name

_NO_SETTINGS: Final = frozenset({"prices.toml"})  # of the shipped files
_SECRET: Final = re.compile(
    r"(?i)(key|token|cookie|.*(api[-_]?key|secret|password|authorization)|(access|auth|bearer)[-_]token)"
)
_NAMED: Final = re.compile(r"\$\{[A-Za-z_]\w*\}|\{key\}")
_VARIABLE: Final = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)
# Keys that would pass for a name: a known beginning, or a long run of letters of both cases and digits.
_KEY_LIKE: Final = re.compile(
    r"(?:sk|pk|gsk|hf|nvapi|xai|AIza|ghp|r8|csk|fw|tgp|glpat)_?[A-Za-z0-9_]{16,}\Z|(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9]{24,}\Z|[0-9a-f]{32,}\Z"
)
# What providers begin their keys with, under whatever name such a value stands.
_KEY_VALUE: Final = re.compile(
    r"(?:Bearer\s+)?(?:(?:sk|pk|gsk|hf|nvapi|xai|ghp|r8|csk|fw|tgp|glpat)[-_]|AIza)[\w-]{16,}\Z"
)
_TABLE: Final = re.compile(r"^\s*(\[{1,2})\s*([^\]]+?)\s*\]")
_KEY: Final = re.compile(r"""^\s*["']?([^"'=\s]+)["']?\s*=""")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The values of one file."""

    name: str
    """Its name without folders, for messages."""
    text: str
    """Its content, from which lines are found."""
    values: Mapping[str, Any]
    """Settings by name."""
    base: Path | None
    """The folder that its relative paths start from; `None` for a shipped file, which holds none."""

    def locate(self, *path: str) -> str:
        """The file and, if it can be found, the line of a value: `paper.toml, line 7`."""
        old = {today: name for name, today in OLD_NAMES.items()}
        spelled = tuple(old.get(each, each) for each in path)
        number = max(_find_line(self.text, path), _find_line(self.text, spelled))
        return f"{self.name}, line {number}" if number else self.name


def load_config(name: str) -> ConfigFile:
    """The config file at that path, or the shipped one of that bare name (`paper`).

    Raises:
        InputError: there is none, it is not TOML, or it holds a name that is no setting or a key.
    """
    given = Path(name).expanduser()
    if given.is_file():
        path, base = given, given.parent
    elif given.name == name:
        path, base = find_shipped_config(name), None
    else:
        raise InputError(
            f"there is no config file {name}", hint="give a path, or a shipped name such as `paper`"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is not valid TOML: {error}", hint="text values need quotes") from error
    except RecursionError:
        raise InputError(f"{path.name} is nested too deeply", hint="settings are single values") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read: {error}", hint="save the file as UTF-8 text") from error
    file = ConfigFile(path.name, text, {}, base)
    return ConfigFile(path.name, text, _flatten(data, file), base)


def list_shipped_configs() -> list[str]:
    """The bare names that `--config` takes."""
    return [
        Path(name).stem
        for name in resources.list_names("configs")
        if name not in _NO_SETTINGS and name.endswith(".toml")
    ]


def find_shipped_config(name: str) -> Path:
    """The shipped file of that bare name; raises `InputError` where there is none."""
    known = list_shipped_configs()
    if name.removesuffix(".toml") not in known:
        raise InputError(
            f"there is no config file {name}{suggest_name(name, known)}",
            hint=f"give a path, or one of {', '.join(known)}",
        )
    return resources.find_file("configs", f"{name.removesuffix('.toml')}.toml")


def refuse_secrets(names: Mapping[str, Any], where: str, *, named: bool = False) -> None:
    """Refuse what looks like a key: settings end in run folders, which people share.

    With `named` a value may name a variable as `${NAME}`, or the endpoint's key as `{key}`: headers and queries.

    Raises:
        InputError: naming where the key stands.
    """
    for name, value in names.items():
        looks_like_key = isinstance(value, str) and _KEY_VALUE.match(value)
        if not (looks_like_key or _SECRET.fullmatch(name)) or isinstance(value, Mapping | bool):
            continue
        if named and isinstance(value, str) and _NAMED.search(value):
            continue
        raise InputError(
            f"{where}: `{name}` looks like a key, and keys are not taken from settings",
            hint="put the key into an environment variable and name it with api_key_env (--api-key-env)"
            + ("; here, write ${NAME}" if named else ""),
        )


def refuse_key(name: str, where: str) -> None:
    """Refuse a key where the name of a variable belongs: it would be written into the run folder.

    Raises:
        InputError: it is no name, or has the looks of a key. The message does not repeat it.
    """
    if name and (not _VARIABLE.fullmatch(name) or _KEY_LIKE.match(name)):
        raise InputError(
            f"{where} takes the name of an environment variable, not the key itself",
            hint="export OPENAI_API_KEY=…, or another variable and its name here",
        )


def _flatten(data: Mapping[str, Any], file: ConfigFile) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for section, name, value in _entries(data):
        path = (section, name) if section else (name,)
        refuse_secrets({name: value}, file.locate(*path))
        key = OLD_NAMES.get(name, name.replace("-", "_"))
        if key not in RunSpec.model_fields:
            known = [*RunSpec.model_fields, *([] if section else GROUPS)]
            raise InputError(
                f"{file.locate(*path)}: there is no setting `{name}`{suggest_name(key, known)}",
                hint="`aide config` lists all settings",
            )
        group = get_flag(key).group
        if section and section != group:
            raise InputError(
                f"{file.locate(*path)}: `{name}` does not belong in [{section}]", hint=f"put it in [{group}]"
            )
        if key in values:
            raise InputError(f"{file.locate(*path)}: `{name}` is set twice", hint="keep one of them")
        values[key] = value
        for table in walk_tables(value):
            refuse_secrets(table, file.locate(*path), named=key in ("headers", "query", "endpoints"))
    return values


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, value in data.items():
        if name in GROUPS and isinstance(value, Mapping):
            yield from ((name, key, inner) for key, inner in value.items())
        else:
            yield "", name, value


def walk_tables(value: Any) -> Iterator[Mapping[str, Any]]:
    """All tables inside a value, at any depth."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from walk_tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk_tables(inner)


def _find_line(text: str, path: tuple[str, ...]) -> int:
    """The line of a dotted path, or of its deepest part that is found; 0 where none is.

    The TOML reader of the standard library gives no positions. Keys at the beginning of lines are enough here: a
    message with the wrong line costs a glance, not a run.
    """
    table: tuple[str, ...] = ()
    seen: Counter[str] = Counter()
    best = (0, 0)
    for number, line in enumerate(text.splitlines(), start=1):
        if opened := _TABLE.match(line):
            table = tuple(part.strip("\"' ") for part in opened[2].split("."))
            if opened[1] == "[[":
                table = (*table, str(seen[opened[2]]))
                seen[opened[2]] += 1
            here = table
        elif key := _KEY.match(line):
            here = (*table, *key[1].split("."))
        else:
            continue
        for wanted in (path, *((group, *path) for group in GROUPS)):
            if wanted[: len(here)] == here and len(here) > best[0]:
                best = (len(here), number)
    return best[1]
