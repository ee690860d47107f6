"""Words and signs that make another problem of the same sentence, and those that say nothing of it."""

import re

from curate.alike.wording import NUMBERS, WORD

SIGNS = "-+<>≤≥≠±∓÷×⟨⟩|^ǃ′‾⊏⊐"
TOKEN = WORD + f"|[{re.escape(SIGNS)}=*/−]"
"""Signs count as words: formulas have few others. A true minus (−) is one before a name, where a dash would be none."""

FIGURES = {
    **NUMBERS,
    **dict.fromkeys(("half", "halves"), "/2"),
    **dict.fromkeys(("quarter", "quarters", "fourths"), "/4"),
    **{sign: sign for sign in SIGNS},
    "thirds": "/3",
    "both": "2",
    "−": "-",
}
_GREEK = "alpha beta gamma delta epsilon theta lambda mu rho sigma phi psi omega"
LETTERS = [*"bcdefghjklmnopqrstuvwxyz", *_GREEK.split()]
"""Names of variables."""
WORDS_TOO = ["a", "i"]
"""These are names where no word follows, as after an article or a pronoun; but for these:"""
NO_NOUNS = "equal equals is are and or if in for to be such when where must"

# Words that make another problem of the same sentence. Found from their beginning; `$` ends a word that begins others.
QUANTITIES = (
    "sum$ sums$ product difference quotient remainder average mean$ median mode$ range$ variance deviation maxim "
    "minim max$ min$ largest smallest greatest least$ most$ fewest more$ less$ fewer highest lowest longest shortest "
    "biggest larger$ smaller$ greater$ higher$ lower$ longer$ shorter$ older$ younger$ oldest youngest faster slower "
    "first$ last$ area$ areas$ perimeter volume surface width height depth radius radii$ diameter circumference "
    "diagonal hypotenuse slope intercept degree root$ roots$ zero$ zeros$ zeroes$ vertex vertices increas decreas "
    "ascending descending ordered unordered inside outside interior exterior intern extern inscribed circumscribed "
    "incircle circumcircle incenter circumcenter orthocenter inner outer above bisector altitude centroid det$ "
    "determinant trace transpose inject surject biject equal$ equals$ unequal bigger different distinguish "
    "indistinguish north\\w* south\\w* east$ eastern west$ western clockwise counterclockwise horizontal vertical "
    "upstream downstream up$ down$ opposite row$ rows$ column round$ parallel perpendicular arithmetic geometric "
    "harmonic probability permutation combination binom$ dbinom$ tbinom$ union intersection cup$ cap$ notin prod$ "
    "bigcup bigcap inclusive exclusive strictly convex concave derivative antiderivative sin$ cos$ tan$ cot$ sec$ "
    "csc$ sine cosine tangent arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh log$ ln$ exp$ sqrt lfloor "
    "lceil floor ceil gcd$ lcm$ mod$ pmod bmod not$ non$ never no$ without$ none only$ neither either or$ incorrect "
    "wrong$ false$ except$ replac add$ adds$ added$ subtract multipl divid after$ until away$ keep kept gain loss "
    "profit discount increase cost$ price buy$ buys$ bought sell$ sells$ sold$ win$ wins$ won$ lose$ loses$ lost$ "
    "remain open$ closed$ simple$ compound$ proper$ inverse reciprocal absolute percent numerator denominator units$ "
    "unit$ tens$ hundreds$ day$ days$ week$ weeks$ month$ months$ year$ years$ hour second monday tuesday wednesday "
    "thursday friday saturday sunday january february march$ april june july august september october november "
    "december am$ pm$ inch inches foot$ feet$ yard mile cm$ mm$ km$ kg$ mg$ ml$ centim kilom millim meter metre gram "
    "kilogram milligram ounce pound ton$ tons$ liter litre gallon cent$ cents$ euro peso rupee radian king queen "
    "jack$ ace$ heart spade club diamond head$ heads$ tail$ tails$ includ exclud toward taller men$ "
    "women$ "
)
KINDS = (
    "even$ odd$ prime composite positive negative nonnegative nonzero integer rational irrational "
    "real$ complex$ imaginary whole$ natural consecutive distinct "
    "factor divisor divisible divides square cube cubic quadratic linear circle ellipse parabola hyperbola sphere "
    "cylinder cone$ cones$ pyramid prism triang rectang pentagon hexagon octagon polygon trapezoid rhombus isosceles "
    "equilateral scalene acute obtuse right$ any$ some$"
)
"""Of these, to say the same again says nothing new: `two prime numbers ... the two prime numbers`."""
SPELT = {
    "metre": "meter",
    "litre": "liter",
    "radii": "radius",
    "dbinom": "binom",
    "tbinom": "binom",
    "cm": "centim",
    "mm": "millim",
    "km": "kilom",
    "kg": "kilogram",
    "mg": "milligram",
}
ENGLISH = (
    "the of what how find and if compute evaluate simplify solve to for let is are with their that have which each "
    "many write from she he it they when then"
)
"""One of these makes a text English."""
EMPTY = (
    "what which how many much are was were the and for with from that this there their they has have had does did will "
    "would can could find compute determine evaluate total number value its his her she him you your than then when "
    "where who one each all per not be is of to in on at by as an or if it he do"
)
"""Words that ask, or that stand in any question."""
