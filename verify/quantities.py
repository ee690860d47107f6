"""Numbers with what is written behind them: units, per cent, degrees, a base; and ratios."""

from fractions import Fraction

from verify.constants import general_solutions
from verify.expressions import all_agree
from verify.policy import Policy
from verify.scalars import scalars
from verify.tree import Node, holds, names
from verify.units import UNITS, read_unit


def quantities(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Numbers and expressions with their unit, per cent or degree sign."""
    if (solved := general_solutions(gold, answer)) is not None:
        return solved
    (g, gold_unit), (a, answer_unit) = _measured(gold, policy), _measured(answer, policy)
    if gold_unit == answer_unit:
        return scalars(g, a, policy)
    if not policy.letter_units:
        (g, gold_unit), (a, answer_unit) = _lettered(g, gold_unit, answer_unit), _lettered(a, answer_unit, gold_unit)
    if "%" in (gold_unit, answer_unit):
        return _percents(g, gold_unit, a, answer_unit, policy)
    if gold_unit and answer_unit:
        known, other = read_unit(gold_unit), read_unit(answer_unit)
        if known is None or other is None:
            return scalars(g, a, policy) if policy.units == "drop" else False
        if known.dimensions != other.dimensions:
            return False
        factor = Fraction(known.factor / other.factor).limit_denominator(10**9)
        return scalars(Node("mul", (g, Node("num", (), "", factor))), a, policy)
    if "degree" in (gold_unit, answer_unit):
        plain = scalars(g, a, policy)
        turned = scalars(Node("degree", (g,)) if gold_unit else g, Node("degree", (a,)) if answer_unit else a, policy)
        return True if turned else plain if policy.units == "drop" else turned
    return scalars(g, a, policy) if policy.units == "drop" else False


def _measured(node: Node, policy: Policy) -> tuple[Node, str]:
    """The number and its unit; '' where there is none."""
    if node.kind == "neg":
        inner, unit = _measured(node.args[0], policy)
        return (Node("neg", (inner,)), unit) if unit else (node, "")
    if node.kind == "percent":
        return node.args[0], "%"
    if node.kind == "degree":
        return node.args[0], "degree"
    if node.kind == "unit":
        inner, more = _peeled(node.args[0]) or (node.args[0], "") if policy.letter_units else (node.args[0], "")
        return inner, f"{more} {node.value}".strip()
    # A unit that is written out, `1.32 g/liter`, says that the letters beside it are units too.
    written_out = node.kind in ("mul", "div") and holds(node, "text")
    if (policy.letter_units or written_out) and (peeled := _peeled(node)) and peeled[1]:
        return peeled[0], peeled[1]
    return node, ""


def _lettered(node: Node, unit: str, other_unit: str) -> tuple[Node, str]:
    """The number and the unit of `5 m s^{-2}` beside a unit of the same kind: there its letters are no names."""
    other = read_unit(other_unit) if other_unit and not unit else None
    if other is None or not names(node) or (peeled := _peeled(node)) is None:
        return node, unit
    mine = read_unit(peeled[1])
    return peeled if mine is not None and mine.dimensions == other.dimensions else (node, unit)


def _peeled(node: Node) -> tuple[Node, str] | None:
    """`600 \\pi V/m` as its number and `V m^-1`; None where a name in it is no unit."""
    if not names(node) and not holds(node, "text"):
        return node, ""
    one = Node("num", (), "1", Fraction(1))
    if node.kind == "text":
        return (one, node.value) if read_unit(node.value) else None
    if node.kind == "name":
        name = node.value.removeprefix("\\")
        return (one, name) if name in UNITS else None
    if node.kind == "pow" and node.args[0].kind in ("name", "text") and read_unit(node.args[0].value):
        power = node.args[1].args[0] if node.args[1].kind == "neg" else node.args[1]
        sign = "-" if node.args[1].kind == "neg" else ""
        return (one, f"{node.args[0].value}^{sign}{power.value}") if power.kind == "num" else None
    if node.kind not in ("mul", "div"):
        return None
    left, right = _peeled(node.args[0]), _peeled(node.args[1])
    if left is None or right is None:
        return None
    number = left[0] if right[0] is one or right[0].number == 1 else Node(node.kind, (left[0], right[0]))
    unit = right[1] if node.kind == "mul" else " ".join(f"/ {part}" for part in right[1].split())
    return number, f"{left[1]} {unit}".strip()


def _percents(g: Node, gold_unit: str, a: Node, answer_unit: str, policy: Policy) -> bool | None:
    hundred = Node("num", (), "100", Fraction(100))
    value = scalars(
        Node("div", (g, hundred)) if gold_unit == "%" else g,
        Node("div", (a, hundred)) if answer_unit == "%" else a,
        policy,
    )
    if value or policy.percent == "value":
        return value
    plain = scalars(g, a, policy)
    return plain if plain or value is not None else None


def ratios(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "ratio":
        if len(gold.args) != len(answer.args):
            return False
        parts = list(zip(gold.args, answer.args, strict=True))
        if all(quantities(a, b, policy) for a, b in parts):
            return True
        clock = any(
            p.kind == "num" and (p.number == 0 or (len(p.value) > 1 and p.value[0] == "0"))
            for p in gold.args + answer.args
        )
        if clock:
            return False
        (a, b), others = parts[0], parts[1:]
        return all_agree(scalars(Node("mul", (a, y)), Node("mul", (b, x)), policy) for x, y in others)
    ratio, other = (gold, answer) if gold.kind == "ratio" else (answer, gold)
    if len(ratio.args) != 2 or other.kind in ("list", "set", "tuple", "text"):
        return False
    return scalars(Node("div", ratio.args), other, policy)


def bases(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "base":
        if gold.number == answer.number:
            return _digits(gold.value) == _digits(answer.value)
        try:
            return int(gold.value, int(gold.number)) == int(answer.value, int(answer.number))
        except ValueError:
            return False
    based, other = (gold, answer) if gold.kind == "base" else (answer, gold)
    if other.kind == "mul" and (spelt := _spelt(other)):
        return policy.bare_digits and _digits(based.value) == _digits(spelt.lower())
    if other.kind in ("num", "text", "name", "word"):
        return policy.bare_digits and _digits(based.value) == _digits(other.value.lower())
    return False if other.kind not in ("mul", "unit") else None


def _spelt(node: Node) -> str:
    """The digits of `1A` as they were written; '' for a product of anything but digits and names."""
    if node.kind == "mul":
        parts = [_spelt(part) for part in node.args]
        return "".join(parts) if all(parts) else ""
    return node.value if node.kind in ("num", "name", "const") else ""


def _digits(text: str) -> str:
    text = text.replace(" ", "")
    whole, dot, places = text.partition(".")
    return (whole.lstrip("0") or "0") + (dot + places.rstrip("0") if places.rstrip("0") else "")
