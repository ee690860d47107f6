"""Coordinates: from the corner of a rectangle to a Moebius transformation."""

from fractions import Fraction
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Number, Value, plain, poly, show
from distill.families.work import Work


def _corner_draw(rng: Random) -> Drawn:
    (a, c), (b, d) = rng.sample(range(-12, 13), 2), rng.sample(range(-12, 13), 2)
    corners = [(a, b), (a, d), (c, b), (c, d)]
    rng.shuffle(corners)
    gold = corners.pop()
    return {f"{axis}{i}": n for i, corner in enumerate(corners) for axis, n in zip("xy", corner, strict=True)}, gold


def _corner(w: Work, x0: int, y0: int, x1: int, y1: int, x2: int, y2: int) -> Value:
    if len({x0, x1, x2}) != 2 or len({y0, y1, y2}) != 2:
        raise ValueError("no three corners of an upright rectangle")
    w.say("In such a rectangle every coordinate comes twice.")
    x = w(f"Of the $x$-coordinates ${x0}, {x1}, {x2}$ only one stands alone: $@$.", x0 ^ x1 ^ x2)
    y = w(f"Of the $y$-coordinates ${y0}, {y1}, {y2}$ only one stands alone: $@$.", y0 ^ y1 ^ y2)
    corner = w("So the fourth corner is $@$.", (x, y), ("Reading the two off in the other order: $@$.", (y, x)))
    w.check(f"The sum of all $x$ is {x0 + x1 + x2 + x}, twice the sum of the two different ones.")
    return corner


def _middle_draw(rng: Random) -> Drawn:
    x, y = Fraction(rng.randint(-30, 30), 2), Fraction(rng.randint(-30, 30), 2)
    dx, dy = Fraction(rng.randint(1, 12)) + x % 1, Fraction(rng.randint(-12, 12)) + y % 1
    ends = {"a": plain(x - dx), "b": plain(y - dy), "c": plain(x + dx), "d": plain(y + dy)}
    return ends, (plain(x), plain(y))


def _middle(w: Work, a: int, b: int, c: int, d: int) -> Value:
    trap = ("Half of the difference in $x$: $@$.", plain(Fraction(c - a, 2)))
    x = w(f"In $x$: $({a} + {c}) / 2 = @$.", plain(Fraction(a + c, 2)), trap)
    y = w(f"In $y$: $({b} + {d}) / 2 = @$.", plain(Fraction(b + d, 2)))
    w.check(
        f"From the first end to the middle it is ${show(x - a)}$ in $x$, and from there to the other ${show(c - x)}$."
    )
    return (x, y)


def _line_draw(rng: Random) -> Drawn:
    step = rng.randint(1, 6)
    m, a = Fraction(rng.choice([n for n in range(-12, 13) if n]), step), rng.randint(-9, 9)
    b = rng.randint(-9, 9)
    k = step * rng.choice((-2, -1, 1, 2))
    points = {"a": a, "b": b, "c": a + k, "d": int(b + m * k)}
    return points, poly(b - m * a, m, left="y = ")


def _line(w: Work, a: int, b: int, c: int, d: int) -> Value:
    rise, run = w(f"It rises by ${d} - ({b}) = @$", d - b), w(f"over a run of ${c} - ({a}) = @$.", c - a)
    trap = ("The slope is run over rise, $@$.", Fraction(run, rise))
    slope = w(f"The slope is $({rise}) / ({run}) = @$.", Fraction(rise, run), trap)
    cut = w(f"The intercept is ${b} - ({show(slope)}) \\cdot ({a}) = @$.", b - slope * a)
    w.check(f"At $x = {c}$ this line has the height ${show(slope * c + cut)}$; the second point has ${d}$.")
    return poly(cut, slope, left="y = ")


def _foot_draw(rng: Random) -> Drawn:
    u, v = (rng.choice([n for n in range(-5, 6) if n]) for _ in range(2))
    t, s = Fraction(rng.randint(-12, 12), u * u + v * v), Fraction(rng.randint(1, 12), u * u + v * v)
    a, b = t * u - s * v, t * v + s * u
    if a.denominator > 1 or b.denominator > 1:
        scale = u * u + v * v
        a, b, t = a * scale, b * scale, t * scale
    return {"a": plain(a), "b": plain(b), "u": u, "v": v}, (plain(t * u), plain(t * v))


def _foot(w: Work, a: int, b: int, u: int, v: int) -> Value:
    dot = w(f"The scalar product is $({a})({u}) + ({b})({v}) = @$.", a * u + b * v)
    square = w(f"The direction has the squared length $({u})^2 + ({v})^2 = @$.", u * u + v * v)
    trap = ("The factor is the scalar product itself, $@$.", Fraction(dot))
    t = w(f"The factor is ${dot} / {square} = @$.", Fraction(dot, square), trap)
    foot = w("So the projection is $@$.", (plain(t * u), plain(t * v)))
    w.check(
        f"What remains has the scalar product ${show((a - t * u) * u + (b - t * v) * v)}$ with the direction: "
        f"orthogonal."
    )
    return foot


def _moebius_draw(rng: Random) -> Drawn:
    p, q, r, s = rng.sample(range(-15, 16), 4)
    # Through w = 1 / (z - q), which sends q to infinity, the map is affine.
    wp, wr, ws = (Fraction(1, z - q) for z in (p, r, s))
    return {"p": p, "q": q, "r": r, "s": s}, plain((ws - wp) / (wr - wp))


def _moebius(w: Work, p: int, q: int, r: int, s: int) -> Value:
    w.say(f"A zero at ${p}$ and a pole at ${q}$ leave $f(z) = k \\frac{{z - ({p})}}{{z - ({q})}}$.")
    raw = w(f"Without the factor, $f({r})$ would be $@$.", Fraction(r - p, r - q))
    k = w("It has to be 1, so $k = @$.", 1 / raw, ("It has to be 1, so $k = @$.", raw))
    there = w(f"Without the factor, $f({s})$ would be $@$.", Fraction(s - p, s - q))
    value: Number = w(f"With it, $f({s}) = @$.", plain(k * there))
    w.check(f"This is the cross-ratio: $({s - p})({r - q})$ over $({s - q})({r - p})$.")
    return value


COORDINATES = Family(
    "coordinates",
    "geometry",
    (
        Kind(
            "elementary",
            "tuple",
            _corner_draw,
            _corner,
            (
                "Three corners of a rectangle with sides parallel to the axes are $(<x0>, <y0>)$, $(<x1>, <y1>)$ and "
                "$(<x2>, <y2>)$. "
                "What is the fourth corner?",
                "<who:name> marks $(<x0>, <y0>)$, $(<x1>, <y1>)$ and $(<x2>, <y2>)$ on squared paper. Which point "
                "completes an upright "
                "rectangle?",
            ),
        ),
        Kind(
            "middle",
            "tuple",
            _middle_draw,
            _middle,
            (
                "Find the midpoint of the segment from $(<a>, <b>)$ to $(<c>, <d>)$.",
                "<who:name> walks straight from $(<a>, <b>)$ to $(<c>, <d>)$ and rests halfway. At which point?",
                "A circle has a diameter with ends $(<a>, <b>)$ and $(<c>, <d>)$. Where is its centre?",
            ),
        ),
        Kind(
            "high",
            "equation",
            _line_draw,
            _line,
            (
                "Find the equation of the line through $(<a>, <b>)$ and $(<c>, <d>)$ in the form $y = mx + b$.",
                "A line passes through the points $(<a>, <b>)$ and $(<c>, <d>)$. Give $y$ as an expression in $x$.",
                "Which linear function has a graph through $(<a>, <b>)$ and $(<c>, <d>)$? Answer with $y = \\dots$",
            ),
        ),
        Kind(
            "college",
            "tuple",
            _foot_draw,
            _foot,
            (
                "Project the vector $(<a>, <b>)$ orthogonally onto the line spanned by $(<u>, <v>)$.",
                "Which point of the line $\\{ t(<u>, <v>) : t \\in \\mathbb{R} \\}$ is closest to $(<a>, <b>)$?",
                "Find the foot of the perpendicular from $(<a>, <b>)$ to the line through the origin and $(<u>, <v>)$.",
            ),
        ),
        Kind(
            "graduate",
            "fraction",
            _moebius_draw,
            _moebius,
            (
                "The Möbius transformation $f$ satisfies $f(<p>) = 0$, $f(<q>) = \\infty$ and $f(<r>) = 1$. Find "
                "$f(<s>)$.",
                "A biholomorphic map of the Riemann sphere sends $<p>$ to $0$, $<q>$ to $\\infty$ and $<r>$ to $1$. "
                "Where does it send $<s>$?",
                "Compute the image of $<s>$ under the unique element of $\\mathrm{PGL}_2(\\mathbb{Q})$ that maps "
                "$(<p>, <q>, <r>)$ to "
                "$(0, \\infty, 1)$.",
            ),
        ),
    ),
)
