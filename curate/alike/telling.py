"""What the words of a problem tell: its numbers and signs, its letters, and which quantity of which kind of thing."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from curate.alike.tokens import Tokens, bag_hashes, mixed, sequence_hashes, tokens_of
from curate.alike.wording import NUMBERS, WORD

TOKEN = WORD + "|[-+=^*/÷×<>≤≥≠±⟨⟩%|]"
"""Signs count as words: formulas have few others."""

_SIGNS = list("-+<>≤≥≠±÷×⟨⟩|")
_FIGURES = NUMBERS | {"both": "2"}
_LETTERS = [
    *"bcdefghjklmnopqruvwxyz",
    *("alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "phi", "omega"),
]
"""Names of variables."""
_WORDS_OR_LETTERS = ["a", "i", "s", "t"]
"""Words of English, or what an apostrophe leaves of one; letters only where the question ends in them."""

# Words that make another problem of the same sentence. Found from their beginning; `$` ends a word that begins others.
_QUANTITIES = (
    "sum$ sums$ product difference quotient remainder average mean$ median mode$ range$ maxim minim "
    "largest smallest greatest least$ most$ fewest more$ less$ fewer highest lowest longest shortest biggest "
    "larger$ smaller$ greater$ higher$ lower$ longer$ shorter$ older$ younger$ oldest youngest first$ last$ "
    "area$ areas$ perimeter volume surface width height depth radius radii$ diameter circumference diagonal "
    "hypotenuse slope intercept degree root$ roots$ zero$ zeros$ zeroes$ vertex vertices "
    "increas decreas ascending descending inside outside interior exterior intern extern inscribed "
    "circumscribed inner outer above bisector altitude centroid det$ determinant trace transpose inject surject biject "
    "equal$ equals$ unequal bigger different distinguish indistinguish north\\w* south\\w* east$ eastern west$ western "
    "clockwise counterclockwise horizontal vertical "
    "parallel perpendicular arithmetic geometric harmonic probability permutation combination "
    "sin$ cos$ tan$ cot$ sec$ csc$ sine cosine tangent arcsin arccos arctan arccot arcsec arccsc log$ ln$ exp$ sqrt "
    "lfloor lceil floor ceil gcd$ lcm$ mod$ pmod bmod "
    "not$ non$ never no$ without$ none only$ neither either or$ incorrect wrong$ false$ except$ "
    "after$ until gain loss profit discount increase cost$ price remain "
    "inverse reciprocal opposite absolute percent numerator denominator units$ unit$ tens$ "
    "hundreds$ day$ days$ week$ weeks$ month$ months$ year$ years$ hour second "
    "inch inches foot$ feet$ yard mile centim kilom millim meter metre gram kilogram ounce pound ton$ tons$ liter "
    "litre gallon cent$ cents$ "
    "king queen jack$ ace$ heart spade club diamond head$ heads$ tail$ tails$"
)
_KINDS = (
    "even$ odd$ prime composite positive negative nonnegative nonzero integer rational irrational "
    "real$ complex$ imaginary whole$ natural consecutive distinct multiple "
    "factor divisor divisible divides square cube cubic quadratic linear circle ellipse parabola hyperbola sphere "
    "cylinder cone$ cones$ pyramid prism triang rectang pentagon hexagon octagon polygon trapezoid rhombus isosceles "
    "equilateral scalene acute obtuse right$ any$ some$"
)
"""Of these, to say one again says nothing new: `two prime numbers ... the two prime numbers`."""
_SPELT = {"metre": "meter", "litre": "liter", "kilom": "kilometer", "centim": "centimeter", "radii": "radius"}


def told(asked: pl.Series) -> pl.DataFrame:
    """What the words of every text tell, a row per text; hashes are equal where it is the same.

    `figures`: numbers and signs in order, each with the letter right behind it. `says`: that, the letters in order, and
    the words of _QUANTITIES and _KINDS in any order. `bag`: all this but the letters, in any order. `words`: of every
    word and sign 32 bits, in order, numbers as 0.
    """
    tokens = tokens_of(asked, TOKEN)
    codes, texts, count, known = tokens.codes, tokens.texts(), len(tokens.starts) - 1, _known(tokens.words)
    letters = _once_in_a_row(*_those(known["letter"], codes, texts))
    value, of, there = _those(known["figure"], codes, texts)
    numbers = value ^ _letter_behind(there, known["letter"], codes, texts), of
    kinds, quantities = (_those(known[name], codes, texts)[:2] for name in ("kind", "quantity"))
    asked_for = bag_hashes(*quantities, count) + _set_hashes(*kinds, count) + _ends(tokens, count)
    in_order = sequence_hashes(*numbers, count)
    words = (known["word"].to_numpy()[codes] >> np.uint64(32)).astype(np.uint32)
    return pl.DataFrame(
        {
            "figures": in_order,
            "says": mixed(mixed(in_order) + asked_for) + sequence_hashes(*letters, count),
            "bag": mixed(bag_hashes(*numbers, count)) + asked_for,
            "words": pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(tokens.starts), pa.array(words)))),
        }
    )


def _known(words: pl.Series) -> pl.DataFrame:
    """Beside the words: a hash of what each is as a figure, letter, kind or quantity, and null where it is none."""
    word = pl.col("word")
    number = word.str.contains(r"^\d")
    figure = word.replace_strict(_FIGURES, default=pl.when(number | word.is_in(_SIGNS)).then(word))
    number = number | word.is_in(list(NUMBERS))
    kind, quantity = (word.str.extract(_pattern(among), 0) for among in (_KINDS, _QUANTITIES))
    said = (
        words.alias("word")
        .to_frame()
        .select(
            "word",
            figure=figure,
            letter=pl.when(word.is_in(_LETTERS)).then(word),
            kind=kind,
            quantity=quantity.replace(_SPELT),
            number=number,
        )
    )
    # polars hashes null like a value.
    hashed = [
        pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash()).alias(name)
        for name in ("figure", "letter", "kind", "quantity")
    ]
    return said.select(pl.when("number").then(pl.lit("0")).otherwise(word).hash().alias("word"), *hashed, "number")


def _pattern(words: str) -> str:
    return "^(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


def _those(values: pl.Series, codes: Any, texts: Any) -> tuple[Any, Any, Any]:
    """The values of the words that have one, the texts in which they stand, and their places in `codes`."""
    there = np.flatnonzero(values.is_not_null().to_numpy()[codes])
    return values.fill_null(0).to_numpy()[codes[there]], texts[there], there


def _letter_behind(there: Any, letters: pl.Series, codes: Any, texts: Any) -> Any:
    """By place the value of the letter that stands right behind it in the same text, or 0: `943n` is not `943`."""
    after = np.minimum(there + 1, len(codes) - 1)
    return np.where(texts[after] == texts[there], letters.fill_null(0).to_numpy()[codes[after]], np.uint64(0))


def _once_in_a_row(values: Any, texts: Any, there: Any) -> tuple[Any, Any]:
    """Without those that say again, after other words, what was said last: in `for n ... find this n` n counts once."""
    again = (values[1:] == values[:-1]) & (texts[1:] == texts[:-1]) & (there[1:] > there[:-1] + 1)
    new = np.append(np.ones(min(1, len(values)), bool), ~again)
    return values[new], texts[new]


def _ends(tokens: Tokens, count: int) -> Any:
    """By text the key of its last word, if this is one of _WORDS_OR_LETTERS; else 0: `... find a`."""
    key = np.where(tokens.words.is_in(_WORDS_OR_LETTERS).to_numpy(), tokens.keys.to_numpy(), 0).astype(np.uint64)
    ends = np.zeros(count, np.uint64)
    some = np.flatnonzero(np.diff(tokens.starts))
    ends[some] = key[tokens.codes[tokens.starts[some + 1] - 1]]
    return ends


def _set_hashes(values: Any, texts: Any, count: int) -> Any:
    """Like `bag_hashes`, each value once."""
    each = pl.DataFrame({"text": texts, "value": values}).unique().sort("text")
    return bag_hashes(each["value"].to_numpy(), each["text"].to_numpy(), count)
