"""Divisibility: from remainders to the square roots of one modulo n."""

from math import gcd, prod
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Value
from distill.families.work import Work

SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)


def factors(n: int) -> dict[int, int]:
    """The prime factorisation of n >= 1, by trial division."""
    if n < 1:
        raise ValueError(f"{n} has no factorisation")
    found: dict[int, int] = {}
    p = 2
    while p * p <= n:
        while n % p == 0:
            found[p], n = found.get(p, 0) + 1, n // p
        p += 1
    if n > 1:
        found[n] = found.get(n, 0) + 1
    return found


def factored(n: int) -> str:
    """The factorisation in LaTeX."""
    return " \\cdot ".join(f"{p}^{{{e}}}" if e > 1 else str(p) for p, e in factors(n).items()) or "1"


def _remainder_draw(rng: Random) -> Drawn:
    b = rng.randint(3, 25)
    r = rng.randrange(b)
    return {"a": b * rng.randint(3, 60) + r, "b": b}, r


def _remainder(w: Work, a: int, b: int) -> Value:
    q = w(f"${b}$ goes into ${a}$ this many times: $@$.", a // b)
    used = w(f"That uses up ${q} \\times {b} = @$.", q * b)
    left = w(f"Left over: ${a} - {used} = @$.", a - used, ("So the answer is how often it goes in: $@$.", q))
    w.check(f"The remainder has to be less than {b}, and ${used} + {left} = {used + left}$.")
    return left


def _gcd_draw(rng: Random) -> Drawn:
    while True:
        g, m, n = rng.randint(2, 40), rng.randint(2, 30), rng.randint(2, 30)
        if gcd(m, n) == 1:
            return {"a": g * m, "b": g * n}, g


def _gcd(w: Work, a: int, b: int) -> Value:
    x, y = max(a, b), min(a, b)
    while y > 0:
        x, y = y, w(f"Divide ${x}$ by ${y}$: the remainder is $@$.", x % y)
    trap = ("The largest common measure of both is $@$, where they meet.", a * b // gcd(a, b))
    g = w("The last remainder that is not zero is $@$.", x, trap)
    w.check(f"${a} / {g}$ and ${b} / {g}$ have no common factor left.")
    return g


def _divisors_draw(rng: Random) -> Drawn:
    exponents = {p: rng.randint(1, 4 if p < 4 else 2) for p in rng.sample(SMALL_PRIMES, rng.randint(2, 4))}
    n = prod(p**e for p, e in exponents.items())
    return ({"n": n}, prod(e + 1 for e in exponents.values())) if n < 10**6 else _divisors_draw(rng)


def _divisors(w: Work, n: int) -> Value:
    w.say(f"Factor: ${n} = {factored(n)}$.")
    count = 1
    for p, e in factors(n).items():
        count = w(
            f"The exponent of ${p}$ can be 0 to {e}: ${count} \\cdot {e + 1} = @$ choices so far.", count * (e + 1)
        )
    trap = ("Counting the prime factors with their exponents gives $@$.", sum(factors(n).values()))
    count = w("So the number of divisors is $@$.", count, trap)
    w.check("Divisors come in pairs $d$ and $n / d$; the number is odd only for a square.")
    return count


def _power_draw(rng: Random) -> Drawn:
    m = rng.randint(7, 200)
    a, e = rng.randint(2, m - 1), rng.randint(20, 5000)
    return {"a": a, "e": e, "m": m}, pow(a, e, m)


def _power(w: Work, a: int, e: int, m: int) -> Value:
    w.say(f"Square again and again. In binary, ${e} = {e:b}_2$.")
    result = 1
    for bit in f"{e:b}":
        square = w(f"Square: ${result}^2 = {result * result}$, modulo ${m}$ that is $@$.", result * result % m)
        result = w(f"The bit is 1, multiply by ${a}$: $@$.", square * a % m) if bit == "1" else square
    trap = (f"Reducing the exponent modulo ${m}$ first, ${a}^{{{e % m}}}$ leaves $@$.", pow(a, e % m, m))
    result = w(f"So ${a}^{{{e}}}$ leaves $@$.", result, trap)
    w.check(
        f"Of base and modulus the greatest common divisor is {gcd(a, m)}, and {gcd(result, m)} of result and modulus."
    )
    return result


def _unity_draw(rng: Random) -> Drawn:
    n = rng.randint(8, 2500)
    return {"n": n}, sum(x * x % n == 1 for x in range(n))


def _unity(w: Work, n: int) -> Value:
    w.say(f"Factor: ${n} = {factored(n)}$. By the Chinese remainder theorem the counts of the prime powers multiply.")
    count = 1
    for p, e in factors(n).items():
        here = 2 if p > 2 else min(2 ** (e - 1), 4)
        roots = w(f"Modulo ${p}^{{{e}}}$ there are $@$ solutions.", here)
        count = w("So far that makes $@$.", count * roots)
    count = w("In all: $@$.", count, ("A quadratic equation has two solutions, so the number is $@$.", 2))
    w.check("With $x$ also $-x$ is a solution, so the number is even.")
    return count


DIVISIBILITY = Family(
    "divisibility",
    "number theory",
    (
        Kind(
            "elementary",
            "integer",
            _remainder_draw,
            _remainder,
            (
                "What is the remainder when <a> is divided by <b>?",
                "<who:name> shares <a> <what:thing> equally among <b> children. How many <what> are left over?",
                "Boxes hold <b> <what:thing> each. After packing <a> <what> into full boxes, how many remain?",
                "Find the remainder of the division <a> ÷ <b>.",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "integer",
            _gcd_draw,
            _gcd,
            (
                "Find the greatest common divisor of <a> and <b>.",
                "What is $\\gcd(<a>, <b>)$?",
                "A floor of <a> cm by <b> cm is to be covered with equal square tiles as large as possible, without "
                "cutting. "
                "What is the side of a tile in cm?",
                "<who:name> cuts ribbons of <a> cm and <b> cm into equal pieces, as long as possible. How many cm is "
                "a piece?",
            ),
            options=0.15,
        ),
        Kind(
            "high",
            "integer",
            _divisors_draw,
            _divisors,
            (
                "How many positive divisors does <n> have?",
                "Find the number of positive integers that divide <n>.",
                "In how many ways can <n> be written as an ordered product $a \\cdot b$ of two positive integers?",
            ),
            options=0.15,
        ),
        Kind(
            "college",
            "integer",
            _power_draw,
            _power,
            (
                "Find the remainder when $<a>^{<e>}$ is divided by $<m>$.",
                "Compute $<a>^{<e>} \\bmod <m>$.",
                "Which integer from 0 to $<m> - 1$ is congruent to $<a>^{<e>}$ modulo $<m>$?",
            ),
        ),
        Kind(
            "graduate",
            "integer",
            _unity_draw,
            _unity,
            (
                "How many elements $x$ of $\\mathbb{Z}/<n>\\mathbb{Z}$ satisfy $x^2 = 1$?",
                "How many group homomorphisms are there from $\\mathbb{Z}/2$ to the unit group of "
                "$\\mathbb{Z}/<n>\\mathbb{Z}$?",
                "Count the solutions of $x^2 \\equiv 1 \\pmod{<n>}$ with $0 \\le x < <n>$.",
                "Find the number of square roots of unity in the ring of integers modulo <n>.",
            ),
        ),
    ),
)
