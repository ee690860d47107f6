"""Congruences: from the clock to sums of two squares."""

from math import gcd, isqrt
from random import Random

from distill.families.divisibility import factored, factors
from distill.families.family import Drawn, Family, Kind
from distill.families.value import Value
from distill.families.work import Work


def _clock_draw(rng: Random) -> Drawn:
    hour, later = rng.randint(1, 12), rng.randint(13, 600)
    gold = hour
    for _ in range(later):
        gold = 1 if gold == 12 else gold + 1
    return {"hour": hour, "later": later}, gold


def _clock(w: Work, hour: int, later: int) -> Value:
    rest = w(f"Every 12 hours the clock looks the same. ${later}$ leaves the remainder $@$.", later % 12)
    total = w(f"${hour} + {rest} = @$.", hour + rest)
    shown = w("On the clock that is $@$.", (total - 1) % 12 + 1, ("The rest alone is what it shows: $@$.", rest))
    w.check(f"From {hour} to {shown} is {(shown - hour) % 12} hours forward, and the full turns do not matter.")
    return shown


def _base_draw(rng: Random) -> Drawn:
    base = rng.randint(2, 9)
    digits = [rng.randint(1, base - 1)] + [rng.randrange(base) for _ in range(rng.randint(2, 8 if base < 4 else 4))]
    return {"n": int("".join(map(str, digits)), base), "base": base}, "".join(map(str, digits)) + f"_{base}"


def _base(w: Work, n: int, base: int) -> Value:
    if not 2 <= base <= 9:
        raise ValueError("no digits for this base")
    digits, rest = "", n
    while rest > 0:
        digit = w(
            f"${rest} = {base} \\cdot {rest // base} + {rest % base}$: the next digit from the right is $@$.",
            rest % base,
        )
        digits, rest = f"{digit}{digits}", rest // base
    w.say(f"Read from the last remainder to the first, the digits are {digits}.")
    text = f"Read in the order found, the digits are ${digits[::-1]}_{base}$."
    reading = w("So the number is $@$.", f"{digits}_{base}", (text, f"{digits[::-1]}_{base}"))
    w.check(f"It has {len(digits)} digits, and ${base}^{{{len(digits) - 1}}} \\le {n} < {base}^{{{len(digits)}}}$.")
    return reading


def _inverse_draw(rng: Random) -> Drawn:
    while True:
        m, a = rng.randint(7, 150), rng.randint(2, 149)
        if a < m and gcd(a, m) == 1:
            x = rng.randrange(m)
            return {"a": a, "b": a * x % m, "m": m}, x


def _inverse(w: Work, a: int, b: int, m: int) -> Value:
    if gcd(a, m) != 1:
        raise ValueError("no inverse")
    r, s, x, y = m, a, 0, 1
    while s > 1:
        q = w(f"${r} = {r // s} \\cdot {s} + {r % s}$; the multiplier of ${a}$ becomes $@$.", x - r // s * y)
        r, s, x, y = s, r % s, y, q
    inverse = w(f"The inverse of ${a}$ modulo ${m}$ is $@$.", y % m)
    trap = (f"Divide by {a}, dropping the rest: $@$.", b // a)
    answer = w(f"$x \\equiv {inverse} \\cdot {b} = {inverse * b}$, so $x = @$.", inverse * b % m, trap)
    w.check(f"${a} \\cdot {answer} = {a * answer}$ leaves ${a * answer % m}$ modulo ${m}$.")
    return answer


def _crt_draw(rng: Random) -> Drawn:
    while True:
        m, n = rng.randint(5, 60), rng.randint(5, 60)
        if gcd(m, n) == 1:
            x = rng.randrange(m * n)
            return {"a": x % m, "m": m, "b": x % n, "n": n}, x


def _crt(w: Work, a: int, m: int, b: int, n: int) -> Value:
    w.say(f"Write $x = {a} + {m}k$ and ask for ${m}k \\equiv {b} - {a}$ modulo ${n}$.")
    gap = w(f"Modulo ${n}$ the right side is $@$.", (b - a) % n)
    inverse = w(f"The inverse of ${m}$ modulo ${n}$ is $@$.", pow(m, -1, n))
    trap = ("Take the difference itself: $k = @$.", gap)
    k = w(f"$k \\equiv {gap} \\cdot {inverse}$, so $k = @$.", gap * inverse % n, trap)
    x = w(f"$x = {a} + {m} \\cdot {k} = @$.", a + m * k)
    w.check(f"${x}$ leaves ${x % m}$ modulo ${m}$ and ${x % n}$ modulo ${n}$.")
    return x


def _squares_draw(rng: Random) -> Drawn:
    n = rng.randint(1, 140) ** 2 + rng.randint(0, 140) ** 2
    count = 0
    for x in range(isqrt(n) + 1):
        y = isqrt(n - x * x)
        if x * x + y * y == n:
            count += (2 if x else 1) * (2 if y else 1)
    return {"n": n}, count


def _squares(w: Work, n: int) -> Value:
    w.say(f"Factor: ${n} = {factored(n)}$. In the Gaussian integers only the primes $1 \\bmod 4$ leave a choice.")
    count = w("The four units give a factor $@$.", 4, ("Signs and order give a factor $@$.", 8))
    for p, e in factors(n).items():
        if p % 4 == 1:
            count = w(f"${p}^{{{e}}}$ splits in {e + 1} ways: $@$ so far.", count * (e + 1))
        elif p % 4 == 3 and e % 2:
            count = w(f"An odd power of ${p}$ is no norm, so there are $@$.", 0)
    w.check("Quarter turns of the plane permute the points, so the number is a multiple of 4.")
    return count


CONGRUENCES = Family(
    "congruences",
    "number theory",
    (
        Kind(
            "elementary",
            "integer",
            _clock_draw,
            _clock,
            (
                "A 12-hour clock shows <hour> o'clock. What hour does it show <later> hours later?",
                "It is <hour> o'clock. <who:name> sets an alarm for <later> hours from now. Which number from 1 to "
                "12 will the "
                "hour hand point to?",
                "The hour hand of a clock points to <hour>. Where does it point after <later> more hours?",
            ),
        ),
        Kind(
            "middle",
            "expression",
            _base_draw,
            _base,
            (
                "Write the decimal number <n> in base <base>, with the base as a subscript.",
                "Convert <n> (base ten) to base <base>. Mark the base with a subscript.",
                "What does the number <n> look like in the positional system with base <base>? Add the base as a "
                "subscript.",
            ),
        ),
        Kind(
            "high",
            "integer",
            _inverse_draw,
            _inverse,
            (
                "Find the smallest non-negative integer $x$ with $<a> x \\equiv <b> \\pmod{<m>}$.",
                "Solve the congruence $<a> x \\equiv <b>$ modulo $<m>$; answer with the least non-negative residue.",
                "A wheel has <m> marks, numbered from 0. How many steps of <a> marks lead from mark 0 to mark <b> "
                "for the first time?",
            ),
        ),
        Kind(
            "college",
            "integer",
            _crt_draw,
            _crt,
            (
                "Find the smallest non-negative integer that leaves remainder <a> modulo <m> and remainder <b> "
                "modulo <n>.",
                "Solve $x \\equiv <a> \\pmod{<m>}$, $x \\equiv <b> \\pmod{<n>}$ for the least $x \\ge 0$.",
                "In rows of <m>, <a> soldiers of a troop are left; in rows of <n>, <b> are left. What is the least "
                "possible number "
                "of soldiers?",
            ),
            options=0.15,
        ),
        Kind(
            "graduate",
            "integer",
            _squares_draw,
            _squares,
            (
                "How many pairs $(x, y)$ of integers satisfy $x^2 + y^2 = <n>$?",
                "Find the number of Gaussian integers of norm <n>.",
                "How many lattice points of $\\mathbb{Z}^2$ lie on the circle of squared radius <n> around the origin?",
                "Compute $r_2(<n>)$, the number of representations as an ordered sum of two squares of integers.",
            ),
            options=0.15,
        ),
    ),
)
