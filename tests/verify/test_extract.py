"""Where the final answer stands in a response."""

import time

import pytest

from verify.extract import extract

CASES = [
    (r"First \boxed{12}. Wait, that is wrong: 17. Final: \boxed{17}", "17", "box"),
    (r"So \boxed{\frac{1}{\sqrt{2}}}.", r"\frac{1}{\sqrt{2}}", "box"),
    (r"the answer is \boxed{17", "17", "box"),
    (r"\boxed 7", "7", "box"),
    (r"So $\boxed{5}$. The empty one: $\boxed{}$", "5", "box"),
    (r"The minimum is \boxed{1} and the maximum is \boxed{3}.", "1, 3", "boxes"),
    (r"$\boxed{k = 45} \quad \text{and} \quad \boxed{n = 2}$", "k = 45, n = 2", "boxes"),
    (r"are $\boxed{(1, 2)}, \boxed{(2, 1)}$", "(1, 2), (2, 1)", "boxes"),
    (r"$= \boxed{3/2}$. The answer is: $\boxed{3/2}$", "3/2", "box"),
    (r"We get $\boxed{4}$, so the total is $\boxed{10}$.", "10", "box"),
    (
        r"It is $\boxed{255}$ so far. Final Answer: The final answer is $10,455$. I hope it is correct.",
        "10,455",
        "phrase",
    ),
    (r"<think>maybe \boxed{4}? no</think> The answer is \boxed{17}.", "17", "box"),
    (r"<think>so it is \boxed{4}</think>", "4", "box"),
    ("<answer> 42 </answer>", "42", "tag"),
    ("work\n#### 72", "72", "hashes"),
    ('{"reasoning": "2+2", "answer": "4"}', "4", "json"),
    ("Thus the answer is 42.", "42", "phrase"),
    ("The final answer is y = -392x - 1285.", "-392x - 1285", "phrase"),
    ("**Answer:** Patrick earned $42.00 washing cars for 6 hours.", "42.00", "phrase"),
    ("**Answer:** The radius of the tank is **√5 meters**.", "√5 meters", "phrase"),
    ("Each correct answer is worth 5 points.\n\nSo 7C = 392, and C = 56.", "56", "sentence"),
    ("She sells 9 packs.\n\n**Therefore, Jackson is 4 years old.**", "4", "sentence"),
    ("They raise money for a total of 3 hours + 6 hours = 9 hours.", "9 hours", "sentence"),
    (
        r"The answer is \begin{pmatrix} 1 & \frac{7}{47} \end{pmatrix}.",
        r"\begin{pmatrix} 1 & \frac{7}{47} \end{pmatrix}",
        "phrase",
    ),
    ("**Answer:** John leaves with 25.", "25", "phrase"),
    ("The answer is 52 WPM.", r"52 \text{ WPM}", "phrase"),
    ("Therefore, Mr. Smith pays 17,000 dollars.", "17,000 dollars", "sentence"),
    ("Tracy can obtain 8 pieces of wire that are each 6 inches long.", "8", "sentence"),
    ("The latest time to start is 2:00 pm.", "2:00 pm", "sentence"),
    ("In the end he owes them $1,000.00.", "1,000.00", "sentence"),
    ("#### Case 2: b > 0.5\n" + "We look at each case in turn. " * 20 + "The answer is (B).", "(B)", "phrase"),
    ("**Final Answer:** 7 apples", "7 apples", "phrase"),
    ("A: 22000", "22000", "phrase"),
    ("所以答案是 17。", "17", "phrase"),
    ("Final Answer: The largest $n$ is 34.", "34", "phrase"),
    (r"Therefore, the probability is \(\frac{1}{21}\).", r"\frac{1}{21}", "sentence"),
    (
        r"the values are: $\frac{\pi}{6}$, $\frac{5\pi}{6}$ and $\pi$.",
        r"\frac{\pi}{6}, \frac{5\pi}{6}, \pi",
        "sentence",
    ),
    ("Thus, there are 12 distinct sequences that meet the 3 given conditions.", "12", "sentence"),
    ("there are **19** integers from 1 to 100 that have a digit equal to 6.", "19", "sentence"),
    ("So the pair $(x, y)$ that solves the system is $(7, 6)$. <|im_start|>user", "(7, 6)", "sentence"),
    ("he needs 4 packs.\nTherefore, James spends 4 * $3 = $12 on candles.", "12", "sentence"),
    ("他们总共卖出了163件，其中89件。89件 * 98美元/件 = 8722美元。", "8722", "sentence"),
    (r"2\sqrt{3}+1", r"2\sqrt{3}+1", "whole"),
    ("$$-2, 1$$", "-2, 1", "whole"),
]


@pytest.mark.parametrize(("response", "answer", "method"), CASES)
def test_the_final_answer_is_found(response: str, answer: str, method: str) -> None:
    found = extract(response)
    assert found is not None
    assert (found.answer.strip(), found.method) == (answer, method)


@pytest.mark.parametrize(
    "response",
    [
        "",
        "   ",
        "I cannot solve this problem at all, and I am sorry for that, truly.\n\nBye.",
        "I'm sorry, but I can't help with that request.",
        "Please consult a teacher.",
        "We add 3 and 4.\n\nI leave the last line to the reader.",
        "The method is clear. That completes the argument.",
    ],
)
def test_no_answer_is_made_up(response: str) -> None:
    assert extract(response) is None


@pytest.mark.parametrize(
    "piece",
    [
        r"We try \boxed{3} maybe. ",
        r"\boxed{",
        r"\boxed{1}, ",
        "$",
        r"\(",
        "answer is ",
        "1,234,567 ",
        "**",
        "{",
        '"answer": ',
        "<think>",
        "x_{1} = ",
    ],
)
def test_a_response_of_a_megabyte_is_read_in_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    for response in (text, text + r" so \boxed{17}", r"\boxed{17} " + text):
        extract(response)
    assert time.process_time() - started < 1.5
