"""Many digits of a number, asked for only where floats cannot tell two numbers apart. mpmath, no sympy.

Both values are reckoned twice, with few and with many digits: a gap that shrinks with the precision was rounding, a
gap that stays is a difference. Nothing underflows here, so `e^{-1000}` is no zero.
"""

import os
import threading
from typing import Any, NamedTuple

from verify.arithmetic import UnknownError
from verify.numeric import Point
from verify.reckoner import Reckoner
from verify.tree import Node

LOW_BITS, HIGH_BITS = 200, 700
MOST_BITS = 12_000
"""Longest precision that is reckoned with: `1 + e^{-1000}` wants 4,000."""
_SLACK = 48

# mpmath keeps its constants in caches that threads would tear.
_lock = threading.Lock()
_context: Any = None


def same_digits(first: tuple[Node, Point], second: tuple[Node, Point]) -> bool | None:
    """Whether two expressions, each at its point, are one number; None where the digits cannot tell.

    >>> from verify.latex import read
    >>> same_digits((read("e^{100}+1"), {}), (read("e^{100}"), {}))
    False
    """
    with _lock:
        try:
            return _same(first, second)
        # TypeError and ValueError are mpmath's: an order of complex numbers, an argument outside a function's domain.
        except (OverflowError, ZeroDivisionError, RecursionError, UnknownError, ValueError, TypeError):
            return None


def _same(first: tuple[Node, Point], second: tuple[Node, Point]) -> bool | None:
    low, high = LOW_BITS, HIGH_BITS
    coarse, fine = _gap(first, second, low), _gap(first, second, high)
    spread = max(coarse.spread, fine.spread)
    if spread > low - 64:
        # A part is so small beside another that these digits do not reach it.
        low, high = spread + LOW_BITS, 2 * spread + HIGH_BITS
        if high > MOST_BITS:
            return None
        coarse, fine = _gap(first, second, low), _gap(first, second, high)
    shrinks = _mpmath().mpf(2) ** (high - low - _SLACK)
    if fine.width == 0 or (coarse.width != 0 and fine.width * shrinks <= coarse.width):
        return True
    if abs(coarse.width - fine.width) * 1_000 <= fine.width:
        return False
    return True if coarse.width == 0 and fine.width * shrinks <= fine.scale else None


class _Gap(NamedTuple):
    """How far apart two numbers are, the largest of their parts, and how many bits the sizes of the parts span."""

    width: Any
    scale: Any
    spread: int


def _gap(first: tuple[Node, Point], second: tuple[Node, Point], precision: int) -> _Gap:
    mp = _mpmath()
    mp.prec = precision
    reckoner = Reckoner(mp)
    a, b = (reckoner.widened(reckoner.value(node, point)) for node, point in (first, second))
    return _Gap(abs(a - b), reckoner.scale, reckoner.spread)


def _mpmath() -> Any:
    global _context
    if _context is None:
        import mpmath  # type: ignore[import-untyped]  # ships no types

        _context = mpmath.mp.clone()
    return _context


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
