"""Facts about how a build draws: to goals, within budgets, from the store alone, and never twice."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from curate.build import build
from curate.lost_reasoning import FIRST, LostReasoningError, ReasoningWatch
from curate.manifest import ManifestError, read_manifest
from curate.order import OrderError, check_order
from curate.progress import Steps
from curate.version import Version, open_version
from distill.budget import BudgetError
from distill.request import Reply, Request, TeacherError
from distill.teachers.tutor import Tutor

PROBLEMS = 24

SMALL = """
name: small
sources: [{use: files, path: problems.jsonl, columns: {problem: problem, answer: answer}}]
rollouts:
  teacher: {use: tutor, error_rate: 0.5}
  sampling: {n: 4, temperature: 1.0, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}}
heldout: 0.0
"""

GOAL = ("rollouts.goal={correct: 2, wrong: 1, at_most: 12}",)


@dataclass(frozen=True)
class Classroom(Tutor):
    """The tutor, several requests at a time, answered late and in any order; it keeps a list of what it was asked."""

    in_flight: int = 1
    shuffle: int = 0
    stops_after: int = 10**9
    asked: list[Request] = field(default_factory=list, init=False)

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        luck, source, pending = random.Random(self.shuffle), iter(requests), list[Request]()
        while True:
            pending += islice(source, self.in_flight - len(pending))
            if not pending:
                return
            request = pending.pop(luck.randrange(len(pending)))
            self.asked.append(request)
            if len(self.asked) > self.stops_after:
                raise TeacherError("the line went dead")
            time.sleep(luck.random() * 1e-4)
            yield self.reply(request)

    def reply(self, request: Request) -> Reply:
        return next(super().ask([request]))


@dataclass(frozen=True)
class Terse(Classroom):
    """Gives its response without the reasoning."""

    def reply(self, request: Request) -> Reply:
        reply = super().reply(request)
        return replace(reply, content=reply.content.rpartition("</think>")[2])


def problems(folder: Path, n: int = PROBLEMS) -> list[dict[str, Any]]:
    """The rows of the file that the manifest names."""
    rows = posed(n, seed=3)
    write(folder, rows)
    return rows


def posed(n: int, seed: int) -> list[dict[str, Any]]:
    """Problems that the tutor can read."""
    from curate.sources.procedural import Procedural

    frame = pl.concat([intake.problems for intake in Procedural(n=n, seed=seed)()])
    return frame.select("problem", "answer").to_dicts()


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def make(folder: Path, teacher: Tutor | None, *sets: str, root: str = "data", offline: bool = False) -> Version:
    (folder / "m.yaml").write_text(SMALL)
    manifest = read_manifest(folder / "m.yaml", sets)
    assert manifest.rollouts
    if teacher:
        use = replace(manifest.rollouts.teacher, plug=teacher)
        manifest = replace(manifest, rollouts=replace(manifest.rollouts, teacher=use))
    return build(manifest, folder / root, Steps(quiet=True), workers=1, offline=offline).version


def room(cls: type[Classroom] = Classroom, **options: Any) -> Classroom:
    return cls(error_rate=0.5, **options)


def by_problem(asked: list[Request]) -> Counter[str]:
    return Counter(request.messages[-1].content for request in asked)


def line(version: Version, stage: str = "teacher.tutor") -> dict[str, Any]:
    (entry,) = [entry for entry in version.lock["funnel"] if entry["stage"] == stage]
    return {"seen": entry["seen"], "kept": entry["kept"], **{d["reason"]: d["rows"] for d in entry["dropped"]}}


def test_raising_n_asks_for_the_new_ones_and_what_does_not_ask_costs_nothing(tmp_path: Path) -> None:
    rows = problems(tmp_path)
    first, teacher = room(), room()
    make(tmp_path, first)
    assert set(by_problem(first.asked).values()) == {4}
    make(tmp_path, teacher, "rollouts.sampling.n=8")
    assert set(by_problem(teacher.asked).values()) == {4}
    assert {request.index for request in teacher.asked} == {4, 5, 6, 7}
    assert len(teacher.asked) == 4 * PROBLEMS

    idle = room()
    for sets in ("verdicts=[{use: rule, policy: {tolerance: 0.1}}]", "views={rl: {}}", "tags=[difficulty]"):
        make(tmp_path, idle, sets)
    write(tmp_path, rows[::-1])
    make(tmp_path, idle)
    write(tmp_path, rows[5:10])
    make(tmp_path, idle)
    assert idle.asked == []

    write(tmp_path, [*rows[::-1], *posed(3, seed=99)])
    make(tmp_path, idle)
    assert len(idle.asked) == 4 * 3


def test_rollouts_are_drawn_until_the_goal_is_reached_or_given_up(tmp_path: Path) -> None:
    problems(tmp_path)
    version = make(tmp_path, room(), *GOAL)
    counts = set()
    for _, verdicts in (
        version.rollouts.group_by("problem_id", maintain_order=True).agg("verdict").collect().iter_rows()
    ):
        needed = [n for n in (4, 8, 12) if verdicts[:n].count("correct") >= 2 and verdicts[:n].count("wrong") >= 1]
        assert len(verdicts) == (needed[0] if needed else 12)
        counts.add(len(verdicts))
    assert counts == {4, 8, 12}


@pytest.mark.parametrize("in_flight", [1, 8, 64])
def test_order_and_concurrency_change_no_row_of_a_goal(tmp_path: Path, in_flight: int) -> None:
    problems(tmp_path, 10)
    plain = make(tmp_path, room(), *GOAL, root="plain").digest
    for seed in range(5):
        assert make(tmp_path, room(in_flight=in_flight, shuffle=seed), *GOAL, root=f"{seed}").digest == plain


def test_interruptions_and_a_fuller_store_change_no_row_of_a_goal(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), *GOAL, root="plain").digest
    for stop in (1, 50, 50, 20):
        with pytest.raises(TeacherError):
            make(tmp_path, room(in_flight=8, stops_after=stop), *GOAL, root="broken")
    assert make(tmp_path, room(), *GOAL, root="broken").digest == plain

    make(tmp_path, room(), "rollouts.sampling.n=12", root="full")
    idle = room()
    assert make(tmp_path, idle, *GOAL, root="full").digest == plain
    assert idle.asked == []


def test_a_goal_asks_for_no_more_than_it_takes(tmp_path: Path) -> None:
    problems(tmp_path)
    teacher = room()
    version = make(tmp_path, teacher, *GOAL)
    assert len(teacher.asked) == version.rollouts.collect().height
    again = room()
    make(tmp_path, again, *GOAL, "views={rl: {}}")
    assert again.asked == []
    more = room()
    larger = make(tmp_path, more, "rollouts.goal={correct: 2, wrong: 2, at_most: 12}").rollouts.collect()
    assert len(more.asked) == larger.height - len(teacher.asked) > 0


def test_a_goal_without_a_verdict_and_keys_that_make_no_sense_are_told_at_once(tmp_path: Path) -> None:
    problems(tmp_path)
    (tmp_path / "m.yaml").write_text(SMALL)
    with pytest.raises(OrderError, match=r"rollouts.goal: no verdict says"):
        check_order(read_manifest(tmp_path / "m.yaml", (*GOAL, "verdicts=[]")))
    for sets, said in (
        ("rollouts.budget={usd: 5}", "budget.usd needs prices"),
        ("rollouts.budget={}", "budget names no limit"),
        ("rollouts.goal={correct: 0}", "goal wants no rollouts"),
        ("rollouts.goal={at_most: 2}", "goal.at_most is 2, but the first round alone draws sampling.n = 4"),
        ("rollouts.cut_off={up_to: 2048}", "cut_off.up_to is 2048, not more than sampling.max_tokens"),
    ):
        with pytest.raises(ManifestError, match=said):
            read_manifest(tmp_path / "m.yaml", (sets,))


def test_a_spent_budget_stops_the_build_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), root="plain")
    paid = plain.rollouts.select(pl.sum("prompt_tokens") + pl.sum("completion_tokens")).collect().item()
    prices = "rollouts.prices={input: 1, output: 1}"
    first = room(in_flight=8)
    with pytest.raises(BudgetError, match=r"budget spent: \$"):
        make(tmp_path, first, prices, f"rollouts.budget={{usd: {paid / 3e6}}}")
    assert 4 * PROBLEMS / 4 < len(first.asked) < 4 * PROBLEMS / 2
    idle = room()
    with pytest.raises(BudgetError):
        make(tmp_path, idle, prices, f"rollouts.budget={{usd: {paid / 3e6}}}")
    assert idle.asked == [], "what the first run spent is not spent anew"
    rest = room()
    assert make(tmp_path, rest, f"rollouts.budget={{tokens: {paid}}}").digest == plain.digest
    assert len(first.asked) + len(rest.asked) == 4 * PROBLEMS


def test_offline_builds_what_the_store_has_and_the_next_version_when_it_has_more(tmp_path: Path) -> None:
    problems(tmp_path)
    with pytest.raises(TeacherError):
        make(tmp_path, room(stops_after=30))
    first = make(tmp_path, None, offline=True)
    assert line(first) == {"seen": 96, "kept": 30, "not_in_store": 66}
    assert (first.lock["not_in_store"], first.rollouts.collect().height) == (66, 30)
    assert [(bill["asked"], bill["reused"]) for bill in first.lock["rollouts"]] == [(0, 30)]
    assert "not_in_store" in (first.path / "README.md").read_text()
    assert make(tmp_path, None, offline=True).name == "small@v1"
    whole = make(tmp_path, room())
    assert (whole.name, line(whole), whole.lock["not_in_store"]) == ("small@v2", {"seen": 96, "kept": 96}, 0)
    assert make(tmp_path, None, offline=True).name == "small@v2"
    assert set(first.rollouts.select("id").collect()["id"]) <= set(whole.rollouts.select("id").collect()["id"])


def test_offline_rounds_of_a_goal_go_as_far_as_the_store(tmp_path: Path) -> None:
    problems(tmp_path)
    whole = make(tmp_path, room(), *GOAL, root="plain")
    for stop in (40, 110):
        with pytest.raises(TeacherError):
            make(tmp_path, room(stops_after=stop), *GOAL)
    version = make(tmp_path, None, *GOAL, offline=True)
    drawn = version.rollouts.select("id").collect()["id"]
    assert 96 < len(drawn) < whole.rollouts.collect().height
    assert set(drawn) < set(whole.rollouts.select("id").collect()["id"])
    assert line(version)["not_in_store"] == line(version)["seen"] - len(drawn) > 0


def test_lost_reasoning_stops_the_build_before_it_is_paid_for_and_again_without_paying(tmp_path: Path) -> None:
    problems(tmp_path, 100)
    teacher, again = room(Terse, in_flight=8), room(Terse, in_flight=8)
    with pytest.raises(LostReasoningError, match=r"of 200 rollouts of tutor \(\d+%\) have none") as told:
        make(tmp_path, teacher)
    assert FIRST <= len(teacher.asked) < FIRST + 8
    assert str(told.value).count("\n  '") == 2
    assert "rollouts.no_reasoning: 1" in str(told.value)
    with pytest.raises(LostReasoningError):
        make(tmp_path, again)
    assert again.asked == []
    assert make(tmp_path, again, "rollouts.no_reasoning=1").rollouts.collect().height == 400


def test_few_rollouts_without_reasoning_are_found_at_the_end(tmp_path: Path) -> None:
    problems(tmp_path, 5)
    with pytest.raises(LostReasoningError, match=r"of 20 rollouts"):
        make(tmp_path, room(Terse))
    watch = ReasoningWatch("qwen3", 0.1)
    watch.know(Reply(str(i), "4" if i < 20 else "<think>2 + 2</think>4") for i in range(FIRST))
    assert watch.stop() is None, "a tenth is allowed"


def test_what_was_drawn_again_longer_stands_in_the_ledger(tmp_path: Path) -> None:
    problems(tmp_path)
    plain = make(tmp_path, room(), "rollouts.sampling.max_tokens=200")
    cut = plain.rollouts.filter(pl.col("finish_reason") == "length").collect().height
    teacher = room()
    version = make(tmp_path, teacher, "rollouts.sampling.max_tokens=200", "rollouts.cut_off={times: 4, up_to: 3000}")
    rows = version.rollouts.select("id", "finish_reason", limit=pl.col("sampling").struct.field("max_tokens")).collect()
    longer = line(version)["drawn_longer"]
    assert longer == len(teacher.asked) >= cut > 0
    assert line(version) == {"seen": 96 + longer, "kept": 96, "drawn_longer": longer}
    assert set(rows.filter(pl.col("finish_reason") == "length")["limit"]) <= {3000}
    assert set(rows["limit"]) == {200, 800, 3000}
    assert version.lock["teacher"]["cut_off"] == {"times": 4.0, "up_to": 3000}


class Slow(BaseHTTPRequestHandler):
    """Answers any question with reasoning and a box, after a while."""

    wait_s: float
    asked: list[int]

    def do_POST(self) -> None:
        self.asked.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.wait_s)
        message = {"role": "assistant", "content": "<think>Hm.</think>\\boxed{4}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        reply = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[tuple[str, type[Slow]]]:
    handler: type[Slow] = type("Handler", (Slow,), {"asked": [], "wait_s": 0.05})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}/v1", handler
        served.shutdown()


def command(folder: Path, url: str, *more: str) -> list[str]:
    teacher = f'{{use: openai_server, model: slow, base_url: "{url}", in_flight: 8, tries: 2, backoff_s: 0.05}}'
    (folder / "m.yaml").write_text(SMALL.replace("{use: tutor, error_rate: 0.5}", teacher))
    return [sys.executable, "-m", "curate", "build", "-m", "m.yaml", "--workers", "1", *more]


def test_ctrl_c_while_sampling_ends_soon_keeps_what_came_and_says_how_to_go_on(
    tmp_path: Path, slow: tuple[str, type[Slow]]
) -> None:
    problems(tmp_path)
    url, handler = slow
    for wanted in (1, 60):
        process = subprocess.Popen(command(tmp_path, url), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        while len(handler.asked) < wanted and process.poll() is None:
            time.sleep(0.005)
        handler.wait_s = 30.0 if wanted == 60 else 0.05  # the last ones hang
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - started < 5
        assert process.returncode == 130, said
        assert "Go on with: curate build -m m.yaml --workers 1" in said
    handler.wait_s = 0.0
    subprocess.run(command(tmp_path, url), cwd=tmp_path, check=True, capture_output=True)
    assert len(handler.asked) <= 96 + 2 * 8, "only what was in flight is asked again"
    assert open_version("small@v1", tmp_path / "data").lock["no_reply"] == 0


def test_offline_needs_no_server_and_no_key_and_a_spent_budget_exits_with_4(
    tmp_path: Path, slow: tuple[str, type[Slow]]
) -> None:
    problems(tmp_path)
    url, handler = slow
    handler.wait_s = 0.0
    spent = subprocess.run(
        command(tmp_path, url, "--set", "rollouts.budget={tokens: 240}"), cwd=tmp_path, capture_output=True, text=True
    )
    assert (spent.returncode, "budget spent" in spent.stderr) == (4, True)
    closed = command(tmp_path, "http://127.0.0.1:9/v1", "--set", "rollouts.teacher.api_key_env=NO_SUCH_KEY")
    refused = subprocess.run(closed, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 4
    built = subprocess.run([*closed, "--offline"], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    missing = 96 - len(handler.asked)
    assert f"teacher.openai_server: asked 96, not in the store {missing}" in built.stderr
    assert os.environ.get("NO_SUCH_KEY") is None


SLEEPY = """
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from curate.engine import Job, Shard, worker_pool


@dataclass(frozen=True)
class Sleepy:
    def __call__(self, rows):
        Path("asleep").touch()
        time.sleep(60)
        return rows


if __name__ == "__main__":
    rows = pl.DataFrame({"id": ["a"]})
    with worker_pool(2) as pool:
        list(pool.run({i: Job(Sleepy(), rows, Shard(Path("."), ""), ()) for i in range(4)}))
"""


def test_ctrl_c_does_not_wait_for_a_stage_that_works_in_other_processes(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY)
    process = subprocess.Popen([sys.executable, "sleepy.py"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    while not (tmp_path / "asleep").exists() and process.poll() is None:
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    assert time.monotonic() - started < 5
