"""math-verify and sympy on two extracted answers. Runs only inside a worker process, which may be killed at any time.

Text never reaches `eval`: answers go through math-verify's LaTeX grammar, and sympy's own string parser is shut off.
"""

import re
from functools import lru_cache
from typing import Any

import sympy
import sympy.parsing.sympy_parser as sympy_parser
from latex2sympy2_extended import NormalizationConfig, normalize_latex
from latex2sympy2_extended.latex2sympy2 import latex2sympy
from math_verify.grader import should_treat_as_complex, sympy_expr_eq
from sympy import Basic, MatrixBase
from sympy.polys.polyerrors import BasePolynomialError

_CONFIG = NormalizationConfig(
    basic_latex=True, units=True, malformed_operators=True, nits=True, boxed="none", equations=False
)


# What ANTLR, sympy and Python raise on a text they cannot read. Anything else ends the worker, and is a `crash`.
_FOREIGN = (
    ValueError, TypeError, AttributeError, ArithmeticError, LookupError, AssertionError, RuntimeError, NameError,
    BasePolynomialError,
)  # fmt: skip
_LITERAL = re.compile(r"\s*(Integer|Float|Symbol)\s*\(\s*'?(\w+(?:\.\d*)?(?:[eE][+-]?\d+)?)'?\s*\)\s*")


def _literal(code: str, *_: object, **__: object) -> Any:
    """In place of sympy's `eval`: a number, a name, or nothing. `sympy.Number("12")` itself comes through here."""
    match = _LITERAL.fullmatch(code)
    if match is None:
        raise ValueError("text is never evaluated")
    return getattr(sympy, match[1])(int(match[2]) if match[1] == "Integer" else match[2])


# What sympy loads late, with text of its own, it loads now; from here on no text is evaluated.
sympy.simplify(sympy.sin(sympy.Symbol("x")) ** 2 - 1)
sympy_parser.eval_expr = _literal


def equal(gold: str, answer: str) -> bool | None:
    """Whether sympy proves two answers equal; None where it cannot read one of them.

    Symmetric: either order may prove it.
    """
    first, second = _parsed(gold), _parsed(answer)
    if first is None or second is None:
        return None
    numeric = _numbers(first, second)
    if numeric is None:
        numeric = _at_points(first, second)
    if numeric is not None:
        return numeric
    return bool(_proved(first, second) or _proved(second, first))


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    """The sympy object of an answer, each distinct text parsed once; None where the grammar does not know it."""
    try:
        latex = normalize_latex(text, _CONFIG)
        found = latex2sympy(
            latex, is_real=not should_treat_as_complex(latex), convert_degrees=False, normalization_config=None
        )
    except MemoryError:
        raise
    except Exception:  # the grammar itself raises the bare class for every text it does not know
        return None
    return found if isinstance(found, Basic | MatrixBase) else None


def _numbers(first: Any, second: Any) -> bool | None:
    """Two numbers by fifty digits of each, before any simplification; by twelve where an integral is in one."""
    if not isinstance(first, sympy.Expr) or not isinstance(second, sympy.Expr):
        return None
    if first.free_symbols or second.free_symbols:
        return None
    try:
        a, b = _digits(first), _digits(second)
        if not (a.is_number and b.is_number and a.is_finite and b.is_finite):
            return None
        # Sizes stay sympy's own: as floats, e^{-1000} would be zero.
        x, y = abs(a), abs(b)
        if x == 0 and y == 0:
            return None
        close = sympy.Float("1e-12" if first.has(sympy.Integral) or second.has(sympy.Integral) else "1e-40", 50)
        return bool(abs(a - b) <= close * sympy.Max(x, y))
    except _FOREIGN:
        return None


def _at_points(first: Any, second: Any) -> bool | None:
    """False for two expressions that differ clearly at two test points: much cheaper than failing to simplify."""
    if isinstance(first, sympy.Eq) and isinstance(second, sympy.Eq) and first.lhs == second.lhs:
        first, second = first.rhs, second.rhs
    if not isinstance(first, sympy.Expr) or not isinstance(second, sympy.Expr):
        return None
    symbols = sorted(first.free_symbols | second.free_symbols, key=str)
    apart = 0
    for turn in (0, 1):
        point = {symbol: sympy.Integer(5 + 3 * i + turn) for i, symbol in enumerate(symbols)}
        try:
            a, b = complex(first.subs(point).evalf(15)), complex(second.subs(point).evalf(15))
        except _FOREIGN:
            return None
        apart += abs(a - b) > 1e-6 * max(abs(a), abs(b), 1e-30)
    return False if apart == 2 else None


def _digits(number: Any) -> Any:
    # A definite integral is quicker by quadrature than by search for a closed form; sums are the other way round.
    return sympy.N(number if number.has(sympy.Integral) else number.doit(), 50)


def _proved(first: Any, second: Any) -> bool:
    try:
        return bool(sympy_expr_eq(first, second, 12, 15, True, True))
    except _FOREIGN:
        return False
