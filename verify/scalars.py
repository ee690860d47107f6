"""Whether two numbers or expressions are one: exactly, at test points, within a tolerance, or as families of angles."""

from collections.abc import Iterable
from fractions import Fraction

from verify.arithmetic import UnknownError, Value, add, approx, same, scale
from verify.numeric import evaluate
from verify.points import is_whole, points
from verify.policy import Policy
from verify.tree import Node, holds, holds_constant, names


def scalars(gold: Node, answer: Node, policy: Policy) -> bool | None:
    known = sorted(names(gold) | names(answer))
    if not known:
        return _numbers(gold, answer, policy)
    if {"c", "C"} <= set(known):  # the constant of an integral, in either case
        gold, answer = _upper_constant(gold), _upper_constant(answer)
        known.remove("c")
    if _has_free_constant(gold) and _has_free_constant(answer):
        return _same_but_for_a_constant(gold, answer, [name for name in known if name != "C"])
    if known == ["k"] and (family := families([gold], [answer])) is not None:
        return family
    whole = is_whole(gold) or is_whole(answer)
    complex_meant = holds_constant(gold, "i") or holds_constant(answer, "i")
    met = 0
    for point in points(known, whole, count=8):
        try:
            first, second = evaluate(gold, point), evaluate(answer, point)
        except UnknownError:
            continue
        # A root of a negative number at a test point says nothing of expressions meant for real numbers.
        if not complex_meant and not (is_real(first) and is_real(second)):
            continue
        verdict = near(first, second, policy)
        if verdict is not True:
            return verdict
        met += 1
        if met == 4:
            break
    return True if met >= 2 else None


def _has_free_constant(node: Node) -> bool:
    """Whether an expression ends in `+ C`, the constant of an antiderivative."""
    return (
        node.kind == "add" and sum("C" in names(part) for part in node.args) == 1 and Node("name", (), "C") in node.args
    )


def _same_but_for_a_constant(gold: Node, answer: Node, known: list[str]) -> bool | None:
    """Two antiderivatives are one family when their difference is the same at every point."""
    sides: list[tuple[Value, Value]] = []
    for point in points(known, whole=False, count=20):  # roots and inverse functions leave out most of them
        try:
            first, second = (evaluate(side, {**point, "C": Fraction(0)}) for side in (gold, answer))
            if is_real(first) and is_real(second):
                sides.append((first, second))
        except UnknownError:
            continue
    if len(sides) < 3:
        return None
    # f - g is steady where f + g(0) = g + f(0): sums of one size, while f - g itself may be nothing but rounding.
    start_first, start_second = sides[0]
    return all_agree(same(add([f, start_second]), add([g, start_first])) for f, g in sides[1:])


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
        return None
    verdict = near(first, second, policy)
    if verdict or not policy.rounding:
        return verdict
    return True if _rounds_to(gold, second) or _rounds_to(answer, first) else verdict


def near(first: Value, second: Value, policy: Policy) -> bool | None:
    """True within the tolerance, False outside it, None where floats cannot tell two numbers apart."""
    verdict = same(first, second)
    if verdict or not policy.tolerance:
        return verdict
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return abs(first - second) <= Fraction(policy.tolerance) * max(abs(first), abs(second))
    try:
        x, y = approx(first).z, approx(second).z
    except UnknownError:
        return verdict
    return True if abs(x - y) <= policy.tolerance * max(abs(x), abs(y)) else verdict


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


def is_real(value: Value) -> bool:
    return isinstance(value, Fraction) or abs(value.z.imag) <= value.error


def families(first: list[Node], second: list[Node]) -> bool | None:
    """`pi/6 + k pi, 5pi/6 + k pi` against the same numbers written with other k: compared over a window of k."""
    one, other = [value_of(i) for i in first], [value_of(i) for i in second]
    parameters = {frozenset(names(item)) for item in one + other}
    if not all(holds_constant(item, "pi") or holds(item, "degree") for item in one + other):
        return None  # 2n + 1 is a formula for n, only angles come in families
    if len(parameters) != 1 or len(parameter := next(iter(parameters))) != 1 or not parameter <= set("knmltj"):
        return None
    name = next(iter(parameter))
    left, right = _window(one, name), _window(other, name)
    return None if left is None or right is None else left == right


def _window(items: list[Node], name: str) -> set[int] | None:
    """The values between -10 and 10 periods, in millionths of the period; None unless all grow evenly by one period."""
    starts: list[float] = []
    periods: list[float] = []
    for item in items:
        try:
            values = [as_complex(evaluate(item, {name: Fraction(k)})).real for k in (0, 1, 2)]
        except UnknownError:
            return None
        if abs(values[2] - 2 * values[1] + values[0]) > 1e-9 or values[0] == values[1]:
            return None
        starts.append(values[0])
        periods.append(abs(values[1] - values[0]))
    longest = max(periods)
    if longest > 100 * min(periods):
        return None
    found = set()
    for start, period in zip(starts, periods, strict=True):
        steps = range(-int(10 * longest / period) - 60, int(10 * longest / period) + 60)
        found |= {round(v * 1e6) for k in steps if -10 * longest < (v := start + k * period) < 10 * longest}
    return found


def value_of(node: Node) -> Node:
    return node.args[0] if node.kind == "named" else node


def all_agree(verdicts: Iterable[bool | None]) -> bool | None:
    """True if all are, False if one is, else None."""
    unsure = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True
