"""Change: from number patterns over derivatives to residues."""

from fractions import Fraction
from itertools import pairwise
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Poly, Value, plain, poly, show
from distill.families.work import Work


def _pattern_draw(rng: Random) -> Drawn:
    start, step, bend = rng.randint(1, 60), rng.randint(2, 15), rng.randint(0, 3)
    terms = [start + step * i + bend * i * (i - 1) // 2 for i in range(6)]
    return {"terms": tuple(terms[:5])}, terms[5]


def _pattern(w: Work, terms: tuple[int, ...]) -> Value:
    gaps = [b - a for a, b in pairwise(terms)]
    if len({b - a for a, b in pairwise(gaps)}) != 1:
        raise ValueError("the steps do not grow evenly")
    w.say(f"The steps are ${', '.join(map(str, gaps))}$.")
    growth = w("From step to step they grow by $@$.", gaps[-1] - gaps[-2])
    trap = ("So the next step is again $@$.", gaps[0])
    step = w(f"So the next step is ${gaps[-1]} + {growth} = @$.", gaps[-1] + growth, trap)
    following = w(f"${terms[-1]} + {step} = @$.", terms[-1] + step)
    w.check(f"Backwards from ${following}$ the steps shrink by ${growth}$ down to ${gaps[0]}$.")
    return following


def _rate_draw(rng: Random) -> Drawn:
    rate = Fraction(rng.choice([n for n in range(-40, 41) if n]), rng.randint(1, 6))
    start, wait = rng.randint(1, 30), rate.denominator * rng.randint(1, 5)
    low = rng.randint(250, 400)
    return {"s": start, "t": start + wait, "a": low, "b": int(low + rate * wait)}, plain(rate)


def _rate(w: Work, s: int, t: int, a: int, b: int) -> Value:
    change = w(f"The amount changes by ${b} - {a} = @$.", b - a)
    wait = w(f"The time that passes is ${t} - {s} = @$.", t - s)
    trap = (f"The rate is ${b} / {t} = @$.", plain(Fraction(b, t)))
    rate = w(f"The rate is $({change}) / {wait} = @$.", plain(Fraction(change, wait)), trap)
    w.check(f"${a} + {wait} \\cdot ({show(rate)}) = {show(a + wait * rate)}$, and the amount is then ${b}$.")
    return rate


def _derivative_draw(rng: Random) -> Drawn:
    degree = rng.randint(2, 5)
    # Drawn is the derivative; the question shows an antiderivative of it with whole coefficients.
    slopes = [rng.randint(-9, 9) * (power + 1) for power in range(degree)]
    slopes[-1] = slopes[-1] or degree
    return {"f": poly(rng.randint(1, 30), *(Fraction(c, p + 1) for p, c in enumerate(slopes)))}, poly(*slopes)


def _derivative(w: Work, f: Poly) -> Value:
    kept, slopes = [Fraction(0)], []
    for power, c in enumerate(f.coefficients[1:], start=1):
        slopes.append(
            w(f"The term of degree {power} contributes the factor ${power} \\cdot ({show(c)}) = @$.", power * c)
        )
        kept.append(power * c)
    trap = ("Each exponent comes down as a factor: $@$.", poly(*kept))
    result = w("The constant falls away and every degree drops by one: $@$.", poly(*slopes), trap)
    w.check(f"At $x = 1$ the slopes of the terms add up to ${show(sum(slopes, Fraction(0)))}$, and so does the result.")
    return result


def _tangent_draw(rng: Random) -> Drawn:
    f = poly(*(rng.randint(-9, 9) for _ in range(rng.randint(2, 4))), rng.choice((-3, -2, -1, 1, 2, 3)))
    at = rng.randint(-4, 4)
    # The tangent is the remainder of f modulo (x - at)^2.
    rest = list(f.coefficients)
    while len(rest) > 2:
        top = rest.pop()
        rest[-1] += 2 * at * top
        rest[-2] -= at * at * top
    if f.coefficients[0] == 0 and sum(c != 0 for c in f.coefficients) == 1:
        return _tangent_draw(rng)
    return {"f": f, "at": at}, poly(*rest, left="y = ")


def _tangent(w: Work, f: Poly, at: int) -> Value:
    height = w(f"The point of contact has the height $f({at}) = @$.", f(at))
    derivative = w("The derivative is $f'(x) = @$.", poly(*(p * c for p, c in enumerate(f.coefficients) if p)))
    slope = w(f"The slope is $f'({at}) = @$.", derivative(at))
    trap = ("The line has the intercept $@$.", height)
    cut = w(
        f"The line has the intercept ${show(height)} - ({show(slope)}) \\cdot ({at}) = @$.", height - slope * at, trap
    )
    w.check(f"At $x = {at}$ the line has the height ${show(slope * at + cut)}$, like the graph.")
    return poly(cut, slope, left="y = ")


def _residue_draw(rng: Random) -> Drawn:
    a, b, c = rng.sample([n for n in range(-9, 10) if n], 3)
    p = poly(rng.randint(-9, 9), rng.randint(-9, 9), rng.randint(1, 6), letter="z")
    # All residues of p / cubic add up to the leading coefficient of p.
    others = p(b) / ((b - a) * (b - c)) + p(c) / ((c - a) * (c - b))
    poles = {name: poly(-pole, 1, letter="z") for name, pole in (("f", a), ("g", b), ("h", c))}
    return {"p": p, **poles, "a": a}, plain(p.coefficients[2] - others)


def _residue(w: Work, p: Poly, f: Poly, g: Poly, h: Poly, a: int) -> Value:
    if any(len(q.coefficients) != 2 or q.coefficients[1] != 1 for q in (f, g, h)) or len(p.coefficients) > 3:
        raise ValueError("not of the form p / (z - a)(z - b)(z - c)")
    poles = [int(-q.coefficients[0]) for q in (f, g, h)]
    b, c = (pole for pole in poles if pole != a)
    above = w(f"The pole at ${a}$ is simple. The numerator there is $@$.", p(a))
    below = w(f"The other factors there are $({a - b})({a - c}) = @$.", (a - b) * (a - c))
    trap = ("So the residue is the value of the numerator: $@$.", plain(above))
    residue = w(f"So the residue is $({show(above)}) / ({below}) = @$.", plain(above / below), trap)
    w.check("All residues have to add up to the coefficient of $z^2$ in the numerator.")
    return residue


CHANGE = Family(
    "change",
    "calculus",
    (
        Kind(
            "elementary",
            "integer",
            _pattern_draw,
            _pattern,
            (
                "The numbers <terms:ints> follow a simple rule. Which number comes next?",
                "<who:name> counts <what:thing> every day: <terms:ints>. If the pattern goes on, what is the next "
                "count?",
                "Continue the pattern: <terms:ints>, ...",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "fraction",
            _rate_draw,
            _rate,
            (
                "A tank holds <a> litres at minute <s> and <b> litres at minute <t>. What is the average rate of "
                "change in litres per "
                "minute?",
                "A plane flies at height <a> m after <s> seconds and at <b> m after <t> seconds. By how many metres "
                "per second does "
                "its height change on average? Falling counts as negative.",
                "Find the slope of the straight line through $(<s>, <a>)$ and $(<t>, <b>)$.",
            ),
        ),
        Kind(
            "high",
            "expression",
            _derivative_draw,
            _derivative,
            (
                "Differentiate $f(x) = <f:poly>$.",
                "What is $\\frac{d}{dx}\\left(<f:poly>\\right)$?",
                "Find the derivative of the polynomial $<f:poly>$ with respect to $x$.",
            ),
            options=0.15,
        ),
        Kind(
            "college",
            "equation",
            _tangent_draw,
            _tangent,
            (
                "Find the tangent to the graph of $f(x) = <f:poly>$ at $x = <at>$, in the form $y = mx + b$.",
                "Which line $y = mx + b$ touches the curve $y = <f:poly>$ at its point with $x = <at>$?",
                "Give the first-order Taylor polynomial of $<f:poly>$ around $x = <at>$ as an equation $y = \\dots$",
            ),
        ),
        Kind(
            "graduate",
            "fraction",
            _residue_draw,
            _residue,
            (
                "Find the residue of $\\frac{<p:poly>}{(<f:poly>)(<g:poly>)(<h:poly>)}$ at $z = <a>$.",
                "Let $\\gamma$ be a small positive circle around $<a>$. Compute "
                "$\\frac{1}{2\\pi i} \\oint_\\gamma \\frac{<p:poly>}{(<f:poly>)(<g:poly>)(<h:poly>)} dz$.",
                "In the Laurent series of $\\frac{<p:poly>}{(<f:poly>)(<g:poly>)(<h:poly>)}$ around $<a>$, what is "
                "the coefficient of "
                "$(z - a)^{-1}$ with $a = <a>$?",
            ),
        ),
    ),
)
