"""Real problems, each wrapped and typed in many other ways: how many of the copies duplicates and decontamination find.

    COTILLION_REAL_DATA=FOLDER python benchmarks/forms.py [--rows 1500] [--show FORM]

A form is a function of the text, written down here. `deduplicated`: the copy is dropped for its original, or the other
way round, by dedup.exact and dedup.minhash at their defaults. `decontaminated`: the copy is flagged where the originals
are the benchmark. Only texts that a form changes count. `--show` prints copies that deduplication missed.
"""

import argparse
import html
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

# This folder holds files named like modules of what they measure: look for the packages beside it, not in it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
from benchmarks.duplicates import DATA, ours  # noqa: E402
from curate.alike.contamination import VARIANT_RULE, lookup  # noqa: E402
from curate.dedup.exact import Exact  # noqa: E402
from curate.dedup.minhash import Minhash  # noqa: E402

FILES = ("math_train", "gsm8k_train", "odyssey_math", "limo", "aime_1983_2023")
TO_NINETEEN = [
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
]
TENS = dict(
    zip("23456789", ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], strict=True)
)


def sub(*ways: tuple[str, str]) -> Callable[[str], str]:
    """Replaces each pattern, one after the other."""

    def changed(text: str) -> str:
        for pattern, same in ways:
            text = re.sub(pattern, same, text)
        return text

    return changed


def in_words(number: int) -> str:
    """Up to 999,999."""
    if number >= 1000:
        rest = f" {in_words(number % 1000)}" if number % 1000 else ""
        return f"{in_words(number // 1000)} thousand{rest}"
    if number >= 100:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{TO_NINETEEN[number // 100]} hundred{rest}"
    if number < 20:
        return TO_NINETEEN[number]
    return TENS[str(number)[0]] + (f"-{TO_NINETEEN[number % 10]}" if number % 10 else "")


def written(least: int, most: int) -> Callable[[str], str]:
    """Whole numbers before a word, from least to most, in words."""

    def said(found: re.Match[str]) -> str:
        return in_words(int(found.group())) if least <= int(found.group()) <= most else found.group()

    return lambda text: re.sub(r"(?<=\s)([1-9]\d{0,5})(?=\s[a-z]{2})", said, text)


def around(before: str, after: str = "") -> Callable[[str], str]:
    return lambda text: f"{before}{text}{after}"


FORMS: dict[str, Callable[[str], str]] = {
    "prompt: open-r1": around(
        "Solve the following math problem efficiently and clearly. The last line of your response should be of the "
        "following format: 'Therefore, the final answer is: $\\boxed{ANSWER}$. I hope it is correct' (without quotes) "
        "where ANSWER is just the final number or expression that solves the problem. Think step by step before "
        "answering.\n\n"
    ),
    "prompt: simple-evals": around(
        "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
        "$ANSWER (without quotes) where $ANSWER is the answer to the problem.\n\n",
        '\n\nRemember to put your answer on its own line after "Answer:".',
    ),
    "prompt: step by step, boxed": around(
        "", "\nPlease reason step by step, and put your final answer within \\boxed{}."
    ),
    "prompt: let's think": around("", " Let's think step by step."),
    "prompt: OpenThoughts": around("Return your final response within \\boxed{}. "),
    "prompt: Llama": around(
        "Given the following problem, reason and give a final answer to the problem.\nProblem: ",
        '\nYour response should end with "The final answer is [answer]" where [answer] is the response to the problem.',
    ),
    "prompt: Alpaca": around(
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n",
        "\n\n### Response:",
    ),
    "prompt: a helpful assistant": around(
        "You are a helpful assistant. Answer the following question.\n\n", "\n\nAnswer:"
    ),
    "chat: ChatML, with a system": around(
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n",
        "<|im_end|>\n<|im_start|>assistant\n<think>\n",
    ),
    "chat: [INST]": around("<s>[INST] ", " [/INST]"),
    "heading: Q and A": around("Q: ", "\nA:"),
    "heading: Markdown": around("## Question:\n", "\n## Solution:"),
    "numbered": around("12. "),
    "points": around("", " (5 points)"),
    "points, before": around("Question 12 (5 points): "),
    "source": around("", " (AMC 2012 Problem 7)"),
    "bold": around("**", "**"),
    "tokenised": sub((r"(?<!\d)([.,?!:;()])(?!\d)", r" \1 ")),
    "small letters": str.lower,
    "brackets for dollars": sub((r"\$\$(.+?)\$\$", r"\\[\1\\]"), (r"\$(.+?)\$", r"\\(\1\\)")),
    "no dollars": lambda text: text.replace("$", ""),
    "signs of Unicode": sub(
        (r"\\times\b", "×"),
        (r"\\leq?\b", "≤"),
        (r"\\geq?\b", "≥"),
        (r"\\pi\b", "π"),
        (r"\^2\b|\^\{2\}", "²"),
        (r"\^\{?\\circ\}?", "°"),
        (r"\\sqrt\{(\w+)\}", r"√\1"),
        (r"\\infty\b", "∞"),
    ),
    "names of HTML": html.escape,
    "paragraphs of HTML": lambda text: f"<p>{html.escape(text, quote=False)}</p>".replace("\n\n", "</p><p>"),
    "bold of HTML": sub((r"\b(how many|what is)\b", r"<b>\1</b>")),
    "escaped as JSON": lambda text: json.dumps(text)[1:-1],
    "thousands": lambda text: re.sub(r"(?<![\d.])(\d{4,6})(?![\d.])", lambda found: f"{int(found.group()):,}", text),
    "no thousands": sub((r"(\d),(\d{3})\b", r"\1\2")),
    "numbers to 12 in words": written(2, 12),
    "greater numbers in words": written(13, 999_999),
    "curly quotes": lambda text: text.replace("'", "’").replace('"', "“"),
    "dfrac": lambda text: text.replace("\\frac", "\\dfrac").replace("\\left", "").replace("\\right", ""),
    "3/4": sub((r"\\frac\{(\w+)\}\{(\w+)\}", r"\1/\2")),
    "percent in words": sub((r"(\d)\s?\\?%", r"\1 percent")),
    "dollars in words": sub((r"\\?\$(\d[\d,]*(?:\.\d+)?)(?= [a-z])", r"\1 dollars")),
    "British": sub((r"\b(kilo|centi|milli)?meter", r"\1metre"), (r"color", "colour"), (r"liter", "litre")),
    "white space": lambda text: text.replace(" ", "\u00a0\n"),
}


def main() -> None:
    """Prints a line per form."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1500)
    options.add_argument("--show", choices=list(FORMS))
    said = options.parse_args()
    files = [path for name in FILES for path in DATA.glob(f"questions/{name}.jsonl*")]
    read = [pl.read_ndjson(path, infer_schema_length=None)["question"] for path in files]
    pool = random.Random(0).sample(pl.concat(read).unique(maintain_order=True).to_list(), said.rows)
    print("| form | problems | deduplicated | decontaminated |\n|---|---|---|---|")
    total = [0, 0, 0]
    for name, form in FORMS.items():
        pairs = [(text, form(text)) for text in pool if form(text) != text]
        if said.show not in (None, name) or not pairs:
            continue
        found, flagged = deduplicated(pairs), decontaminated(pairs)
        total = [total[0] + len(pairs), total[1] + sum(found), total[2] + flagged]
        print(f"| {name} | {len(pairs):,} | {sum(found) / len(pairs):.1%} | {flagged / len(pairs):.1%} |", flush=True)
        if said.show:
            missed = [pair for pair, hit in zip(pairs, found, strict=True) if not hit]
            print("\n\n".join(f"- {text}\n+ {other}" for text, other in missed))
    print(f"| all | {total[0]:,} | {total[1] / total[0]:.2%} | {total[2] / total[0]:.2%} |")


def deduplicated(pairs: list[tuple[str, str]]) -> list[bool]:
    """Whether both texts of a pair end at one problem that stays."""
    stays, _ = ours(pl.Series([text for side in zip(*pairs, strict=True) for text in side]), [Exact(), Minhash()])
    return (stays[: len(pairs)] == stays[len(pairs) :]).to_list()


def decontaminated(pairs: list[tuple[str, str]]) -> int:
    """How many copies are flagged as one of the originals."""
    sides = [pl.DataFrame({"problem": side}) for side in zip(*pairs, strict=True)]
    known, rows = (
        side.with_row_index(name).with_columns(pl.col(name).cast(pl.Int64))
        for side, name in zip(sides, ("known", "row"), strict=True)
    )
    return int((lookup(known, rows).find(rows)["rule"] != VARIANT_RULE).sum())


if __name__ == "__main__":
    main()
