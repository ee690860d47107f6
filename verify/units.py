"""Units as dimensions: `m/s`, `m s^{-1}` and `meters per second` are one unit; `cm` and `m` differ by a factor."""

import re
from functools import lru_cache
from typing import NamedTuple

from verify.pattern import pattern

# Each kind of quantity by its exponents of length, mass, time, current, temperature, amount, angle and money.
_KINDS: dict[str, dict[str, int]] = {
    "length": {"L": 1}, "mass": {"M": 1}, "time": {"T": 1}, "current": {"I": 1}, "temperature": {"K": 1},
    "amount": {"N": 1}, "angle": {"A": 1}, "money": {"$": 1}, "area": {"L": 2}, "volume": {"L": 3}, "count": {},
    "speed": {"L": 1, "T": -1}, "frequency": {"T": -1}, "concentration": {"N": 1, "L": -3},
    "force": {"L": 1, "M": 1, "T": -2}, "energy": {"L": 2, "M": 1, "T": -2}, "power": {"L": 2, "M": 1, "T": -3},
    "pressure": {"L": -1, "M": 1, "T": -2}, "voltage": {"L": 2, "M": 1, "T": -3, "I": -1}, "charge": {"I": 1, "T": 1},
    "resistance": {"L": 2, "M": 1, "T": -3, "I": -2}, "inductance": {"L": 2, "M": 1, "T": -2, "I": -2},
    "capacity": {"L": -2, "M": -1, "T": 4, "I": 2},
}  # fmt: skip
# Per line: a kind, then names of one size with that size in SI units (dollars for money, degrees for angles).
_TABLE = """
length m metre meter metres meters =1 cm centimeter centimeters centimetre centimetres =0.01
length km kilometer kilometers kilometre kilometres =1000
length mm millimeter millimeters millimetre millimetres =0.001 micron microns um =1e-6
length nm nanometer nanometers =1e-9 angstrom angstroms =1e-10 pm =1e-12 in inch inches =0.0254 ft foot feet =0.3048
length yd yard yards =0.9144 mi mile miles =1609.344 ly =9.4607e15 pc =3.0857e16 AU =1.495978707e11
mass kg kilogram kilograms =1 g gram grams =0.001 mg milligram milligrams =1e-6 ug =1e-9 ton tons =1000
mass lb lbs lbm pound pounds =0.45359237 oz ounce ounces =0.028349523125
time s sec secs second seconds =1 min mins minute minutes =60 h hr hrs hour hours =3600 day days =86400
time ms millisecond milliseconds =0.001 us microsecond microseconds =1e-6 ns nanosecond nanoseconds =1e-9
time week weeks =604800 month months =2629800 year years yr yrs =31557600
angle degree degrees deg ° =1 radian radians rad =57.29577951308232
money $ dollar dollars usd =1 cent cents =0.01
area acre acres =4046.8564224 hectare hectares ha =10000
volume L l liter liters litre litres =0.001 mL ml milliliter milliliters cc =1e-6 gallon gallons gal =0.003785411784
temperature K kelvin kelvins =1
energy J joule joules =1 kJ kilojoule kilojoules =1000 cal calorie calories =4.184 kcal =4184 Btu BTU btu =1055.06
energy eV =1.602176634e-19 keV =1.602176634e-16 MeV =1.602176634e-13 GeV =1.602176634e-10 TeV =1.602176634e-7
power W watt watts =1 kW kilowatt kilowatts =1000 MW =1e6 hp horsepower =745.7
force N newton newtons =1 kN =1000 lbf =4.4482216
pressure Pa pascal pascals =1 kPa =1000 MPa =1e6 GPa =1e9 bar =1e5 atm =101325 psi psia =6894.757 torr mmHg =133.322
voltage V volt volts =1 mV =0.001 kV =1000
current A amp amps ampere amperes =1 mA =0.001 uA =1e-6
charge C coulomb coulombs =1 uC =1e-6 nC =1e-9
resistance ohm ohms Ω Omega =1
frequency Hz hertz =1 kHz =1000 MHz =1e6 GHz =1e9
amount mol mole moles =1 mmol =0.001 kmol =1000
concentration M molar =1000
speed mph =0.44704 kph kmh =0.2777777777777778
inductance H henry henries =1
capacity F farad farads =1 uF =1e-6 nF =1e-9 pF =1e-12
count unit units =1
"""
UNITS: dict[str, tuple[str, float]] = {
    name: (line.split()[0], float(group[2]))
    for line in _TABLE.strip().splitlines()
    for group in re.finditer(r"([^=]+)=(\S+)", line.partition(" ")[2])
    for name in group[1].split()
}
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_PART = pattern(r"\^\s*\{?\s*(?P<power>-?\s*\d+)\s*\}?|(?P<per>/|\bper\b)|(?P<word>[A-Za-z$°Ω%]+)|(?P<other>\S)")


class Unit(NamedTuple):
    """How many base units it is, and the exponent of each dimension."""

    factor: float
    dimensions: frozenset[tuple[str, int]]


@lru_cache(maxsize=4096)
def read_unit(text: str) -> Unit | None:
    """The unit that the words name; None where one of them is not known.

    >>> read_unit("square inches") == read_unit("in^{2}"), read_unit("apples")
    (True, None)
    """
    parts: list[tuple[str, int]] = []
    sign, pending = 1, 1
    for match in _PART.finditer(text.replace("\\cdot", " ").replace("\\", "")):
        word = match["word"]
        if match["per"]:
            sign = -1
        elif word and word.lower() in _POWERS:
            pending = _POWERS[word.lower()]
        elif word in ("squared", "cubed") and parts:
            parts[-1] = (parts[-1][0], parts[-1][1] * (2 if word == "squared" else 3))
        elif word:
            known = word if word in UNITS else word.lower()
            if known not in UNITS:
                return None
            parts.append((known, sign * pending))
            pending = 1
        elif match["power"]:
            if not parts:
                return None
            parts[-1] = (parts[-1][0], parts[-1][1] * int(match["power"].replace(" ", "")))
        elif match["other"] not in ".,;(){}'-_":
            return None
    return _product(parts) if parts else None


def _product(parts: list[tuple[str, int]]) -> Unit:
    factor = 1.0
    dimensions: dict[str, int] = {}
    for name, power in parts:
        kind, size = UNITS[name]
        factor *= size**power
        for dimension, exponent in _KINDS[kind].items():
            dimensions[dimension] = dimensions.get(dimension, 0) + exponent * power
    return Unit(factor, frozenset((d, e) for d, e in dimensions.items() if e))
