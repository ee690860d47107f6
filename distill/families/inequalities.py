"""Inequalities: from the largest fraction to the interval of convergence of a power series."""

from fractions import Fraction
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import RELATIONS, Interval, Poly, Value, plain, poly, show, times
from distill.families.work import Work

FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}


def _largest_draw(rng: Random) -> Drawn:
    found: set[Fraction] = set()
    while len(found) < 4:
        found.add(Fraction(rng.randint(1, 14), rng.randint(3, 15)))
    fractions = sorted(found)
    if any(f.denominator == 1 for f in fractions):
        return _largest_draw(rng)
    gold = fractions[-1]
    rng.shuffle(fractions)
    return {"fractions": tuple(fractions)}, gold


def _largest(w: Work, fractions: tuple[Fraction, ...]) -> Value:
    best = fractions[0]
    for f in fractions[1:]:
        left = w(f"${show(best)}$ against ${show(f)}$: crosswise, one side is $@$,", best.numerator * f.denominator)
        right = w("and the other side is $@$.", f.numerator * best.denominator)
        best = max(best, f) if left < right and f > best else (f if left < right else best)
    bottom = max(fractions, key=lambda f: (f.denominator, f.numerator))
    trap = ("The one with the largest denominator is the largest: $@$.", bottom)
    best = w("So the largest is $@$.", best, trap)
    w.check(f"In decimals: {', '.join(f'{float(f):.4f}' for f in fractions)}.")
    return best


def _ray(bound: Fraction, relation: str) -> Interval:
    if relation in ("<", "\\le"):
        return Interval((("(", None, bound, ")" if relation == "<" else "]"),))
    return Interval((("(" if relation == ">" else "[", bound, None, ")"),))


def _linear_draw(rng: Random) -> Drawn:
    bound, a, b = (
        rng.randint(-15, 15),
        rng.choice([n for n in range(-9, 10) if n]),
        rng.choice([n for n in range(-20, 21) if n]),
    )
    relation = rng.choice(RELATIONS)
    gold = _ray(Fraction(bound), relation if a > 0 else FLIPPED[relation])
    return {"left": poly(b, a), "rel": relation, "c": a * bound + b}, gold


def _linear(w: Work, left: Poly, rel: str, c: int) -> Value:
    b, a = left.coefficients
    rest = w(f"Move the constant: ${show(poly(0, a))} {rel} {c} - ({show(b)}) = @$.", c - b)
    bound = w(f"Divide by ${show(a)}$: the boundary is $@$.", rest / a)
    kept = ("Dividing keeps the direction: $@$.", _ray(bound, rel))
    why = (
        "Dividing by a negative number turns the sign round"
        if a < 0
        else "Dividing by a positive number keeps the sign"
    )
    answer = w(f"{why}: $x$ lies in $@$.", _ray(bound, rel if a > 0 else FLIPPED[rel]), kept)
    w.check(f"At the boundary ${show(bound)}$ the left side is ${show(left(bound))}$, which is the right side.")
    return answer


def _between(low: Fraction, high: Fraction, relation: str) -> Interval:
    closed = relation in ("\\le", "\\ge")
    left, right = ("[", "]") if closed else ("(", ")")
    if relation in ("<", "\\le"):
        return Interval(((left, low, high, right),))
    return Interval((("(", None, low, right), (left, high, None, ")")))


def _quadratic_draw(rng: Random) -> Drawn:
    low, high = sorted(rng.sample(range(-18, 19), 2))
    relation = rng.choice(RELATIONS)
    return {"f": times(poly(-low, 1), poly(-high, 1)), "rel": relation}, _between(
        Fraction(low), Fraction(high), relation
    )


def _quadratic(w: Work, f: Poly, rel: str) -> Value:
    if len(f.coefficients) != 3 or f.coefficients[2] != 1:
        raise ValueError("not monic of degree 2")
    b = f.coefficients[1]
    pair = [n for n in range(-60, 61) if f(n) == 0]
    low = w("The smaller zero of the parabola is $@$.", min(pair))
    high = w(f"The zeros add up to ${show(-b)}$, so the larger one is $@$.", int(-b - low))
    if low >= high:
        raise ValueError("the zeros are in the wrong order")
    ends = (Fraction(low), Fraction(high))
    trap = ("It opens upwards, so the solution set is $@$.", _between(*ends, FLIPPED[rel]))
    answer = w(
        "It opens upwards: negative between its zeros, positive outside. So the set is $@$.", _between(*ends, rel), trap
    )
    w.check(
        f"Halfway between the zeros the value is ${show(f(Fraction(low + high, 2)))}$, below zero, as it should be."
    )
    return answer


def _rational_draw(rng: Random) -> Drawn:
    zero, pole = rng.sample([n for n in range(-20, 21) if n], 2)
    relation = rng.choice(RELATIONS)
    low, high = min(zero, pole), max(zero, pole)
    closed = relation in ("\\le", "\\ge")
    left = "[" if closed and low == zero else "("
    right = "]" if closed and high == zero else ")"
    ends = (Fraction(low), Fraction(high))
    if relation in ("<", "\\le"):
        gold = Interval(((left, *ends, right),))
    else:
        outer_left = "]" if closed and low == zero else ")"
        outer_right = "[" if closed and high == zero else "("
        gold = Interval((("(", None, ends[0], outer_left), (outer_right, ends[1], None, ")")))
    return {"p": poly(-zero, 1), "q": poly(-pole, 1), "rel": relation}, gold


def _zero(p: Poly) -> Fraction:
    """Where x + a vanishes."""
    if len(p.coefficients) != 2 or p.coefficients[1] != 1:
        raise ValueError("not of the form x + a")
    return -p.coefficients[0]


def _rational(w: Work, p: Poly, q: Poly, rel: str) -> Value:
    zero = w("The numerator vanishes at $@$.", _zero(p))
    pole = w("The denominator vanishes at $@$, which is never a solution.", _zero(q))
    if zero == pole:
        raise ValueError("zero and pole cancel")
    low, high = min(zero, pole), max(zero, pole)

    def part(
        left: Fraction | None, right: Fraction | None, pole_too: bool
    ) -> tuple[str, Fraction | None, Fraction | None, str]:
        def closed(end: Fraction | None) -> bool:
            return rel in ("\\le", "\\ge") and end is not None and (end == zero or pole_too)

        return ("[" if closed(left) else "(", left, right, "]" if closed(right) else ")")

    def solution(pole_too: bool) -> Interval:
        inside = rel in ("<", "\\le")
        ends = [(low, high)] if inside else [(None, low), (high, None)]
        return Interval(tuple(part(left, right, pole_too) for left, right in ends))

    w.say(
        f"The sign changes at both; between ${show(low)}$ and ${show(high)}$ the quotient is negative, outside "
        f"positive."
    )
    trap = (
        "Multiplying the denominator out leaves a quadratic inequality with the solutions $@$.",
        solution(pole_too=True),
    )
    answer = w("So the solution set is $@$.", solution(pole_too=False), trap)
    w.check(f"Far to the right both factors are positive, and at ${show(pole)}$ the quotient does not exist.")
    return answer


def _series_draw(rng: Random) -> Drawn:
    centre, radius, s = rng.choice([n for n in range(-30, 31) if n]), rng.randint(2, 20), rng.randint(1, 4)
    low, high = Fraction(centre - radius), Fraction(centre + radius)
    # The alternating end converges always, the harmonic end only for s > 1.
    return {"p": poly(-centre, 1), "r": radius, "s": s}, Interval((("[", low, high, "]" if s > 1 else ")"),))


def _series(w: Work, p: Poly, r: int, s: int) -> Value:
    centre = w("The centre is $@$.", _zero(p))
    w.say(f"The ratio test: the quotient of neighbours tends to $|{show(p)}| / {r}$, so the radius is ${r}$.")
    low, high = w("The left end is $@$.", centre - r), w("The right end is $@$.", centre + r)
    w.say(f"At the left end the terms are $(-1)^n / n^{s}$: convergent, by Leibniz.")
    w.say(f"At the right end they are $1 / n^{s}$: {'convergent' if s > 1 else 'the harmonic series, divergent'}.")
    open_ends = ("The interval of convergence is $@$.", Interval((("(", low, high, ")"),)))
    answer = w("The interval of convergence is $@$.", Interval((("[", low, high, "]" if s > 1 else ")"),)), open_ends)
    w.check(f"Its length is ${show(plain(high - low))}$, twice the radius.")
    return answer


INEQUALITIES = Family(
    "inequalities",
    "algebra",
    (
        Kind(
            "elementary",
            "fraction",
            _largest_draw,
            _largest,
            (
                "Which of these fractions is the largest: $<fractions:fracs>$?",
                "Order the fractions $<fractions:fracs>$ by size. Which one comes last if the smallest is first?",
                "<who:name> may take $<fractions:fracs>$ of a cake, and wants as much as possible. Which fraction is "
                "it?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "interval",
            _linear_draw,
            _linear,
            (
                "Solve the inequality $<left:poly> <rel:rel> <c>$. Give the solution set as an interval.",
                "For which real $x$ is $<left:poly> <rel:rel> <c>$? Use interval notation.",
                "Write the set of all $x$ with $<left:poly> <rel:rel> <c>$ in interval notation.",
            ),
        ),
        Kind(
            "high",
            "interval",
            _quadratic_draw,
            _quadratic,
            (
                "Solve $<f:poly> <rel:rel> 0$ over the real numbers, in interval notation.",
                "For which real $x$ does $<f:poly> <rel:rel> 0$ hold? Give intervals.",
                "Find the solution set of the quadratic inequality $<f:poly> <rel:rel> 0$ as an interval or a union "
                "of intervals.",
            ),
        ),
        Kind(
            "college",
            "interval",
            _rational_draw,
            _rational,
            (
                "Solve $\\frac{<p:poly>}{<q:poly>} <rel:rel> 0$ over the real numbers. Use interval notation.",
                "On which set is the function $f(x) = \\frac{<p:poly>}{<q:poly>}$ defined with $f(x) <rel:rel> 0$? "
                "Give intervals.",
                "Find all real $x$ such that $\\frac{<p:poly>}{<q:poly>} <rel:rel> 0$, in interval notation.",
            ),
        ),
        Kind(
            "graduate",
            "interval",
            _series_draw,
            _series,
            (
                "Find the interval of convergence of $\\sum_{n=1}^{\\infty} \\frac{(<p:poly>)^n}{n^{<s>} \\cdot "
                "<r>^n}$.",
                "For which real $x$ does the series $\\sum_{n \\ge 1} \\frac{(<p:poly>)^n}{<r>^n n^{<s>}}$ converge? "
                "Give an interval.",
                "The power series with terms $\\frac{(<p:poly>)^n}{n^{<s>} <r>^n}$, $n \\ge 1$, converges on an "
                "interval of real "
                "$x$. Which one, ends included?",
            ),
        ),
    ),
)
