"""Gold answers that stand at the end of a text: worked solutions, and traces that others have checked."""

import polars as pl

from distill.thinking import split_columns


def marked_answers(texts: pl.Series) -> pl.Series:
    """What each text marks as its final answer, with a box, a tag or `####`; null where it marks none.

    Thinking is left aside: an answer that it holds may have been withdrawn.

    Example:
        >>> marked_answers(pl.Series(["So \\\\boxed{17}.", "3 + 4 = 7\\n#### 7", "It is 7."])).to_list()
        ['17', '7', None]
    """
    from verify.extract import MARKED, extract

    said = split_columns(texts)["response"].to_list()
    found = [extract(text) for text in said]
    answers = [one.answer if one is not None and one.method in MARKED else None for one in found]
    return pl.Series(texts.name, answers, dtype=pl.String)
