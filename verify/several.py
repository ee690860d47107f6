"""Lists, sets and tuples: item by item, in order, by name or as sets."""

from collections import Counter
from collections.abc import Callable

from verify.expressions import all_agree
from verify.families import families
from verify.matrices import components, is_vector_sum
from verify.scalars import value_of
from verify.settle import settle
from verify.tree import Node
from verify.units import read_unit

Same = Callable[[Node, Node], bool | None]

_MAX_ITEMS = 64


def same_items(gold: Node, answer: Node, same: Same, keep_order: bool) -> bool | None:
    """Whether two answers, one of which is a list, a set or a tuple, are one; `same` compares their items."""
    if is_vector_sum(gold) or is_vector_sum(answer):
        vector, other = (gold, answer) if is_vector_sum(gold) else (answer, gold)
        parts = components(vector, len(other.args)) if other.kind in ("tuple", "list") else []
        return all_agree(same(p, o) for p, o in zip(parts, other.args, strict=True)) if parts else None
    pair = {gold.kind, answer.kind}
    if not pair <= {"list", "set", "tuple"}:
        return _single(gold, answer, same)
    first, second = list(gold.args), list(answer.args)
    if pair == {"tuple"}:
        return _tuples(gold, answer, same)
    if "tuple" in pair:
        sharp = any(n.kind == "tuple" and len(n.args) == 2 and n.value in ("[]", "(]", "[)") for n in (gold, answer))
        if "set" in pair or sharp:
            return _alone(gold, answer, same)
        if len(first) != len(second):
            return _alone(gold, answer, same)
        return all_agree(same(settle(a), settle(b)) for a, b in zip(first, second, strict=True))
    if (turned := families(first, second)) is not None:
        return turned
    if pair == {"set", "list"}:
        first, second = _lone_tuple(first, second), _lone_tuple(second, first)
    named = _by_name(first, second, same)
    if named is not None:
        return named
    if keep_order and pair == {"list"}:
        return len(first) == len(second) and all_agree(same(a, b) for a, b in zip(first, second, strict=True))
    if "set" in pair:
        first, second = _distinct(first, same), _distinct(second, same)
    return _unordered(first, second, same)


def _single(gold: Node, answer: Node, same: Same) -> bool | None:
    """A collection against something that is none: equal only if it holds just that."""
    collection, other = (gold, answer) if gold.kind in ("list", "set", "tuple") else (answer, gold)
    if collection.kind == "set" and len(collection.args) == 1:
        return same(collection.args[0], other)
    if collection.kind == "list" and len(collection.args) > 1:
        plain = _distinct(list(collection.args), same)
        if len(plain) == 1:
            return same(plain[0], other)
    if collection.kind == "list" and (turned := families(list(collection.args), [other])) is not None:
        return turned
    return False if _readable(collection) and _readable(other) else None


def _alone(gold: Node, answer: Node, same: Same) -> bool | None:
    """A set or list that holds one tuple, against that tuple."""
    for outer, inner in ((gold, answer), (answer, gold)):
        if outer.kind in ("set", "list") and len(outer.args) == 1 and outer.args[0].kind == "tuple":
            return same(outer.args[0], inner)
    return False


def _tuples(gold: Node, answer: Node, same: Same) -> bool | None:
    if len(gold.args) != len(answer.args):
        return False
    round_or_sharp = {"()", "<>"}
    if len(gold.args) == 2 and gold.value != answer.value and not {gold.value, answer.value} <= round_or_sharp:
        return False
    return all_agree(same(settle(a), settle(b)) for a, b in zip(gold.args, answer.args, strict=True))


def _lone_tuple(items: list[Node], other: list[Node]) -> list[Node]:
    """The parts of `{(1, 2)}` beside `x = 1, y = 2`."""
    lone = len(items) == 1 and items[0].kind == "tuple" and len(items[0].args) == len(other) > 1
    return list(items[0].args) if lone and len({item.value for item in other if item.kind == "named"}) > 1 else items


def _by_name(first: list[Node], second: list[Node], same: Same) -> bool | None:
    """`k = 45, n = 2`: by name where both name their values, in order where one does."""
    heads = [[_head(item) for item in items] for items in (first, second)]
    distinct = [all(h) and len(set(h)) == len(h) > 1 for h in heads]
    if not any(distinct) or len(first) != len(second):
        return None
    if all(distinct) and set(heads[0]) == set(heads[1]):
        table = {_head(item): item for item in second}
        return all_agree(same(item, table[_head(item)]) for item in first)
    if all(not any(h) for h, d in zip(heads, distinct, strict=True) if not d):
        return all_agree(same(a, b) for a, b in zip(first, second, strict=True))
    return None


def _head(item: Node) -> str:
    """What an item says that it is: the `x` of `x = 1`, the girls of `3 girls`."""
    if item.kind == "named":
        return item.value
    if item.kind == "unit" and item.value.isascii() and item.value.isalpha() and read_unit(item.value) is None:
        return item.value.lower().rstrip("s")
    return ""


def _distinct(items: list[Node], same: Same) -> list[Node]:
    kept: list[Node] = []
    for item in items[:_MAX_ITEMS]:
        if not any(same(item, other) for other in kept):
            kept.append(item)
    return kept + items[_MAX_ITEMS:]


def _unordered(first: list[Node], second: list[Node], same: Same) -> bool | None:
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
            verdict = same(item, other)
            if verdict:
                del left[i]
                break
            unsure = unsure or verdict is None
        else:
            return None if unsure else False
    return True


def _grouped(items: list[Node]) -> list[Node]:
    """`p=5, q=2; p=7, q=2` and `p=5, q=2, p=7, q=2` as two pairs; inner lists are tuples."""
    if all(item.kind == "list" for item in items) and items:
        return [Node("tuple", tuple(value_of(part) for part in item.args), "()") for item in items]
    heads = [item.value for item in items if item.kind == "named"]
    size = len(set(heads))
    if len(heads) == len(items) > size > 1 and len(items) % size == 0 and heads == heads[:size] * (len(items) // size):
        values = [item.args[0] for item in items]
        return [Node("tuple", tuple(values[i : i + size]), "()") for i in range(0, len(values), size)]
    return items


def _readable(node: Node) -> bool:
    if node.kind in ("text", "dots"):
        return False
    return all(_readable(part) for part in node.args)
