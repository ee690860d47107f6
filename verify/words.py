"""Words that answers are written with: numbers, units, and the few ways to say that there is nothing."""

from verify.pattern import pattern

_SMALL_NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty"""
NUMBER_WORDS: dict[str, int] = {word: value for value, word in enumerate(_SMALL_NUMBERS.split())} | {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
}  # fmt: skip
NUMBER_WORDS |= {
    f"{tens}-{ones}": NUMBER_WORDS[tens] + n
    for tens in ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    for n, ones in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], start=1)
}
_AMOUNTS = "thousand million billion half third quarter dozen once twice double pair infinite infinity"
_COUNTING = frozenset(NUMBER_WORDS) | frozenset(_AMOUNTS.split())


def says_number(text: str) -> bool:
    """Whether a text may stand for a number: it holds a digit, a number word, or nothing but signs."""
    words = plain_words(text).split()
    return (
        not words or any(c.isdigit() for c in text) or any(w in _COUNTING or w.rstrip("s") in _COUNTING for w in words)
    )


_NOTHING = frozenset(
    ["no solution", "no solutions", "none", "no real solution", "no real solutions", "empty set", "nothing",
     "no such number", "no answer", "there is no solution", "there are no solutions", "no integer solutions",
     "no integer solution"]
)  # fmt: skip
_ABSENT = frozenset(
    ["dne", "does not exist", "undefined", "not exist", "doesn't exist", "diverges", "divergent", "not defined"]
)
_EVERY = frozenset(
    ["all real numbers", "all reals", "r", "real numbers", "any real number", "all real", "every real number"]
)
_ENDLESS = frozenset(["infinity", "infinite", "infinitely many", "infinitely many solutions", "unbounded"])
_YES, _NO = frozenset(["yes", "true", "y"]), frozenset(["no", "false"])
_CLASSES = (_NOTHING, _ABSENT, _EVERY, _ENDLESS, _YES, _NO)
_DENIAL = pattern(
    r"^(?:no|none)\b|\b(?:not|cannot|insufficient|undetermined|indeterminate|impossible|undefined|missing|nothing|unbounded)\b"
)
_SMALL = frozenset(
    ["a", "an", "the", "is", "are", "of", "it", "its", "s", "be", "to", "in", "by", "at", "on", "and", "that", "this"]
)


def denies_number(text: str) -> bool:
    """Whether a text says that there is no number, or no one number: "no solutions", "cannot be determined", "yes".

    >>> denies_number("not enough information"), denies_number("no solutions"), denies_number("fünf")
    (True, True, False)
    """
    words = plain_words(text)
    return not says_number(text) and (bool(_DENIAL.search(words)) or any(words in c for c in _CLASSES))


def plain_words(text: str) -> str:
    """Lower case, no punctuation, no articles."""
    kept = "".join(c if c.isalnum() or c in "'" else " " for c in text.lower().replace("\\text", " "))
    return " ".join(word for word in kept.split() if word not in ("a", "an", "the"))


def same_words(gold: str, answer: str) -> bool | None:
    """Whether two texts say the same: equal words, or one of the stock phrases for nothing, all, yes, no.

    None where both are phrases that differ: only a reader can tell.

    >>> same_words("DNE", "does not exist"), same_words("even", "odd"), same_words("the midpoint", "midpoint")
    (True, False, True)
    """
    a, b = plain_words(gold), plain_words(answer)
    if a == b:
        return True if a else None
    first = [c for c in _CLASSES if a in c]
    second = [c for c in _CLASSES if b in c]
    if first and second:
        return first == second
    if "".join(a.split()) == "".join(b.split()):
        return True
    return False if len(a.split()) == 1 == len(b.split()) else None
