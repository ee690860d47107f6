"""Facts about telling reasoning and response apart. The table was written by hand, form by form."""

import gzip
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.thinking import split_columns, split_thinking

REAL = os.environ.get("COTILLION_REAL_DATA")
FINAL = "<|start|>assistant<|channel|>final<|message|>"

# content, the server's own field, reasoning, response, format
TABLE = [
    ("4", None, "", "4", "none"),
    ("", None, "", "", "none"),
    (" \n 4\n", None, "", "4", "none"),
    ("<think>\nTwo and two.\n</think>\n\n4", None, "Two and two.", "4", "tags"),
    ("  <think>Two and two.</think>4", None, "Two and two.", "4", "tags"),
    ("<think>\n\n</think>\n\n4", None, "", "4", "tags"),
    # R1, QwQ, distills: the chat template wrote the opening tag
    ("Okay. \\boxed{4}</think>It is 4.", None, "Okay. \\boxed{4}", "It is 4.", "close"),
    ("Okay.\n</think>\n\nIt is 4.", None, "Okay.", "It is 4.", "close"),
    ("</think>\n4", None, "", "4", "close"),
    ("Okay</think>", None, "Okay", "", "close"),
    # cut off
    ("<think>Two and", None, "Two and", "", "open"),
    ("<think>", None, "", "", "open"),
    # several, nested, stray
    ("<think>a</think>\nb\n<think>c</think>\nd", None, "a\n\nc", "b\n\nd", "blocks"),
    ("<think>a <think>b</think> c</think> d", None, "a b\n\nc", "d", "tags"),
    (
        "<think>a</think>\n</think>\nThe value is 3.</think>\n<answer>C</answer>",
        None,
        "a\n\nThe value is 3.",
        "<answer>C</answer>",
        "tags",
    ),
    ("<think>a</think>The answer is D.</think>", None, "a", "The answer is D.", "tags"),
    ("x</think></think>", None, "x", "", "close"),
    ("<think>a</think>\nb\n<think>c", None, "a\n\nc", "b", "blocks"),
    ("Sure!\n<think>a</think>b", None, "a", "Sure!\n\nb", "tags"),
    # talk about the mark
    ("The tag <think> opens a block.", None, "", "The tag <think> opens a block.", "none"),
    ("I write <think> first, then </think> last.</think>4", None, "I write  first, then\n\nlast.", "4", "close"),
    # answered without closing, as small models do
    ("<think>so x=2.\\end{think>\n<answer>2</answer>", None, "so x=2.", "<answer>2</answer>", "tags"),
    ("<think>so x=2.\\end{think}\n<answer>2</answer>", None, "so x=2.", "<answer>2</answer>", "tags"),
    ("<think>so x=2.\n<answer>2</answer>", None, "so x=2.", "<answer>2</answer>", "open"),
    ("<think>I shall write <answer>", None, "I shall write <answer>", "", "open"),
    ("<think>a</think><answer> 2 </answer>", None, "a", "<answer> 2 </answer>", "tags"),
    # other names of the tag
    ("[THINK]a[/THINK]b", None, "a", "b", "tags"),
    ("◁think▷a◁/think▷b", None, "a", "b", "tags"),
    ("<seed:think>a</seed:think>b", None, "a", "b", "tags"),
    ("<reasoning>\na\n</reasoning>\n<answer>\nb\n</answer>", None, "a", "<answer>\nb\n</answer>", "tags"),
    ("<|channel>thought\na<channel|>b", None, "a", "b", "tags"),
    ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", None, "a", "b", "tags"),
    (
        "<|begin_of_thought|>\n\na\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nb\n\n<|end_of_solution|>",
        *(None, "a", "b", "tags"),
    ),
    ("a\n<|begin_of_solution|>b", None, "a", "b", "close"),
    ("<thought>a</thought>b", None, "a", "b", "tags"),
    ("<longcat_think>a</longcat_think>b", None, "a", "b", "tags"),
    ("<|inner_prefix|>a<|inner_suffix|>b", None, "a", "b", "tags"),
    # ollama's command line, Granite
    ("Thinking...\nTwo and two.\n...done thinking.\n\n4", None, "Two and two.", "4", "lines"),
    ("Thinking...\nIt is 4.", None, "", "Thinking...\nIt is 4.", "none"),
    ("Here is my thought process: a.\n\nHere is my response: b.", None, "a.", "b.", "lines"),
    ("Here's my thought process:\na", None, "a", "", "open"),
    # s1.1
    ("think\nTwo and two.\nanswer\nAnswer: 4", None, "Two and two.", "Answer: 4", "lines"),
    ("<|im_start|>think\nTwo.\n<|im_start|>answer\n4", None, "Two.", "4", "lines"),
    ("think\nTwo and", None, "Two and", "", "open"),
    ("We check.\n\nanswer\n937", None, "", "We check.\n\nanswer\n937", "none"),
    ("think about it: 4", None, "", "think about it: 4", "none"),
    # harmony
    (
        f"<|channel|>analysis<|message|>We need 4.<|end|>{FINAL}It is 4.<|return|>",
        None,
        "We need 4.",
        "It is 4.",
        "channels",
    ),
    (f"We need 4.<|end|>{FINAL}It is 4.", None, "We need 4.", "It is 4.", "channels"),
    ("<|channel|>analysis<|message|>We need", None, "We need", "", "channels"),
    ("analysisWe need 4.assistantfinalIt is 4.", None, "We need 4.", "It is 4.", "channels"),
    ("analysis of the function: 4", None, "", "analysis of the function: 4", "none"),
    # the server's own field
    ("\n\n4", "\nTwo and two.\n", "Two and two.", "4", "field"),
    ("", "Two and two.", "Two and two.", "", "field"),
    (None, "Two and two.", "Two and two.", "", "field"),
    ("4", "", "", "4", "none"),
    ("</think>\n4", "Two and two.", "Two and two.", "4", "field"),
    ("<think>Two.</think>4", "Two.", "Two.", "4", "field"),
    ("<think>b</think>4", "a", "a\n\nb", "4", "field"),
    ("", "<think>Two.</think>4", "Two.", "4", "tags"),
    ("", "Two.</think>4", "Two.", "4", "close"),
    ("4", "<think>\nTwo.", "Two.", "4", "field"),
]


@pytest.mark.parametrize(("content", "field", "reasoning", "response", "form"), TABLE)
def test_each_form_is_split_where_a_reader_would(content, field, reasoning, response, form):
    thought = split_thinking(content, field)
    assert (thought.reasoning, thought.response, thought.format) == (reasoning, response, form)


def test_columns_say_what_rows_say():
    split = split_columns([row[0] for row in TABLE], [row[1] for row in TABLE])
    assert split.rows() == [row[2:] for row in TABLE]


# content, the server's own field, reasoning, response: of a reply that ended by itself
FINISHED = [
    ("", "Two and two.\n\nThe answer is 4.", "Two and two.", "The answer is 4."),
    ("<think>Two.\n\nSo \\boxed{4}.\n\nDone.", None, "Two.", "So \\boxed{4}.\n\nDone."),
    ("<think>Two.\n \nFour.", None, "Two.", "Four."),
    (None, "It is 4.", "", "It is 4."),
    ("<|channel|>analysis<|message|>Two.\n\n**Answer:** 4", None, "Two.", "**Answer:** 4"),
    ("think\nTwo.\n\nThe answer is 4.\nOr", None, "Two.", "The answer is 4.\nOr"),
    ("<think>Two.</think>", None, "Two.", ""),  # closed, then nothing was said
    ("<think>Two.</think>4", None, "Two.", "4"),
    ("", None, "", ""),
]


@pytest.mark.parametrize(("content", "field", "reasoning", "response"), FINISHED)
def test_a_reply_that_ended_inside_its_reasoning_answers_at_its_end(content, field, reasoning, response):
    thought = split_thinking(content, field, finished=True)
    assert (thought.reasoning, thought.response) == (reasoning, response)
    row = split_columns([content], [field], [True]).row(0)
    assert row[:2] == (reasoning, response)


def test_a_reply_cut_off_inside_its_reasoning_has_no_response():
    cut = split_columns(["", "<think>So \\boxed{4}"], ["So \\boxed{4}", None], [False, False])
    assert cut["response"].to_list() == ["", ""]
    assert cut["reasoning"].to_list() == ["So \\boxed{4}"] * 2


def test_columns_take_no_rows_and_refuse_unequal_ones():
    assert split_columns([]).columns == ["reasoning", "response", "format"]
    with pytest.raises(ValueError, match="one per row"):
        split_columns(["4"], ["a", "b"])
    with pytest.raises(ValueError, match="one per row"):
        split_columns(["4"], None, [True, False])


PIECES = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "[THINK]",
    "[/THINK]",
    "think\n",
    "answer\n",
    "\n",
    " ",
    "\x1c",
    "a",
    "é",
]
PIECES += [
    "<|channel|>",
    "final",
    "analysis",
    "<|message|>",
    "<|end|>",
    "<th",
    "ink>",
    "</th",
    "\\end{think}",
    "<|end_of_solution|>",
    "\\boxed{4}",
    "\n\n",
    "Thinking...\n",
    "\n...done thinking.\n",
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, texts | st.none(), st.booleans()), min_size=1, max_size=8))
def test_any_text_is_split_alike_by_row_and_column_and_its_reasoning_holds_no_mark(rows):
    thoughts = [split_thinking(text, field, finished=finished) for text, field, finished in rows]
    assert split_columns(*map(list, zip(*rows, strict=True))).rows() == [
        (t.reasoning, t.response, t.format) for t in thoughts
    ]
    for (content, _, _), thought in zip(rows, thoughts, strict=True):
        assert "<think>" not in thought.reasoning
        assert all("</think>" not in part for part in (thought.reasoning, thought.response))
        if "<|channel|>" not in content:  # what stands in a channel's header is part of the mark
            assert (thought.reasoning + thought.response).count("é") >= content.count("é")


@pytest.mark.parametrize(
    "bomb",
    [
        "<think>" * 100_000,
        "</think>" * 100_000,
        "\n<think>" * 100_000,
        "<th" * 100_000 + "<think>" + "ink>" * 100_000,
        " " * 1_000_000 + "<think>",
        "</think></think>a" * 50_000,
        "<|channel|>" * 100_000 + "<|message|>",
        "<|start|>" * 100_000 + "<|channel|><|message|>",
        "think\n" + "answer\n" * 100_000,
        "<think>" + "<answer>" * 100_000 + "</answer>",
        "<think>" + "answer is\n \n" * 100_000,
        "Thinking...\n" + "...done thinking.\n" * 100_000,
        "<think>" + "\n \r" * 300_000,
    ],
    ids=range(13),
)
def test_time_is_linear(bomb):
    started = time.perf_counter()
    split_thinking(bomb, bomb, finished=True)
    split_thinking(bomb, finished=True)
    assert time.perf_counter() - started < 5  # under 1 s unloaded; quadratic would take minutes


@pytest.mark.skipif(REAL is None, reason="COTILLION_REAL_DATA is not set: no real rollouts to read")
def test_every_rollout_of_seven_real_models_is_split_by_its_models_own_marks():
    with gzip.open(Path(str(REAL)) / "rollouts/mip_gsm8k_longcot.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    split = split_columns([row["rollout"] for row in rows])
    counts = Counter(zip((row["model"] for row in rows), split["format"], strict=True))
    assert counts == {
        ("deepseek-r1", "close"): 581,
        ("deepseek-r1", "none"): 1,  # a server's error message
        ("qwq-32b", "close"): 582,
        ("deepseek-r1-distill-qwen", "close"): 582,
        ("s1.1-32b", "lines"): 582,
        ("phi-3-medium", "none"): 582,
        ("gemma-2-27b-it", "none"): 582,
        ("qwen2.5-32b-instruct", "none"): 582,
    }
    # Only the mark and white space are gone: 8 characters of `</think>`, or `think\n` and `\nanswer\n`.
    for row, (reasoning, response, form) in zip(rows, split.iter_rows(), strict=True):
        text = "".join(row["rollout"].split())
        lost = len(text) - len("".join((reasoning + response).split()))
        assert lost == {"close": 8, "lines": 11, "none": 0}[form]
        assert response
