"""Formulas of chemistry: `H_2O` and `H2O`, `1s^2 2s^2` and `1s^{2}2s^{2}`."""

from verify.pattern import pattern

_NAMES = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr
Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Sm Eu Gd Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U Pu"""
_ELEMENTS = frozenset(_NAMES.split())
_FORMULA = pattern(r"(?:\(?[A-Z][a-z]?\d{0,2}\)?\d{0,2}){1,12}(?:\^?\d?[+-])?")
_SYMBOL = pattern(r"[A-Z][a-z]?")
_SHELLS = pattern(r"(?:\d[spdf]\^?\d{1,2})+")
_DRESS = pattern(r"\\(?:text|mathrm|ce|textrm|rm)(?![A-Za-z])|[\s_{}]")


def same_formula(gold: str, answer: str) -> bool:
    """Whether two answers are one chemical formula, or one configuration of electrons, sign by sign.

    >>> same_formula("H_2O", "H2O"), same_formula(r"\\text{CO}_2", "CO2"), same_formula("H_2O", "H_2O_2")
    (True, True, False)
    """
    if len(gold) > 80 or len(answer) > 80:
        return False
    one = _DRESS.sub("", gold)
    if one != _DRESS.sub("", answer):
        return False
    known = _FORMULA.fullmatch(one) is not None and _ELEMENTS.issuperset(_SYMBOL.findall(one))
    return known or _SHELLS.fullmatch(one) is not None
