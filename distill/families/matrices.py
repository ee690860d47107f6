"""Matrices: from the totals of a table to eigenvalues."""

from fractions import Fraction
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Matrix, Value, matrix, plain, show
from distill.families.work import Work

Rows = list[list[int]]


def _rows(rng: Random, size: int, most: int) -> Rows:
    return [[rng.randint(-most, most) for _ in range(size)] for _ in range(size)]


def _whole(m: Matrix) -> Rows:
    return [[int(cell) for cell in row] for row in m.rows]


def product(a: Rows, b: Rows) -> Rows:
    """The matrix product."""
    return [[sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)] for row in a]


def unimodular(rng: Random, size: int) -> tuple[Rows, Rows]:
    """A whole matrix of determinant 1 and its inverse, from a few row operations."""
    there = [[int(i == j) for j in range(size)] for i in range(size)]
    back = [row[:] for row in there]
    for _ in range(size + 1):
        i, j = rng.sample(range(size), 2)
        k = rng.choice((-2, -1, 1, 2))
        there[i] = [x + k * y for x, y in zip(there[i], there[j], strict=True)]
        for row in back:
            row[j] -= k * row[i]
    return there, back


def _totals_draw(rng: Random) -> Drawn:
    columns = [[rng.randint(1, 40) for _ in range(3)] for _ in range(3)]
    first, second, third = (tuple(row) for row in zip(*columns, strict=True))
    return {"first": first, "second": second, "third": third}, tuple(sum(column) for column in columns)


def _totals(w: Work, first: tuple[int, ...], second: tuple[int, ...], third: tuple[int, ...]) -> Value:
    totals = []
    for i, column in enumerate(zip(first, second, third, strict=False), start=1):
        totals.append(w(f"Column {i}: ${' + '.join(map(str, column))} = @$.", sum(column)))
    trap = ("The totals of the rows are $@$.", (sum(first), sum(second), sum(third)))
    answer = w("So the totals are $@$.", tuple(totals), trap)
    w.check(
        f"All nine numbers add up to {sum(first) + sum(second) + sum(third)}, row by row as well as column by column."
    )
    return answer


def _combine_draw(rng: Random) -> Drawn:
    k, target, second = rng.choice((-4, -3, -2, 2, 3, 4, 5)), _rows(rng, 2, 25), _rows(rng, 2, 9)
    first = [[t - k * s for t, s in zip(*rows, strict=True)] for rows in zip(target, second, strict=True)]
    return {"a": matrix(first), "b": matrix(second), "k": k}, matrix(target)


def _combine(w: Work, a: Matrix, b: Matrix, k: int) -> Value:
    scaled = w(
        f"Multiply every entry of the second by ${k}$: $@$.", Matrix(tuple(tuple(k * x for x in row) for row in b.rows))
    )
    pairs = [list(zip(*rows, strict=True)) for rows in zip(a.rows, scaled.rows, strict=True)]
    unscaled = [list(zip(*rows, strict=True)) for rows in zip(a.rows, b.rows, strict=True)]
    trap = ("Add entry by entry: $@$.", matrix([[x + y for x, y in row] for row in unscaled]))
    total = w("Add entry by entry: $@$.", matrix([[x + y for x, y in row] for row in pairs]), trap)
    w.check(
        f"Top left: ${show(a.rows[0][0])} + ({k}) \\cdot ({show(b.rows[0][0])})$, that is ${show(total.rows[0][0])}$."
    )
    return total


def _product_draw(rng: Random) -> Drawn:
    a, b = _rows(rng, 2, 9), _rows(rng, 2, 9)
    # A sum of two outer products, column of a times row of b.
    outer = [[[a[i][k] * b[k][j] for j in range(2)] for i in range(2)] for k in range(2)]
    return {"a": matrix(a), "b": matrix(b)}, matrix(
        [[outer[0][i][j] + outer[1][i][j] for j in range(2)] for i in range(2)]
    )


def _product(w: Work, a: Matrix, b: Matrix) -> Value:
    rows: Rows = []
    for i, row in enumerate(_whole(a), start=1):
        rows.append([])
        for j, column in enumerate(zip(*_whole(b), strict=True), start=1):
            terms = " + ".join(f"({x})({y})" for x, y in zip(row, column, strict=True))
            rows[-1].append(
                w(f"Row {i} times column {j}: ${terms} = @$.", sum(x * y for x, y in zip(row, column, strict=True)))
            )
    entries = [[x * y for x, y in zip(*pair, strict=True)] for pair in zip(_whole(a), _whole(b), strict=True)]
    total = w("So the product is $@$.", matrix(rows), ("Multiplying entry by entry gives $@$.", matrix(entries)))
    determinants = [int(m.rows[0][0] * m.rows[1][1] - m.rows[0][1] * m.rows[1][0]) for m in (a, b, total)]
    w.check(f"The determinants are {determinants[0]} and {determinants[1]}, and {determinants[2]} for the product.")
    return total


def _inverse_draw(rng: Random) -> Drawn:
    m = _rows(rng, 2, 12)
    if m[0][0] == 0 or m[0][0] * m[1][1] == m[0][1] * m[1][0]:
        return _inverse_draw(rng)
    # Gauss and Jordan on the matrix beside the identity.
    upper, lower = ([Fraction(x) for x in row] for row in ([*m[0], 1, 0], [*m[1], 0, 1]))
    upper = [x / upper[0] for x in upper]
    lower = [x - lower[0] * y for x, y in zip(lower, upper, strict=True)]
    lower = [x / lower[1] for x in lower]
    upper = [x - upper[1] * y for x, y in zip(upper, lower, strict=True)]
    return {"m": matrix(m)}, matrix([upper[2:], lower[2:]])


def _inverse(w: Work, m: Matrix) -> Value:
    (a, b), (c, d) = _whole(m)
    trap = (f"The determinant is $({a})({d}) + ({b})({c}) = @$.", a * d + b * c)
    size = w(f"The determinant is $({a})({d}) - ({b})({c}) = @$.", a * d - b * c, trap)
    swapped = w("The adjugate swaps the diagonal and turns the other signs: $@$.", matrix([[d, -b], [-c, a]]))
    inverse = w(f"Divide by ${size}$: $@$.", Matrix(tuple(tuple(x / size for x in row) for row in swapped.rows)))
    corner = a * inverse.rows[0][0] + b * inverse.rows[1][0]
    w.check(f"Its first column, multiplied by the first row of the matrix, gives ${show(corner)}$.")
    return inverse


def _eigen_draw(rng: Random) -> Drawn:
    values = rng.sample(range(-7, 8), 3)
    there, back = unimodular(rng, 3)
    diagonal = [[v if i == j else 0 for j in range(3)] for i, v in enumerate(values)]
    return {"m": matrix(product(product(there, diagonal), back))}, frozenset(values)


def _eigen(w: Work, m: Matrix) -> Value:
    (a, b, c), (d, e, f), (g, h, i) = _whole(m)
    trace = w(f"The trace is ${a} + ({e}) + ({i}) = @$.", a + e + i)
    minors = w("The principal minors add up to $@$.", a * e - b * d + a * i - c * g + e * i - f * h)
    size = w("The determinant is $@$.", a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))
    w.say(f"The characteristic polynomial is $t^3 - ({trace})t^2 + ({minors})t - ({size})$.")
    roots = [t for t in range(-60, 61) if t**3 - trace * t * t + minors * t - size == 0]
    if len(roots) != 3:
        raise ValueError("not three whole eigenvalues")
    trap = ("The eigenvalues stand on the diagonal: $@$.", frozenset((a, e, i)))
    answer = w("Trying the divisors of the constant term, its roots are $@$.", frozenset(plain(t) for t in roots), trap)
    w.check(f"They have to add up to the trace {trace} and to have the product {size}.")
    return answer


MATRICES = Family(
    "matrices",
    "linear algebra",
    (
        Kind(
            "elementary",
            "tuple",
            _totals_draw,
            _totals,
            (
                "A table has the rows <first:ints> and <second:ints> and <third:ints>. Give the totals of its three "
                "columns, in order, "
                "as a triple.",
                "<who:name>, Max and Zoe wrote down how many <what:thing> they sold on three days: <first:ints>; "
                "<second:ints>; "
                "<third:ints>. How many did they sell together on each day? Answer as a triple.",
            ),
        ),
        Kind(
            "middle",
            "matrix",
            _combine_draw,
            _combine,
            (
                "Compute $A + (<k>)B$ for $A = <a:matrix>$ and $B = <b:matrix>$.",
                "The grids $<a:matrix>$ and $<b:matrix>$ are given. Multiply every number of the second by $<k>$ and "
                "add the result to "
                "the first, place by place.",
                "What is $X + (<k>)Y$ if $X = <a:matrix>$ and $Y = <b:matrix>$?",
            ),
        ),
        Kind(
            "high",
            "matrix",
            _product_draw,
            _product,
            (
                "Multiply the matrices $<a:matrix>$ and $<b:matrix>$, in this order.",
                "Let $A = <a:matrix>$ and $B = <b:matrix>$. What is the product $AB$?",
                "First the linear map with matrix $<b:matrix>$ is applied, then the one with matrix $<a:matrix>$. "
                "Which matrix belongs to both together?",
            ),
        ),
        Kind(
            "college",
            "matrix",
            _inverse_draw,
            _inverse,
            (
                "Find the inverse of the matrix $<m:matrix>$.",
                "Which matrix $X$ satisfies $<m:matrix> X = I$?",
                "Let $A = <m:matrix>$. Compute $A^{-1}$ with exact entries.",
            ),
        ),
        Kind(
            "graduate",
            "set",
            _eigen_draw,
            _eigen,
            (
                "Find the set of eigenvalues of $<m:matrix>$.",
                "Determine the spectrum of the operator on $\\mathbb{C}^3$ with matrix $<m:matrix>$, as a set.",
                "For which $\\lambda$ is $\\lambda I - <m:matrix>$ singular? Answer as a set.",
            ),
        ),
    ),
)
