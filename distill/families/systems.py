"""Systems: from two unknown numbers to the Smith normal form."""

from fractions import Fraction
from itertools import combinations
from math import gcd
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.matrices import product, unimodular
from distill.families.value import Matrix, Number, Value, matrix, plain, show
from distill.families.work import Work

NONZERO = tuple(n for n in range(-7, 8) if n)


def _pair_draw(rng: Random) -> Drawn:
    small = rng.randint(1, 80)
    large = small + rng.randint(1, 60)
    return {"total": small + large, "gap": large - small}, (large, small)


def _pair(w: Work, total: int, gap: int) -> Value:
    double = w(f"Sum and difference together are twice the larger: ${total} + {gap} = @$.", total + gap)
    trap = (f"Half of the sum is the larger, ${total} / 2 = @$.", plain(Fraction(total, 2)))
    large = w(f"So the larger is ${double} / 2 = @$.", plain(Fraction(double, 2)), trap)
    small = w(f"The smaller is ${show(large)} - {gap} = @$.", plain(Fraction(large) - gap))
    w.check(f"${show(large)} + {show(small)}$ is to be ${total}$.")
    return (large, small)


def _two_draw(rng: Random) -> Drawn:
    (a, b), (c, d) = rng.choices(NONZERO, k=2), rng.choices(NONZERO, k=2)
    x, y = (Fraction(rng.randint(-12, 12), rng.choice((1, 1, 1, 2))) for _ in range(2))
    e, f = a * x + b * y, c * x + d * y
    if a * d == b * c or e.denominator > 1 or f.denominator > 1:
        return _two_draw(rng)
    return {"p": (a, b), "e": int(e), "q": (c, d), "f": int(f)}, (plain(x), plain(y))


def _two(w: Work, p: tuple[int, int], e: int, q: tuple[int, int], f: int) -> Value:
    (a, b), (c, d) = p, q
    w.say(f"Multiply the first equation by ${d}$, the second by ${b}$, and subtract: $y$ falls out.")
    many = w(f"The factor of $x$ is $({a})({d}) - ({c})({b}) = @$.", a * d - c * b)
    rest = w(
        f"On the right stands $({e})({d}) - ({f})({b}) = @$.",
        e * d - f * b,
        ("On the right stands $@$.", e * d + f * b),
    )
    x = w(f"So $x = ({rest}) / ({many}) = @$.", Fraction(rest, many))
    y = w(f"From the first equation, $y = ({e} - ({a}) \\cdot ({show(x)})) / ({b}) = @$.", (e - a * x) / b)
    w.check(f"In the second equation: $({c})({show(x)}) + ({d})({show(y)}) = {show(c * x + d * y)}$.")
    return (plain(x), plain(y))


def _three_draw(rng: Random) -> Drawn:
    rows = [rng.choices(NONZERO, k=3) for _ in range(3)]
    if _determinant(rows) == 0:
        return _three_draw(rng)
    solution = [rng.randint(-9, 9) for _ in range(3)]
    right = [sum(a * x for a, x in zip(row, solution, strict=True)) for row in rows]
    left = {name: tuple(row) for name, row in zip("pqr", rows, strict=True)}
    return {**left, **dict(zip("def", right, strict=True))}, tuple(solution)


def _determinant(m: list[list[int]]) -> int:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _three(w: Work, p: tuple[int, ...], q: tuple[int, ...], r: tuple[int, ...], d: int, e: int, f: int) -> Value:
    rows, right = [list(p), list(q), list(r)], (d, e, f)
    size = w("By Cramer's rule. The determinant of the left side is $@$.", _determinant(rows))
    found: list[Number] = []
    for i, x in enumerate("xyz"):
        replaced = [[*row[:i], n, *row[i + 1 :]] for row, n in zip(rows, right, strict=True)]
        text = f"With the right side in column {i + 1} it is $@$."
        top = w(text, _determinant(replaced))
        trap = (f"So ${x} = {size} / ({top}) = @$.", plain(Fraction(size, top or 1)))
        found.append(w(f"So ${x} = ({top}) / ({size}) = @$.", plain(Fraction(top, size)), trap))
    values = zip(r, found, strict=True)
    w.check(
        f"In the third equation the left side is ${show(sum((a * x for a, x in values), Fraction(0)))}$; it is to be "
        f"${f}$."
    )
    return tuple(found)


def _rank_draw(rng: Random) -> Drawn:
    rank = rng.choice((1, 2, 2, 3))
    tall, wide = unimodular(rng, 3)[0], unimodular(rng, 4)[0]
    middle = [[rng.choice(NONZERO) if i == j < rank else 0 for j in range(4)] for i in range(3)]
    return {"m": matrix(product(product(tall, middle), wide))}, rank


def _rank(w: Work, m: Matrix) -> Value:
    rows = [list(row) for row in m.rows]
    count = 0
    for column in range(len(m.rows[0])):
        at = next((i for i in range(count, len(rows)) if rows[i][column]), None)
        if at is None:
            continue
        rows[count], rows[at] = rows[at], rows[count]
        pivot = rows[count]
        for i in range(count + 1, len(rows)):
            factor = rows[i][column] / pivot[column]
            rows[i] = [x - factor * y for x, y in zip(rows[i], pivot, strict=True)]
        count = w(f"Column {column + 1} has the pivot ${show(pivot[column])}$; pivots so far: $@$.", count + 1)
        w.say(
            f"Below it the rows become {', '.join('$' + show(tuple(row)) + '$' for row in rows[count:]) or 'nothing'}."
        )
        if count == len(rows):
            break
    filled = sum(any(row) for row in m.rows)
    count = w("So the rank is $@$.", count, ("Every row that is not zero counts, so the rank is $@$.", filled))
    w.check(f"The rank can be at most {min(len(rows), len(rows[0]))}.")
    return count


def _smith_draw(rng: Random) -> Drawn:
    first = rng.randint(1, 6)
    second = first * rng.randint(1, 5)
    factors = (first, second, second * rng.randint(1, 5))
    diagonal = [[n if i == j else 0 for j in range(3)] for i, n in enumerate(factors)]
    left, right = unimodular(rng, 3)[0], unimodular(rng, 3)[0]
    return {"m": matrix(product(product(left, diagonal), right))}, factors


def _smith(w: Work, m: Matrix) -> Value:
    rows = [[int(cell) for cell in row] for row in m.rows]
    first = w("The entries have the greatest common divisor $@$.", gcd(*(cell for row in rows for cell in row)))
    pairs = list(combinations(range(3), 2))
    minors = [rows[i][k] * rows[j][n] - rows[i][n] * rows[j][k] for i, j in pairs for k, n in pairs]
    second = w("The minors of size two have the greatest common divisor $@$.", gcd(*minors))
    third = w("The determinant has the absolute value $@$.", abs(_determinant(rows)))
    raw = ("These three are the invariant factors: $@$.", (first, second, third))
    quotients = (first, second // first, third // second)
    answer = w("The invariant factors are the quotients of neighbours: $@$.", quotients, raw)
    w.check(f"Each has to divide the next, and their product is to be {third}.")
    return answer


SYSTEMS = Family(
    "systems",
    "linear algebra",
    (
        Kind(
            "elementary",
            "tuple",
            _pair_draw,
            _pair,
            (
                "Two numbers have the sum <total> and the difference <gap>. Give the pair (larger, smaller).",
                "<who:name> and <other:name> have <total> <what:thing> together; one has <gap> more than the other. "
                "How many has each? "
                "Answer as a pair, the larger number first.",
                "A rope of <total> m is cut in two, one piece <gap> m longer than the other. "
                "How long are the pieces? Answer (longer, shorter).",
            ),
        ),
        Kind(
            "middle",
            "tuple",
            _two_draw,
            _two,
            (
                "Solve the system $<p:form> = <e>$, $<q:form> = <f>$. Answer with the pair $(x, y)$.",
                "Where do the lines $<p:form> = <e>$ and $<q:form> = <f>$ meet?",
                "Find $(x, y)$ such that both $<p:form> = <e>$ and $<q:form> = <f>$ hold.",
            ),
        ),
        Kind(
            "high",
            "tuple",
            _three_draw,
            _three,
            (
                "Solve the system $<p:form> = <d>$, $<q:form> = <e>$, $<r:form> = <f>$. Answer with the triple $(x, "
                "y, z)$.",
                "In which point do the three planes $<p:form> = <d>$, $<q:form> = <e>$ and $<r:form> = <f>$ meet?",
            ),
        ),
        Kind(
            "college",
            "integer",
            _rank_draw,
            _rank,
            (
                "What is the rank of the matrix $<m:matrix>$?",
                "How many rows of $<m:matrix>$ are linearly independent at most?",
                "Find the dimension of the image of the linear map $x \\mapsto <m:matrix> x$.",
            ),
        ),
        Kind(
            "graduate",
            "tuple",
            _smith_draw,
            _smith,
            (
                "Find the invariant factors $(d_1, d_2, d_3)$, each dividing the next, of the integer matrix "
                "$<m:matrix>$.",
                "The cokernel of $<m:matrix>$ on $\\mathbb{Z}^3$ is $\\mathbb{Z}/d_1 \\oplus \\mathbb{Z}/d_2 \\oplus "
                "\\mathbb{Z}/d_3$ with "
                "$d_1 \\mid d_2 \\mid d_3$. Find $(d_1, d_2, d_3)$.",
                "Bring $<m:matrix>$ into Smith normal form over the integers and give its diagonal $(d_1, d_2, "
                "d_3)$, all positive.",
            ),
        ),
    ),
)
