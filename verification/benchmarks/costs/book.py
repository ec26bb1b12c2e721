"""Bills, and the numbers that they multiply: prices.toml and assumptions.toml, read strictly."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HERE = Path(__file__).parent

_Text = Annotated[str, Field(min_length=1)]


class Price(BaseModel):
    """US dollars for `per` units. `source` is where it was seen, and `edition` when.

    `assumption` says what of it was not seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: float = Field(gt=0)
    per: int = Field(gt=0)
    unit: _Text
    source: str = Field(pattern=r"^https://")
    edition: _Text
    assumption: str | None = None

    @property
    def each(self) -> float:
        """US dollars for one unit."""
        return self.dollars / self.per


class Assumption(BaseModel):
    """A number that was neither counted nor found, its unit, and why it is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float = Field(ge=0)
    unit: _Text
    why: _Text


@dataclass(frozen=True)
class Charge:
    """Units of a price; `what` is the line of the table that it belongs to."""

    what: str
    quantity: float
    price: str


Bill = tuple[Charge, ...]


@dataclass(frozen=True)
class Book:
    prices: Mapping[str, Price]
    assumptions: Mapping[str, Assumption]

    def assumed(self, name: str) -> float:
        return self.assumptions[name].value

    def dollars(self, bill: Iterable[Charge]) -> float:
        return sum(charge.quantity * self.prices[charge.price].each for charge in bill)

    def lines(self, bill: Iterable[Charge]) -> dict[str, float]:
        """US dollars by line, in the order in which lines first appear."""
        found: dict[str, float] = {}
        for charge in bill:
            found[charge.what] = found.get(charge.what, 0.0) + self.dollars([charge])
        return found


def load() -> Book:
    """Read both files; raises pydantic's ValidationError for anything that is not as it says."""
    prices = TypeAdapter(dict[str, Price]).validate_python(_toml("prices"))
    assumptions = TypeAdapter(dict[str, Assumption]).validate_python(_toml("assumptions"))
    return Book(prices, assumptions)


def _toml(name: str) -> object:
    return tomllib.loads((HERE / f"{name}.toml").read_text())
