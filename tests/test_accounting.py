"""Facts about what a version says its rollouts cost: every attempt of every run, reckoned by hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from curate.build import build
from curate.look.show import summary
from curate.manifest import read_manifest
from curate.progress import Steps
from curate.version import Version
from distill.request import TeacherError
from tests.distill.hostile_server import HostileServer, response

# The scripted server says 7 prompt and 11 completion tokens in every whole reply, empty ones included.
MANIFEST = """
name: priced
sources: [{use: files, path: problems.jsonl, columns: {problem: problem, answer: answer}}]
prompt: {user: "{problem}"}
rollouts:
  teacher: {use: openai_server, model: m, base_url: URL, tries: 1, backoff_s: 0, in_flight: 2}
  sampling: {n: 2, max_tokens: 64}
  prices: {input: 1, output: 10}
  no_reasoning: 1
verdicts: [rule]
views: {sft: {reasoning: false}}
heldout: 0.0
"""


def run(folder: Path, server: HostileServer, *problems: tuple[str, str], sets: tuple[str, ...] = ()) -> Version:
    rows = [{"problem": problem, "answer": answer} for problem, answer in problems]
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "m.yaml").write_text(MANIFEST.replace("URL", server.url))
    return build(read_manifest(folder / "m.yaml", sets), folder / "data", Steps(quiet=True), workers=1).version


def bill(version: Version) -> dict[str, Any]:
    (one,) = version.lock["rollouts"]
    return dict(one)


def test_failed_and_repeated_attempts_are_counted_and_paid(tmp_path: Path) -> None:
    with HostileServer() as server:
        version = run(
            tmp_path,
            server,
            ("reasoning_content|1", "4"),  # 2 replies, both correct
            ("reasoning_content|2", "5"),  # 2 replies, both wrong
            ("empty|1", "4"),  # 2 x (first try + one more): 4 empty replies, each with its tokens
            ("always 500|1", "4"),  # 4 refusals, no tokens
            ("only reasoning|1", "4"),  # 2 cut-off replies
        )
    said = bill(version)
    assert (said["problems"], said["rollouts"], said["asked"], said["reused"]) == (5, 10, 10, 0)
    assert (said["attempts"], said["failed_attempts"], said["no_reply"]) == (14, 8, 4)
    assert (said["cut_off"], said["drawn_longer"]) == (2, 0)
    replies = 2 + 2 + 4 + 2
    assert (said["prompt_tokens"], said["completion_tokens"]) == (7 * replies, 11 * replies)
    assert said["usd"] == pytest.approx((7 * 1 + 11 * 10) * replies / 1e6)
    assert said["verdicts"] == {"none": 4, "correct": 2, "truncated": 2, "wrong": 2}
    assert said["per_correct"] == {
        "prompt_tokens": 35.0,
        "completion_tokens": 55.0,
        "usd": pytest.approx(said["usd"] / 2),
    }
    assert said["per_problem"]["completion_tokens"] == 22.0
    assert said["per_attempt"]["prompt_tokens"] == 5.0


def test_a_run_that_went_on_is_billed_for_all_runs(tmp_path: Path) -> None:
    broken = response(b"no credit", "402 Payment Required")
    problems = [(f"reasoning_content|{i}", "4") for i in range(6)]
    with HostileServer() as server:
        run(tmp_path, server, *problems[:2])
        server.rejects = broken
        with pytest.raises(TeacherError):
            run(tmp_path, server, *problems)
        server.rejects = None
        said = bill(run(tmp_path, server, *problems, ("empty|1", "4")))
        assert said["asked"] + said["reused"] == said["rollouts"] == 14
        assert said["reused"] == 4
        assert said["completion_tokens"] == 11 * (12 + 4)  # 4 of them from the first run, 4 empty ones
        again = bill(run(tmp_path, server, *problems, ("empty|1", "4"), sets=("description=again",)))
    # The next build asks again for what failed: two times two attempts more.
    assert (again["asked"], again["reused"]) == (2, 12)
    assert again["attempts"] == said["attempts"] + 4
    assert again["completion_tokens"] == said["completion_tokens"] + 44


def test_what_a_version_cost_is_no_part_of_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    problems = [(f"reasoning_content|{i}", "4") for i in range(3)]
    with HostileServer() as server:
        cheap = run(tmp_path / "a", server, *problems)
        run(tmp_path / "b", server, *problems[:1])
        dear = run(tmp_path / "b", server, *problems, sets=("rollouts.prices={input: 9, output: 9}",))
    assert bill(cheap)["usd"] != bill(dear)["usd"]
    assert bill(cheap)["asked"] != bill(dear)["asked"]
    assert (cheap.digest, cheap.lock["fingerprint"]) == (dear.digest, dear.lock["fingerprint"])


def test_new_prices_alone_make_no_new_version(tmp_path: Path) -> None:
    with HostileServer() as server:
        first = run(tmp_path, server, ("reasoning_content|1", "4"))
        second = run(tmp_path, server, ("reasoning_content|1", "4"), sets=("rollouts.prices={input: 9, output: 9}",))
    assert second.name == first.name


def test_show_and_card_say_what_it_cost(tmp_path: Path) -> None:
    with HostileServer() as server:
        problems = (("reasoning_content|1", "4"), ("reasoning_content|2", "5"), ("empty|1", "4"))
        version = run(tmp_path, server, *problems, sets=("rollouts.prices={input: 1000, output: 10000}",))
    shown, card = summary(version), (version.path / "README.md").read_text()
    # 8 replies of 7 and 11 tokens at 0.001 and 0.01 dollars: 0.936; half of it for each of two correct ones.
    row = re.search(r"^m  .*$", shown, re.MULTILINE)
    assert row
    assert row[0].split() == ["m", "teacher.openai_server", "6", "8", "4", "0", "56", "88", "11", "$0.94", "$0.47"]
    assert "\n  teacher.openai_server: verdicts: correct 2, none 2, wrong 2" in shown
    assert "server: verdicts: correct 2, none 2, wrong 2." in card
    assert "per correct rollout: 28 tokens in, 44 out, $0.47" in shown
    assert "2 rollouts have no reply; the next build asks again" in shown
    # 4 failed attempts, each 14 tokens in (as many as 4 good ones told) and 64 out: 4 x 14 / 1000 + 4 x 64 / 100.
    assert "Timeouts may be billed and are not told: at most 256 tokens out, $2.62 more" in shown
    assert "| 56 | 88 | 11 | &#36;0.94 | &#36;0.47 |" in card


def test_a_version_without_a_teacher_says_nothing_of_cost(tmp_path: Path) -> None:
    row = {"problem": "2 + 2?", "answer": "4", "text": "It is 4."}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "m.yaml").write_text(
        "name: found\nsources: [{use: files, path: rows.jsonl, columns: {problem: problem, answer: answer, "
        "rollouts: text}}]\nverdicts: [rule]\nviews: {sft: {reasoning: false}}\nheldout: 0.0\n"
    )
    version = build(read_manifest(tmp_path / "m.yaml", ()), tmp_path / "data", Steps(quiet=True), workers=1).version
    assert version.lock["rollouts"] == []
    assert "tokens in" not in summary(version)
