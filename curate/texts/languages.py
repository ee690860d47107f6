"""The language of a text, told by its script and, where several languages share one, by its commonest words.

Rules, no model: a question of three words in Latin letters may stay unknown, a language that is not listed is unknown
or the nearest listed one. Formulas, code of drawings, links and numbers are no words of any language. Where a text
changes its language, curate.texts.foreign_runs tells by the same tables.
"""

from collections.abc import Iterable

import polars as pl

SCRIPTS = {
    "ja": "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff",
    "ko": "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f",
    "th": "\u0e01-\u0e3a\u0e40-\u0e5b",
    "hi": "\u0900-\u0963\u0966-\u097f",
    "bn": "\u0980-\u09ff",
    "te": "\u0c00-\u0c7f",
    "ta": "\u0b80-\u0bff",
    "he": "\u0591-\u05f4",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "zh": "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "ar": "\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
    "ru": "\u0400-\u052f",
}
"""By the language that is named for a script: its letters, as ranges as polars and Python read them."""

WORDS: dict[str, tuple[str, str]] = {
    "en": (
        "the and of that this these have has what how many which",
        "with from then are for will can our their be it to is each do we you if but not in as find on they "
        "does did make makes would could there at by was than his her all let given per",
    ),
    "de": (
        "und der das ist nicht eine viele wie wir jeder sich antwort",
        "mit für auch von dem werden wenn dann oder aber sind lösung anzahl zahl ein den die es zu im auf als "
        "daher sie er hat des pro insgesamt",
    ),
    "fr": (
        "les des une est dans donc avec nous chaque combien réponse ainsi quel quelle que",
        "aux cette sont mais être vous pour nombre parce de la le et du au ce un qui pas sur il elle par "
        "en on son ses soit si plus ont",
    ),
    "es": (
        "que cuánto cuál los las una pero entonces cada está cuando tenemos cuántos cuántas",
        "respuesta porque donde esto así hay más también número solución tanto de la el es en lo por "
        "se un del con para son como si al su tiene sea",
    ),
    "pt": (
        "que não uma são dos das temos também isso quantos quantas resposta então",
        "assim número portanto você quando cada de os as em um para com por da do na no se seu sua tem ao mais qual",
    ),
    "it": (
        "che gli della ogni quindi sono abbiamo nel quanti quante risposta questo",
        "perché anche più numero allora dobbiamo di il la per un una con le si in del lo suo sua se ha al quanto",
    ),
    "nl": (
        "het een niet wij voor elke dus zijn aantal deze hoeveel antwoord",
        "hebben omdat ook van dat en de is we te op in met er hij ze als aan heeft bij wat wordt getal",
    ),
    "pl": (
        "jest nie oraz więc każdy liczba który ponieważ mamy ile odpowiedź zatem",
        "się na do że to dla od po ma jak przez są jaka jeśli",
    ),
    "tr": (
        "bir için olarak olduğu sayısı değil cevap toplam eğer bu kaç tane",
        "ile ve de da her kadar olan ne en ise",
    ),
    "vi": (
        "là của và các có một không được với chúng vậy mỗi",
        "số cho ta này bao nhiêu trong người thì để nếu tìm những hỏi",
    ),
    "id": (
        "yang untuk dari adalah dengan tidak setiap jumlah jawaban maka jika berapa",
        "dan ini itu di ke pada buah dia banyak sebuah memiliki",
    ),
    "sw": (
        "kwa kila idadi ngapi hivyo kuwa jibu ni ya na wa jumla",
        "katika kama yake la za alikuwa ana vya mara siku cha hiyo",
    ),
    "ro": (
        "și este pentru câte fiecare numărul sunt",
        "care mai de la în un cu din se are pe să",
    ),
    "cs": (
        "který jsou číslo nebo kolik každý má že",
        "na je se do by jak po pro",
    ),
    "hu": (
        "és hogy mennyi hány nem minden melyik szám",
        "az egy van meg is ha el volt",
    ),
    "sv": (
        "och att är på för som hur många",
        "det en av med har den till om de ett var",
    ),
}
"""By language: telling words, no names and hardly found in two of them; then the others of its sentences.
None has one letter: those are names of points and unknowns too."""

LOOKED_AT = 1_500
LEAST_WORDS = 2
"""Words of one language that a text in letters that many share must have, if it has no telling word of English."""

_NO_WORDS = (
    r"(?s)\[asy\].*?(?:\[/asy\]|\z)|\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\\begin\{\w+\*?\}.*?\\end\{\w+\*?\}"
    r"|\\[a-zA-Z]+|https?://\S+"
)
_SPECIAL = {"ar": ("fa", r"[پچژگ]"), "ru": ("uk", r"[іїєґІЇЄҐ]")}
"""Letters that only the second of two languages of one script has."""
LANGUAGES = sorted({*SCRIPTS, *WORDS, *(second for second, _ in _SPECIAL.values())})
"""All that can be told, by ISO 639-1."""


def languages(texts: pl.Series) -> pl.DataFrame:
    """For every text `language`, ISO 639-1 of what most of it is in, and `share`, of its letters or common words.

    Null where nothing tells: no words but formulas, or too few.
    """
    words = texts.str.slice(0, LOOKED_AT).str.replace_all(_NO_WORDS, " ").str.to_lowercase()
    # Two spaces between words, so that each has its own before and behind: word boundaries cost ten times as much.
    spaced = " " + words.str.replace_all(r"\P{L}+", "  ") + " "
    rows = pl.DataFrame({"words": words, "spaced": spaced}).with_row_index("row")
    # Most texts are English and ASCII: the other counts are for those that show another language.
    written = _by_script(rows.filter(pl.col("words").str.len_bytes() > pl.col("words").str.len_chars()))
    spoken = _by_words(rows.filter(_has(telling for name, (telling, _) in WORDS.items() if name != "en")))
    english = _has([WORDS["en"][0]]) | (_count("en") >= LEAST_WORDS)
    told = rows.select("row", english=pl.when(english).then(pl.lit("en")))
    for found in (written, spoken):
        told = told.join(found, on="row", how="left", maintain_order="left")
    return told.select(
        language=pl.coalesce("script", "common", "english"),
        share=pl.coalesce("of_letters", "of_hits", pl.when(pl.col("english").is_not_null()).then(1.0)),
    )


def _by_script(rows: pl.DataFrame) -> pl.DataFrame:
    """`row`, `script`: the language of most letters, if more than Latin words; `of_letters`: their share."""
    words = pl.col("words")
    # Greek letters are mathematics; words of them are Greek.
    letters = {name: f"[{ranges}]" + "{3,}" * (name == "el") for name, ranges in SCRIPTS.items()}
    counts = rows.select(
        "row",
        "words",
        latin=words.str.count_matches(r"\p{Latin}{2,}"),
        **{name: words.str.count_matches(pattern) for name, pattern in letters.items()},
    )
    # Kana among Han are Japanese.
    counts = counts.with_columns(
        zh=pl.when(pl.col("ja") * 10 > pl.col("zh")).then(0).otherwise("zh"), ja=pl.col("ja") * 3
    )
    counts = counts.with_columns(letters=pl.max_horizontal(*SCRIPTS), script=_first_most(tuple(SCRIPTS)))
    special = [
        pl.when((pl.col("script") == name) & words.str.contains(letter)).then(pl.lit(other))
        for name, (other, letter) in _SPECIAL.items()
    ]
    return counts.filter(pl.col("letters") > pl.col("latin")).select(
        "row",
        script=pl.coalesce(*special, "script"),
        of_letters=pl.col("letters") / (pl.sum_horizontal(*SCRIPTS) + pl.col("latin")),
    )


def _by_words(rows: pl.DataFrame) -> pl.DataFrame:
    """`row`, `common`: the language with most common words in the text; `of_hits`: their share of all.

    A language other than English must show one of its telling words: `du` is a differential too, and `Cho` a name.
    """
    hits = rows.select(
        "row",
        *(
            pl.when(pl.lit(name == "en") | _has([WORDS[name][0]])).then(_count(name)).otherwise(0).alias(name)
            for name in WORDS
        ),
    )
    hits = hits.with_columns(hits=pl.max_horizontal(*WORDS), common=_first_most(tuple(WORDS)))
    return hits.filter(pl.col("hits") >= LEAST_WORDS).select(
        "row", "common", of_hits=pl.col("hits") / pl.sum_horizontal(*WORDS)
    )


def _has(words: Iterable[str]) -> pl.Expr:
    return pl.col("spaced").str.contains(_any_of(words))


def _count(name: str) -> pl.Expr:
    return pl.col("spaced").str.count_matches(_any_of(WORDS[name]))


def _any_of(words: Iterable[str]) -> str:
    return f" (?:{'|'.join(' '.join(words).split())}) "


def _first_most(names: tuple[str, ...]) -> pl.Expr:
    """The first of the columns that has the greatest number."""
    most = pl.max_horizontal(*names)
    return pl.coalesce(pl.when(pl.col(name) == most).then(pl.lit(name)) for name in names)
