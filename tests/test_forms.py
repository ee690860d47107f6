"""One question from many sources: prompts, chat marks, escapes and ways of typing around it make no other problem."""

import json
from pathlib import Path

import polars as pl
import pytest

from curate.alike.wrapping import unwrapped
from curate.decontaminate.ngrams import Ngrams
from curate.dedup.exact import Exact
from curate.dedup.minhash import Minhash

ASKED = (
    "A tank holds $1200$ litres. A pump takes out 15\\% of it, then $\\frac{2}{3}$ of the rest; $x^2 \\leq 49$.\n\n"
    "How many litres are left when $\\angle ABC = 90^\\circ$?"
)
WRAPPED = (
    "<|im_start|>system\nYou are a careful tutor with 3 cats.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n",
    "<s>[INST] {} [/INST]",
    "<start_of_turn>user\n{}<end_of_turn>\n<start_of_turn>model\n",
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{}\n\n### Response:",
    "## Question 7:\n{}\n## Solution:",
    "Q: {}\nA:",
    "**{}**",
    "12. {}",
    "{} (5 points)",
    "[5 points] {}",
    "**Problem 4.** {}",
    "<p>{}</p><br/>",
    "<div class='q'><p>{}</p><p>Answer:</p></div>",
    "Question 12 (5 points): {}",
    "You are a helpful math assistant. Answer the following question.\n\n{}\n\nAnswer:",
    "{} Show your work.",
    "Answer the question below:  {}",
    "{} (AMC 2012, Problem 7)",
    "{}\nLet's think step by step and output the final answer within \\boxed{{}}.",
    "Solve the following math problem efficiently and clearly. The last line of your response should be of the "
    "following format: 'Therefore, the final answer is: $\\boxed{{ANSWER}}$. I hope it is correct' (without quotes) "
    "where ANSWER is just the final number or expression that solves the problem. Think step by step before "
    "answering.\n\n{}",
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
    "$ANSWER (without quotes) where $ANSWER is the answer to the problem.\n\n{}\n\nRemember to put your answer on its "
    'own line after "Answer:".',
    "Return your final response within \\boxed{{}}. {}",
    "Given the following problem, reason and give a final answer to the problem.\nProblem: {}\nYour response should "
    'end with "The final answer is [answer]" where [answer] is the response to the problem.',
)
TYPED = {
    "brackets for dollars": lambda text: text.replace(" $", " \\(").replace("$ ", "\\) ").replace("$.", "\\)."),
    "no dollars": lambda text: text.replace("$", ""),
    "signs of Unicode": lambda text: text.replace("\\leq", "≤").replace("^2", "²").replace("^\\circ", "°"),
    "thousands": lambda text: text.replace("1200", "1,200"),
    "thousands of LaTeX": lambda text: text.replace("1200", "1{,}200"),
    "per cent in words": lambda text: text.replace("15\\%", "15 percent"),
    "per cent": lambda text: text.replace("\\%", "%"),
    "fraction": lambda text: text.replace("\\frac{2}{3}", "\\dfrac23"),
    "number in words": lambda text: text.replace("15", "fifteen"),
    "names of HTML": lambda text: text.replace("\\leq", "&le;"),
    "escaped line breaks": lambda text: text.replace("\n", "\\n"),
    "escaped as JSON": lambda text: text.replace("\\", "\\\\").replace("\n", "\\n"),
    "double spaces": lambda text: text.replace(" ", "  \n"),
    "hard spaces": lambda text: text.replace(" ", "\u00a0"),
    "tokenised": lambda text: text.replace(".", " .").replace("?", " ?").replace(",", " ,"),
    "small letters": str.lower,
}


BEGINS_LIKE_A_PROMPT = (
    "Remember to put your answer in a box. Ann has {} red and 5 blue boxes. How many boxes has she?",
    "The last line of your response should be the answer, which is the sum of {} and 5.",
    "Think step by step: what is {} percent of 80?",
    "Express your answer in \\boxed{{}}. What is {} + 5?",
    "A shop sells phones. Ann buys two of each.\n* Model X costs {} dollars\n* Model Y costs 90 dollars",
    "The table describes a task with {} steps, a response and an input. How many parts has it?",
    "Answer the following question about triangle ABC with AB = {} and BC = 8: find AC.",
    "Solve this problem for {} people at 5 tables: in how many ways can they sit?",
    "A note says: the final answer is {}. Which answer is 5 more?",
)
"""In each a number of which the answer depends."""


def stays(*problems: str) -> list[str]:
    """The ids of the problems that exact and near duplicates leave."""
    rows = pl.DataFrame({"id": [str(at) for at in range(len(problems))], "problem": problems})
    rows = rows.filter(Exact()(rows)["drop"].is_null())
    return rows.filter(Minhash()(rows)["drop"].is_null())["id"].to_list()


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_what_is_wrapped_around_a_question_makes_no_other_problem(wrapping: str) -> None:
    assert stays(ASKED, wrapping.format(ASKED)) == ["0"]


@pytest.mark.parametrize("way", TYPED)
def test_another_way_of_typing_makes_no_other_problem(way: str) -> None:
    other = TYPED[way](ASKED)
    assert other != ASKED
    assert stays(ASKED, other) == ["0"]


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_another_problem_in_the_same_wrapping_stays(wrapping: str) -> None:
    other = ASKED.replace("15", "25")
    assert stays(wrapping.format(ASKED), wrapping.format(other)) == ["0", "1"]


@pytest.mark.parametrize("text", BEGINS_LIKE_A_PROMPT)
def test_no_number_of_a_question_goes_with_a_prompt(text: str) -> None:
    assert stays(text.format(15), text.format(25)) == ["0", "1"]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        *((text.format(15), "Think step by step. " + text.format(15)) for text in BEGINS_LIKE_A_PROMPT),
        *((ASKED, wrapping.format(ASKED)) for wrapping in WRAPPED),
    ],
)
def test_no_prompt_hides_a_question_of_a_benchmark(tmp_path: Path, known: str, text: str) -> None:
    tmp_path.joinpath("mine.jsonl").write_text(json.dumps({"problem": known}))
    rows = pl.DataFrame({"id": ["a", "b"], "problem": [known, text]})
    assert Ngrams(against=(str(tmp_path / "mine.jsonl"),))(rows)["drop"].to_list() == ["contaminated"] * 2


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Is $p \\nRightarrow q$ true for 3 and 5?", "Is $p \\not\\Rightarrow q$ true for 3 and 5?"),
        ("A recipe needs 1½ cups for 12 cookies.", "A recipe needs 1 1/2 cups for 12 cookies."),
        ("Evaluate log₂8 + 5 and x².", "Evaluate log_{2}8 + 5 and x^{2}."),
        ("Jeff\\u2019s 3 cats eat $\\\\frac12$ a fish.\\nhow much?", "Jeff’s 3 cats eat $\\frac12$ a fish.\nhow much?"),
        ("A lone \\ud83d and 3 cats.", "A lone ? and 3 cats."),
        ("For which $x$ is $x \\neq 3$ and $\\theta < 2$?", "For which $x$ is $x \\neq 3$ and $\\theta < 2$?"),
        ("Find $u$ of \\begin{matrix} 1 \\\\b \\end{matrix}.", "Find $u$ of \\begin{matrix} 1 \\\\b \\end{matrix}."),
        ("<b>How many</b> cm<sup>2</sup> has a<b>c?", "How many cm^{2} has a<b>c?"),
        ("How many x have <|x|> = 7 and |x| < 3?", "How many x have <|x|> = 7 and |x| < 3?"),
    ],
)
def test_signs_stay_what_they_are(text: str, bare: str) -> None:
    assert unwrapped(pl.Series([text])).to_list() == [bare]


@pytest.mark.parametrize(
    "text",
    [
        "Solve the following equation for $x$: \\[\\frac{2}{3} = \\frac{4}{x-5}.\\]",
        "In how many ways can Ann solve the problem if she has 3 pens and thinks step by step?",
        "Rationalize the denominator of $\\frac{1}{\\sqrt{2}}$, and write your answer in the form $A\\sqrt{B}/C$.",
        "A point (the 3rd point) lies at (2, 5). How far is it from (7, 17)?",
        "198 passengers fit into 9 buses. How many fit in 5 buses?",
        "The system of a user has 4 models. Which model is the input?",
    ],
)
def test_a_question_that_reads_like_a_prompt_stays_as_it_is(text: str) -> None:
    assert unwrapped(pl.Series([text])).to_list() == [text]
