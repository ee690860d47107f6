"""Counting: from outfits to necklaces up to rotation."""

from itertools import accumulate
from math import comb, factorial, gcd
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Value
from distill.families.work import Work


def _choose(w: Work, n: int, k: int) -> int:
    """n over k, noted factor by factor."""
    above = 1
    for i in range(k):
        above *= n - i
    top = w(f"For $\\binom{{{n}}}{{{k}}}$, the product of the {k} factors from {n} down is $@$.", above)
    return w(f"Divided by ${k}! = {factorial(k)}$ that is $@$.", top // factorial(k))


def _outfits_draw(rng: Random) -> Drawn:
    a, b, c = rng.randint(2, 15), rng.randint(2, 15), rng.randint(2, 15)
    return {"a": a, "b": b, "c": c}, sum(1 for _ in range(a) for _ in range(b) for _ in range(c))


def _outfits(w: Work, a: int, b: int, c: int) -> Value:
    two = w(f"Each of the {a} goes with each of the {b}: ${a} \\times {b} = @$ pairs.", a * b)
    trap = (f"All in all there are ${a} + {b} + {c} = @$.", a + b + c)
    total = w(f"Each pair goes with each of the {c}: ${two} \\times {c} = @$.", two * c, trap)
    w.check(f"In another order, ${b} \\times {c} = {b * c}$ and ${b * c} \\times {a} = {b * c * a}$.")
    return total


def _league_draw(rng: Random) -> Drawn:
    n, times = rng.randint(5, 150), rng.randint(1, 6)
    return {"n": n, "times": times}, times * sum(range(n))


def _league(w: Work, n: int, times: int) -> Value:
    ordered = w(f"Each of the {n} meets {n - 1} others: ${n} \\cdot {n - 1} = @$.", n * (n - 1))
    trap = ("So there are $@$ pairs.", ordered)
    pairs = w(f"Every pair is counted twice, so there are ${ordered} / 2 = @$ pairs.", ordered // 2, trap)
    total = w(f"Each pair counts {times} times: $@$.", pairs * times)
    w.check(f"Adding one by one, $1 + 2 + \\dots + {n - 1} = {n * (n - 1) // 2}$ pairs.")
    return total


def _committee_draw(rng: Random) -> Drawn:
    m, n = rng.randint(4, 14), rng.randint(4, 14)
    k, j = rng.randint(2, min(4, m - 1)), rng.randint(2, min(4, n - 1))
    return {"m": m, "n": n, "k": k, "j": j}, comb(m, k) * comb(n, j)


def _committee(w: Work, m: int, n: int, k: int, j: int) -> Value:
    first, second = _choose(w, m, k), _choose(w, n, j)
    trap = (f"The two choices add up: ${first} + {second} = @$.", first + second)
    total = w(f"The two choices are independent: ${first} \\cdot {second} = @$.", first * second, trap)
    w.check(f"The ratio to all choices of {k + j} from {m + n} is {total / comb(m + n, k + j):.3f}, below one.")
    return total


def _bars_draw(rng: Random) -> Drawn:
    k, least = rng.randint(3, 7), rng.randint(1, 4)
    n = k * least + rng.randint(3, 25)
    # Prefix sums: variable by variable, no binomials.
    ways = [1] + [0] * (n - k * least)
    for _ in range(k):
        ways = list(accumulate(ways))
    return {"k": k, "n": n, "least": least}, ways[-1]


def _bars(w: Work, k: int, n: int, least: int) -> Value:
    rest = w(
        f"Give each of the {k} its {least} first: ${n} - {k} \\cdot {least} = @$ remain to be spread freely.",
        n - k * least,
    )
    if rest < 0:
        raise ValueError("nothing to spread")
    trap = (f"Stars and bars: choose {k} places among $@$.", rest + k)
    places = w(f"Stars and bars: choose {k - 1} places for bars among $@$.", rest + k - 1, trap)
    total = _choose(w, places, k - 1)
    w.check(f"With only two variables the rule would give {rest + 1} ways, which is plainly right.")
    return total


def _necklace_draw(rng: Random) -> Drawn:
    n, k = rng.randint(3, 24), rng.randint(2, 30)
    fixed: int = sum(k ** gcd(n, i) for i in range(n))
    return {"n": n, "k": k}, fixed // n


def _necklace(w: Work, n: int, k: int) -> Value:
    w.say(
        f"Burnside: average the number of fixed colourings over the ${n}$ rotations, by the order $d$ of the rotation."
    )
    fixed = 0
    for d in [d for d in range(1, n + 1) if n % d == 0]:
        phi = sum(gcd(i, d) == 1 for i in range(1, d + 1))
        many = f"Order ${d}$: ${phi}$ rotations with ${n // d}$ cycles each, ${phi} \\cdot {k}^{{{n // d}}}$"
        fixed = w(f"{many}; the sum is $@$ so far.", fixed + int(phi * k ** (n // d)))
    everything: int = k**n
    trap = (f"Every necklace is counted {n} times among the ${k}^{{{n}}}$ colourings: $@$.", everything // n)
    total = w(f"Divide by ${n}$: $@$.", fixed // n, trap)
    w.check(f"It must be at least ${k}^{{{n}}} / {n}$, about ${everything / n:.6g}$.")
    return total


COUNTING = Family(
    "counting",
    "counting and probability",
    (
        Kind(
            "elementary",
            "integer",
            _outfits_draw,
            _outfits,
            (
                "<who:name> has <a> shirts, <b> hats and <c> scarves. How many outfits of one shirt, one hat and one "
                "scarf are there?",
                "A menu offers <a> soups, <b> main dishes and <c> desserts. How many different meals with one of "
                "each can be chosen?",
                "A code consists of one of <a> letters, one of <b> digits and one of <c> signs, in this order. "
                "How many codes are there?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "integer",
            _league_draw,
            _league,
            (
                "In a <game:sport> league of <n> teams every two teams play each other <times> times. How many games "
                "is that?",
                "<n> players meet for <game:sport>. Each pair plays <times> games. How many games are played in all?",
                "At a party each two of the <n> guests shake hands <times> times. How many handshakes is that?",
            ),
            options=0.15,
            largest=10_000,
        ),
        Kind(
            "high",
            "integer",
            _committee_draw,
            _committee,
            (
                "A committee of <k> teachers and <j> parents is chosen from <m> teachers and <n> parents. In how "
                "many ways?",
                "From <m> different <what:thing> and <n> different pens <who:name> picks <k> <what> and <j> pens. "
                "How many selections are possible?",
                "A club has <m> juniors and <n> seniors. How many <game:sport> squads of <k> juniors and <j> seniors "
                "can it send?",
            ),
            options=0.15,
            largest=100,
        ),
        Kind(
            "college",
            "integer",
            _bars_draw,
            _bars,
            (
                "How many solutions in integers has $x_1 + \\dots + x_{<k>} = <n>$ with all $x_i \\ge <least>$?",
                "In how many ways can <n> identical <what:thing> be given to <k> children so that each gets at least "
                "<least>?",
                "Count the compositions of <n> into <k> parts, none of them smaller than <least>.",
            ),
            largest=500,
        ),
        Kind(
            "graduate",
            "integer",
            _necklace_draw,
            _necklace,
            (
                "How many orbits has the cyclic group of order <n>, rotating a regular polygon with <n> corners, on "
                "the colourings "
                "of the corners with <k> colours?",
                "Necklaces are made of <n> beads in up to <k> colours; only rotations make two of them equal. How "
                "many are there?",
                "Using Burnside's lemma, count the colourings of the <n> sectors of a wheel with <k> colours up to "
                "rotation.",
                "<who:name> paints the <n> seats of a carousel, each in one of <k> colours. Turning the carousel "
                "changes nothing. "
                "How many ways are there?",
            ),
            largest=100,
        ),
    ),
)
