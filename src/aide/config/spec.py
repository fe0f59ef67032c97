"""`RunSpec`: everything a run was asked to do, complete, frozen and checked.

Whoever holds a `RunSpec` needs no defaults of their own.
"""

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import PrivateAttr, field_validator, model_validator

from aide.config.partition import Partition
from aide.config.prices import BATCH, find_batch_factor, find_list_price
from aide.config.settings import GROUPS, METHOD, RunSettings
from aide.config.values import SIMULATOR, EndpointSpec, Flag, Price, StepSpec, StepSpecs

SIMULATOR_MODEL: Final = "simulator"
# Triples of graph expansion. None with fixed labels or fixed parts: there the attributes must come from what
# stands, and added ones lead away from it.
GRAPH_TRIPLES: Final = 2
BATCH_API: Final = "api"
BATCH_FILES: Final = "files:"
EMBED: Final = "embed"  # the step under which embeddings are counted; its model is that of --embeddings

OLD_NAMES: Final[Mapping[str, str]] = {"seed": "random_seed"}
"""Settings by the names that older versions gave them: read on, written no more."""

SWITCHES: Final[Mapping[str, tuple[str, int | str]]] = {
    "no_attributes": ("attributes", 0),
    "no_personas": ("personas", 0),
    "no_residual": ("residual", "off"),
}
"""Flags that stand for one value of a setting, which leaves out a part of the method. They are no settings."""


class RunSpec(RunSettings):
    """What a run was asked to do."""

    _whole_caps: Mapping[str, float] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _reads_old_names(cls, given: Any) -> Any:
        return rename_settings(given) if isinstance(given, Mapping) else given

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

    @field_validator("batch")
    @classmethod
    def _is_a_way_of_batches(cls, batch: str) -> str:
        if batch in ("", BATCH_API) or batch.removeprefix(BATCH_FILES) not in (batch, ""):
            return batch
        raise ValueError(f"is {BATCH_API} (the batches of the endpoint) or {BATCH_FILES}DIR (a folder)")

    @field_validator("tier")
    @classmethod
    def _names_two_tiers_at_most(cls, tier: tuple[str, ...]) -> tuple[str, ...]:
        if len(tier) > 2:
            raise ValueError("names at most two tiers, such as flex,standard")
        return tier

    @field_validator("partition")
    @classmethod
    def _is_a_part(cls, partition: str) -> str:
        if partition:
            Partition.parse(partition)
        return partition

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name if encoding else ""
        except LookupError as error:
            raise ValueError(f"names no encoding: {encoding}") from error

    @model_validator(mode="after")
    def _grows_something(self) -> Self:
        if self.recipe != METHOD or self.personas or (self.operations and self.attributes):
            return self
        if self.plain_share < 1:
            raise ValueError(
                "nothing can grow: no personas, and no operations with attributes to apply them to "
                "(--plain-share 1 grows plain records alone)"
            )
        if self.target == "all" and self.per_seed is None:
            raise ValueError(
                "there is no whole tree without personas and attributes: --target must be a number"
            )
        return self

    def count_graph_triples(self, *, fixed: bool) -> int:
        """Triples of graph expansion; `fixed` says that the task has fixed labels or fixed parts.

        It goes on from extracted ones: where none are wanted, none are added.
        """
        if not self.attributes:
            return 0
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

    @property
    def embeddings_endpoint(self) -> EndpointSpec | None:
        """Where embeddings are asked for; `None` where the run's endpoints give them."""
        if not (self.embeddings and self.embeddings_url):
            return None
        return self._complete(
            0, EndpointSpec(base_url=self.embeddings_url, name="embeddings", model=self.embeddings)
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
    def part(self) -> Partition | None:
        """Which part of the run this is; `None` for all of it."""
        return Partition.parse(self.partition) if self.partition else None

    @property
    def batch_folder(self) -> Path | None:
        """Where waves go as files; `None` where they go to the endpoint, or where there are none."""
        name = self.batch.removeprefix(BATCH_FILES)
        return Path(name).expanduser().resolve() if name != self.batch else None

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
        served = self.list_endpoints()  # none where only a plan is wanted
        return bool(served) and all(each.simulated for each in served)

    def find_price(self, model: str, tier: str = "") -> Price | None:
        """The price of a model in a tier; `None` where it is unknown.

        A price that a person gave goes before the list's, and is that of the tier they ask for. Of several endpoints
        the dearest counts.
        """
        endpoints = self.list_endpoints()
        own = self.prices.get(model, self.price)
        if own is not None:
            usual = max((find_batch_factor(each.base_url) for each in endpoints), default=1.0)
            return own.scale(own.tiers.get(tier, usual if tier == BATCH else 1.0))
        found = [
            find_list_price(each.base_url, each.model if model == self.model else model, tier)
            for each in endpoints
        ]
        known = [price for price in found if price is not None]
        return max(known, key=lambda price: price.output) if known and len(known) == len(found) else None

    def find_planned_price(self, step: str) -> Price | None:
        """The price at which most calls of a step will be answered: batches before the first tier.

        Embeddings go neither in batches nor in tiers.
        """
        tier = "" if step == EMBED else BATCH if self.batch == BATCH_API else "".join(self.tier[:1])
        return self.find_price(self.get_step(step).model, tier)

    def take_shares(self, shares: Mapping[str, Any]) -> Self:
        """The spec of a part, with its shares of what is given; messages still name the whole caps."""
        part = self.model_copy(update=shares)
        part._whole_caps = {name: getattr(self, name) for name in shares if name.startswith("max_")}
        return part

    def get_whole_cap(self, name: str) -> float | None:
        """The cap that was given for all parts, where this is the spec of one; else `None`."""
        return self._whole_caps.get(name)

    def as_dict(self) -> dict[str, Any]:
        """The spec as plain JSON values; `RunSpec(**…)` is the inverse."""
        return self.model_dump(mode="json")


def rename_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by today's names; a new name goes before an old one."""
    return {OLD_NAMES.get(name, name): value for name, value in given.items() if name in OLD_NAMES} | {
        name: value for name, value in given.items() if name not in OLD_NAMES
    }


def get_flag(name: str) -> Flag:
    """The `Flag` of a field of `RunSpec`."""
    return next(each for each in RunSpec.model_fields[name].metadata if isinstance(each, Flag))


__all__ = [
    "EMBED", "GROUPS", "OLD_NAMES", "SIMULATOR", "SIMULATOR_MODEL", "SWITCHES", "EndpointSpec", "Flag", "Price",
    "RunSpec", "StepSpec", "StepSpecs", "get_flag", "rename_settings",
]  # fmt: skip
