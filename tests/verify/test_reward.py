"""Rewards in TRL's form, and the command line."""

import json
import subprocess
import sys
import threading
import time

import pytest

from verify.__main__ import main
from verify.reward import accuracy


def test_rewards_are_plus_one_minus_one_or_none() -> None:
    completions = [r"\boxed{4}", r"\boxed{5}", "", r"\boxed{4}", r"\boxed{4}"]
    reasons = ["stop", "stop", "stop", "length", "stop"]
    assert accuracy(completions, ["4", "4", "4", "4", None], finish_reason=reasons) == [1.0, -1.0, -1.0, -1.0, None]


def test_message_lists_are_read_by_their_last_message() -> None:
    completions = [[{"role": "assistant", "content": r"<think>\boxed{1}</think> It is \boxed{4}."}]]
    assert accuracy(completions, solution=["4"], prompts=[[]], trainer_state=None) == [1.0]


def test_a_reward_function_works_off_the_main_thread() -> None:
    rewards: list[float | None] = []
    thread = threading.Thread(target=lambda: rewards.extend(accuracy([r"\boxed{9^{9^{9^9}}}"], ["1"])))
    thread.start()
    thread.join()
    assert rewards == [None]


def test_the_command_line_says_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([r"\boxed{0.5}", r"\frac12"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "correct"
    assert main([r"\boxed{0.5}", "2", "3"]) == 1


def test_importing_verify_is_quick_and_brings_no_sympy() -> None:
    code = (
        "import sys, time; t = time.process_time(); import verify; t = time.process_time() - t\n"
        "print(t, [m for m in ('sympy', 'math_verify', 'mpmath', 'numpy', 'polars') if m in sys.modules])"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code], text=True).partition(" ") for _ in range(3)]
    # A busy machine doubles the CPU time of one run; the quickest of three says what the import costs.
    assert min(float(seconds) for seconds, _, _ in runs) < 0.1
    assert {loaded.strip() for _, _, loaded in runs} == {"[]"}


def test_a_thousand_pairs_are_judged_in_well_under_a_second() -> None:
    responses = [rf"So the answer is $\boxed{{\frac{{{n}}}{{7}}}}$." for n in range(1_000)]
    started = time.process_time()
    rewards = accuracy(responses, [f"{n}/7" for n in range(1_000)])
    assert rewards == [1.0] * 1_000
    assert time.process_time() - started < 0.7
