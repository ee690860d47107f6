"""Families of numbers: `pi/6 + k pi`, and any formula in a name that its answer declares to be any whole number."""

from collections.abc import Sequence
from fractions import Fraction

from verify.arithmetic import UnknownError, approx
from verify.numeric import evaluate
from verify.pattern import pattern
from verify.tree import Node, holds, holds_constant, names

WHOLE = "k of Z"
"""The name of a parameter that runs over all whole numbers, whatever its answer called it."""
_LETTERS = frozenset("knmltj")
_DECLARED = pattern(
    r"\b([a-zA-Z])(?:\s*,\s*([a-zA-Z]))?\s*(?:\\in\s*\\(?:mathbb|mathbf|mathrm)\s*(?:\{\s*Z\s*\}|Z(?![A-Za-z])))"
    r"|(?:for|where|with) (?:all |any |every |some )?(?:integers? )([a-zA-Z])\b"
    r"|(?:where |with |for )(?:all |any |every |some )?\$?([a-zA-Z])\$?(?:\s*\})? "
    r"(?:is|be) (?:an|any|some|an arbitrary) integer",
)


def whole_names(text: str) -> frozenset[str]:
    """The names of which a text says that they are any whole number.

    >>> sorted(whole_names(r"2k+1, k \\in \\mathbb{Z}")), sorted(whole_names("2k+1"))
    (['k'], [])
    """
    if "Z" not in text and "ℤ" not in text and "integer" not in text:
        return frozenset()
    text = text.replace("ℤ", "\\mathbb{Z}").replace("∈", "\\in ")
    return frozenset(name for match in _DECLARED.finditer(text) for name in match.groups() if name)


def one_parameter(
    gold: Node, gold_whole: frozenset[str], answer: Node, answer_whole: frozenset[str]
) -> tuple[Node, Node]:
    """Both trees with their parameters called alike.

    Each declares its own, or one does and the other is a family of angles, whose letter needs no declaration.
    """
    gold_own = gold_whole & names(gold) or _angle_letter(gold)
    answer_own = answer_whole & names(answer) or _angle_letter(answer)
    if not gold_own or not answer_own or not (_apart(gold, gold_own) and _apart(answer, answer_own)):
        return gold, answer
    return _called_whole(gold, gold_own), _called_whole(answer, answer_own)


def families(first: Sequence[Node], second: Sequence[Node]) -> bool | None:
    """`pi/6 + k pi, 5pi/6 + k pi` against the same numbers written with other k: compared over a window of k."""
    one, other = [_value_of(i) for i in first], [_value_of(i) for i in second]
    parameters = [names(item) for item in one + other]
    if any(len(found) != 1 for found in parameters):
        return None
    found = {name for one_name in parameters for name in one_name}
    if found != {WHOLE}:
        # 2n + 1 is a formula for n: only angles come in families without a word on it, and only k may be n there.
        items = one + other
        if not all(holds_constant(item, "pi") or holds(item, "degree") for item in items) or not found <= _LETTERS:
            return None
        # 60 + 360 k degrees is a family whatever k is called; (n - 2) 180 degrees is a formula for n.
        if len(found) > 1 and not all(
            item.kind == "add" or ("k" in found and holds_constant(item, "pi")) for item in items
        ):
            return None
    left, right = _window(one), _window(other)
    return None if left is None or right is None else left == right


def _window(items: list[Node]) -> set[int] | None:
    """The values between -10 and 10 periods, in millionths of the period; None unless all grow evenly by one period."""
    starts: list[float] = []
    periods: list[float] = []
    for item in items:
        (name,) = names(item)
        try:
            values = [approx(evaluate(item, {name: Fraction(k)})).z.real for k in range(5)]
        except UnknownError:
            return None
        # (-1)^k pi/6 + k pi is two families, one for even k and one for odd.
        stride = next((s for s in (1, 2) if _is_even(values, s)), 0)
        if not stride or values[0] == values[stride]:
            return None
        starts += values[:stride]
        periods += [abs(values[stride] - values[0])] * stride
    longest = max(periods)
    if longest > 100 * min(periods):
        return None
    found = set()
    for start, period in zip(starts, periods, strict=True):
        steps = range(-int(10 * longest / period) - 60, int(10 * longest / period) + 60)
        found |= {round(v * 1e6) for k in steps if -10 * longest < (v := start + k * period) < 10 * longest}
    return found


def _is_even(values: list[float], stride: int) -> bool:
    """Whether every step of `stride` values is as long as the first."""
    step = values[stride] - values[0]
    return all(abs(later - value - step) < 1e-9 for value, later in zip(values, values[stride:], strict=False))


def _angle_letter(node: Node) -> frozenset[str]:
    found = names(node) & _LETTERS
    return frozenset(found) if len(found) == 1 and holds_constant(node, "pi") else frozenset()


def _apart(node: Node, own: frozenset[str]) -> bool:
    """Whether no part needs two parameters at once: the items of a list may each have their own, a pair may not."""
    if node.kind in ("list", "set"):
        return all(_apart(item, own) for item in node.args)
    return len(names(node) & own) < 2


def _called_whole(node: Node, own: frozenset[str]) -> Node:
    if node.kind == "name" and node.value in own:
        return node._replace(value=WHOLE)
    return node._replace(args=tuple(_called_whole(part, own) for part in node.args))


def _value_of(node: Node) -> Node:
    return node.args[0] if node.kind == "named" else node
