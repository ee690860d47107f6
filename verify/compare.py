"""Whether two trees are one answer. True, False, or None where the forms here cannot tell; every rule is symmetric."""

from verify.equations import equations, relations
from verify.matrices import in_letters, matrices
from verify.policy import Policy
from verify.quantities import bases, quantities, ratios
from verify.settle import settle
from verify.several import same_items
from verify.tree import Node, holds, holds_constant, names
from verify.words import denies_number, same_words

_VECTORS = frozenset(["tuple", "matrix"])
_REGION_KINDS = frozenset(["cup", "cap", "minus", "numbers", "where"])


def agree(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Whether both trees say the same."""
    verdict = _agree(settle(gold), settle(answer), policy)
    if verdict is False and (_has_bare_log(gold) or _has_bare_log(answer)):
        # A log without its base is natural or decimal, as its book has it.
        return _agree(settle(_decimal(gold)), settle(_decimal(answer)), policy) or verdict
    return verdict


def _agree(gold: Node, answer: Node, policy: Policy) -> bool | None:
    if gold == answer:
        return True
    if gold.kind in _VECTORS or answer.kind in _VECTORS:
        if is_complex_point(gold, answer) or is_complex_point(answer, gold):
            return None
        gold, answer = in_letters(gold) or gold, in_letters(answer) or answer
    kinds = {gold.kind, answer.kind}
    if "named" in kinds:
        return _named(gold, answer, policy)
    if "text" in kinds:
        return _texts(gold, answer)
    if "rel" in kinds or kinds & _REGION_KINDS:
        return relations(gold, answer, policy)
    if _is_bounds(gold) or _is_bounds(answer):
        same = relations(gold, answer, policy)
        if same is not None:
            return same
    if holds(gold, "matrix") or holds(answer, "matrix"):
        return matrices(_nested(gold), _nested(answer), lambda g, a: agree(g, a, policy))
    if "call" in kinds and (point := _labelled_point(gold, answer)):
        return _agree(*point, policy)
    if kinds & {"list", "set", "tuple"}:
        return same_items(gold, answer, lambda g, a: _agree(g, a, policy), policy.order == "keep")
    if "ratio" in kinds:
        return ratios(gold, answer, policy)
    if "base" in kinds:
        return bases(gold, answer, policy)
    if "dots" in kinds:
        return None
    return quantities(gold, answer, policy)


def is_complex_point(one: Node, other: Node) -> bool:
    """Whether a pair of real numbers stands beside one complex number, whose point it may be: `(1, 2)`, `1 + 2i`."""
    pair = one.kind == "tuple" and len(one.args) == 2 and not holds_constant(one, "i")
    return pair and other.kind in ("add", "mul", "const", "neg") and holds_constant(other, "i") and not names(other)


def _has_bare_log(node: Node) -> bool:
    bare = node.kind == "func" and node.value == "log" and len(node.args) == 1
    return bare or any(_has_bare_log(part) for part in node.args)


def _decimal(node: Node) -> Node:
    args = tuple(_decimal(part) for part in node.args)
    return (
        node._replace(args=args, value="lg")
        if node.kind == "func" and node.value == "log"
        else node._replace(args=args)
    )


def _is_bounds(node: Node) -> bool:
    """Whether a list holds conditions on a number: `x > 2, x < 3`, `x \\ne 1, 2`."""
    return node.kind == "list" and any(item.kind == "rel" and item.value != "=" for item in node.args)


def _nested(node: Node) -> Node:
    """`[[1, 2], [3, 4]]` as the matrix that it is beside another matrix."""
    if node.kind != "tuple" or node.value != "[]" or len({len(row.args) for row in node.args}) != 1:
        return node
    if any(row.kind != "tuple" or row.value != "[]" for row in node.args):
        return node
    return Node("matrix", tuple(Node("row", row.args) for row in node.args))


def _labelled_point(gold: Node, answer: Node) -> tuple[Node, Node] | None:
    """`A(1, 2)` and `(1, 2)` as two points; `C(10, 3)` and 120 as two numbers."""
    call, other = (gold, answer) if gold.kind == "call" else (answer, gold)
    if len(call.args) < 2 or not (len(call.value) == 1 and call.value.isupper()):
        return None
    if other.kind == "tuple":
        point = Node("tuple", call.args, "()")
    elif call.value in ("C", "P") and len(call.args) == 2 and other.kind in ("num", "fact", "binom", "mul", "div"):
        n, k = call.args
        point = Node("binom", (n, k)) if call.value == "C" else Node("mul", (Node("binom", (n, k)), Node("fact", (k,))))
    else:
        return None
    return (point, other) if call is gold else (other, point)


_COMPOUND = {"pow", "abs", "func", "mul", "div", "add", "sub", "ratio"}
"""Left sides that are an expression and no mere name of the answer."""


def _named(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """`x = 5` against `5`, `x = 5` or an equation."""
    if gold.kind == answer.kind == "named":
        if gold.value != answer.value:
            gold_head, answer_head = gold.args[1], answer.args[1]
            if gold_head.kind == "call" and answer_head.kind == "call" and gold_head.value == answer_head.value:
                return _functions(gold, answer, policy)
            if gold_head.kind == answer_head.kind == "call" and policy.names == "strict":
                return False  # f and g, f and its derivative, f and its inverse
            whole = equations(_equation(gold), _equation(answer))
            if whole:
                return True
            if {gold_head.kind, answer_head.kind} & _COMPOUND:
                return whole  # `x^2 = 1` has more solutions than `x = 1`: equal right sides say nothing
            single = gold_head.kind == "name" and answer_head.kind == "name"
            if single and policy.names == "strict":
                return whole if whole is not None else False
        return _agree(gold.args[0], answer.args[0], policy)
    named, other = (gold, answer) if gold.kind == "named" else (answer, gold)
    if other.kind == "rel" and set(other.value.split(" ")) == {"="}:
        return equations(_equation(named), other)
    return _agree(named.args[0], other, policy)


def _equation(named: Node) -> Node:
    return Node("rel", (Node("side", (named.args[1],)), Node("side", (named.args[0],))), "=")


def _functions(gold: Node, answer: Node, policy: Policy) -> bool | None:
    """Two definitions of one function: equal bodies where their arguments are called alike, `f(x) = x`, `f(t) = t`.

    `f(2) = 5` and `f(3) = 5` are two statements; of `f(x) = x^2` and `f(2x) = 4x^2` nothing is said.
    """
    bodies = gold.args[0], answer.args[0]
    heads = gold.args[1].args, answer.args[1].args
    if len(heads[0]) != len(heads[1]):
        return None
    for i, (old, new) in enumerate(zip(*heads, strict=True)):
        if old.kind == new.kind == "name":
            shared = Node("name", (), f"argument {i}")
            bodies = _exchanged(bodies[0], old, shared), _exchanged(bodies[1], new, shared)
        elif (same := _agree(old, new, policy)) is not True:
            return same if not names(old) | names(new) else None
    return _agree(*bodies, policy)


def _exchanged(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return new
    return node._replace(args=tuple(_exchanged(part, old, new) for part in node.args))


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
        if len(other.value) == 1 and text.value[:1].lower() == other.value.lower():
            return None  # E for east: an initial may be the word
        return same_words(text.value, other.value)
    if holds(other, "text"):
        return None
    # "No solutions" and "not enough information" are no number; other words may be one in another language.
    return False if denies_number(text.value) else None
