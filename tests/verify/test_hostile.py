"""Text that is made to break or to slow the fast tiers, which run in the caller's own process."""

import random
import time

import pytest

from verify.extract import extract
from verify.policy import Policy
from verify.tiers import decide

PRIMES = [p for p in range(3, 900) if all(p % q for q in range(2, 30) if q < p)]
SLOW = {
    "fractions of coprime powers": ("1", "+".join(rf"\frac1{{{p}^{{5000}}}}" for p in PRIMES[:150])),
    "high powers at test points": ("1", "+".join(rf"\frac1{{(x+{p})^{{3000}}}}" for p in PRIMES[:150])),
    "products of powers": ("1", "*".join(f"{p}^{{5000}}" for p in PRIMES)),
    "factorials": ("1", "+".join(rf"\frac1{{{1400 + i}!}}" for i in range(150))),
    "binomials": ("1", "+".join(rf"\binom{{{3000 + i}}}{{{1500 + i}}}" for i in range(150))),
    "long lists of expressions": (",".join(f"x^{{{i}}}+1" for i in range(64)), ",".join(["x^2+2"] * 64)),
    "long lists of tuples": (",".join(f"({i},x,y)" for i in range(64)), ",".join(f"({i},y,x)" for i in range(64))),
    "long unions": (r"\cup".join(f"({2 * i},{2 * i + 1})" for i in range(250)), r"\cap".join(["(-1,9)"] * 250)),
    "deep roots": ("1", r"\sqrt{" * 2_000 + "2" + "}" * 2_000),
    "deep brackets": ("1", "(" * 20_000 + "1" + ")" * 20_000),
    "long digits": ("1" * 20_000, "1" * 19_999 + "2"),
    "families of tiny steps": (r"\pi k, \frac{\pi k}{1000000}", r"\pi k, \frac{2\pi k}{1000000}"),
    "a tower": ("2", r"2^{3^{4^{5^{6}}}}"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_no_pair_holds_up_the_caller(name: str) -> None:
    gold, answer = SLOW[name]
    started = time.process_time()
    decide(gold, answer)
    decide(answer, gold)
    assert time.process_time() - started < 0.6


def test_no_text_makes_the_fast_tiers_raise() -> None:
    parts = [
        r"\frac", "{", "}", "(", ")", "[", "]", "^", "_", r"\sqrt", "|", r"\text{", r"\begin{pmatrix}", "&", r"\\",
        r"\end{pmatrix}", "=", "<", r"\le", ",", ";", r"\pm", "!", "%", r"^\circ", r"\infty", r"\cup", r"\{", r"\}",
        "x", "y", "1", "0", "-", "+", "/", r"\log", r"\sin", "i", "e", r"\pi", "C", ":", r"\mid", r"\mathbb{R}",
        r"\overline{", "$", "±", "√", "½", "²", r"\binom", r"\lfloor", r"\rfloor", " and ", "cm", r"\mod", ".5",
        r"\mathbf{i}", "e5", "2e517", "0^{-1}", r"\sum", r"\ldots", "7!", "3,4", "10^{400}", r"\Gamma(", "²", "\u200b",
    ]  # fmt: skip
    policies = [
        Policy(),
        Policy(tolerance=0.01, rounding=True, letter_units=True),
        Policy(units="require", order="keep"),
    ]
    rng = random.Random(7)
    for _ in range(4_000):
        gold, answer = ("".join(rng.choices(parts, k=rng.randint(1, 12))) for _ in range(2))
        decide(gold, answer, rng.choice(policies))
        decide(gold, gold + rng.choice(parts), rng.choice(policies))
        extract(rf"So \boxed{{{gold}")
        extract(f"{gold} is ${answer}")
