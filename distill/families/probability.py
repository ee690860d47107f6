"""Probability: from drawing a marble to the gambler's ruin."""

from fractions import Fraction
from math import comb
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Value, plain, show
from distill.families.work import Work


def _bag_draw(rng: Random) -> Drawn:
    a, b, c = rng.randint(1, 25), rng.randint(1, 25), rng.randint(1, 25)
    return {"a": a, "b": b, "c": c}, 1 - Fraction(b + c, a + b + c)


def _bag(w: Work, a: int, b: int, c: int) -> Value:
    total = w(f"All in all there are ${a} + {b} + {c} = @$.", a + b + c)
    trap = (f"{a} against {b + c} others: $@$.", Fraction(a, b + c))
    chance = w(f"{a} of {total} are good: $\\frac{{{a}}}{{{total}}} = @$.", Fraction(a, total), trap)
    w.check(f"The chance of the opposite is ${show(1 - chance)}$, and both together make one.")
    return plain(chance)


def _two_draw(rng: Random) -> Drawn:
    a, b = rng.randint(2, 30), rng.randint(2, 30)
    return {"a": a, "b": b}, Fraction(comb(a, 2), comb(a + b, 2))


def _two(w: Work, a: int, b: int) -> Value:
    total = w(f"There are ${a} + {b} = @$ to draw from.", a + b)
    first = w(f"The first is good with probability $\\frac{{{a}}}{{{total}}} = @$.", Fraction(a, total))
    trap = ("The second as well: $@$.", first)
    text = f"Then {a - 1} good ones are left among {total - 1}: $\\frac{{{a - 1}}}{{{total - 1}}} = @$."
    second = w(text, Fraction(a - 1, total - 1), trap)
    both = w(f"Both: ${show(first)} \\cdot {show(second)} = @$.", first * second)
    w.check(f"By counting pairs: {comb(a, 2)} good ones of {comb(a + b, 2)}.")
    return plain(both)


def _binomial_draw(rng: Random) -> Drawn:
    n = rng.randint(3, 7)
    k, bottom = rng.randint(1, n - 1), rng.randint(2, 9)
    p = Fraction(rng.randint(1, bottom - 1), bottom)
    chances = [Fraction(1)]
    for _ in range(n):
        chances = [
            (chances[i] * (1 - p) if i < len(chances) else Fraction(0)) + (chances[i - 1] * p if i else Fraction(0))
            for i in range(len(chances) + 1)
        ]
    return {"n": n, "k": k, "p": p}, chances[k]


def _binomial(w: Work, n: int, k: int, p: Fraction) -> Value:
    ways = w(f"There are $\\binom{{{n}}}{{{k}}} = @$ orders.", comb(n, k))
    good = w(f"The successes contribute $({show(p)})^{k} = @$.", p**k)
    bad = w(f"The failures contribute $({show(1 - p)})^{n - k} = @$.", (1 - p) ** (n - k))
    trap = (f"The product is ${show(good)} \\cdot {show(bad)} = @$.", good * bad)
    chance = w("The product with the number of orders is $@$.", ways * good * bad, trap)
    w.check(
        f"The expected number of successes is ${show(n * p)}$; {k} is {'near' if abs(n * p - k) < 1 else 'far from'} "
        f"it."
    )
    return plain(chance)


def _bayes_draw(rng: Random) -> Drawn:
    prior, hit, false = rng.randint(1, 30), rng.randint(70, 99), rng.randint(1, 25)
    ill, well = 10_000 * prior // 100, 10_000 - 10_000 * prior // 100
    return {"prior": prior, "hit": hit, "false": false}, Fraction(ill * hit, ill * hit + well * false)


def _bayes(w: Work, prior: int, hit: int, false: int) -> Value:
    true = w(
        f"Affected and positive: $\\frac{{{prior}}}{{100}} \\cdot \\frac{{{hit}}}{{100}} = @$.",
        Fraction(prior * hit, 10_000),
    )
    text = f"Not affected and positive: $\\frac{{{100 - prior}}}{{100}} \\cdot \\frac{{{false}}}{{100}} = @$."
    alarm = w(text, Fraction((100 - prior) * false, 10_000))
    positive = w("Positive in all: $@$.", true + alarm)
    trap = (f"The test finds {hit} of 100, so the probability is $@$.", Fraction(hit, 100))
    answer = w(f"By Bayes, ${show(true)} / {show(positive)} = @$.", true / positive, trap)
    w.check(f"In decimals: {float(true):.4f} of {float(positive):.4f}, that is {float(answer):.4f}.")
    return plain(answer)


def _ruin_draw(rng: Random) -> Drawn:
    bottom = rng.randint(3, 9)
    p = Fraction(rng.choice([n for n in range(1, bottom) if 2 * n != bottom]), bottom)
    goal = rng.randint(3, 8)
    start = rng.randint(1, goal - 1)
    # First-step analysis: h(i+1) - h(i) shrinks by q/p, from h(0) = 0, scaled to h(goal) = 1.
    heights = [Fraction(0), Fraction(1)]
    for _ in range(goal - 1):
        heights.append((heights[-1] - (1 - p) * heights[-2]) / p)
    return {"p": p, "start": start, "goal": goal}, heights[start] / heights[goal]


def _ruin(w: Work, p: Fraction, start: int, goal: int) -> Value:
    ratio = w(f"The ratio of losing to winning is $r = {show(1 - p)} / {show(p)} = @$.", (1 - p) / p)
    above = w(f"$1 - r^{start} = @$.", 1 - ratio**start)
    below = w(f"$1 - r^{goal} = @$.", 1 - ratio**goal)
    trap = ("The probability is the share of the way already gone, $@$.", Fraction(start, goal))
    chance = w(f"The probability is $\\frac{{1 - r^{start}}}{{1 - r^{goal}}} = @$.", above / below, trap)
    side = "less" if p < Fraction(1, 2) else "more"
    w.check(f"A fair game would give ${show(Fraction(start, goal))}$; with $p = {show(p)}$ it must be {side}.")
    return plain(chance)


PROBABILITY = Family(
    "probability",
    "counting and probability",
    (
        Kind(
            "elementary",
            "fraction",
            _bag_draw,
            _bag,
            (
                "A bag holds <a> <one:colour>, <b> <two:colour> and <c> <three:colour> marbles. One is drawn at "
                "random. "
                "What is the probability that it is <one>?",
                "In a box lie <a> <what:thing>, <b> <other:thing> and <c> pens. <who:name> takes one thing without "
                "looking. "
                "With which probability is it one of the <what>?",
                "A wheel has <a> <one:colour>, <b> <two:colour> and <c> <three:colour> fields of equal size. "
                "How likely is <one>, as a fraction in lowest terms?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "fraction",
            _two_draw,
            _two,
            (
                "An urn contains <a> <one:colour> and <b> <two:colour> balls. Two are drawn without replacement. "
                "What is the probability that both are <one>?",
                "<who:name> has <a> <one:colour> and <b> <two:colour> socks in a drawer and takes two at random. "
                "Find the probability that both socks are <one>.",
                "Of <a> good and <b> broken lamps two are picked at random. How probable is it that both are good?",
            ),
            largest=10_000,
        ),
        Kind(
            "high",
            "fraction",
            _binomial_draw,
            _binomial,
            (
                "A shot hits with probability $<p:frac>$. What is the probability of exactly <k> hits in <n> "
                "independent shots?",
                "<who:name> wins each game of <game:sport> with probability $<p:frac>$, independently. "
                "What is the probability to win exactly <k> of <n> games?",
                "Let $X$ be binomially distributed with $n = <n>$ and $p = <p:frac>$. Compute $P(X = <k>)$.",
                "A seed sprouts with probability $<p:frac>$. Of <n> seeds, how probable is it that exactly <k> sprout?",
            ),
            largest=100,
        ),
        Kind(
            "college",
            "fraction",
            _bayes_draw,
            _bayes,
            (
                "<prior>% of a population have a disease. A test detects it in <hit>% of those who have it and is "
                "falsely positive in "
                "<false>% of the others. Someone tests positive. What is the probability of having the disease, as a "
                "fraction?",
                "Of all mails <prior>% are spam. A filter flags <hit>% of spam and <false>% of the rest. "
                "Given that a mail is flagged, find the exact probability that it is spam.",
                "Let $P(A) = <prior>/100$, $P(B \\mid A) = <hit>/100$ and $P(B \\mid \\bar{A}) = <false>/100$. "
                "Compute $P(A \\mid B)$ as a fraction.",
            ),
        ),
        Kind(
            "graduate",
            "fraction",
            _ruin_draw,
            _ruin,
            (
                "A random walk on $0, 1, \\dots, <goal>$ goes up with probability $<p:frac>$ and down otherwise, and "
                "stops at both "
                "ends. From <start>, what is the probability to be absorbed at <goal>?",
                "<who:name> owns <start> coins and bets one per round of <game:sport>, winning with probability "
                "$<p:frac>$, until "
                "reaching <goal> coins or none. How probable is it to reach <goal>?",
                "Let $h$ be harmonic for the walk with up-probability $<p:frac>$ on $\\{0, \\dots, <goal>\\}$, with "
                "$h(0) = 0$ and "
                "$h(<goal>) = 1$. Find $h(<start>)$.",
            ),
            largest=100,
        ),
    ),
)
