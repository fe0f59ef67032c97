"""From what was typed to what is meant: defaults < config file < `AIDE_*` environment < flags.

The one place where settings are read. Each value keeps where it came from, because the first question about a run
that did something else than was meant is which of the layers said so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from aide.config.config_file import ConfigFile, load_config, refuse_key, refuse_secrets, walk_tables
from aide.config.problems import explain_error
from aide.config.spec import (
    BATCH_FILES,
    OLD_NAMES,
    SIMULATOR,
    SIMULATOR_MODEL,
    SWITCHES,
    Flag,
    RunSpec,
    get_flag,
)
from aide.errors import InputError
from aide.jsonl import parse_json

DEFAULT: Final = "default"
_PREFIX: Final = "AIDE_"
# A field can't be called so: pydantic has the name for itself.
_SPELLED: Final = {"output_schema": "schema"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for, complete and checked."""

    spec: RunSpec
    origins: Mapping[str, str]
    """Where each field's value came from: `default`, `--hops`, `AIDE_MODEL`, `paper.toml, line 7`."""


@dataclass(slots=True)
class _Gathered:
    """Raw values so far; later layers replace earlier ones."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    file: ConfigFile | None = None

    def put(self, name: str, value: Any, origin: str) -> None:
        self.values[name] = value
        self.origins[name] = origin

    def drop(self, name: str) -> None:
        self.values.pop(name, None)
        self.origins.pop(name, None)

    def locate(self, path: Sequence[str]) -> str:
        """How the person wrote the setting at `path`: a flag, a variable, or a line of the config file."""
        origin = self.origins.get(path[0], path[0])
        if self.file is not None and origin == self.file.locate(path[0]):
            return f"{self.file.locate(*path)}: {path[-1]}"
        return origin


def resolve_settings(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    config: str | None = None,
    endpoint_needed: bool = True,
    model_needed: bool = True,
) -> Settings:
    """Gather all layers into one checked spec.

    `flags` maps names of fields and switches to what was typed, `None` for what was not; `config` is a path or a
    shipped name (else `AIDE_CONFIG`). Without `endpoint_needed` there may be no endpoint and no model; without
    `model_needed` an endpoint alone will do, which is asked for its model later.

    Raises:
        InputError: an unknown or wrong setting, a contradiction, a key in the settings, or no endpoint or model.
    """
    gathered = _Gathered()
    chosen = config if config is not None else environ.get(f"{_PREFIX}CONFIG", "")
    if chosen:
        gathered.file = load_config(chosen)
        _add_file(gathered, gathered.file)
    _add_environment(gathered, environ)
    _add_flags(gathered, flags)
    _add_implied(gathered, environ)
    if endpoint_needed:
        _require_endpoint(gathered, model_needed=model_needed)
    try:
        spec = RunSpec(**gathered.values)
    except ValidationError as error:
        raise explain_error(error, gathered.locate) from error
    _check_urls(spec, gathered)
    return Settings(spec, {name: gathered.origins.get(name, DEFAULT) for name in RunSpec.model_fields})


def asks_for(name: str, settings: Settings, usual: Mapping[str, Any]) -> bool:
    """True where a person asked for a value: by an option, or by another than the default or the `usual` one.

    A file may list them all.
    """
    origin, value = settings.origins.get(name, DEFAULT), getattr(settings.spec, name)
    default = RunSpec.model_fields[name].default
    return origin != DEFAULT and (origin.startswith("--") or value not in (default, usual.get(name, default)))


def spell_option(name: str, given: object = None) -> str:
    """The spelling on the command line: `--min-relevance`; `--no-reflection` where it is turned off."""
    name = _SPELLED.get(name, name.replace("_", "-"))
    return f"--{'no-' if given is False else ''}{name}"


def _add_file(gathered: _Gathered, file: ConfigFile) -> None:
    for name, value in file.values.items():
        flag = get_flag(name)
        origin = file.locate(name)
        whole = RunSpec.model_fields[name].annotation not in (bool, bool | None)
        if whole and isinstance(value, bool):  # TOML's true would pass for the number 1
            raise InputError(f"{origin}: {name} must not be true or false", hint=flag.help)
        if flag.metavar in ("FILE", "DIR", "PATH"):
            value = (
                [_resolve_path(file.base, each) for each in value]
                if isinstance(value, list)
                else _resolve_path(file.base, value)
            )
        elif isinstance(value, str) and isinstance(RunSpec.model_fields[name].default, tuple):
            value = _split_list(flag, [value], file.base)
        gathered.put(name, value, origin)


def _add_environment(gathered: _Gathered, environ: Mapping[str, str]) -> None:
    for spelled in (*OLD_NAMES, *RunSpec.model_fields):
        name, variable = OLD_NAMES.get(spelled, spelled), f"{_PREFIX}{spelled.upper()}"
        flag = get_flag(name)
        text = environ.get(variable, "").strip()
        if text and not flag.hidden:
            gathered.put(name, _read(name, flag, text.splitlines(), variable), variable)
            _displace_endpoints(gathered, name)


def _add_flags(gathered: _Gathered, flags: Mapping[str, object]) -> None:
    for name, given in flags.items():
        if given is None or given in ([], ()) or name in SWITCHES:
            continue
        flag, origin = get_flag(name), spell_option(name, given)
        if isinstance(given, str):
            given = _read(name, flag, [given], origin)
        elif isinstance(given, list | tuple):
            given = _read(name, flag, [str(each) for each in given], origin)
        gathered.put(name, given, origin)
        _displace_endpoints(gathered, name)
    for switch, (name, value) in SWITCHES.items():
        if not flags.get(switch):
            continue
        if (typed := flags.get(name)) is not None and str(typed) != str(value):
            raise InputError(
                f"{spell_option(switch)} stands for {spell_option(name)} {value}, but {spell_option(name)} {typed} "
                "is given, too",
                hint="leave one of them out",
            )
        gathered.put(name, value, spell_option(switch))


def _read(name: str, flag: Flag, texts: list[str], origin: str) -> Any:
    """What texts mean for a setting: a list, a JSON object, or the one text."""
    if isinstance(RunSpec.model_fields[name].default, tuple):
        return _split_list(flag, texts, None)
    if flag.metavar != "JSON":
        return texts[-1]
    try:
        value = parse_json(texts[-1])
    except ValueError as error:
        raise InputError(f"{origin} is not JSON: {error}", hint="such as '{\"top_k\": 20}'") from error
    if isinstance(value, dict):
        for table in walk_tables(value):
            refuse_secrets(table, origin)
    return value


def _split_list(flag: Flag, texts: list[str], base: Path | None) -> list[str]:
    """The values of a setting that takes several: one a text, or where the setting says so by commas."""
    if not flag.commas:
        return texts
    if (
        len(texts) == 1
        and flag.metavar.endswith("FILE")
        and (path := _resolve_path(base, texts[0])).is_file()
    ):
        return [str(path.resolve())]  # read where labels are understood; the same from every working folder
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _resolve_path(base: Path | None, name: object) -> Path:
    """A path as meant: `~` is the home, and a config file's relative paths start at its own folder."""
    path = Path(str(name)).expanduser()
    return base / path if base is not None else path


def _displace_endpoints(gathered: _Gathered, name: str) -> None:
    """A URL from the environment or a flag replaces all the endpoints of a config file."""
    if name == "base_url":
        gathered.drop("endpoints")


def _add_implied(gathered: _Gathered, environ: Mapping[str, str]) -> None:
    """Add what follows from what was given: the usual variable, the simulator's model, a bank from its file."""
    values = gathered.values
    if (
        not values.get("base_url")
        and not values.get("endpoints")
        and (url := environ.get("OPENAI_BASE_URL", "").strip())
    ):
        gathered.put("base_url", [url], "OPENAI_BASE_URL")
    if "persona_file" in values and "personas_from" not in values:
        gathered.put("personas_from", "bank", gathered.origins["persona_file"])
    if values.get("model"):
        return
    served = [each for each in values.get("endpoints", ()) if isinstance(each, Mapping)]
    urls = [*values.get("base_url", ()), *(str(each.get("base_url", "")) for each in served)]
    if urls and all(url.startswith(SIMULATOR) for url in urls):
        gathered.put("model", SIMULATOR_MODEL, f"follows from {SIMULATOR}")
    elif served and not values.get("base_url") and all(each.get("model") for each in served):
        gathered.put("model", served[0]["model"], gathered.origins["endpoints"])


def _require_endpoint(gathered: _Gathered, *, model_needed: bool) -> None:
    offline = str(gathered.values.get("batch", "")).startswith(BATCH_FILES)
    if not offline and not gathered.values.get("base_url") and not gathered.values.get("endpoints"):
        raise InputError(
            "no endpoint is given",
            hint=f"name one with --base-url URL (`aide doctor` finds those of this machine); "
            f"--base-url {SIMULATOR} tries everything without a key",
        )
    if not gathered.values.get("model") and model_needed:
        raise InputError(
            "no model is named",
            hint="name it with --model NAME or the AIDE_MODEL variable, as the endpoint calls it",
        )


def _check_urls(spec: RunSpec, gathered: _Gathered) -> None:
    refuse_key(spec.api_key_env, gathered.origins.get("api_key_env", "--api-key-env"))
    for each in spec.endpoints:
        refuse_key(each.api_key_env, f"api_key_env in {gathered.origins.get('endpoints', 'endpoints')}")
    apart = spec.embeddings_endpoint
    for each in (*spec.list_endpoints(), *([apart] if apart else [])):
        if each.simulated:
            continue
        try:
            parts = urlsplit(each.base_url)
            plain = (
                parts.scheme in ("http", "https")
                and bool(parts.hostname)
                and (parts.port is None or parts.port > 0)
            )
        except ValueError:
            plain = False
        named = "embeddings_url" if each is apart else "base_url"
        origin = gathered.origins.get(named, gathered.origins.get("endpoints", "--base-url"))
        if not plain:
            raise InputError(
                f"{origin}: {each.base_url!r} is no URL",
                hint="such as http://localhost:8000/v1, or sim: for the simulator",
            )
        if parts.password or parts.username:
            raise InputError(
                f"{origin}: the URL holds a user name or password",
                hint="keys come from --api-key-env or --api-key-command",
            )
        refuse_secrets(dict(parse_qsl(parts.query)), origin)


__all__ = ["DEFAULT", "Settings", "asks_for", "resolve_settings", "spell_option"]
