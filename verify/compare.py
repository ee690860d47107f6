"""Whether two trees are one answer: numbers, expressions at test points, lists, sets, tuples, intervals, equations.

Answers True, False, or None where the forms here cannot tell. Every rule is symmetric.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from verify.latex import Node
from verify.numeric import Approx, Point, UnknownError, Value, evaluate, names, same
from verify.policy import Policy
from verify.regions import region, same_region
from verify.units import UNITS, read_unit
from verify.words import same_words, says_number

_MAX_ITEMS = 64
_REGION_KINDS = frozenset(["cup", "cap", "minus", "numbers", "where"])


def agree(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Whether both trees say the same."""
    return _agree(settle(gold), settle(answer), policy)


def settle(node: Node) -> Node:
    """The node with its conventions spelt out.

    Plus-minus becomes a list of two, `x = ... = 5` a named value, `1/3 \\approx 0.33` is 1/3, a set of one tuple the tuple.
    """
    if node.kind == "list":
        items = [inner for item in node.args for inner in _spread(settle(item))]
        return Node("list", tuple(items))
    if node.kind == "rel":
        return _settle_relation(node)
    expanded = _plus_minus(node)
    if len(expanded) > 1:
        return Node("list", tuple(settle(item) for item in expanded), "pm")
    if node.kind in ("set", "tuple"):
        args = tuple(
            inner for item in node.args for inner in (_spread(settle(item)) if node.kind == "set" else [settle(item)])
        )
        return Node(node.kind, args, node.value)
    if node.kind == "unit":
        inner, unit = node.args[0], node.value
        bare = unit.strip(" .").lower()
        if bare in ("percent", "%", "\\%", "percents", "per cent", "percentage"):
            return Node("percent", (inner,))
        if bare in ("degrees", "degree", "deg", "°"):
            return Node("degree", (inner,))
        scale = {"million": 10**6, "billion": 10**9, "thousand": 10**3, "trillion": 10**12, "dozen": 12}
        first, _, rest = bare.removeprefix("$").strip().partition(" ")
        if first in scale:
            grown = Node("mul", (inner, Node("num", (), "", Fraction(scale[first]))))
            return Node("unit", (grown,), rest) if rest else grown
    return node


def _spread(node: Node) -> Sequence[Node]:
    """The items of a plus-minus inside a list."""
    return node.args if node.kind == "list" and node.value == "pm" else [node]


def _settle_relation(node: Node) -> Node:
    signs = node.value.split(" ")
    sides = list(node.args)
    if "~" in signs:
        cut = signs.index("~")
        if cut == 0 and _is_name(sides[0].args[0]):
            signs[0] = "="
            cut = signs.index("~") if "~" in signs else len(signs)
        signs, sides = signs[:cut], sides[: cut + 1]
        if not signs:
            return settle(sides[0].args[0])
    if signs[0] == "=" and len(set(signs)) > 1 and _is_name(sides[0].args[0]):
        cut = next(i for i, sign in enumerate(signs) if sign != "=")  # n = 5 > 0
        signs, sides = signs[:cut], sides[: cut + 1]
    if set(signs) == {"="}:
        head, last = sides[0].args[0], sides[-1].args[0]
        if _is_name(head) and not (
            len(signs) == 1 and _is_lone_name(last) and _is_lone_name(head) and last.kind == "call"
        ):
            value = settle(last)
            if value.kind == "list":
                return Node("list", tuple(Node("named", (v, head), sides[0].value) for v in value.args), value.value)
            return Node("named", (value, head), sides[0].value)
        if _is_name(last) and not names(head):
            return Node("named", (settle(head), last), sides[-1].value)
        if len(sides) > 2 or not any(names(s) or s.kind == "call" for s in sides):
            values = [s for s in sides if not names(s)]
            if values:
                return settle(values[-1].args[0])
    if signs == ["in"] and sides[0].args[0].kind in ("name", "call"):
        return Node("named", (settle(sides[1].args[0]), sides[0].args[0]), sides[0].value)
    return Node("rel", tuple(sides), " ".join(signs))


def _is_lone_name(node: Node) -> bool:
    return node.kind in ("name", "call", "text")


def _is_name(node: Node) -> bool:
    """Whether the left side of an equation only names what follows: `x`, `f(x)`, `AB`, `|AB|`, `A:B`, `m + n`, `x^3`."""
    if node.kind in ("name", "text", "call", "func"):
        return True
    if node.kind == "const":
        return node.value != "inf"
    if node.kind in ("mul", "div", "ratio", "abs", "add", "unit", "neg", "numbers"):
        if all(part.kind not in ("pow", "num") and _is_name(part) for part in node.args):
            return not any(_holds(part, "pow") for part in node.args) or len(names(node)) == 1
    # One unknown in a formula without coefficients, `x^2 + 1/x^2 = 7`, names a value; x^2 + y^2 = 1 is a curve.
    return len(names(node)) == 1 and _is_monic(node)


def _is_monic(node: Node) -> bool:
    if node.kind == "pow":
        return node.args[0].kind == "name" and node.args[1].kind in ("num", "neg", "div")
    if node.kind == "div":
        return (node.args[0].kind == "num" or _is_monic(node.args[0])) and _is_monic(node.args[1])
    return node.kind == "name" or (node.kind in ("add", "neg") and all(_is_monic(part) for part in node.args))


def _plus_minus(node: Node) -> list[Node]:
    """Both readings of an expression with a plus-minus; one reading where there is none."""
    if not _holds(node, "pm"):
        return [node]
    if node.kind in ("list", "set", "tuple", "rel", "matrix"):
        return [node]
    return [_signed(node, 1), _signed(node, -1)]


def _holds(node: Node, kind: str) -> bool:
    return node.kind == kind or any(_holds(part, kind) for part in node.args)


def _signed(node: Node, sign: int) -> Node:
    if node.kind == "pm":
        inner = _signed(node.args[0], sign)
        return inner if (node.value == "pm") == (sign > 0) else Node("neg", (inner,))
    return node._replace(args=tuple(_signed(part, sign) for part in node.args))


def _agree(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold == answer:
        return True
    kinds = {gold.kind, answer.kind}
    if "named" in kinds:
        return _named(gold, answer, policy)
    if "text" in kinds:
        return _texts(gold, answer)
    if "rel" in kinds or kinds & _REGION_KINDS:
        return _relations(gold, answer, policy)
    if _holds(gold, "matrix") or _holds(answer, "matrix"):
        return _matrices(_as_matrix(gold) or gold, _as_matrix(answer) or answer, policy)
    if kinds & {"list", "set", "tuple"}:
        return _collections(gold, answer, policy)
    if "ratio" in kinds:
        return _ratios(gold, answer, policy)
    if "base" in kinds:
        return _bases(gold, answer, policy)
    if "dots" in kinds:
        return None
    return _quantities(gold, answer, policy)


def _named(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """`x = 5` against `5`, `x = 5` or an equation."""
    if gold.kind == answer.kind == "named":
        if gold.value != answer.value:
            gold_head, answer_head = gold.args[1], answer.args[1]
            if gold_head.kind == "call" and answer_head.kind == "call" and gold_head.value == answer_head.value:
                return _agree(gold.args[0], _renamed(answer.args[0], answer_head, gold_head), policy)
            whole = _equations(_equation(gold), _equation(answer))
            if whole:
                return True
            single = gold_head.kind == "name" and answer_head.kind == "name"
            if single and policy.names == "strict":
                return whole if whole is not None else False
        return _agree(gold.args[0], answer.args[0], policy)
    named, other = (gold, answer) if gold.kind == "named" else (answer, gold)
    if other.kind == "rel" and set(other.value.split(" ")) == {"="}:
        return _equations(_equation(named), other)
    return _agree(named.args[0], other, policy)


def _equation(named: Node) -> Node:
    return Node("rel", (Node("side", (named.args[1],)), Node("side", (named.args[0],))), "=")


def _renamed(node: Node, old: Node, new: Node) -> Node:
    """The body of a function with its arguments called as in another definition."""
    table = {a.value: b for a, b in zip(old.args, new.args, strict=False) if a.kind == b.kind == "name"}
    if node.kind == "name":
        return table.get(node.value, node)
    return node._replace(args=tuple(_renamed(part, old, new) for part in node.args))


def _texts(gold: Node, answer: Node) -> bool | None:
    if gold.kind == answer.kind == "text":
        return same_words(gold.value, answer.value)
    text, other = (gold, answer) if gold.kind == "text" else (answer, gold)
    if other.kind == "set" and not other.args:
        return same_words(text.value, "no solution")
    if other.kind == "numbers" and other.value == "R":
        return same_words(text.value, "all real numbers")
    if other.kind == "const" and other.value == "inf":
        return same_words(text.value, "infinity")
    if other.kind == "name":
        return same_words(text.value, other.value)
    if _holds(other, "text"):
        return None
    # Words without a number are no formula: "no solutions", "not enough information", AZYUK2A.
    return False if not says_number(text.value) or len(text.value.split()) == 1 else None


def _relations(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "rel":
        if gold.value == answer.value == "=":
            return _equations(gold, answer)
        first, second = region(gold), region(answer)
        if first is not None and second is not None:
            return same_region(first, second) and (
                policy.names == "ignore" or names(gold) == names(answer) or "call" in str(gold)
            )
        return _inequalities(gold, answer)
    first, second = region(gold), region(answer)
    if first is not None and second is not None:
        return same_region(first, second)
    if (first is not None and _is_number(answer)) or (second is not None and _is_number(gold)):
        return False
    if gold.kind == "numbers" or answer.kind == "numbers":
        return False if gold.kind == answer.kind else None
    other = answer if gold.kind == "rel" else gold
    relation = gold if gold.kind == "rel" else answer
    if (
        "rel" in (gold.kind, answer.kind)
        and relation.value == "="
        and other.kind not in ("list", "set", "tuple", "text")
    ):
        return False
    return None


def _is_number(node: Node) -> bool:
    try:
        return node.kind not in ("percent", "unit") and evaluate(node, {}) is not None
    except UnknownError:
        return False


def _difference(relation: Node) -> Node:
    left, right = relation.args[0].args[0], relation.args[-1].args[0]
    return Node("add", (left, Node("neg", (right,))))


def _equations(gold: Node, answer: Node) -> bool | None:
    """Two equations are one when left minus right is in a fixed proportion at every test point."""
    ratios = _proportions(gold, answer)
    if ratios is None or len(ratios) < 3:
        return None
    steady = [_close_values(a, b) for a, b in pairwise(ratios)]
    if all(steady):
        return True
    first, second = _degree(_difference(gold)), _degree(_difference(answer))
    return False if first is not None and first == second else None


def _degree(node: Node) -> int | None:
    """The degree of a polynomial in all its names; None for what is none. Two curves of one degree are one curve only

    if their polynomials are in proportion; `y = 1/x` and `xy = 1` may be one although they are not.
    """
    if not names(node):
        return 0
    if node.kind == "name":
        return 1
    parts = [_degree(part) for part in node.args]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if node.kind in ("add", "neg"):
        return max(known)
    if node.kind == "mul":
        return sum(known)
    if node.kind == "div" and known[1] == 0:
        return known[0]
    if node.kind == "pow" and node.args[1].kind == "num" and node.args[1].number.denominator == 1:
        return known[0] * int(node.args[1].number)
    return None


def _inequalities(gold: Node, answer: Node) -> bool | None:
    if len(gold.args) != 2 or len(answer.args) != 2:
        return None
    ratios = _proportions(gold, answer)
    if ratios is None or len(ratios) < 3 or not all(_close_values(a, b) for a, b in pairwise(ratios)):
        return None
    size = ratios[0] if isinstance(ratios[0], Fraction) else ratios[0].z.real
    mirror = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    expected = gold.value if size > 0 else mirror.get(gold.value, gold.value)
    return answer.value == expected


def _proportions(gold: Node, answer: Node) -> list[Value] | None:
    first, second = _difference(gold), _difference(answer)
    known = names(first) | names(second)
    if not known or names(first) != names(second):
        return None
    ratios: list[Value] = []
    for point in _points(sorted(known), whole=_is_whole(first) or _is_whole(second), count=5):
        try:
            a, b = evaluate(first, point), evaluate(second, point)
            if same(a, Fraction(0)) or same(b, Fraction(0)):
                continue
            ratios.append(a / b if isinstance(a, Fraction) and isinstance(b, Fraction) else _ratio(a, b))
        except UnknownError:
            continue
    return ratios


def _ratio(a: Value, b: Value) -> Value:
    return evaluate(Node("div", (Node("name", (), "a"), Node("name", (), "b"))), {"a": a, "b": b})


def _close_values(a: Value, b: Value) -> bool:
    return same(a, b) is True


def _matrices(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "matrix":
        shape_gold, shape_answer = [len(r.args) for r in gold.args], [len(r.args) for r in answer.args]
        if shape_gold != shape_answer:
            flat = len(gold.args) == 1 or len(answer.args) == 1
            if not (flat and sorted((len(gold.args), shape_gold[0])) == sorted((len(answer.args), shape_answer[0]))):
                return False
        return _all(_agree(settle(g), settle(a), policy) for g, a in zip(_cells(gold), _cells(answer), strict=True))
    matrix, other = (gold, answer) if gold.kind == "matrix" else (answer, gold)
    if matrix.kind != "matrix":
        return None
    vector = len(matrix.args) == 1 or all(len(row.args) == 1 for row in matrix.args)
    if other.kind in ("tuple", "list") and vector:
        cells = _cells(matrix)
        return len(cells) == len(other.args) and _all(
            _agree(settle(m), settle(o), policy) for m, o in zip(cells, other.args, strict=True)
        )
    if vector and _basis(other):
        return _matrices(matrix, Node("tuple", tuple(_components(other, len(_cells(matrix)))), "<>"), policy)
    if len(_cells(matrix)) == 1:
        return _agree(settle(_cells(matrix)[0]), other, policy)
    return False if other.kind in ("num", "neg", "name", "div") else None


def _as_matrix(node: Node) -> Node | None:
    """One matrix for a sum of matrices or a multiple of one; None for anything else."""
    if node.kind == "matrix":
        return node
    parts = [_as_matrix(part) for part in node.args]
    if node.kind == "neg" and parts[0]:
        return _each_cell(lambda cell: Node("neg", (cell,)), parts[0])
    if node.kind in ("mul", "div") and sum(part is not None for part in parts) == 1:
        matrix = parts[0] or parts[1]
        scalar = node.args[1] if parts[0] else node.args[0]
        if matrix and (node.kind == "mul" or parts[0]):
            return _each_cell(lambda cell: Node(node.kind, (cell, scalar)), matrix)
    if node.kind == "add" and all(parts):
        matrices = [part for part in parts if part]
        if len({tuple(len(row.args) for row in m.args) for m in matrices}) == 1:
            return _each_cell(lambda *cells: Node("add", cells), *matrices)
    return None


def _each_cell(make: Callable[..., Node], *matrices: Node) -> Node:
    rows = (
        Node("row", tuple(make(*cells) for cells in zip(*(row.args for row in rows), strict=True)))
        for rows in zip(*(m.args for m in matrices), strict=True)
    )
    return Node("matrix", tuple(rows))


def _cells(matrix: Node) -> list[Node]:
    return [cell for row in matrix.args for cell in row.args]


def _basis(node: Node) -> bool:
    return any(name.startswith("hat:") for name in names(node))


def _components(node: Node, size: int) -> list[Node]:
    """The parts of `3i + 4j` along each basis vector."""
    letters = ["i", "j", "k"][:size]
    zero = {f"hat:{letter}": Fraction(0) for letter in "ijk"}
    parts = []
    for letter in letters:
        try:
            value = evaluate(node, zero | {f"hat:{letter}": Fraction(1)})
        except UnknownError:
            return []
        parts.append(Node("num", (), "", value) if isinstance(value, Fraction) else Node("text", (), str(value.z)))
    return parts


def _collections(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if _basis(gold) or _basis(answer):
        vector, other = (gold, answer) if _basis(gold) else (answer, gold)
        parts = _components(vector, len(other.args)) if other.kind in ("tuple", "list") else []
        return _all(_agree(p, o, policy) for p, o in zip(parts, other.args, strict=True)) if parts else None
    pair = {gold.kind, answer.kind}
    if not pair <= {"list", "set", "tuple"}:
        return _single(gold, answer, policy)
    first, second = list(gold.args), list(answer.args)
    if pair == {"tuple"}:
        return _tuples(gold, answer, policy)
    if "tuple" in pair:
        sharp = any(n.kind == "tuple" and len(n.args) == 2 and n.value in ("[]", "(]", "[)") for n in (gold, answer))
        if "set" in pair or sharp:
            return _alone(gold, answer, policy)
        if len(first) != len(second):
            return _alone(gold, answer, policy)
        return _all(_agree(settle(a), settle(b), policy) for a, b in zip(first, second, strict=True))
    if (families := _families(first, second)) is not None:
        return families
    named = _by_name(first, second, policy)
    if named is not None:
        return named
    if policy.order == "keep" and pair == {"list"}:
        return len(first) == len(second) and _all(_agree(a, b, policy) for a, b in zip(first, second, strict=True))
    if "set" in pair:
        first, second = _distinct(first, policy), _distinct(second, policy)
    return _unordered(first, second, policy)


def _single(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """A collection against something that is none: equal only if it holds just that."""
    collection, other = (gold, answer) if gold.kind in ("list", "set", "tuple") else (answer, gold)
    if collection.kind == "set" and len(collection.args) == 1:
        return _agree(collection.args[0], other, policy)
    if collection.kind == "list" and len(collection.args) > 1:
        plain = _distinct(list(collection.args), policy)
        if len(plain) == 1:
            return _agree(plain[0], other, policy)
    return False if _readable(collection) and _readable(other) else None


def _alone(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """A set or list that holds one tuple, against that tuple."""
    for outer, inner in ((gold, answer), (answer, gold)):
        if outer.kind in ("set", "list") and len(outer.args) == 1 and outer.args[0].kind == "tuple":
            return _agree(outer.args[0], inner, policy)
    return False


def _tuples(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if len(gold.args) != len(answer.args):
        return False
    round_or_sharp = {"()", "<>"}
    if len(gold.args) == 2 and gold.value != answer.value and not {gold.value, answer.value} <= round_or_sharp:
        return False
    return _all(_agree(settle(a), settle(b), policy) for a, b in zip(gold.args, answer.args, strict=True))


def _by_name(first: list[Node], second: list[Node], policy: Policy) -> bool | None:
    """`k = 45, n = 2`: by name where both name their values, in order where one does."""
    heads = [[item.value if item.kind == "named" else "" for item in items] for items in (first, second)]
    distinct = [all(h) and len(set(h)) == len(h) > 1 for h in heads]
    if not any(distinct) or len(first) != len(second):
        return None
    if all(distinct) and set(heads[0]) == set(heads[1]):
        table = {item.value: item for item in second}
        return _all(_agree(item, table[item.value], policy) for item in first)
    if all(not any(h) for h, d in zip(heads, distinct, strict=True) if not d):
        return _all(_agree(a, b, policy) for a, b in zip(first, second, strict=True))
    return None


def _distinct(items: list[Node], policy: Policy) -> list[Node]:
    kept: list[Node] = []
    for item in items[:_MAX_ITEMS]:
        if not any(_agree(item, other, policy) for other in kept):
            kept.append(item)
    return kept + items[_MAX_ITEMS:]


def _unordered(first: list[Node], second: list[Node], policy: Policy) -> bool | None:
    first, second = _grouped(first), _grouped(second)
    if len(first) != len(second):
        if len({i.kind for i in first + second} & {"named"}) or all(i.kind != "rel" for i in first + second):
            return False
        return None
    if len(first) > _MAX_ITEMS:
        if all(item.kind == "num" for item in first + second):
            return Counter(i.number for i in first) == Counter(i.number for i in second)
        return None
    left = list(second)
    unsure = False
    for item in first:
        for i, other in enumerate(left):
            verdict = _agree(item, other, policy)
            if verdict:
                del left[i]
                break
            unsure = unsure or verdict is None
        else:
            return None if unsure else False
    return True


def _families(first: list[Node], second: list[Node]) -> bool | None:
    """`pi/6 + k pi, 5pi/6 + k pi` against the same numbers written with other k: compared over a window of k."""
    one, other = [_value(i) for i in first], [_value(i) for i in second]
    parameters = {frozenset(names(item)) for item in one + other}
    if not all(_holds_constant(item, "pi") or _holds(item, "degree") for item in one + other):
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
            values = [_float(evaluate(item, {name: Fraction(k)})).real for k in (0, 1, 2)]
        except UnknownError:
            return None
        if abs(values[2] - 2 * values[1] + values[0]) > 1e-9 or values[0] == values[1]:
            return None
        starts.append(values[0])
        periods.append(abs(values[1] - values[0]))
    longest = max(periods)
    found = set()
    for start, period in zip(starts, periods, strict=True):
        steps = range(-int(10 * longest / period) - 60, int(10 * longest / period) + 60)
        found |= {round(v * 1e6) for k in steps if -10 * longest < (v := start + k * period) < 10 * longest}
    return found


def _grouped(items: list[Node]) -> list[Node]:
    """`p=5, q=2; p=7, q=2` and `p=5, q=2, p=7, q=2` as two pairs; inner lists are tuples."""
    if all(item.kind == "list" for item in items) and items:
        return [Node("tuple", tuple(_value(part) for part in item.args), "()") for item in items]
    heads = [item.value for item in items if item.kind == "named"]
    size = len(set(heads))
    if len(heads) == len(items) > size > 1 and len(items) % size == 0 and heads == heads[:size] * (len(items) // size):
        values = [item.args[0] for item in items]
        return [Node("tuple", tuple(values[i : i + size]), "()") for i in range(0, len(values), size)]
    return items


def _value(node: Node) -> Node:
    return node.args[0] if node.kind == "named" else node


def _ratios(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "ratio":
        if len(gold.args) != len(answer.args):
            return False
        parts = list(zip(gold.args, answer.args, strict=True))
        if all(_agree(a, b, policy) for a, b in parts):
            return True
        clock = any(
            p.kind == "num" and (p.number == 0 or (len(p.value) > 1 and p.value[0] == "0"))
            for p in gold.args + answer.args
        )
        if clock:
            return False
        (a, b), others = parts[0], parts[1:]
        return _all(_scalars(Node("mul", (a, y)), Node("mul", (b, x)), policy) for x, y in others)
    ratio, other = (gold, answer) if gold.kind == "ratio" else (answer, gold)
    if len(ratio.args) != 2 or other.kind in ("list", "set", "tuple", "text"):
        return False
    return _scalars(Node("div", ratio.args), other, policy)


def _bases(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold.kind == answer.kind == "base":
        if gold.number == answer.number:
            return _digits(gold.value) == _digits(answer.value)
        try:
            return int(gold.value, int(gold.number)) == int(answer.value, int(answer.number))
        except ValueError:
            return False
    based, other = (gold, answer) if gold.kind == "base" else (answer, gold)
    if other.kind in ("num", "text", "name", "word"):
        return policy.bare_digits and _digits(based.value) == _digits(other.value.lower())
    return False if other.kind not in ("mul", "unit") else None


def _digits(text: str) -> str:
    text = text.replace(" ", "")
    whole, dot, places = text.partition(".")
    return (whole.lstrip("0") or "0") + (dot + places.rstrip("0") if places.rstrip("0") else "")


def _quantities(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Numbers and expressions with their unit, per cent or degree sign."""
    (g, gold_unit), (a, answer_unit) = _measured(gold, policy), _measured(answer, policy)
    if gold_unit == answer_unit:
        return _scalars(g, a, policy)
    if "%" in (gold_unit, answer_unit):
        return _percents(g, gold_unit, a, answer_unit, policy)
    if gold_unit and answer_unit:
        known, other = read_unit(gold_unit), read_unit(answer_unit)
        if known is None or other is None:
            return _scalars(g, a, policy) if policy.units == "drop" else False
        if known.dimensions != other.dimensions:
            return False
        factor = Fraction(known.factor / other.factor).limit_denominator(10**9)
        return _scalars(Node("mul", (g, Node("num", (), "", factor))), a, policy)
    if "degree" in (gold_unit, answer_unit):
        plain = _scalars(g, a, policy)
        turned = _scalars(Node("degree", (g,)) if gold_unit else g, Node("degree", (a,)) if answer_unit else a, policy)
        return True if turned else plain if policy.units == "drop" else turned
    return _scalars(g, a, policy) if policy.units == "drop" else False


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
    if policy.letter_units and (peeled := _peeled(node)) and peeled[1]:
        return peeled[0], peeled[1]
    return node, ""


def _peeled(node: Node) -> tuple[Node, str] | None:
    """`600 \\pi V/m` as its number and `V m^-1`; None where a name in it is no unit."""
    if not names(node) and not _holds(node, "text"):
        return node, ""
    one = Node("num", (), "1", Fraction(1))
    if node.kind == "text":
        return (one, node.value) if read_unit(node.value) else None
    if node.kind == "name":
        return (one, node.value) if node.value in UNITS else None
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
    value = _scalars(
        Node("div", (g, hundred)) if gold_unit == "%" else g,
        Node("div", (a, hundred)) if answer_unit == "%" else a,
        policy,
    )
    if value or policy.percent == "value":
        return value
    plain = _scalars(g, a, policy)
    return plain if plain or value is not None else None


def _scalars(gold: Node, answer: Node, policy: Policy) -> bool | None:
    known = sorted(names(gold) | names(answer))
    if not known:
        return _numbers(gold, answer, policy)
    if {"c", "C"} <= set(known):  # the constant of an integral, in either case
        gold, answer = _upper_constant(gold), _upper_constant(answer)
        known.remove("c")
    if known == ["k"] and (family := _families([gold], [answer])) is not None:
        return family
    whole = _is_whole(gold) or _is_whole(answer)
    complex_meant = _holds_constant(gold, "i") or _holds_constant(answer, "i")
    met = 0
    for point in _points(known, whole, count=8):
        try:
            first, second = evaluate(gold, point), evaluate(answer, point)
        except UnknownError:
            continue
        # A root of a negative number at a test point says nothing of expressions meant for real numbers.
        if not complex_meant and not (_real(first) and _real(second)):
            continue
        verdict = _near(first, second, policy)
        if verdict is not True:
            return verdict
        met += 1
        if met == 4:
            break
    return True if met >= 2 else None


def _upper_constant(node: Node) -> Node:
    if node.kind == "name" and node.value == "c":
        return Node("name", (), "C")
    return node._replace(args=tuple(_upper_constant(part) for part in node.args))


def _holds_constant(node: Node, name: str) -> bool:
    return (node.kind == "const" and node.value == name) or any(_holds_constant(part, name) for part in node.args)


def _numbers(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if (gold.kind == "const" and gold.value == "inf") or (answer.kind == "const" and answer.value == "inf"):
        return gold == answer
    if _infinite(gold) or _infinite(answer):
        return _infinite(gold) == _infinite(answer)
    try:
        first, second = evaluate(gold, {}), evaluate(answer, {})
    except UnknownError:
        return None
    verdict = same(first, second)
    if verdict or not (policy.tolerance or policy.rounding):
        return verdict
    x, y = _float(first), _float(second)
    if _near(first, second, policy):
        return True
    if policy.rounding and (_rounds_to(gold, x, y) or _rounds_to(answer, y, x)):
        return True
    return verdict


def _near(first: Value, second: Value, policy: Policy) -> bool | None:
    """True within the tolerance, False outside it, None where floats cannot tell two numbers apart."""
    if policy.tolerance:
        x, y = _float(first), _float(second)
        if abs(x - y) <= policy.tolerance * max(abs(x), abs(y)):
            return True
    return same(first, second)


def _infinite(node: Node) -> int:
    if node.kind == "const" and node.value == "inf":
        return 1
    if node.kind == "neg":
        return -_infinite(node.args[0])
    if node.kind == "add" and len(node.args) == 1:
        return _infinite(node.args[0])
    return 0


def _rounds_to(printed: Node, value: complex, exact: complex) -> bool:
    """Whether a printed decimal is the other number rounded to its places."""
    while printed.kind in ("neg", "add") and len(printed.args) == 1:
        printed = printed.args[0]
    if printed.kind != "num" or "." not in printed.value:
        return False
    places = len(printed.value.partition(".")[2])
    digits = printed.value.replace(".", "").lstrip("0")
    return len(digits) >= 2 and abs(value - exact) <= 0.5001 * 10.0**-places


def _float(value: Value) -> complex:
    return value.z if isinstance(value, Approx) else complex(float(value))


def _real(value: Value) -> bool:
    return isinstance(value, Fraction) or abs(value.z.imag) <= value.error


def _is_whole(node: Node) -> bool:
    """Whether an expression is meant for whole numbers: factorials, floors, binomials, signs like (-1)^n."""
    if node.kind in ("fact", "binom") or (node.kind == "func" and node.value in ("floor", "ceil", "gcd", "lcm", "mod")):
        return bool(names(node))
    if node.kind == "pow" and names(node.args[1]) and not names(node.args[0]):
        try:
            base = evaluate(node.args[0], {})
            if not (isinstance(base, Fraction) and base > 0):
                return True
        except UnknownError:
            pass
    if (
        node.kind == "func"
        and node.value in ("sin", "cos", "tan")
        and _holds(node, "const")
        and names(node) & set("nkm")
    ):
        return True
    return any(_is_whole(part) for part in node.args)


_FRACTIONS = [
    Fraction(a, b)
    for a, b in ((17, 11), (13, 7), (23, 19), (31, 13), (7, 5), (29, 17), (37, 23), (19, 7), (41, 29), (11, 3))
]
_WHOLE = [11, 7, 4, 9, 3, 5, 8, 6, 13, 2]


def _points(known: list[str], whole: bool, count: int) -> list[Point]:
    """Test points: above one, below one, and one with a negative name; whole numbers where the expression wants them."""
    if whole:
        turns = [_WHOLE, _WHOLE[1:] + _WHOLE[:1], sorted(_WHOLE, reverse=True), sorted(_WHOLE), [w + 1 for w in _WHOLE]]
        return [{name: Fraction(turn[i % 10] + i // 10) for i, name in enumerate(known)} for turn in turns]
    points: list[Point] = []
    for j in range(count):
        values = {}
        for i, name in enumerate(known):
            value = _FRACTIONS[(3 * i + j) % 10] + Fraction(i, 97)
            values[name] = 1 / value if (i + j) % 3 == 1 else value
            values[name] = _moved(values[name], i, j)
        points.append(values)
    return points


def _moved(value: Fraction, i: int, j: int) -> Fraction:
    """The i-th name at the j-th point: some points have negative names, some large ones, one small ones."""
    if j == 5 or (j == 2 and i % 2 == 0):
        return -value
    return {4: value + 5, 6: value + 11, 7: value / 7}.get(j, value)


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    """True if all are, False if one is, else None."""
    unsure = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def _readable(node: Node) -> bool:
    if node.kind in ("text", "dots"):
        return False
    return all(_readable(part) for part in node.args)
