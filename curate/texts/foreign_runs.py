"""Where a text changes into another language: characters of another script, sentences with another's function words.

Rules and no model, by the tables of curate.texts.languages: each answer can be shown. Mathematical signs, Greek
letters, LaTeX and names are no language. What they cannot do: tell Chinese from Japanese without kana, or see a change
to another Latin language that is shorter than some three function words.
"""

import re
from collections.abc import Iterable

import polars as pl

from curate.texts.languages import SCRIPTS, WORDS

SHOWN_CHARS = 200
"""Characters of a foreign run that are shown."""

_SUSPECT = 3
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[^.!?\n。！？]+")
_TELLING = {name: frozenset(telling.split()) for name, (telling, _) in WORDS.items()}
_WORDS = {name: frozenset(" ".join(both).split()) for name, both in WORDS.items()}
_LETTERS = {name: letters for name, letters in SCRIPTS.items() if name != "el"}
_HAN = SCRIPTS["zh"]
# Han by the character: a drift of one is one. Of others two in a row, for one alone may be a sign of mathematics.
_ANY_SCRIPT = f"[{_HAN}]|[{''.join(_LETTERS.values())}]{{2}}"


def _any_of(words: Iterable[str]) -> str:
    """Any of the words, a capital first letter allowed: `DE` is a side of a triangle."""
    # Boundaries of ASCII, so that the search stays fast; words that begin or end otherwise are left to the sentences.
    plain = sorted(word for word in words if word[0].isascii() and word[-1].isascii())
    return rf"(?-u:\b)(?:{'|'.join(f'[{word[0].upper()}{word[0]}]{word[1:]}' for word in plain)})(?-u:\b)"


_ENGLISH = _any_of(_TELLING["en"])
_NOT_ENGLISH = _any_of(frozenset().union(*(words for name, words in _TELLING.items() if name != "en")) - _WORDS["en"])


def foreign_runs(texts: pl.Series, own: pl.Series, asked: pl.Series) -> pl.DataFrame:
    """The first run of each text that is in another language than its own: `row`, `foreign`, `at`; and `chars` of all.

    Rows without one are left out. Scripts that the question has are no foreign ones.

    Args:
        texts: no nulls.
        own: the language that each should be in, as `languages` names it; null is taken for English.
        asked: the question of each, no nulls.
    """
    rows = pl.DataFrame({"text": texts, "own": own.fill_null("en"), "asked": asked}).with_row_index("row")
    text = pl.col("text")
    script = (text.str.len_bytes() > text.str.len_chars()) & text.str.contains(_ANY_SCRIPT)
    english = pl.col("own") == "en"
    others = pl.when(english).then(text.str.count_matches(_NOT_ENGLISH)).otherwise(text.str.count_matches(_ENGLISH))
    spoken = others >= _SUSPECT
    suspects = rows.filter(script | spoken)
    # A loop over the few that may have one: where a language changes is found sentence by sentence.
    found = [(row, *run) for row, *given in suspects.iter_rows() if (run := _first_run(*given)) is not None]
    schema = {"row": pl.UInt32, "foreign": pl.String, "at": pl.Int64, "chars": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _hits(text: str) -> dict[str, int]:
    """How many words of each language a text has; none where it has not one of those that only that language has."""
    words = [word.lower() for word in _WORD.findall(text) if word[1:].islower()]
    said = set(words)
    return {
        name: sum(word in known for word in words) if said & (known if name == "en" else _TELLING[name]) else 0
        for name, known in _WORDS.items()
    }


def _first_run(text: str, own: str, asked: str) -> tuple[str, int, int] | None:
    """The first foreign run, where it begins, and how many characters all of them have."""
    letters = "".join(
        pattern
        for name, pattern in _LETTERS.items()
        if name != own and not (own == "ja" and name == "zh") and not re.search(f"[{pattern}]", asked)
    )
    runs = [(m.start(), m[0]) for m in re.finditer(_run_of(letters), text)] if letters else []
    runs += [(m.start(), m[0].strip()) for m in _SENTENCE.finditer(text) if _is_foreign(m[0], own)]
    if not runs:
        return None
    at, run = min(runs)
    return run[:SHOWN_CHARS], at, sum(len(run) for _, run in runs)


def _run_of(letters: str) -> str:
    """A run in these letters, with the digits and stops between them; one letter alone counts where it is a word."""
    alone = f"|[{_HAN}]" if _HAN in letters else ""
    return rf"[{letters}]{{2}}[{letters}]*(?:[\d\s，。、；：？！\"',.-]{{1,4}}[{letters}]+)*{alone}"


def _is_foreign(sentence: str, own: str) -> bool:
    """Whether a sentence has three function words of another language, a quarter of it, and hardly any of its own."""
    words = len(_WORD.findall(sentence))
    if words <= _SUSPECT:
        return False
    hits = _hits(sentence)
    mine = hits.pop(own, 0)
    most = max(hits.values())
    return most >= _SUSPECT and most > 2 * mine and most * 4 >= words
