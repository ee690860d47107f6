"""Calculation: from the order of operations to division in a finite field."""

from fractions import Fraction
from math import gcd, lcm
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Mixed, Value, plain, root, show
from distill.families.work import Work

SQUAREFREE = (2, 3, 5, 6, 7, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23, 26, 29, 30)
PRIMES = (11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113)


def _order_draw(rng: Random) -> Drawn:
    a, b, c = rng.randint(2, 99), rng.randint(2, 12), rng.randint(3, 20)
    return {"a": a, "b": b, "c": c}, sum([c] * b, a)


def _order(w: Work, a: int, b: int, c: int) -> Value:
    product = w(f"Multiplication goes first: ${b} \\times {c} = @$.", b * c)
    left = f"Going from left to right, ${a} + {b} = {a + b}$ and ${a + b} \\times {c} = @$."
    total = w(f"Now add: ${a} + {product} = @$.", a + product, (left, (a + b) * c))
    w.check(f"Counting {b} groups of {c} on from {a}: the last of the groups ends at {total}.")
    return total


def _fractions_draw(rng: Random) -> Drawn:
    while True:
        total, first = (
            Fraction(rng.randint(2, 60), rng.randint(3, 24)),
            Fraction(rng.randint(1, 20), rng.randint(3, 15)),
        )
        if total > first and first.denominator > 1 and (total - first).denominator > 1:
            return {"a": first, "b": total - first}, plain(total)


def _fractions(w: Work, a: Fraction, b: Fraction) -> Value:
    common = w("The common denominator is $@$.", lcm(a.denominator, b.denominator))
    first = w(f"${show(a)}$ has then the numerator $@$.", a.numerator * common // a.denominator)
    second = w(f"${show(b)}$ has then the numerator $@$.", b.numerator * common // b.denominator)
    top = w(f"The numerators add up: ${first} + {second} = @$.", first + second)
    trap = Fraction(a.numerator + b.numerator, a.denominator + b.denominator)
    text = "Adding the tops and adding the bottoms gives $@$."
    total = w(f"So the sum is $\\frac{{{top}}}{{{common}}} = @$.", Fraction(top, common), (text, trap))
    w.check(f"Taking ${show(b)}$ away from ${show(total)}$ leaves ${show(total - b)}$, the first fraction.")
    return plain(total)


def _roots_draw(rng: Random) -> Drawn:
    m, k, n = rng.choice(SQUAREFREE), rng.randint(2, 20), rng.randint(2, 20)
    return {"a": k * k * m, "b": n * n * m}, Mixed(Fraction(0), Fraction(k + n), f"\\sqrt{{{m}}}")


def square_factor(n: int) -> int:
    """The largest k with k^2 dividing n, found prime by prime."""
    if n < 1:
        raise ValueError(f"no square factor of {n}")
    k, p = 1, 2
    while p * p <= n:
        while n % (p * p) == 0:
            n, k = n // (p * p), k * p
        p += 1
    return k


def _roots(w: Work, a: int, b: int) -> Value:
    k = w(f"The largest square in ${a}$ is the square of $@$.", square_factor(a))
    n = w(f"The largest square in ${b}$ is the square of $@$.", square_factor(b))
    inside = a // square_factor(a) ** 2
    if inside != b // square_factor(b) ** 2:
        raise ValueError("the roots are no like terms")
    w.say(f"So the roots are ${k}\\sqrt{{{inside}}}$ and ${n}\\sqrt{{{inside}}}$: like terms.")
    total: Value = Mixed(Fraction(0), Fraction(k + n), f"\\sqrt{{{inside}}}")
    trap = f"Adding under the root: $\\sqrt{{{a} + {b}}} = \\sqrt{{{a + b}}} = @$."
    total = w(f"Together: $({k} + {n})\\sqrt{{{inside}}} = @$.", total, (trap, root(a + b)))
    w.check(f"In decimals, {a**0.5:.3f} + {b**0.5:.3f} = {a**0.5 + b**0.5:.3f}, and ${show(total)}$ is as large.")
    return total


def _complex_draw(rng: Random) -> Drawn:
    x, y, c, d = (rng.choice((-1, 1)) * rng.randint(1, 12) for _ in range(4))
    a, b = x * c - y * d, x * d + y * c
    if a == 0 or b == 0:
        return _complex_draw(rng)
    fractions = [Fraction(n) for n in (a, b, c, d, x, y)]
    p, q, gold = (Mixed(fractions[i], fractions[i + 1], "i") for i in (0, 2, 4))
    return {"p": p, "q": q}, gold


def _complex(w: Work, p: Mixed, q: Mixed) -> Value:
    a, b, c, d = int(p.whole), int(p.part), int(q.whole), int(q.part)
    w.say(f"Multiply above and below by the conjugate ${show(Mixed(q.whole, -q.part, 'i'))}$.")
    trap = f"Below stands $({c})^2 - ({d})^2 = @$."
    below = w(f"Below stands $({c})^2 + ({d})^2 = @$.", c * c + d * d, (trap, c * c - d * d))
    real = w(f"The real part above is $({a})({c}) + ({b})({d}) = @$.", a * c + b * d)
    imaginary = w(f"The imaginary part above is $({b})({c}) - ({a})({d}) = @$.", b * c - a * d)
    x = w(f"Real part: ${real} / {below} = @$.", Fraction(real, below))
    y = w(f"Imaginary part: ${imaginary} / {below} = @$.", Fraction(imaginary, below))
    w.check(f"Multiplying $({show(Mixed(x, y, 'i'))})({show(q)})$ out has to give ${show(p)}$, and it does.")
    return Mixed(x, y, "i") if y else plain(x)


def _field_draw(rng: Random) -> Drawn:
    p = rng.choice(PRIMES)
    x, b = rng.randint(2, p - 1), rng.randint(2, p - 1)
    return {"a": x * b % p, "b": b, "p": p}, x


def _field(w: Work, a: int, b: int, p: int) -> Value:
    if gcd(b, p) != 1:
        raise ValueError("no inverse")
    w.say(f"Division by ${b}$ is multiplication by its inverse modulo ${p}$; Euclid's algorithm finds it.")
    r, s, x, y = p, b, 0, 1
    while s > 1:
        q = w(f"${r} = {s} \\cdot {r // s} + {r % s}$, so the next multiplier is $@$.", x - r // s * y)
        r, s, x, y = s, r % s, y, q
    inverse = w(f"So ${b}^{{-1}} = @$ modulo ${p}$.", y % p, ("Its negative serves as the inverse: $@$.", -b % p))
    quotient = w(f"Then ${a} \\cdot {inverse} = {a * inverse}$, which is $@$ modulo ${p}$.", a * inverse % p)
    w.check(
        f"${quotient} \\cdot {b} = {quotient * b}$, and modulo ${p}$ that is ${quotient * b % p}$, as it should be."
    )
    return quotient


CALCULATION = Family(
    "calculation",
    "arithmetic",
    (
        Kind(
            "elementary",
            "integer",
            _order_draw,
            _order,
            (
                "What is $<a> + <b> \\times <c>$?",
                "Work out the value of <a> + <b> × <c>.",
                "<who:name> has <a> <what:thing> and gets <b> bags with <c> <what> in each. How many <what> are "
                "there now?",
                "There are <a> <what:thing> on a table and <b> boxes of <c> <what> under it. Count all the <what>.",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "fraction",
            _fractions_draw,
            _fractions,
            (
                "Compute $<a:frac> + <b:frac>$ and give the result in lowest terms.",
                "What is the sum of $<a:frac>$ and $<b:frac>$, as a reduced fraction?",
                "<who:name> pours $<a:frac>$ litres of water into a jug that holds $<b:frac>$ litres already. "
                "How many litres are in it? Answer as a fraction in lowest terms.",
            ),
            options=0.15,
        ),
        Kind(
            "high",
            "radical",
            _roots_draw,
            _roots,
            (
                "Simplify $\\sqrt{<a>} + \\sqrt{<b>}$.",
                "Write $\\sqrt{<a>} + \\sqrt{<b>}$ as a single radical in simplest form.",
                "Two sticks have lengths $\\sqrt{<a>}$ and $\\sqrt{<b>}$. Laid end to end, how long are they, in "
                "simplest form?",
                "What does $\\sqrt{<a>} + \\sqrt{<b>}$ reduce to?",
            ),
            largest=1_000_000,
        ),
        Kind(
            "college",
            "expression",
            _complex_draw,
            _complex,
            (
                "Write $\\frac{<p:gauss>}{<q:gauss>}$ in the form $a + bi$.",
                "Divide the complex number $<p:gauss>$ by $<q:gauss>$.",
                "For which complex number $z$ is $(<q:gauss>) z = <p:gauss>$?",
            ),
            options=0.15,
        ),
        Kind(
            "graduate",
            "integer",
            _field_draw,
            _field,
            (
                "In the finite field $\\mathbb{F}_{<p>}$, compute $<a> / <b>$ as an integer from 0 to $<p> - 1$.",
                "Let $K$ be the field with $<p>$ elements. Which residue $x$ in $K$ satisfies $<b> x = <a>$?",
                "Find the quotient of <a> by <b> in $\\mathbb{Z}/<p>\\mathbb{Z}$, as the least non-negative residue.",
            ),
        ),
    ),
)
