"""The language of a text, told by its script and, where several languages share one, by its commonest words.

Rules, no model: a question of three words in Latin letters may stay unknown, a language that is not listed is unknown
or the nearest listed one. Formulas, code of drawings, links and numbers are no words of any language.
"""

import polars as pl

LOOKED_AT = 1_500
LEAST_WORDS = 2
"""Common words of one language that a text in letters that many share must have."""

_NO_WORDS = (
    r"(?s)\[asy\].*?(?:\[/asy\]|\z)|\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\\begin\{\w+\*?\}.*?\\end\{\w+\*?\}"
    r"|\\[a-zA-Z]+|https?://\S+"
)
_SCRIPTS = {
    "ja": r"[\p{Hiragana}\p{Katakana}]",
    "ko": r"\p{Hangul}",
    "th": r"\p{Thai}",
    "hi": r"\p{Devanagari}",
    "bn": r"\p{Bengali}",
    "te": r"\p{Telugu}",
    "ta": r"\p{Tamil}",
    "he": r"\p{Hebrew}",
    "el": r"\p{Greek}",
    "zh": r"\p{Han}",
    "ar": r"\p{Arabic}",
    "ru": r"\p{Cyrillic}",
}
_SPECIAL = {"ar": ("fa", r"[پچژگ]"), "ru": ("uk", r"[іїєґІЇЄҐ]")}
"""Letters that only the second of two languages of one script has."""

_WORDS = {
    "en": (
        "the of and is to in that what how are for if find on they will does do did you make makes would "
        "could there with at be each many it from by was than his her all as which has have let given can"
    ),
    "de": (
        "der die das und ist ein eine zu den von mit wie viele auf für sich er sie wenn nicht hat dem des im als "
        "pro jeder werden insgesamt"
    ),
    "fr": (
        "le la les des et est un une de du que en pour dans combien il elle qui sur par chaque avec son ses au a "
        "nombre soit si plus ont"
    ),
    "es": (
        "el la los las de y es un una que en cuántos cuántas por con para su se del cada si tiene al más lo cuál "
        "cuánto número sea"
    ),
    "pt": (
        "o a os as de e é um uma que em quantos quantas por com para seu sua do da no na cada se tem ao mais não "
        "qual número são"
    ),
    "it": (
        "il lo la i gli le di e è un una che in quanti quante per con suo sua del della ogni se ha al più sono "
        "quanto numero"
    ),
    "nl": (
        "de het een en van is in op te dat hoeveel met voor zijn er elke hij ze als aan heeft bij wat wordt niet getal"
    ),
    "pl": "i w na jest z do ile się że o od po ma każdy jak dla oraz przez liczba są nie jaka jeśli",
    "tr": "ve bir bu kaç için ile her kadar olan ne sayısı tane eğer en olarak toplam ise de da",
    "vi": "và của là có một các cho bao nhiêu trong mỗi số với được người thì để nếu tìm những hỏi",
    "id": "dan yang di untuk dari adalah ini berapa setiap dengan jika pada buah dia ke banyak sebuah itu memiliki",
    "sw": "na ya wa kwa ni katika kila kama ngapi yake la za alikuwa ana vya mara siku cha hiyo",
    "ro": "și de la în un o este care cu din pentru câte sunt se are pe mai fiecare numărul să",
    "cs": "a v na je se z do kolik že s o by má každý jak pro nebo jsou číslo který po",
    "hu": "a az és hogy egy van mennyi hány meg nem is ha minden volt el melyik szám",
    "sv": "och att det i en är på av för med som hur många har den till om de ett var",
}


def languages(texts: pl.Series) -> pl.DataFrame:
    """For every text `language`, ISO 639-1 of what most of it is in, and `share`, of its letters or common words.

    Null where nothing tells: no words but formulas, or too few.
    """
    words = texts.str.slice(0, LOOKED_AT).str.replace_all(_NO_WORDS, " ").str.to_lowercase()
    found = _by_script(words).hstack(_by_words(words))
    in_script, known = pl.col("letters") > pl.col("latin"), pl.col("hits") >= LEAST_WORDS
    return found.select(
        language=pl.when(in_script).then("script").when(known).then("common"),
        share=pl.when(in_script).then("of_letters").when(known).then("of_hits"),
    )


def _by_script(words: pl.Series) -> pl.DataFrame:
    """`script`: the language of most `letters` that are not Latin; `of_letters`: their share; `latin`: Latin words."""
    counts = pl.DataFrame([words.str.count_matches(script).alias(name) for name, script in _SCRIPTS.items()])
    # Kana among Han are Japanese.
    counts = counts.with_columns(
        zh=pl.when(pl.col("ja") * 10 > pl.col("zh")).then(0).otherwise("zh"), ja=pl.col("ja") * 3
    )
    counts = counts.with_columns(words.alias("words"), words.str.count_matches(r"\p{Latin}{2,}").alias("latin"))
    counts = counts.with_columns(letters=pl.max_horizontal(*_SCRIPTS), script=_first_most(tuple(_SCRIPTS)))
    special = [
        pl.when((pl.col("script") == name) & pl.col("words").str.contains(letter)).then(pl.lit(other))
        for name, (other, letter) in _SPECIAL.items()
    ]
    return counts.select(
        "letters",
        "latin",
        script=pl.coalesce(*special, "script"),
        of_letters=pl.col("letters") / (pl.sum_horizontal(*_SCRIPTS) + pl.col("latin")),
    )


def _by_words(words: pl.Series) -> pl.DataFrame:
    """`common`: the language with most common words in the text, so many `hits`; `of_hits`: their share of all."""
    # Two spaces between words, so that each has its own before and behind: word boundaries cost ten times as much.
    spaced = " " + words.str.replace_all(r"\P{L}+", "  ") + " "
    hits = pl.DataFrame([spaced.str.count_matches(_any_of(common)).alias(name) for name, common in _WORDS.items()])
    hits = hits.with_columns(hits=pl.max_horizontal(*_WORDS), common=_first_most(tuple(_WORDS)))
    return hits.select("hits", "common", of_hits=pl.col("hits") / pl.sum_horizontal(*_WORDS))


def _first_most(names: tuple[str, ...]) -> pl.Expr:
    """The first of the columns that has the greatest number."""
    most = pl.max_horizontal(*names)
    return pl.coalesce(pl.when(pl.col(name) == most).then(pl.lit(name)) for name in names)


def _any_of(common: str) -> str:
    """A pattern that counts the words of two letters and more; those of one are names of points and unknowns too."""
    return rf" (?:{'|'.join(word for word in common.split() if len(word) > 1)}) "
