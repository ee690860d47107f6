"""Equations: from a missing number to power sums of the roots of a cubic."""

from fractions import Fraction
from math import isqrt
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Poly, Value, plain, poly, show, times
from distill.families.work import Work


def _missing_draw(rng: Random) -> Drawn:
    x, a = rng.randint(3, 150), rng.randint(3, 150)
    return {"a": a, "b": a + x}, x


def _missing(w: Work, a: int, b: int) -> Value:
    trap = (f"Adding the two: ${a} + {b} = @$.", a + b)
    x = w(f"Undo the addition: ${b} - {a} = @$.", b - a, trap)
    w.check(f"${a} + {x} = {a + x}$, and the question has ${b}$.")
    return x


def _linear_draw(rng: Random) -> Drawn:
    d = rng.choice((1, 1, 1, 2, 3, 4, 5))
    x = Fraction(rng.choice([n for n in range(-15, 16) if n % d or d == 1]), d)
    c, b = rng.choice((-4, -3, -2, -1, 1, 2, 3, 4, 5)), rng.choice([n for n in range(-20, 21) if n])
    a = c + d * rng.choice((-2, -1, 1, 2, 3))
    e = (a - c) * x + b
    if a == 0 or e == 0:
        return _linear_draw(rng)
    return {"left": poly(b, a), "right": poly(e, c)}, plain(x)


def _linear(w: Work, left: Poly, right: Poly) -> Value:
    (b, a), (e, c) = left.coefficients, right.coefficients
    many = w(f"All $x$ to the left: the factor there is ${show(a)} - ({show(c)}) = @$.", a - c)
    trap = (f"All numbers to the right: ${show(e)} + ({show(b)}) = @$.", e + b)
    rest = w(f"All numbers to the right: ${show(e)} - ({show(b)}) = @$.", e - b, trap)
    x = w(f"Divide: $x = ({show(rest)}) / ({show(many)}) = @$.", rest / many)
    w.check(f"At $x = {show(x)}$ the left side is ${show(left(x))}$ and the right side is ${show(right(x))}$.")
    return plain(x)


def _quadratic_draw(rng: Random) -> Drawn:
    p, q = rng.sample(range(-40, 41), 2)
    return {"f": times(poly(-p, 1), poly(-q, 1))}, frozenset((p, q))


def _monic(f: Poly, degree: int) -> list[int]:
    """The coefficients below the leading one, which has to be 1."""
    if len(f.coefficients) != degree + 1 or f.coefficients[-1] != 1:
        raise ValueError(f"not monic of degree {degree}")
    return [int(c) for c in f.coefficients[:-1]]


def _quadratic(w: Work, f: Poly) -> Value:
    c, b = _monic(f, 2)
    square = w(f"The discriminant is $({b})^2 - 4 \\cdot ({c}) = @$.", b * b - 4 * c)
    if square < 0 or isqrt(square) ** 2 != square:
        raise ValueError("no rational root")
    side = w("Its square root is $@$.", isqrt(square))
    trap = (f"The first solution is $({b} + {side}) / 2 = @$.", Fraction(b + side, 2))
    first = w(f"The first solution is $(-({b}) + {side}) / 2 = @$.", Fraction(side - b, 2), trap)
    trap = (f"The other is $({b} - {side}) / 2 = @$.", Fraction(b - side, 2))
    other = w(f"They add up to ${-b}$, so the other is $@$.", -b - first)
    w.check(f"The product of the two is ${show(first * other)}$; the constant term is ${c}$.")
    return frozenset((plain(first), plain(other)))


def _cubic_draw(rng: Random) -> Drawn:
    roots = rng.sample([n for n in range(-12, 13) if n], 3)
    f = poly(1)
    for r in roots:
        f = times(f, poly(-r, 1))
    return {"f": f}, frozenset(roots)


def _cubic(w: Work, f: Poly) -> Value:
    d, c, b = _monic(f, 3)
    last = abs(d)
    divisors = [s * n for n in range(1, 200) if last % n == 0 for s in (1, -1)]
    whole = [n for n in divisors if f(n) == 0]
    first = w(f"A whole root divides ${last}$. Trying them in turn, $@$ works.", whole[0])
    middle = w(f"Divide by $x - ({first})$: the quotient has the middle coefficient $@$.", b + first)
    end = w("Its constant term is $@$.", c + middle * first)
    square = w(f"The quotient's discriminant is $({middle})^2 - 4 \\cdot ({end}) = @$.", middle * middle - 4 * end)
    if square < 0 or isqrt(square) ** 2 != square:
        raise ValueError("no rational root")
    trap = (f"So a second root is $({middle} + {isqrt(square)}) / 2 = @$.", Fraction(middle + isqrt(square), 2))
    second = w(
        f"So a second root is $(-({middle}) + {isqrt(square)}) / 2 = @$.", Fraction(isqrt(square) - middle, 2), trap
    )
    third = w("And the third one is $@$.", -middle - second)
    w.check(f"Minus the product of all three is ${show(-first * second * third)}$; the constant term is ${d}$.")
    return frozenset((first, plain(second), plain(third)))


def _powers_draw(rng: Random) -> Drawn:
    a, b, c = (rng.choice([n for n in range(-9, 10) if n]) for _ in range(3))
    k = rng.randint(2, 5)
    # The trace of the k-th power of the companion matrix: no identity of Newton's in it.
    companion = [[0, 0, -c], [1, 0, -b], [0, 1, -a]]
    power = companion
    for _ in range(k - 1):
        power = [[sum(row[i] * companion[i][j] for i in range(3)) for j in range(3)] for row in power]
    return {"f": poly(c, b, a, 1), "k": k}, sum(power[i][i] for i in range(3))


def _powers(w: Work, f: Poly, k: int) -> Value:
    c, b, a = _monic(f, 3)
    e1, e2, e3 = -a, b, -c
    w.say(f"By Vieta, $e_1 = {e1}$, $e_2 = {e2}$ and $e_3 = {e3}$; Newton's identities give the sums $p_j$ of powers.")
    sums = [3, w("$p_1 = e_1 = @$.", e1)]
    trap = ("$p_2 = e_1^2 = @$.", e1 * e1)
    sums.append(
        w(f"$p_2 = e_1 p_1 - 2 e_2 = {e1} \\cdot ({sums[1]}) - 2 \\cdot ({e2}) = @$.", e1 * sums[1] - 2 * e2, trap)
    )
    for j in range(3, k + 1):
        value = e1 * sums[j - 1] - e2 * sums[j - 2] + e3 * sums[j - 3]
        sums.append(w(f"$p_{j} = e_1 p_{j - 1} - e_2 p_{j - 2} + e_3 p_{j - 3} = @$.", value))
    w.check(
        f"The same recursion, written with the coefficients of ${show(f)}$ themselves, passes ${sums[2]}$ on its way "
        f"too."
    )
    return sums[k]


EQUATIONS = Family(
    "equations",
    "algebra",
    (
        Kind(
            "elementary",
            "integer",
            _missing_draw,
            _missing,
            (
                "Which number goes into the box? $<a> + \\square = <b>$",
                "<who:name> had <a> <what:thing>, found some more, and now has <b>. How many <what> were found?",
                "What must be added to <a> to make <b>?",
                "I think of a number. When I add <a> I get <b>. What is my number?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "fraction",
            _linear_draw,
            _linear,
            (
                "Solve for $x$: $<left:poly> = <right:poly>$",
                "For which $x$ do the expressions $<left:poly>$ and $<right:poly>$ have the same value?",
                "Find the number $x$ with $<left:poly> = <right:poly>$.",
            ),
            options=0.15,
        ),
        Kind(
            "high",
            "set",
            _quadratic_draw,
            _quadratic,
            (
                "Find the set of all real solutions of the quadratic equation $<f:poly> = 0$.",
                "Where does the parabola $y = <f:poly>$ cross the x-axis? Give the set of all x-values.",
                "Solve $<f:poly> = 0$ and give all solutions as a set.",
            ),
        ),
        Kind(
            "college",
            "set",
            _cubic_draw,
            _cubic,
            (
                "Find the set of all roots of the cubic polynomial $<f:poly>$.",
                "The polynomial $<f:poly>$ has three integer roots. Which ones? Answer as a set.",
                "Determine the kernel of evaluation: all rational $x$ with $<f:poly> = 0$, for this cubic. Answer as "
                "a set.",
            ),
        ),
        Kind(
            "graduate",
            "integer",
            _powers_draw,
            _powers,
            (
                "Let $r, s, t$ be the complex roots of $<f:poly>$. Compute $r^<k> + s^<k> + t^<k>$.",
                "Compute the trace of $M^<k>$ for a $3 \\times 3$ matrix $M$ with characteristic polynomial "
                "$<f:poly>$.",
                "Find the sum of the powers with exponent <k> of the three roots of $<f:poly>$, with multiplicity.",
            ),
            options=0.15,
            largest=1_000,
        ),
    ),
)
