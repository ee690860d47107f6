"""Words that answers are written with: numbers, units, and the few ways to say that there is nothing."""

NUMBER_WORDS: dict[str, int] = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100}
NUMBER_WORDS |= {
    f"{tens}-{ones}": NUMBER_WORDS[tens] + n
    for tens in ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    for n, ones in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], start=1)
}
# What each unit measures, and how many of the first one of its kind it is. Names that stand in a table of their own
# are compared as words.
UNITS: dict[str, tuple[str, float]] = {}
for _kind, _names in {
    "length": "m metre meter metres meters=1 cm centimeter centimeters centimetre centimetres=0.01 mm millimeter "
    "millimeters=0.001 nm nanometer nanometers=1e-9 µm micrometer micron microns=1e-6 km kilometer kilometers kilometre "
    "kilometres=1000 in inch inches=0.0254 ft foot feet=0.3048 yd yard yards=0.9144 mi mile miles=1609.344",
    "mass": "kg kilogram kilograms=1 g gram grams=0.001 mg milligram milligrams=1e-6 lb lbs lbm pound pounds=0.45359237 oz ounce "
    "ounces=0.028349523125 ton tons=1000",
    "time": "s sec secs second seconds=1 ms millisecond milliseconds=0.001 min mins minute minutes=60 h hr hrs hour "
    "hours=3600 day days=86400 week weeks=604800 year years yr yrs=31557600 month months=2629800",
    "angle": "degree degrees deg °=1 radian radians rad=57.29577951308232",
    "money": "$ dollar dollars usd=1 cent cents=0.01",
    "volume": "L l liter liters litre litres=1 mL ml milliliter milliliters=0.001 gallon gallons gal=3.785411784",
    "temperature": "K kelvin=1",
    "energy": "J joule joules=1 kJ kilojoule kilojoules=1000 cal calorie calories=4.184 kcal=4184 eV=1.602176634e-19 Btu BTU=1055.06",
    "power": "W watt watts=1 kW kilowatt kilowatts=1000 hp horsepower=745.7",
    "force": "N newton newtons=1 kN=1000",
    "pressure": "Pa pascal pascals=1 kPa=1000 MPa=1000000 atm=101325 psi=6894.757",
    "voltage": "V volt volts=1 mV=0.001 kV=1000",
    "current": "A amp amps ampere amperes=1 mA=0.001",
    "resistance": "ohm ohms Ω=1",
    "frequency": "Hz hertz=1 kHz=1000 MHz=1000000",
    "amount": "mol mole moles=1 mmol=0.001",
    "speed": "mph=0.44704 kph kmh=0.2777777777777778",
    "induction": "H henry henries=1",
    "count": "unit units=1",
}.items():
    for _group in _names.split("="):
        pass
    _pending: list[str] = []
    for _part in _names.replace("=", " = ").split():
        if _part == "=":
            continue
        try:
            _size = float(_part)
        except ValueError:
            _pending.append(_part)
        else:
            UNITS |= dict.fromkeys(_pending, (_kind, _size))
            _pending = []

_NOTHING = frozenset(
    ["no solution", "no solutions", "none", "no real solution", "no real solutions", "empty set", "nothing", "no such number",
     "no answer", "there is no solution", "there are no solutions", "no integer solutions", "no integer solution"]
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
_SMALL = frozenset(
    ["a", "an", "the", "is", "are", "of", "it", "its", "s", "be", "to", "in", "by", "at", "on", "and", "that", "this"]
)


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
