"""Builds on many workers: the same rows as on one machine, whoever is killed, or a clear word about what failed."""

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import curate.workers.blocks
import curate.workers.watch
from curate.build import build
from curate.cache import Cache
from curate.dedup.minhash import Minhash
from curate.dedup.minhash_blocks import MinhashBlocks
from curate.engine import Job, Shard, whole
from curate.machines.local import Local
from curate.machines.slurm import Slurm
from curate.manifest import ManifestError, read_manifest
from curate.progress import Steps
from curate.tag.repetition import Repetition
from curate.verdicts.judge import Judge
from curate.verdicts.majority import Majority
from curate.verdicts.rule import Rule
from curate.version import Version
from curate.workers.crew import Crew, _parts
from curate.workers.faults import RankError
from curate.workers.launch import EngineError, check_engine
from curate.workers.rank import read, written
from curate.workers.standing import standing
from distill.request import Sampling, TeacherError
from distill.store import Store
from distill.teachers.openai_server import OpenaiServer
from distill.teachers.tutor import Tutor
from verify import Policy

pytest.importorskip("datatrove", reason="engines are datatrove's executors: pip install 'cotillion[ray]'")

MANIFEST = """
name: many
sources: [{use: procedural, n: 600, seed: 3}]
rollouts:
  teacher: {use: tutor, error_rate: 0.3}
  sampling: {n: 2, temperature: 1.0, max_tokens: 2048}
verdicts: [rule]
views: {sft: {}}
heldout: 0.0
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "many.yaml"
    path.write_text(MANIFEST)
    return path


def made(path: Path, root: str, *overrides: str) -> Version:
    return build(read_manifest(path, overrides), path.parent / root, Steps(quiet=True)).version


def same_rows(left: Version, right: Version) -> bool:
    return left.digest == right.digest and left.lock["fingerprint"] == right.lock["fingerprint"]


def attempts(root: Path) -> int:
    return int(Store(root / ".rollouts").costs()["attempts"].sum())


# On this machine, through datatrove's local executor.


def test_an_engine_changes_no_row_no_fingerprint_and_asks_nothing_twice(manifest: Path) -> None:
    here = made(manifest, "here")
    there = made(manifest, "there", "engine=local")
    assert same_rows(here, there)
    assert '"engine"' not in json.dumps(there.lock), "where it was built is no part of the recipe"
    assert attempts(manifest.parent / "there") == 1_200
    again = build(read_manifest(manifest, ["engine=local"]), manifest.parent / "here", Steps(quiet=True))
    assert not again.made, "the same dataset, wherever it is built"


def test_workers_read_the_answers_that_a_majority_is_elected_from(tmp_path: Path) -> None:
    said = [{"q": "What is 5 + 6?", "r": ["\\boxed{11}"] * 3 + ["\\boxed{12}"]}, {"q": "What is 5 + 7?", "r": []}]
    (tmp_path / "said.jsonl").write_text("".join(json.dumps(row) + "\n" for row in said))
    path = tmp_path / "many.yaml"
    path.write_text(
        "name: elected\nsources: [{use: files, path: said.jsonl, columns: {problem: q, rollouts: r}}]\n"
        "problems: [{use: hygiene.answerable, require_answer: false}]\n"
        "verdicts: [majority, rule]\nviews: {rl: {}}\n"
    )
    here, there = made(path, "here"), made(path, "there", "engine=local")
    assert same_rows(here, there)
    assert there.table("problems").collect()["answer"].to_list() == ["11", None]


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew("local", Local(), tmp_path / ".engine", Steps(quiet=True))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / ".stages")


def jobs_of(folder: Path, shards: int = 4, rows: int = 5) -> dict[str, Job]:
    """Jobs of a stage that reads texts, in shards of their own; marks are kept under `s0`, `s1`, ..."""
    folder.mkdir(exist_ok=True)
    jobs = {}
    for number in range(shards):
        ids = [f"{number}-{row}" for row in range(rows)]
        path = folder / f"{number:05d}.parquet"
        pl.DataFrame({"id": ids, "reasoning": ["It is 4. " * 40] * rows, "response": ["4"] * rows}).write_parquet(path)
        jobs[f"s{number}"] = Job(Repetition(), pl.DataFrame({"id": ids}), Shard(path, ""), ("reasoning", "response"))
    return jobs


def marked(crew: Crew, jobs: dict[str, Job], cache: Cache) -> dict[str, list[str]]:
    marks = crew.marks("tags.repetition", jobs, cache, lambda count: None)
    return {key: frame["id"].to_list() for key, frame in marks}


def refusal(crew: Crew, jobs: dict[str, Job], cache: Cache) -> str:
    with pytest.raises(RankError) as refused:
        marked(crew, jobs, cache)
    return str(refused.value)


def test_a_shard_that_fails_is_named_and_the_others_are_kept(crew: Crew, cache: Cache, tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path / "shards")
    jobs["s2"].shard.path.write_bytes(b"no parquet")
    said = refusal(crew, jobs, cache)
    assert "1 of 4 tasks failed on engine local. 3 of 4 shards are done and kept" in said
    assert "(shard 00002 on " in said
    assert str(tmp_path / ".engine") in said, "where the logs are"
    assert [cache.has(f"s{number}") for number in range(4)] == [True, True, False, True]
    kept = (cache.folder / "s0/frame.parquet").stat().st_mtime_ns
    jobs = jobs_of(tmp_path / "shards")
    assert marked(crew, jobs, cache)["s2"] == ["2-0", "2-1", "2-2", "2-3", "2-4"]
    assert (cache.folder / "s0/frame.parquet").stat().st_mtime_ns == kept, "what was finished is not done again"
    crew.close()


def test_marks_that_can_be_read_but_lack_rows_are_not_believed(crew: Crew, cache: Cache, tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path / "shards", shards=2)
    whole_marks = Repetition()(pl.read_parquet(jobs["s0"].shard.path))
    cache.keep("s0", lambda aside: whole_marks.head(2).write_parquet(aside / "frame.parquet"))
    # The worker finds a table under the key and leaves it: only the build can tell that it is half of one.
    assert "1 of 2 shards are done and kept" in refusal(crew, jobs, cache)
    assert marked(crew, {"s0": jobs["s0"]}, cache) == {"s0": jobs["s0"].rows["id"].to_list()}
    crew.close()


def test_a_half_table_of_an_earlier_build_is_made_anew(manifest: Path) -> None:
    before = made(manifest, "root")
    (frame, *_) = sorted((manifest.parent / "root/.stages").glob("*/frame.parquet"), key=_texts_first)
    half = pl.read_parquet(frame, memory_map=False)
    half.head(half.height // 2).write_parquet(frame)
    shutil.rmtree(before.path)
    assert made(manifest, "root").digest == before.digest
    assert pl.read_parquet(frame).height == half.height


def _texts_first(frame: Path) -> bool:
    """Tables of verdicts first."""
    return "verdict" not in pl.read_parquet_schema(frame)


class Trap:
    """A shard whose reader waits until it is let go: it is a pipe first."""

    def __init__(self, shard: Path) -> None:
        self.shard, self.aside = shard, shard.with_suffix(".aside")
        shard.rename(self.aside)
        os.mkfifo(shard)

    def open(self) -> None:
        """From now on it is the table again; who waits at the pipe waits on."""
        self.aside.rename(self.shard)


def caught(run: Path) -> int:
    """The process of a task that waits at the trap: the one that has not ended when the others have."""
    for _ in range(600):
        ended = {file.stem for file in run.glob("*/ended/*.json")}
        beats = [file for file in run.glob("*/beats/[0-9]*") if file.name not in ended]
        if len(beats) == 1 and ended:
            return int(beats[0].read_text().split()[2])
        time.sleep(0.1)
    raise AssertionError("no task was caught")


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def meanwhile(act: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_killed_task_is_told_and_the_next_build_goes_on(crew: Crew, cache: Cache, tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path / "shards")
    trap = Trap(jobs["s1"].shard.path)
    killer = meanwhile(lambda: os.kill(caught(crew.folder), signal.SIGKILL))
    said = refusal(crew, jobs, cache)
    killer.join()
    assert "task 1: killed by signal 9 (out of memory?)" in said
    assert "3 of 4 shards are done and kept" in said
    trap.open()
    assert sorted(marked(crew, jobs, cache)) == ["s0", "s1", "s2", "s3"]
    crew.close()


def test_an_executor_that_hangs_is_left(
    crew: Crew, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curate.workers.watch, "SILENT_S", 4.0)
    jobs = jobs_of(tmp_path / "shards")
    Trap(jobs["s1"].shard.path)
    found: list[int] = []

    def kill() -> None:
        found.append(caught(crew.folder))
        os.kill(parent_of(found[0]), signal.SIGKILL)  # the worker of the pool: multiprocessing waits for it for ever

    killer = meanwhile(kill)
    said = refusal(crew, jobs, cache)
    killer.join()
    assert "task 1: ended without a word: killed, or its machine was lost" in said
    assert not Path(f"/proc/{found[0]}").exists(), "nobody goes on behind the build's back"


def test_an_interrupted_build_leaves_no_worker(crew: Crew, cache: Cache, tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path / "shards")
    Trap(jobs["s1"].shard.path)
    found: list[int] = []

    def interrupt() -> None:
        found.append(caught(crew.folder))
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = meanwhile(interrupt)
    with pytest.raises(KeyboardInterrupt):
        marked(crew, jobs, cache)
    interrupter.join()
    for _ in range(50):
        if not Path(f"/proc/{found[0]}").exists():
            return
        time.sleep(0.1)
    raise AssertionError("a worker outlived the build")


# What goes to workers.


@pytest.mark.parametrize(
    "made_here",
    [
        Rule(policy=Policy(tolerance=0.01)),
        Repetition(drop=True),
        Judge(teacher=Tutor(error_rate=0.5), on=("wrong",), sampling=Sampling(max_tokens=99)),
        OpenaiServer(model="m", base_url="http://127.0.0.1:1/v1", api_key_env="TEACHER_KEY"),
        Majority.per_rollout,
    ],
)
def test_a_plug_comes_out_of_its_json_as_it_went_in(made_here: Any) -> None:
    assert read(json.loads(json.dumps(written(made_here)))) == made_here


def test_only_plugs_of_plug_folders_are_loaded() -> None:
    with pytest.raises(TypeError, match="no plug of a plug folder"):
        read({"plug": "subprocess", "options": {}})
    with pytest.raises(TypeError, match="workers cannot load it"):
        written(Path())


def test_work_is_cut_in_order_and_in_equal_parts() -> None:
    assert _parts(list("abcdef"), [1] * 6, 3) == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert _parts(list("abc"), [10, 1, 1], 2) == [["a"], ["b", "c"]]
    assert _parts(list("ab"), [1, 1], 5) == [["a"], ["b"]]
    assert not _parts([], [], 3)


def test_marks_are_whole_if_each_row_has_one() -> None:
    rows = pl.DataFrame({"id": ["a", "b"]})
    assert whole(pl.DataFrame({"id": ["b", "a"], "drop": [None, None]}), rows)
    for ids in (["a"], ["a", "a"], ["a", "b", "c"], ["a", "c"]):
        assert not whole(pl.DataFrame({"id": ids}), rows)
    assert not whole(pl.DataFrame({"name": ["a", "b"]}), rows)


# Sampling.


def test_a_goal_is_reached_by_workers_in_the_same_rounds(manifest: Path) -> None:
    goal = ("sources.0.n=60", "rollouts.goal={correct: 2, wrong: 1, at_most: 6}")
    here = made(manifest, "here", *goal)
    there = made(manifest, "there", "engine=local", "engine.runs=[rollouts]", *goal)
    assert same_rows(here, there)
    assert attempts(manifest.parent / "there") == attempts(manifest.parent / "here")


def test_a_question_of_two_problems_is_paid_once(tmp_path: Path) -> None:
    rows = [{"q": "What is 17 + 25?", "a": str(answer)} for answer in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "same.yaml"
    path.write_text(
        MANIFEST.replace(
            "{use: procedural, n: 600, seed: 3}",
            "{use: files, path: rows.jsonl, columns: {problem: q, answer: a}}",
        )
    )
    made(path, "root", "engine=local", "engine.runs=[rollouts]", "rollouts.no_reasoning=1")
    assert attempts(tmp_path / "root") == 2


def test_a_teacher_that_cannot_be_reached_is_told_as_such(manifest: Path) -> None:
    server = 'rollouts.teacher={use: openai_server, model: m, base_url: "http://127.0.0.1:9/v1", tries: 1}'
    with pytest.raises(TeacherError, match="2 of 2 tasks failed on engine local"):
        made(manifest, "root", server, "engine=local", "sources.0.n=8")


# What is refused.


def test_an_engine_that_is_not_installed_is_told_with_what_to_install(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"engine ray: ray not installed. pip install 'cotillion\[ray\]'"):
        check_engine(read_manifest(manifest, ["engine=ray"]))


def test_a_ray_address_where_nobody_answers_is_told_at_once(manifest: Path) -> None:
    manifest.write_text(MANIFEST + 'engine: {use: ray, workers: 2, address: "127.0.0.1:9"}\n')
    with pytest.raises(EngineError, match=r"nobody answers at 127\.0\.0\.1:9 \(.*refused"):
        check_engine(read_manifest(manifest))


def test_a_budget_is_not_kept_by_several_workers(manifest: Path) -> None:
    budget = "rollouts.budget={tokens: 1000}"
    with pytest.raises(EngineError, match="do not see each other's spending"):
        made(manifest, "root", "engine=local", budget)
    assert not (manifest.parent / "root").exists(), "refused before anything is read"
    check_engine(read_manifest(manifest, ["engine=local", "engine.runs=[stages]", budget]))


def test_slurm_without_sbatch_is_refused(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineError, match="no sbatch here"):
        check_engine(read_manifest(manifest, ["engine={use: slurm, partition: cpu}"]))


@pytest.mark.parametrize(
    "option", ['partition: "cpu\\n#SBATCH --wrap=x"', "partition: cpu, account: $(id)", "partition: cpu, time: soon"]
)
def test_no_text_of_a_manifest_becomes_a_line_of_a_script(manifest: Path, option: str) -> None:
    with pytest.raises(ManifestError):
        read_manifest(manifest, [f"engine={{use: slurm, {option}}}"])


def test_an_unknown_engine_is_answered_with_those_there_are(manifest: Path) -> None:
    with pytest.raises(ManifestError, match="There are: local, ray, slurm"):
        read_manifest(manifest, ["engine=kubernetes"])


# Slurm: a stand-in for sbatch runs the generated script.

SBATCH = """#!/bin/bash
cd {folder}
for script; do :; done
cp "$script" script
echo "$@" >> calls
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' script)
for i in $(seq 0 $last); do
  SLURM_ARRAY_TASK_ID=$i SLURM_NODELIST=node1 SLURM_JOB_ID=77 setsid bash script > out-$i 2>&1 < /dev/null &
  echo $! >> pids
done
echo "Submitted batch job 77"
"""
SQUEUE = """#!/bin/bash
cd {folder}
for p in $(cat pids); do kill -0 $p 2>/dev/null && grep -qv zombie /proc/$p/status && echo "77 R"; done
exit 0
"""
SCONTROL = "#!/bin/bash\necho node1\n"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scontrol", SCONTROL)):
        (folder / name).write_text(text.replace("{folder}", str(folder)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def on_slurm(tmp_path: Path) -> Crew:
    engine = Slurm(partition="cpu", time="00:30:00", memory_gb=3, account="lab", workers=2)
    return Crew("slurm", engine, tmp_path / ".engine", Steps(quiet=True))


def test_the_script_asks_slurm_for_what_the_manifest_says_and_runs(slurm: Path, cache: Cache, tmp_path: Path) -> None:
    crew, jobs = on_slurm(tmp_path), jobs_of(tmp_path / "shards")
    assert sorted(marked(crew, jobs, cache)) == ["s0", "s1", "s2", "s3"]
    script = (slurm / "script").read_text()
    wanted = ["partition=cpu", "time=00:30:00", "mem-per-cpu=3G", "cpus-per-task=1", "account=lab", "array=0-1%2"]
    assert set(wanted) <= {line.removeprefix("#SBATCH --") for line in script.splitlines()}
    assert f"export PATH={Path(sys.executable).parent}:$PATH" in script
    assert "launch_pickled_pipeline" in script
    assert "gpus" not in script
    assert len((slurm / "calls").read_text().splitlines()) == 1, "one job array, and no job that waits for ever"
    assert list(crew.folder.glob("tags*")) == [], "a run that went well leaves nothing"
    crew.close()


def test_an_interrupted_build_leaves_its_slurm_job_and_the_next_takes_it_over(
    slurm: Path, cache: Cache, tmp_path: Path
) -> None:
    jobs = jobs_of(tmp_path / "shards")
    trap = Trap(jobs["s3"].shard.path)
    first = on_slurm(tmp_path)

    def interrupt() -> None:
        caught(first.folder)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = meanwhile(interrupt)
    with pytest.raises(KeyboardInterrupt):
        marked(first, jobs, cache)
    interrupter.join()
    first.close()
    second = on_slurm(tmp_path)
    waits = caught(second.folder)
    trap.open()

    def kill() -> None:
        time.sleep(1)
        os.kill(waits, signal.SIGKILL)

    killer = meanwhile(kill)
    lacking = {key: job for key, job in jobs.items() if not cache.has(key)}
    assert sorted(marked(second, lacking, cache)) == sorted(lacking)
    killer.join()
    calls = (slurm / "calls").read_text().splitlines()
    assert len(calls) == 2, "it waited for the first job, and submitted only what that one left"
    second.close()


# MinHash of tables that one machine takes too long for.


def test_blocks_give_the_marks_of_minhash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(curate.workers.blocks, "HERE_TEXTS", 0)
    texts = [
        "Find $x$ if $x+2=7$.",
        "Find x if x + 2 = 7 .",
        "Find x if x + 3 = 7 .",
        "How many apples has Tom, who buys 4 apples on each of 5 days and eats 3 of them?",
        "How  many apples has Tom who buys 4 apples on each of 5 days and eats 3 of them?",
        "How many apples has Tom, who buys 9 apples on each of 5 days and eats 3 of them?",
        "x?",
        "",
        None,
    ]
    rows = pl.DataFrame(
        {"id": list("abcdefghi"), "problem": texts, "answer": ["5"] * 9, "with_rollouts": ["false"] * 9}
    )
    crew = Crew("local", Local(), tmp_path / ".engine", Steps(quiet=True))
    with standing(crew):
        marks = MinhashBlocks()(rows)
    crew.close()
    assert marks["near_duplicate_of"].to_list() == [None, "a", None, None, "d", None, None, None, None]
    assert marks["variant_of"].to_list() == [None, None, "a", None, None, "d", None, None, None]
    assert marks.equals(Minhash()(rows))
    assert (tmp_path / ".engine/launch.log").stat().st_size, "it was the engine that worked"
    with pytest.raises(ValueError, match="not signed by blocks"):
        MinhashBlocks(shingles="characters")


# Ray: a cluster of two workers on this machine.


@pytest.mark.slow
@pytest.mark.timeout(900)  # a cluster starts, and a worker is started anew: three minutes on a busy machine
def test_ray_makes_the_same_rows_though_a_worker_is_killed(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'cotillion[ray]'")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    here = made(manifest, "here", "sources.0.n=300")
    root = manifest.parent / "there"
    killed: list[str] = []

    def kill() -> None:
        for _ in range(6000):
            for beat in (root / ".engine/many").glob("*/beats/[0-9]*"):
                actor = parent_of(parent_of(int(beat.read_text().split()[2])))
                killed.append(Path(f"/proc/{actor}/cmdline").read_text())
                os.kill(actor, signal.SIGKILL)
                return
            time.sleep(0.05)

    killer = meanwhile(kill)
    there = made(manifest, "there", "sources.0.n=300", "engine=ray")
    killer.join()
    assert "RankWorker" in killed[0], "it was a worker of Ray's"
    assert same_rows(here, there)
    assert attempts(root) == 600
