"""Which language a text is in, and where it changes: by scripts, and by function words among those written in Latin.

Rules and no model: nothing to download, equal on every machine, and each answer can be shown. Mathematical signs, Greek
letters, LaTeX and names are no language. What they cannot do: tell languages they have no words of, tell Chinese from
Japanese without kana, or see a change to another Latin language that is shorter than some three function words.
"""

import re
from collections.abc import Iterable

import polars as pl

SCRIPTS = {
    "zh": r"\p{Han}",
    "ja": r"\p{Hiragana}\p{Katakana}",
    "ko": r"\p{Hangul}",
    "ru": r"\p{Cyrillic}",
    "ar": r"\p{Arabic}",
    "he": r"\p{Hebrew}",
    "th": r"\p{Thai}",
    "hi": r"\p{Devanagari}",
    "bn": r"\p{Bengali}",
    "te": r"\p{Telugu}",
    "ta": r"\p{Tamil}",
    "el": r"\p{Greek}",
}
"""By the language that is named for a script: its letters. A script of several languages is named for the largest."""

FUNCTION_WORDS = {
    "en": "the and of that this these have has what how many which with from then are for will can our their be it to "
    "is each do i we you if but not in as",
    "es": "que los las una pero entonces cada está cuando tenemos cuántos cuántas respuesta porque donde esto así hay "
    "más también número solución tanto cuánto de la el es en lo por se un del con para son como si al su y",
    "fr": "les des une est dans donc avec nous chaque combien réponse ainsi aux cette sont mais être vous pour nombre "
    "parce de la le et du au ce un qui que pas sur il elle par en on a",
    "de": "und der das ist nicht eine viele wie wir jeder sich Antwort mit für auch von dem werden wenn dann oder aber "
    "sind Lösung Anzahl Zahl ein den die es zu im auf als daher sie er",
    "pt": "não uma são dos das temos também isso quantos quantas resposta então assim número portanto você quando cada "
    "de que o os as em um para com por é da do na no se e",
    "it": "che gli della ogni quindi sono abbiamo nel quanti quante risposta questo perché anche più numero allora "
    "dobbiamo di il la per un una è con le si in del e",
    "nl": "het een niet wij voor elke dus zijn aantal deze hoeveel antwoord hebben omdat ook van dat en de is we te op",
    "pl": "jest nie oraz więc każdy liczba który ponieważ mamy ile odpowiedź zatem się na do z w i że to dla",
    "tr": "bir için olarak olduğu sayısı değil cevap toplam eğer bu kaç tane ile ve de da",
    "vi": "là của và các có một không được với chúng vậy mỗi số cho ta này",
    "id": "yang untuk dari adalah dengan tidak setiap jumlah jawaban maka jika berapa dan ini itu di ke",
    "sw": "kwa kila idadi ngapi hivyo kuwa jibu ni ya na wa jumla",
}
"""Words that hold sentences together, ask or answer; the first twelve of each are hardly words of another here."""

SHOWN_CHARS = 200
"""Characters of a foreign run that are shown."""
ENOUGH_LETTERS = 4
"""Fewer letters of a script make no language of a text."""

_FIRST_WORDS = 12  # of each language, that are looked for in the whole text
_SUSPECT = 3
_READ_CHARS = 4000
_WORDS = {language: frozenset(words.lower().split()) for language, words in FUNCTION_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_SENTENCE = re.compile(r"[^.!?\n。！？]+")
# The same scripts as Python's expressions know them.
_LETTERS = {
    "zh": "\u3400-\u4dbf\u4e00-\u9fff",
    "ja": "\u3041-\u30ff",
    "ko": "\uac00-\ud7af\u1100-\u11ff",
    "ru": "\u0400-\u052f",
    "ar": "\u0620-\u06ff",
    "he": "\u05d0-\u05ea",
    "th": "\u0e01-\u0e5b",
    "hi": "\u0900-\u0965\u0970-\u097f",
    "bn": "\u0980-\u09e3",
    "te": "\u0c00-\u0c63",
    "ta": "\u0b80-\u0be5",
}
# Han by the character: a drift of one is one. Of others two in a row, for one alone may be a sign of mathematics.
ANY_SCRIPT = r"\p{Han}|[\p{Hiragana}\p{Katakana}\p{Hangul}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Thai}]{2}" + (
    r"|[\p{Devanagari}\p{Bengali}\p{Telugu}\p{Tamil}]{2}"
)


def _any_of(words: Iterable[str]) -> str:
    """Any of the words, a capital first letter allowed: `DE` is a side of a triangle."""
    # Boundaries of ASCII, so that the search stays fast; words that begin or end otherwise are left to the sentences.
    plain = sorted(word for word in words if word[0].isascii() and word[-1].isascii())
    return rf"(?-u:\b)(?:{'|'.join(f'[{word[0].upper()}{word[0]}]{word[1:]}' for word in plain)})(?-u:\b)"


_FIRST = {name: frozenset(words.lower().split()[:_FIRST_WORDS]) for name, words in FUNCTION_WORDS.items()}
_ENGLISH = _any_of(_FIRST["en"])
_NOT_ENGLISH = _any_of(frozenset().union(*(words for name, words in _FIRST.items() if name != "en")) - _WORDS["en"])


def languages(texts: pl.Series) -> pl.Series:
    """The language of each text, by its first 4,000 characters: `en`, `zh`, ...; null where there are too few words.

    A text is in the language of a script other than Latin where that has as many letters as there are words in Latin.
    """
    shown = texts.alias("text").to_frame().with_row_index("row")
    shown = shown.with_columns(pl.col("text").fill_null("").str.slice(0, _READ_CHARS))
    text = pl.col("text")
    shown = shown.with_columns(english=text.str.count_matches(_ENGLISH), foreign=text.str.count_matches(_NOT_ENGLISH))
    written = _scripts(shown.filter(text.str.len_bytes() > text.str.len_chars()))
    latin = shown.filter(pl.col("foreign") >= pl.max_horizontal("english", 1))
    # A loop over texts that hold as many words of another language as of English.
    spoken = pl.Series([_latin_language(told) for told in latin["text"]], dtype=pl.String)
    named = (
        shown.join(written, on="row", how="left")
        .join(latin.select("row", spoken=spoken), on="row", how="left")
        .sort("row")
        .with_columns(english=pl.when(pl.col("english") > 0).then(pl.lit("en")))
    )
    return named.select(language=pl.coalesce("script", "spoken", "english")).to_series()


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
    script = (text.str.len_bytes() > text.str.len_chars()) & text.str.contains(ANY_SCRIPT)
    english = pl.col("own") == "en"
    others = pl.when(english).then(text.str.count_matches(_NOT_ENGLISH)).otherwise(text.str.count_matches(_ENGLISH))
    spoken = others >= _SUSPECT
    suspects = rows.filter(script | spoken)
    # A loop over the few that may have one: where a language changes is found sentence by sentence.
    found = [(row, *run) for row, *given in suspects.iter_rows() if (run := _first_run(*given)) is not None]
    schema = {"row": pl.UInt32, "foreign": pl.String, "at": pl.Int64, "chars": pl.Int64}
    return pl.DataFrame(found, schema=schema, orient="row")


def _scripts(shown: pl.DataFrame) -> pl.DataFrame:
    """`row` and `script`: the language whose script a text is in, null where that is Latin."""
    counts = {name: pl.col("text").str.count_matches(f"[{letters}]") for name, letters in SCRIPTS.items()}
    # Greek letters are mathematics; words of them are Greek.
    counts["el"] = pl.col("text").str.count_matches(r"\p{Greek}{3,}")
    counted = shown.select("row", latin=pl.col("text").str.count_matches(r"[A-Za-z]{2,}"), **counts)
    most = pl.max_horizontal(*SCRIPTS)
    # Kana makes Japanese of Han.
    japanese = pl.when(pl.col("ja") * 10 > pl.col("zh")).then(pl.lit("ja"))
    named = pl.coalesce(japanese, *(pl.when(pl.col(name) == most).then(pl.lit(name)) for name in SCRIPTS))
    is_script = (most >= ENOUGH_LETTERS) & (most >= pl.col("latin"))
    return counted.select("row", script=pl.when(is_script).then(named))


def _latin_language(text: str) -> str | None:
    hits = _hits(text)
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] >= 2 else None


def _hits(text: str) -> dict[str, int]:
    """How many words of each language a text has; none where it has not one of those that only that language has."""
    words = [word.lower() for word in _WORD.findall(text) if word[1:].islower() or len(word) == 1]
    said = set(words)
    return {
        name: sum(word in known for word in words) if said & (known if name == "en" else _FIRST[name]) else 0
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
    han = _LETTERS["zh"] if _LETTERS["zh"] in letters else ""
    alone = f"|[{han}]" if han else ""
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
