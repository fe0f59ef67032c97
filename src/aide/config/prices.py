"""List prices of well-known models: what `configs/prices.toml` says of a model at an address."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from aide.config.resources import read_file
from aide.config.values import Price

BATCH: Final = "batch"
STANDARD: Final = "standard"
# What providers call the tier of those who ask for none.
STANDARD_NAMES: Final = ("", STANDARD, "default", "auto", "on_demand", "standard_only")

_DATE: Final = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class _PriceList:
    """One `[[prices]]` of the file."""

    hosts: tuple[str, ...]
    tiers: Mapping[str, float]
    models: Mapping[str, tuple[float, float, float]]

    def strip_prefix(self, host: str, model: str) -> str | None:
        """The model's name in this list; `None` where the list is of another host."""
        for pattern in self.hosts:
            wanted, _, prefix = pattern.partition("/")
            if (host == wanted or host.endswith(f".{wanted}")) and model.startswith(prefix):
                return model.removeprefix(prefix)
        return None


@cache
def _read_lists() -> tuple[_PriceList, ...]:
    data = tomllib.loads(read_file("configs", "prices.toml"))
    return tuple(_PriceList(tuple(each["hosts"]), each["tiers"], each["models"]) for each in data["prices"])


@cache
def read_price_date() -> str:
    """The date as of which the prices are, such as `2026-11-26`."""
    return str(tomllib.loads(read_file("configs", "prices.toml"))["as_of"])


@cache
def find_list_price(base_url: str, model: str, tier: str = "") -> Price | None:
    """What `model` costs there in that tier; `None` where the list does not know.

    A name counts for an address only: the same open weights cost nothing on a server of one's own.
    """
    host, name = urlsplit(base_url).hostname or "", model.removeprefix("models/")
    for each in _read_lists():
        own = each.strip_prefix(host, name)
        row = None if own is None else each.models.get(own) or each.models.get(_DATE.sub("", own))
        if row is not None:
            factor = 1.0 if tier in STANDARD_NAMES else each.tiers.get(tier)
            return None if factor is None else Price(input=row[0], cached=row[1], output=row[2]).scale(factor)
    return None


@cache
def find_batch_factor(base_url: str) -> float:
    """What a call in a batch costs there, as a multiple of a call by itself; 1 where nothing is known."""
    host = urlsplit(base_url).hostname or ""
    factors = (
        each.tiers.get(BATCH, 1.0) for each in _read_lists() if each.strip_prefix(host, "") is not None
    )
    return next(factors, 1.0)
