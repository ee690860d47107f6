"""Shapes: from rectangles to hyperbolic triangles."""

from fractions import Fraction
from random import Random

from distill.families.calculation import square_factor
from distill.families.family import Drawn, Family, Kind
from distill.families.value import Mixed, Value, plain, root
from distill.families.work import Work


def _radical(w: Work, square: int) -> Value:
    """The root of a whole number, noted while it is simplified."""
    k = w(f"The largest square that divides ${square}$ is the square of $@$.", square_factor(square))
    inside = square // (k * k)
    if inside * k * k != square:
        raise ValueError("not a square factor")
    return k if inside == 1 else Mixed(Fraction(0), Fraction(k), f"\\sqrt{{{inside}}}")


def _pi(part: Fraction) -> Mixed:
    return Mixed(Fraction(0), part, "\\pi")


def _rectangle_draw(rng: Random) -> Drawn:
    a, b = rng.randint(3, 120), rng.randint(3, 120)
    return {"a": a, "b": b}, a + b + a + b


def _rectangle(w: Work, a: int, b: int) -> Value:
    half = w(f"Two neighbouring sides make ${a} + {b} = @$.", a + b)
    trap = (f"The way round is ${a} \\times {b} = @$.", a * b)
    whole = w("The way round is twice that: $@$.", 2 * half, trap)
    w.check(f"Side by side: ${a} + {b} + {a} + {b} = {2 * a + 2 * b}$.")
    return whole


def _legs_draw(rng: Random) -> Drawn:
    a, b = rng.randint(2, 60), rng.randint(2, 60)
    return {"a": a, "b": b}, root(a * a + b * b)


def _legs(w: Work, a: int, b: int) -> Value:
    first, second = w(f"${a}^2 = @$.", a * a), w(f"${b}^2 = @$.", b * b)
    trap = (f"The legs add up, so the square is $({a} + {b})^2 = @$.", (a + b) ** 2)
    square = w(f"By Pythagoras the square of the third side is ${first} + {second} = @$.", first + second, trap)
    side = w("So its length is $@$.", _radical(w, square))
    w.check(f"It is longer than {max(a, b)} and shorter than {a + b}: about {square**0.5:.2f}.")
    return side


def _sector_draw(rng: Random) -> Drawn:
    radius, angle = rng.randint(2, 40), 5 * rng.randint(2, 70)
    return {"radius": radius, "angle": angle}, _pi(Fraction(radius**2, 2) * Fraction(angle, 180))


def _sector(w: Work, radius: int, angle: int) -> Value:
    share = w(f"The sector is $\\frac{{{angle}}}{{360}} = @$ of the disc.", Fraction(angle, 360))
    square = w(f"The disc has the area ${radius}^2\\pi = @\\pi$.", radius * radius)
    trap = ("Its share of the way round the disc is $@$.", _pi(share * 2 * radius))
    area = w("The share of the area is $@$.", _pi(share * square), trap)
    w.check(f"About {float(area.part) * 3.14159:.2f}, less than the square of side {2 * radius} around the disc.")
    return area


def _plane_draw(rng: Random) -> Drawn:
    normal = tuple(rng.choice([n for n in range(-6, 7) if n]) for _ in range(3))
    point = tuple(rng.randint(-9, 9) for _ in range(3))
    d = rng.randint(-20, 20)
    gap = sum(n * x for n, x in zip(normal, point, strict=True)) - d
    if gap == 0:
        return _plane_draw(rng)
    # The foot of the perpendicular is point - t * normal.
    t = Fraction(gap, sum(n * n for n in normal))
    foot = [x - t * n for n, x in zip(normal, point, strict=True)]
    distance = root(sum(((x - y) ** 2 for x, y in zip(foot, point, strict=True)), Fraction(0)))
    return {"a": point[0], "b": point[1], "c": point[2], "normal": normal, "d": d}, distance


def _plane(w: Work, a: int, b: int, c: int, normal: tuple[int, int, int], d: int) -> Value:
    p, q, r = normal
    gap = w(f"Put the point in: $({p})({a}) + ({q})({b}) + ({r})({c}) - ({d}) = @$.", p * a + q * b + r * c - d)
    trap = (f"The normal has the length $|{p}| + |{q}| + |{r}|$, with the square $@$.", (abs(p) + abs(q) + abs(r)) ** 2)
    square = w("The squared length of the normal is $@$.", p * p + q * q + r * r, trap)
    length = w("So its length is $@$.", _radical(w, square))
    if isinstance(length, Mixed):
        distance: Value = Mixed(Fraction(0), Fraction(abs(gap), 1) * length.part / square, length.unit)
    else:
        assert isinstance(length, int)
        distance = plain(Fraction(abs(gap), length))
    distance = w(f"The distance is $|{gap}|$ divided by that, $@$.", distance)
    w.check(f"In decimals: {abs(gap) / square**0.5:.4f}.")
    return distance


def _hyperbolic_draw(rng: Random) -> Drawn:
    p, q, r = (rng.randint(2, 40) for _ in range(3))
    rest = 1 - Fraction(1, p) - Fraction(1, q) - Fraction(1, r)
    return ({"p": p, "q": q, "r": r}, _pi(rest)) if rest > 0 else _hyperbolic_draw(rng)


def _hyperbolic(w: Work, p: int, q: int, r: int) -> Value:
    common = w(
        f"With the common denominator ${p * q * r}$ the angles have the numerators' sum $@$.", q * r + p * r + p * q
    )
    if p * q * r == 0:
        raise ValueError("no angle")
    angles = w("So the angles add up to $@$ times $\\pi$.", Fraction(common, p * q * r))
    trap = ("By Girard, the area is the excess of the angles over $\\pi$: $@$.", _pi(angles - 1))
    area = w("By Gauss and Bonnet, the area is what the angles lack to $\\pi$: $@$.", _pi(1 - angles), trap)
    w.check(f"It has to be positive and less than $\\pi$: ${float(1 - angles):.4f}$ times $\\pi$.")
    if area.part == 0:
        raise ValueError("no area")
    return area


SHAPES = Family(
    "shapes",
    "geometry",
    (
        Kind(
            "elementary",
            "integer",
            _rectangle_draw,
            _rectangle,
            (
                "A rectangle is <a> cm long and <b> cm wide. What is its perimeter in cm?",
                "<who:name> fences a rectangular garden of <a> m by <b> m. How many metres of fence does that take?",
                "How far is it once around a rectangular field with sides of <a> m and <b> m?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "radical",
            _legs_draw,
            _legs,
            (
                "A right triangle has legs of length <a> and <b>. How long is the hypotenuse, in simplest radical "
                "form?",
                "<who:name> walks <a> km east and then <b> km north. How many km away is the start, as the crow flies? "
                "Simplify the root.",
                "Find the exact length of the diagonal of a rectangle with sides <a> and <b>.",
            ),
            largest=10_000,
        ),
        Kind(
            "high",
            "expression",
            _sector_draw,
            _sector,
            (
                "Find the exact area of a circular sector with radius <radius> and central angle <angle>°.",
                "A slice of a round pizza with radius <radius> cm has an angle of <angle> degrees. "
                "What is its area in square cm, in terms of $\\pi$?",
                "A sprinkler reaches <radius> m and turns through <angle> degrees. Which area does it water, in "
                "terms of $\\pi$?",
            ),
            options=0.15,
        ),
        Kind(
            "college",
            "radical",
            _plane_draw,
            _plane,
            (
                "Find the distance from the point $(<a>, <b>, <c>)$ to the plane $<normal:form> = <d>$.",
                "How far is the plane $<normal:form> = <d>$ from $(<a>, <b>, <c>)$? Give the exact value.",
                "A sphere around $(<a>, <b>, <c>)$ touches the plane $<normal:form> = <d>$. What is its radius?",
            ),
            largest=10_000,
        ),
        Kind(
            "graduate",
            "expression",
            _hyperbolic_draw,
            _hyperbolic,
            (
                "A geodesic triangle in the hyperbolic plane of curvature $-1$ has the angles $\\pi/<p>$, $\\pi/<q>$ "
                "and $\\pi/<r>$. "
                "What is its area?",
                "Compute the area of a fundamental triangle of the $(<p>, <q>, <r>)$ triangle group in the "
                "hyperbolic plane, "
                "curvature $-1$.",
                "Using the Gauss-Bonnet theorem, find the area of the triangle with angles $\\pi/<p>$, $\\pi/<q>$, "
                "$\\pi/<r>$ on a "
                "surface of constant curvature $-1$.",
            ),
        ),
    ),
)
