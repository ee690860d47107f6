"""Accumulation: from distances walked to integrals over the whole line."""

from fractions import Fraction
from math import factorial, isqrt
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Mixed, Poly, Value, plain, poly, show
from distill.families.work import Work


def _legs_draw(rng: Random) -> Drawn:
    a, b = rng.randint(2, 15), rng.randint(2, 15)
    s, t = rng.randint(2, 9), rng.randint(2, 9)
    return {"a": a, "s": s, "b": b, "t": t}, sum([a] * s + [b] * t)


def _legs(w: Work, a: int, s: int, b: int, t: int) -> Value:
    first = w(f"The first part is ${a} \\times {s} = @$.", a * s)
    second = w(f"The second part is ${b} \\times {t} = @$.", b * t)
    trap = (f"Speeds and hours add up first: $({a} + {b}) \\times ({s} + {t}) = @$.", (a + b) * (s + t))
    total = w(f"Together: ${first} + {second} = @$.", first + second, trap)
    w.check(f"In {s + t} hours at between {min(a, b)} and {max(a, b)} an hour, {total} is possible.")
    return total


def _ramp_draw(rng: Random) -> Drawn:
    a, b, t = rng.randint(0, 40), rng.randint(1, 60), rng.randint(2, 30)
    return {"a": a, "b": b, "t": t}, plain(a * t + Fraction(b - a, 2) * t)


def _ramp(w: Work, a: int, b: int, t: int) -> Value:
    mean = w(
        f"The mean speed is $({a} + {b}) / 2 = @$.", plain(Fraction(a + b, 2)), ("The mean speed is the last, $@$.", b)
    )
    way = w(f"The way is ${show(mean)} \\cdot {t} = @$.", plain(Fraction(mean) * t))
    w.check(
        f"The picture is a trapezoid: a rectangle of ${a * t}$ and a triangle of ${show(Fraction((b - a) * t, 2))}$."
    )
    return way


def _definite_draw(rng: Random) -> Drawn:
    f = poly(*(rng.randint(-9, 9) for _ in range(rng.randint(1, 3))), rng.choice((-4, -3, -2, -1, 1, 2, 3, 4)))
    low = rng.randint(-3, 3)
    high = low + rng.randint(1, 4)
    # Simpson's rule is exact up to the third degree.
    gold = Fraction(high - low, 6) * (f(low) + 4 * f(Fraction(low + high, 2)) + f(high))
    return {"f": f, "low": low, "high": high}, plain(gold)


def _definite(w: Work, f: Poly, low: int, high: int) -> Value:
    terms = [c / (p + 1) for p, c in enumerate(f.coefficients)]
    primitive = w("An antiderivative is $F(x) = @$.", poly(0, *terms))
    upper = w(f"$F({high}) = @$.", primitive(high))
    lower = w(f"$F({low}) = @$.", primitive(low))
    trap = ("The values add up: $@$.", plain(upper + lower))
    area = w(f"The integral is ${show(upper)} - ({show(lower)}) = @$.", plain(upper - lower), trap)
    w.check(f"The mean height would be ${show(Fraction(area) / (high - low))}$ over a width of ${high - low}$.")
    return area


def _gamma_draw(rng: Random) -> Drawn:
    k, n, a = rng.randint(1, 40), rng.randint(1, 6), rng.randint(2, 12)
    gold = Fraction(k, a)
    for power in range(1, n + 1):  # by parts, each time once
        gold = gold * power / a
    return {"k": k, "n": n, "a": a}, plain(gold)


def _gamma(w: Work, k: int, n: int, a: int) -> Value:
    w.say(f"Substitute $u = {a}x$: the integral becomes a value of the gamma function.")
    top = w(f"$\\Gamma({n + 1}) = {n}! = @$.", factorial(n), (f"$\\Gamma({n}) = @$.", factorial(n - 1)))
    below = w(
        f"The powers of ${a}$ add up to ${a}^{{{n + 1}}} = @$.", a ** (n + 1), (f"Below stands ${a}^{n} = @$.", a**n)
    )
    value = w(f"With the factor ${k}$: $@$.", plain(Fraction(k * top, below)))
    w.check(f"Integrating by parts once multiplies by $\\frac{{{n}}}{{{a}}}$, and {n} times leads to the same.")
    return value


def _line_draw(rng: Random) -> Drawn:
    a, b = rng.sample(range(1, 16), 2)
    k = rng.randint(1, 24)
    return {"k": k, "a": a * a, "b": b * b}, Mixed(Fraction(0), Fraction(k, a * b * (a + b)), "\\pi")


def _line(w: Work, k: int, a: int, b: int) -> Value:
    if isqrt(a) ** 2 != a or isqrt(b) ** 2 != b:
        raise ValueError("not a square")
    p, q = w(f"The poles in the upper half-plane are $i$ times $\\sqrt{{{a}}} = @$", isqrt(a)), isqrt(b)
    w.say(f"and $i$ times $\\sqrt{{{b}}} = {q}$.")
    split = w(f"Partial fractions have the factor $1 / ({b} - {a}) = @$.", Fraction(1, b - a))
    first = w(f"$\\int dx / (x^2 + {a}) = \\pi / {p}$, with the factor $@$ before $\\pi$.", Fraction(1, p))
    second = w(f"$\\int dx / (x^2 + {b}) = \\pi / {q}$, with the factor $@$ before $\\pi$.", Fraction(1, q))
    trap = ("Their sum with both factors is $@$.", Mixed(Fraction(0), k * abs(split) * (first + second), "\\pi"))
    value = w(
        "Their difference with both factors is $@$.", Mixed(Fraction(0), k * split * (first - second), "\\pi"), trap
    )
    w.check(f"The integrand is at most $\\frac{{{k}}}{{{a * b}}}$, and the value has to be positive.")
    return value if value.part else 0


ACCUMULATION = Family(
    "accumulation",
    "calculus",
    (
        Kind(
            "elementary",
            "integer",
            _legs_draw,
            _legs,
            (
                "<who:name> cycles <s> hours at <a> km per hour and then <t> hours at <b> km per hour. How many km "
                "is that in all?",
                "A tap gives <a> litres a minute for <s> minutes and then <b> litres a minute for <t> minutes. How "
                "many litres flow?",
                "A snail crawls <a> cm an hour for <s> hours, then <b> cm an hour for <t> hours. How far does it "
                "get, in cm?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "fraction",
            _ramp_draw,
            _ramp,
            (
                "A train's speed grows evenly from <a> m/s to <b> m/s within <t> seconds. How many metres does it "
                "travel meanwhile?",
                "Find the area under the straight line from $(0, <a>)$ to $(<t>, <b>)$, above the x-axis.",
                "Water flows in at a rate that changes steadily from <a> to <b> litres per minute over <t> minutes. "
                "How many litres flow in?",
            ),
        ),
        Kind(
            "high",
            "fraction",
            _definite_draw,
            _definite,
            (
                "Compute $\\int_{<low>}^{<high>} \\left(<f:poly>\\right) dx$.",
                "Evaluate the definite integral of $<f:poly>$ from $x = <low>$ to $x = <high>$.",
                "A particle moves with velocity $v(x) = <f:poly>$ at time $x$. What is its displacement between the "
                "times $<low>$ and "
                "$<high>$?",
            ),
            options=0.15,
        ),
        Kind(
            "college",
            "fraction",
            _gamma_draw,
            _gamma,
            (
                "Evaluate $\\int_0^\\infty <k> x^{<n>} e^{-<a>x} dx$.",
                "Find the Laplace transform of $<k> t^{<n>}$ at $s = <a>$.",
                "Does $\\int_0^\\infty <k> t^{<n>} e^{-<a>t} dt$ converge? If so, give its value as a fraction.",
            ),
            largest=100,
        ),
        Kind(
            "graduate",
            "expression",
            _line_draw,
            _line,
            (
                "Compute $\\int_{-\\infty}^{\\infty} \\frac{<k>}{(x^2 + <a>)(x^2 + <b>)} dx$.",
                "Close the contour in the upper half-plane and find $\\int_{\\mathbb{R}} \\frac{<k> dx}{(x^2 + "
                "<a>)(x^2 + <b>)}$.",
                "By residues, what is the integral over the real line of $f(z) = \\frac{<k>}{(z^2 + <a>)(z^2 + <b>)}$?",
            ),
            options=0.15,
        ),
    ),
)
