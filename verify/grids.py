"""Matrices, row by row."""

from typing import TYPE_CHECKING

from verify.leaves import refuse
from verify.lists import related
from verify.tree import Node

if TYPE_CHECKING:
    from verify.latex import Reader


def matrix(reader: "Reader") -> Node:
    kind = environment(reader)
    if kind not in (
        "pmatrix",
        "bmatrix",
        "matrix",
        "array",
        "smallmatrix",
        "Bmatrix",
        "cases",
        "aligned",
        "gathered",
    ):
        refuse(kind)
    if kind == "array" and reader.accept("{"):
        while not reader.accept("}"):
            reader.take()
    rows: list[Node] = []
    row: list[Node] = []
    reader.depth += 1
    while True:
        if reader.accept("&"):
            continue
        if reader.accept("\\\\"):
            if row:
                rows.append(Node("row", tuple(row)))
            row = []
            continue
        if reader.accept("\\end"):
            break
        row.append(related(reader))
        reader.accept(",")
    if row:
        rows.append(Node("row", tuple(row)))
    reader.at -= 1
    reader.take()
    if environment(reader) != kind:
        refuse("another environment's end")
    reader.depth -= 1
    if kind in ("cases", "aligned", "gathered"):
        return refuse(kind)
    return Node("matrix", tuple(rows))


def environment(reader: "Reader") -> str:
    reader.expect("{")
    name = ""
    while not reader.accept("}"):
        if reader.now.kind == "end":
            refuse("an open environment")
        name += reader.take().text
    return name
