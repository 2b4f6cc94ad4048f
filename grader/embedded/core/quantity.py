"""Amounts of resources, such as 100m or 1Gi (k8s.io/apimachinery/pkg/api/resource/quantity.go)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

_DECIMAL = {
    **{unit: Fraction(1000 ** (6 - power)) for power, unit in enumerate(("E", "P", "T", "G", "M", "k"))},
    "": Fraction(1),
    **{unit: Fraction(1, 1000 ** (power + 1)) for power, unit in enumerate(("m", "u", "n"))},
}
_BINARY = {f"{unit}i": Fraction(1024 ** (6 - power)) for power, unit in enumerate("EPTGMK")}


@dataclass(frozen=True)
class Quantity:
    """An amount, and whether it is told in powers of 1024.

    Attributes:
        value: the number.
        binary: as Ki, Mi, …

    """

    value: Fraction
    binary: bool = False

    def __add__(self, other: Quantity) -> Quantity:
        """The sum, told as the first of the two that is not zero."""
        return Quantity(self.value + other.value, self.binary if self.value else other.binary)

    def __str__(self) -> str:
        """The canonical form: the largest unit of which it is a whole number."""
        if not self.value:
            return "0"
        whole = self.value.denominator == 1
        units = {**_BINARY, "": Fraction(1)} if self.binary and whole and self.value >= 1024 else _DECIMAL
        for unit, factor in units.items():
            if (self.value / factor).denominator == 1:
                return f"{self.value / factor}{unit}"
        return f"{-(-self.value // _DECIMAL['n'])}n"


def parse(quantity: object) -> Quantity:
    """Read a quantity that the API server has taken. Raises ValueError."""
    text = str(quantity)
    if text[-2:] in _BINARY:
        return Quantity(Fraction(text[:-2]) * _BINARY[text[-2:]], True)
    if text[-1:] in _DECIMAL:
        return Quantity(Fraction(text[:-1]) * _DECIMAL[text[-1:]])
    return Quantity(Fraction(text))


def amount(quantity: object) -> Fraction:
    """The number that a quantity means. Raises ValueError."""
    return parse(quantity).value
