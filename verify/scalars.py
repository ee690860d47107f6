"""Whether two numbers or expressions are one: exactly, at test points, within a tolerance, or as families of angles."""

from fractions import Fraction

from verify.arithmetic import UnknownError, Value, add, approx, same, scale
from verify.digits import same_digits
from verify.expressions import all_agree, expressions, is_real, near
from verify.families import WHOLE, families
from verify.numeric import Point, evaluate
from verify.points import points
from verify.policy import Policy
from verify.tree import Node, names


def scalars(gold: Node, answer: Node, policy: Policy) -> bool | None:
    known = sorted(names(gold) | names(answer))
    if not known:
        return _numbers(gold, answer, policy)
    if {"c", "C"} <= set(known):  # the constant of an integral, in either case
        gold, answer = _upper_constant(gold), _upper_constant(answer)
        known.remove("c")
    if _has_free_constant(gold) and _has_free_constant(answer):
        return _same_but_for_a_constant(gold, answer, [name for name in known if name != "C"])
    if known and names(gold) and names(answer) and (family := _family(gold, answer, known)) is not None:
        return family
    return expressions(gold, answer, policy)


def _family(gold: Node, answer: Node, known: list[str]) -> bool | None:
    """The verdict on two families in one parameter; None where they are none."""
    return families([gold], [answer]) if known in (["k"], [WHOLE]) or len(known) == 2 else None


def _has_free_constant(node: Node) -> bool:
    """Whether an expression ends in `+ C`, the constant of an antiderivative."""
    return (
        node.kind == "add" and sum("C" in names(part) for part in node.args) == 1 and Node("name", (), "C") in node.args
    )


def _same_but_for_a_constant(gold: Node, answer: Node, known: list[str]) -> bool | None:
    """Two antiderivatives are one family when their difference is the same at every point."""
    sides: list[tuple[Value, Value]] = []
    met: list[Point] = []
    for point in points(known, whole=False, count=20):  # roots and inverse functions leave out most of them
        try:
            first, second = (evaluate(side, {**point, "C": Fraction(0)}) for side in (gold, answer))
            if is_real(first) and is_real(second):
                sides.append((first, second))
                met.append({**point, "C": Fraction(0)})
        except UnknownError:
            continue
    if len(sides) < 3:
        return None
    # f - g is steady where f + g(0) = g + f(0): sums of one size, while f - g itself may be nothing but rounding.
    start_first, start_second = sides[0]
    steady = all_agree(same(add([f, start_second]), add([g, start_first])) for f, g in sides[1:])
    if not steady or all(isinstance(value, Fraction) for pair in sides for value in pair):
        return steady
    difference = Node("add", (gold, Node("neg", (answer,))))
    return same_digits((difference, met[0]), (difference, met[-1]))


def _upper_constant(node: Node) -> Node:
    if node.kind == "name" and node.value == "c":
        return Node("name", (), "C")
    return node._replace(args=tuple(_upper_constant(part) for part in node.args))


def _numbers(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if (gold.kind == "const" and gold.value == "inf") or (answer.kind == "const" and answer.value == "inf"):
        return gold == answer
    if _infinite(gold) or _infinite(answer):
        return _infinite(gold) == _infinite(answer)
    try:
        first, second = evaluate(gold, {}), evaluate(answer, {})
    except UnknownError:
        return same_digits((gold, {}), (answer, {}))
    verdict = near(first, second, policy)
    exact = isinstance(first, Fraction) and isinstance(second, Fraction)
    if verdict is None or (verdict and not exact and not policy.tolerance):
        verdict = same_digits((gold, {}), (answer, {}))
    if verdict or not policy.rounding:
        return verdict
    return True if _rounds_to(gold, second) or _rounds_to(answer, first) else verdict


def _infinite(node: Node) -> int:
    if node.kind == "const" and node.value == "inf":
        return 1
    if node.kind == "neg":
        return -_infinite(node.args[0])
    if node.kind == "add" and len(node.args) == 1:
        return _infinite(node.args[0])
    return 0


def _rounds_to(printed: Node, exact: Value) -> bool:
    """Whether a printed decimal is the other number rounded to its places."""
    sign = 1
    while printed.kind in ("neg", "add") and len(printed.args) == 1:
        sign = -sign if printed.kind == "neg" else sign
        printed = printed.args[0]
    if printed.kind != "num" or "." not in printed.value or "e" in printed.value.lower():
        return False
    places = len(printed.value.partition(".")[2])
    digits = printed.value.replace(".", "").lstrip("0")
    half = Fraction(5001, 10_000) / 10**places
    gap = add([exact, scale(printed.number, -sign)])
    return len(digits) >= 2 and (abs(gap) <= half if isinstance(gap, Fraction) else abs(gap.z) <= half)


def as_complex(value: Value) -> complex:
    """The value as a float.

    Raises:
        UnknownError: it is larger, or smaller, than any float.
    """
    return approx(value).z


def value_of(node: Node) -> Node:
    return node.args[0] if node.kind == "named" else node
