"""The values that settings are made of: a step's sampling, an endpoint, a price; how a setting shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

SIMULATOR: Final = "sim:"
# Most calls in flight where nobody names a number. Continuous batching gains little beyond some dozens, and a
# kill may cost as many calls; the limiter stays below where the server has had enough before.
CEILING: Final = 64
# Ollama and LM Studio work on a few calls at a time and keep all others waiting, with their timeouts running.
SMALL_CEILING: Final = 4
SMALL_PORTS: Final = (11434, 1234)


@dataclass(frozen=True, slots=True)
class Flag:
    """How a setting shows on the command line."""

    group: str
    """Its section in a config file and, by `GROUPS`, its heading in `--help`."""
    help: str
    metavar: str = ""
    """What stands for its value in `--help`."""
    hidden: bool = False
    """True where there is no option: it comes from a config file alone."""
    commas: bool = False
    """True where one word holds several values."""


class Frozen(BaseModel):
    """A value that a person or a file gave: checked, frozen, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class StepSpec(Frozen):
    """How one step samples; what is `None` is left to the server."""

    model: str = ""
    """Empty for the run's model."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_output: int | None = Field(default=None, ge=1)
    """Most tokens of an answer; `None` where the limit is learned from the seeds."""
    further: float | None = Field(default=None, ge=0, le=2)
    """Temperature of draws after the first; `None` for the same."""

    def get_temperature(self, draw: int) -> float | None:
        """The temperature of the `draw`-th sample of the same question."""
        return self.further if draw and self.further is not None else self.temperature


class StepSpecs(Frozen):
    """The steps, each with its defaults.

    What is read off a text is cold, what is invented is warm. Answers are cold at first; further ones, which have
    to agree with it, are warmer, or they would only repeat its mistake.
    """

    card: StepSpec = StepSpec(temperature=0.3, further=0.7)
    extract: StepSpec = StepSpec(temperature=0.3, further=0.9)
    expand_graph: StepSpec = StepSpec(temperature=0.7)
    personas: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    synthesize: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    revise: StepSpec = StepSpec(temperature=1.0, top_p=0.95)
    answer: StepSpec = StepSpec(temperature=0.2, further=0.7)
    check: StepSpec = StepSpec(temperature=0.7)
    tests: StepSpec = StepSpec(temperature=0.2, further=0.7)
    reflect: StepSpec = StepSpec(temperature=0.0)
    realism: StepSpec = StepSpec(temperature=0.0)

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


class EndpointSpec(Frozen):
    """One place that serves the model. Empty fields take the run's own value."""

    base_url: str = Field(min_length=1)
    name: str = ""
    """What statistics call it; empty for its number and host."""
    model: str = ""
    """What the run's model is called there."""
    api_key_env: str = ""
    api_key_command: str = ""
    concurrency: int | None = Field(default=None, ge=1)
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    headers: dict[str, str] = {}
    query: dict[str, str] = {}

    @property
    def simulated(self) -> bool:
        """True for the simulator in this process, which needs neither key nor network."""
        return self.base_url.startswith(SIMULATOR)

    @property
    def ceiling(self) -> int:
        """Most calls in flight here."""
        return self.concurrency or (SMALL_CEILING if urlsplit(self.base_url).port in SMALL_PORTS else CEILING)


class Price(Frozen):
    """US dollars per million tokens; written `IN/OUT` or `IN/OUT/CACHED`."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of prompt tokens that the server had cached; `None` where they cost as others do."""
    tiers: dict[str, float] = {}
    """What a tier (`batch`, `flex`, `priority`) costs, as a multiple of this."""

    def scale(self, factor: float) -> "Price":
        """So many times this price."""
        if factor == 1:
            return self
        cached = None if self.cached is None else factor * self.cached
        return Price(input=factor * self.input, output=factor * self.output, cached=cached)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        parts = [part.strip() for part in data.split("/")]
        if len(parts) not in (2, 3):
            raise ValueError("is no price: write IN/OUT, US dollars per million tokens, such as 0.15/0.60")
        return dict(zip(("input", "output", "cached"), parts, strict=False))


PathText = Annotated[Path, PlainSerializer(str, return_type=str)]
