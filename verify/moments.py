"""Dates and times of day: the same moment in another order or on another clock."""

from verify.pattern import pattern

_NAMES = "january february march april may june july august september october november december"
_MONTHS = _NAMES.split()
_DAY_FIRST = pattern(r"(?:the )?(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9})\.?(?:,? (\d{4}))?")
_MONTH_FIRST = pattern(r"([a-z]{3,9})\.? (?:the )?(\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_CLOCK = pattern(r"(\d{1,2})(?::([0-5]\d))?(?: ?([ap])\.?m\.?)?(?: (?:hours|hrs|h))?")
_TEXT = pattern(r"\\(?:text|textrm|mathrm|mbox|textbf)\s*\{([^{}]*)\}")


def same_moment(gold: str, answer: str) -> bool | None:
    """Whether two answers are one date, or one time of day; None where one of them is neither.

    A date without its year is that date in any year; `2:30` may be either half of the day.

    >>> same_moment("March 5", "5 March"), same_moment("14:30", "2:30 PM"), same_moment("14:30", "2:30 AM")
    (True, True, False)
    """
    if len(gold) > 40 or len(answer) > 40 or not (gold[:1].isalnum() or gold[:1] == "\\"):
        return None
    if gold.isdigit() or answer.isdigit():
        return None
    first, second = _plain(gold), _plain(answer)
    dates = _date(first), _date(second)
    if dates[0] and dates[1]:
        years = {date[2] for date in dates if date and date[2]}
        return dates[0][:2] == dates[1][:2] and len(years) < 2
    one, two = _clock(first), _clock(second)
    if one is None or two is None or one[1] == two[1]:
        return None
    (minutes, marked), (other, _) = one, two
    # One clock of 24 hours and one of twelve: only an hour that the twelve do not have says which is meant.
    full = other if marked else minutes
    return minutes == other if full >= 780 or full < 60 else None


def _plain(text: str) -> str:
    return " ".join(_TEXT.sub(r" \1 ", text).lower().split())


def _date(text: str) -> tuple[int, int, str | None] | None:
    if match := _DAY_FIRST.fullmatch(text):
        day, name, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        name, day, year = match.groups()
    else:
        return None
    months = [i for i, month in enumerate(_MONTHS) if month == name or month[:3] == name or name == month[:4] == "sept"]
    return (months[0], int(day), year) if months and 1 <= int(day) <= 31 else None


def _clock(text: str) -> tuple[int, bool] | None:
    """Minutes since midnight, and whether am or pm was said."""
    match = _CLOCK.fullmatch(text)
    if match is None or (match[2] is None and match[3] is None):
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if hour > (12 if half else 23):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour * 60 + minute, bool(half)
