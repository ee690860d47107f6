"""Gold answers of two problems: whether both are plain numbers, and not the same one."""

import polars as pl

_PLAIN = r"^[\s$]*(-?(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,15})?|-?\.\d{1,15})[\s$.]*$"


def gold_numbers(rows: pl.DataFrame) -> pl.Series:
    """Of every row the number that its `answer` is; null where it is anything else, or nothing.

    Example:
        >>> gold_numbers(pl.DataFrame({"answer": ["$1,200$", "-.5", "3/4", "12 cm", None]})).to_list()
        [1200.0, -0.5, None, None, None]
    """
    if "answer" not in rows.columns:
        return pl.Series("gold", [None] * rows.height, pl.Float64)
    number = pl.col("answer").cast(pl.String).str.extract(_PLAIN).str.replace_all(",", "", literal=True)
    return rows.select(gold=number.cast(pl.Float64))["gold"]


def contradict(left: pl.Series, right: pl.Series) -> pl.Series:
    """Beside two columns of `gold_numbers`: whether both are known and differ."""
    return (left != right).fill_null(False)
