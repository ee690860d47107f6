"""Matrices cell by cell, and vectors in their several spellings."""

from collections.abc import Callable
from fractions import Fraction

from verify.arithmetic import UnknownError
from verify.expressions import all_agree
from verify.numeric import evaluate
from verify.tree import Node, names

Same = Callable[[Node, Node], bool | None]


def matrices(gold: Node, answer: Node, same: Same) -> bool | None:
    """Whether two answers, one of which holds a matrix, are one; `same` compares their cells."""
    gold, answer = _as_matrix(gold) or gold, _as_matrix(answer) or answer
    if gold.kind == answer.kind == "matrix":
        shape_gold, shape_answer = [len(r.args) for r in gold.args], [len(r.args) for r in answer.args]
        if shape_gold != shape_answer:
            return False  # a column is no row; a tuple is either
        return all_agree(same(g, a) for g, a in zip(_cells(gold), _cells(answer), strict=True))
    matrix, other = (gold, answer) if gold.kind == "matrix" else (answer, gold)
    if matrix.kind != "matrix":
        return None
    vector = len(matrix.args) == 1 or all(len(row.args) == 1 for row in matrix.args)
    if other.kind in ("tuple", "list") and vector:
        cells = _cells(matrix)
        return len(cells) == len(other.args) and all_agree(same(m, o) for m, o in zip(cells, other.args, strict=True))
    if vector and is_vector_sum(other):
        return matrices(matrix, Node("tuple", tuple(components(other, len(_cells(matrix)))), "<>"), same)
    if len(_cells(matrix)) == 1:
        return same(_cells(matrix)[0], other)
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


def is_vector_sum(node: Node) -> bool:
    return any(name.startswith("hat:") for name in names(node))


def in_letters(node: Node) -> Node | None:
    """`i - 2j` as a sum of basis vectors, for an answer that stands beside a tuple or a column; else None.

    Without a j, or with any other letter, it is a number or a formula.
    """
    if "j" not in names(node) or not names(node) <= {"j", "k"} or node.kind not in ("add", "mul", "neg", "div"):
        return None
    vector = _in_bold(node)
    basis = [f"hat:{letter}" for letter in "ijk"]
    zero = dict.fromkeys(basis, Fraction(0))
    try:
        parts = [evaluate(vector, zero | {name: Fraction(1)}) for name in basis]
        whole = evaluate(vector, dict.fromkeys(basis, Fraction(2)))
    except UnknownError:
        return None
    exact = [part for part in parts if isinstance(part, Fraction)]
    return vector if len(exact) == 3 and whole == 2 * sum(exact) else None


def _in_bold(node: Node) -> Node:
    if (node.kind == "const" and node.value == "i") or (node.kind == "name" and node.value in ("j", "k")):
        return Node("name", (), f"hat:{node.value}")
    return node._replace(args=tuple(_in_bold(part) for part in node.args))


def components(node: Node, size: int) -> list[Node]:
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
