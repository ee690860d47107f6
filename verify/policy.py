"""What counts as the same answer: every convention is an option with a stated default."""

from dataclasses import dataclass
from typing import Literal

_WORDS = {
    "percent": ("either", "value"),
    "units": ("drop", "require"),
    "order": ("ignore", "keep"),
    "names": ("strict", "ignore"),
}


@dataclass(frozen=True)
class Policy:
    """Conventions for comparing answers. The default is exact, symmetric, and drops a unit that one side leaves out."""

    tolerance: float = 0.0
    """Largest relative difference at which two numbers are still equal; 0 is exact. 0.01 suits measured quantities."""
    rounding: bool = False
    """Accept a decimal that is the other number rounded to the decimal's printed places (two digits or more)."""
    percent: Literal["either", "value"] = "either"
    """`50%` against a bare number: `either` takes 50 and 0.5; `value` takes 0.5 only."""
    units: Literal["drop", "require"] = "drop"
    """A unit on one side only: `drop` compares the numbers, `require` refuses. Two known units are always converted."""
    letter_units: bool = False
    """Read a lone letter behind a number (`4 s`, `0.64N`) as a unit instead of a variable."""
    order: Literal["ignore", "keep"] = "ignore"
    """The order of a bare list `1, 2`; sets never have one and tuples always do."""
    names: Literal["strict", "ignore"] = "strict"
    """Names before an equals sign: with `strict`, `x=5` is not `y=5`; a bare `5` matches both."""
    bare_digits: bool = True
    """Accept `4210` for `4210_7`: the question usually states the base."""
    decimal_comma: bool = False
    """Read `1000,99` as 1000.99 too."""
    grade_truncated: bool = False
    """Judge replies that were cut off at max_tokens by what they say, instead of calling them `truncated`."""
    symbolic: bool = True
    """Ask sympy, in a process of its own, where the fast forms cannot decide."""
    timeout_s: float = 1.5
    """CPU seconds that sympy may take for one pair."""

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance: a relative difference from 0 to below 1, not {self.tolerance}")
        if not 0 < self.timeout_s < float("inf"):
            raise ValueError(f"timeout_s: seconds above 0, not {self.timeout_s}")
        for name, allowed in _WORDS.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: one of {', '.join(allowed)}, not {getattr(self, name)!r}")
