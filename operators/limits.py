"""What a number in an operator's field can be, by the unit that the field's name ends in."""

import math
import re
from dataclasses import dataclass

# What a number in a field can be, by the unit that the field's name ends in. The first that fits counts; all else may
# be any number.
_SIGNED = r".*(offset|late|delay)_(s|ms)"
_SHARES = r".*_share|.*iou|.*confidence|.*_(overlap|seen|unseen)|max_other_voice"
_RATES = r".*fps|.*hz|size|frames|tries|at_once|scale|(render|crop|look)_px"
_LENGTHS = r".*_(s|ms|px|bytes|bps|levels|height|width|deg)|height"


@dataclass(frozen=True)
class Limits:
    """The values that a number can have."""

    low: float
    high: float
    told: str
    without_low: bool = False

    def hold(self, value: float) -> bool:
        return self.low <= value <= self.high and not (self.without_low and value == self.low)


ANY = Limits(-math.inf, math.inf, "a number")
LIMITS = (
    (_SIGNED, ANY),
    (_SHARES, Limits(0, 1, "0 to 1")),
    (_RATES, Limits(0, math.inf, "above 0", without_low=True)),
    (_LENGTHS, Limits(0, math.inf, "0 or more")),
)


def limits_of(field: str) -> Limits:
    """The values that a number can have in a field of this name."""
    return next((limits for names, limits in LIMITS if re.fullmatch(names, field)), ANY)
