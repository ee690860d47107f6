"""Rates: from change at the market to a queue in its steady state."""

from fractions import Fraction
from math import lcm
from random import Random

from distill.families.family import Drawn, Family, Kind
from distill.families.value import Number, Value, plain, show
from distill.families.work import Work


def _change_draw(rng: Random) -> Drawn:
    n, price, change = rng.randint(2, 12), rng.randint(2, 30), rng.randint(1, 50)
    return {"n": n, "price": price, "paid": n * price + change}, change


def _change(w: Work, n: int, price: int, paid: int) -> Value:
    cost = w(f"The purchase costs ${n} \\times {price} = @$ dollars.", n * price)
    trap = (f"The price comes off: ${paid} - {price} = @$ dollars.", paid - price)
    change = w(f"From the money that leaves ${paid} - {cost} = @$ dollars.", paid - cost, trap)
    w.check(f"Cost and change together: ${cost} + {change} = {cost + change}$ dollars, which is what was paid.")
    return change


def _discount_draw(rng: Random) -> Drawn:
    k, fifths = rng.randint(2, 60), rng.randint(1, 17)
    return {"price": 20 * k, "off": 5 * fifths}, k * (20 - fifths)


def _discount(w: Work, price: int, off: int) -> Value:
    saved = w(f"${off}\\%$ of ${price}$ is ${price} \\cdot \\frac{{{off}}}{{100}} = @$.", Fraction(price * off, 100))
    trap = (f"Taking {off} from the price: ${price} - {off} = @$.", plain(Fraction(price - off)))
    left = w(f"What is left to pay: ${price} - {show(saved)} = @$.", plain(price - saved), trap)
    w.check(f"The buyer pays ${100 - off}\\%$ of ${price}$, which is ${show(Fraction(price * (100 - off), 100))}$.")
    return left


def _together_draw(rng: Random) -> Drawn:
    a, b = rng.randint(2, 60), rng.randint(2, 60)
    return {"a": a, "b": b}, plain(1 / (Fraction(1, a) + Fraction(1, b)))


def _together(w: Work, a: int, b: int) -> Value:
    job = w("Cut the job into $@$ equal pieces.", lcm(a, b))
    first = w(f"The first does $@$ pieces an hour: ${job} / {a}$.", plain(Fraction(job, a)))
    second = w(f"The second does $@$ pieces an hour: ${job} / {b}$.", plain(Fraction(job, b)))
    both = w("Together they do $@$ pieces an hour.", plain(Fraction(first) + second))
    trap = (f"The time for both is the mean of the two: $\\frac{{{a} + {b}}}{{2}} = @$.", plain(Fraction(a + b, 2)))
    hours = w(f"So they need ${job} / {show(both)} = @$ hours.", plain(Fraction(job) / both), trap)
    w.check(f"It must be less than {min(a, b)} hours, the time of the faster one alone, and more than half of that.")
    return hours


def _halving_draw(rng: Random) -> Drawn:
    left, times, life = rng.randint(3, 60), rng.randint(2, 8), rng.randint(2, 30)
    return {"start": left * 2**times, "life": life, "time": times * life}, left


def _halving(w: Work, start: int, life: int, time: int) -> Value:
    if time % life:
        raise ValueError("no whole number of half-lives")
    times = w(f"Number of half-lives: ${time} / {life} = @$.", time // life)
    factor = w(f"So the amount is divided by $2^{{{times}}} = @$.", 2**times)
    trap = (f"Dividing by the number of half-lives: ${start} / {times} = @$.", plain(Fraction(start, times)))
    left = w(f"${start} / {factor} = @$.", plain(Fraction(start, factor)), trap)
    w.check(f"Doubling ${show(left)}$ again {times} times leads back to ${start}$.")
    return left


def _queue_draw(rng: Random) -> Drawn:
    arrive = rng.randint(2, 80)
    serve = arrive + rng.randint(1, 40)
    # Little's law: arrivals times the mean stay of 1 / (serve - arrive).
    return {"arrive": arrive, "serve": serve}, plain(arrive * Fraction(1, serve - arrive))


def _queue(w: Work, arrive: int, serve: int) -> Value:
    if serve <= arrive:
        raise ValueError("the queue grows without bound")
    load = w(f"The load is $\\rho = {arrive} / {serve} = @$.", Fraction(arrive, serve))
    w.say("In the steady state there are $n$ customers with probability $(1 - \\rho)\\rho^n$.")
    free = w("The server is free with probability $1 - \\rho = @$.", 1 - load)
    trap = ("The mean of this geometric law is $1 / (1 - \\rho) = @$.", plain(1 / free))
    mean: Number = w("The mean of this geometric law is $\\rho / (1 - \\rho) = @$.", plain(load / free), trap)
    w.check(f"Little's law: ${arrive} \\cdot \\frac{{1}}{{{serve} - {arrive}}}$ is the same number, ${show(mean)}$.")
    return mean


RATES = Family(
    "rates",
    "arithmetic",
    (
        Kind(
            "elementary",
            "integer",
            _change_draw,
            _change,
            (
                "<who:name> buys <n> <what:thing> at <price> dollars each and pays with <paid> dollars. "
                "How many dollars of change come back?",
                "At a market <what:thing> cost <price> dollars apiece. <who:name> takes <n> of them and hands over "
                "<paid> "
                "dollars. What is the change in dollars?",
                "What remains of <paid> dollars after paying for <n> tickets of <price> dollars each?",
            ),
            options=0.15,
        ),
        Kind(
            "middle",
            "integer",
            _discount_draw,
            _discount,
            (
                "A coat costs <price> dollars. In the sale it is <off>% off. What is the sale price in dollars?",
                "<who:name> saw a bicycle for <price> dollars; today it is reduced by <off>%. How many dollars does "
                "it cost now?",
                "A price of <price> is lowered by <off> percent. Find the new price.",
                "A shop takes <off>% off a table that was priced at <price> dollars. What does <who:name> pay for it?",
            ),
            options=0.15,
        ),
        Kind(
            "high",
            "fraction",
            _together_draw,
            _together,
            (
                "One pipe fills a pool in <a> hours, another in <b> hours. How many hours do both need together?",
                "<who:name> paints a fence in <a> hours and <other:name> in <b> hours. "
                "Working together at these speeds, how many hours do they need?",
                "Machine A finishes an order in <a> hours, machine B in <b>. In how many hours do the two finish it "
                "side by side?",
            ),
        ),
        Kind(
            "college",
            "integer",
            _halving_draw,
            _halving,
            (
                "A sample of <start> mg has a half-life of <life> hours. How many mg remain after <time> hours?",
                "A drug's amount in the blood halves every <life> hours. From <start> mg, how many mg are left "
                "<time> hours later?",
                "The solution of $y' = -ky$ with $y(0) = <start>$ halves every $<life>$ units of time. Find "
                "$y(<time>)$.",
            ),
            largest=100_000,
        ),
        Kind(
            "graduate",
            "fraction",
            _queue_draw,
            _queue,
            (
                "In an M/M/1 queue customers arrive at rate $<arrive>$ and are served at rate $<serve>$ per hour. "
                "What is the mean number of customers in the system in the steady state?",
                "A birth-death process on $0, 1, 2, \\dots$ has birth rate $<arrive>$ and death rate $<serve>$ in "
                "every state. "
                "Find the mean of its stationary distribution.",
                "Requests reach a single server as a Poisson process of rate <arrive> per second; service times are "
                "exponential "
                "with rate <serve> per second. How many requests are in the system on average?",
            ),
        ),
    ),
)
