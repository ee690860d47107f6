"""Facts about decontamination: what is a benchmark's question, what only looks like one, and what a version says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from curate.build import build
from curate.decontaminate.ngrams import Ngrams
from curate.look.story import story
from curate.manifest import ManifestError, read_manifest
from curate.progress import Steps
from curate.reading.benchmarks import read_benchmark
from curate.reading.intake import SourceError
from curate.version import Version
from tests.fakehub import FakeHub
from tests.hostile_texts import HOSTILE

ASKED = [
    "A ferry carries 36 lorries on each of its 14 crossings. How many lorries does it carry in all?",
    "Let $f(x) = x^2 - 5x + 6$ and let $g$ be its inverse on $[3, \\infty)$. Compute $g(12) + \\frac{1}{7}$.",
    "Which of these numbers divides 9991 without remainder? (A) $89$ (B) $97$ (C) $101$ (D) $113$",
    "Compute $17^2$.",
    "Marta picked 125 plums, gave 48 to her neighbour Hugo and split the rest evenly among 7 jars. How many plums are "
    "in each jar?",
    "食堂运来大米480千克，每天吃掉35千克，吃了12天后还剩多少千克？",
]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("benchmark") / "mine.jsonl"
    path.write_text("".join(json.dumps({"question": text, "answer": "1"}) + "\n" for text in ASKED), encoding="utf-8")
    return str(path)


def marks(mine: str, *texts: str | None, **options: object) -> pl.DataFrame:
    rows = pl.DataFrame({"id": [str(i) for i in range(len(texts))], "problem": texts}, {"id": str, "problem": str})
    return Ngrams(against=(mine,), **options)(rows)  # type: ignore[arg-type] # options of several types


def rule(mine: str, text: str, **options: object) -> str | None:
    found: str | None = marks(mine, text, **options)["contamination_rule"][0]
    return found


@pytest.mark.parametrize(
    "text",
    [
        ASKED[0].upper(),
        "A ferry carries 36 lorries on each of its 14 crossings .  How many lorries does it carry in all ?",
        "Question: " + ASKED[0] + "\nPlease reason step by step, and put your final answer within \\boxed{}.",
        "Let \\(f(x)=x^{2}-5x+6\\) and let \\(g\\) be its inverse on \\([3,\\infty)\\). Compute \\(g(12)+\\dfrac17\\).",
        "Which of these numbers divides 9991 without remainder?",
        "Which of these numbers divides 9991 without remainder?\nA) 97\nB) 89\nC) 101\nD) 99",
        "compute 17^{2}",
    ],
)
def test_spacing_mark_up_prompts_and_options_make_no_other_question(mine: str, text: str) -> None:
    marked = marks(mine, text)
    assert marked["drop"].to_list() == ["contaminated"]
    assert marked["contamination_rule"][0] in ("exact", "ngrams", "characters")


@pytest.mark.parametrize("n", [8, 9, 13, 32])
def test_a_question_inside_a_longer_text_is_found_also_where_it_has_fewer_words_than_a_run(mine: str, n: int) -> None:
    longer = f"Here is one for the road. {ASKED[4]} Do not forget that Hugo likes plums very much, as does his cat."
    assert rule(mine, longer, n=n) == "ngrams"


def test_other_words_with_the_same_numbers_are_a_paraphrase(mine: str) -> None:
    text = (
        "Marta gathers 125 plums. Hugo, her neighbour, gets 48; the others go in equal parts into 7 jars. What does "
        "one jar hold?"
    )
    assert rule(mine, text) == "paraphrase"
    assert rule(mine, text, paraphrase=2.0) is None


def test_another_language_with_all_the_numbers_is_a_translation(mine: str) -> None:
    german = "Marta hat 125 Pflaumen gepflückt, schenkte Hugo 48 und verteilte die übrigen auf 7 Gläser. Wie viele "
    marked = marks(mine, german + "Pflaumen sind in jedem Glas?")
    assert marked["contaminated_by"][0] == f"mine:{read_benchmark(mine).problems['id'][4]}"


@pytest.mark.parametrize(
    "text",
    [
        ASKED[0].replace("36", "63"),
        ASKED[1].replace("- 5x", "- 7x"),
        ASKED[1].replace("x^2 - 5x", "x^2 + 5x"),
        ASKED[4].replace("48", "x") + " The answer is 11. What is x?",
        "Compute $18^2$.",
    ],
)
def test_other_numbers_or_signs_are_another_problem_that_stays_marked_as_a_variant(mine: str, text: str) -> None:
    marked = marks(mine, text)
    assert marked["drop"].to_list() == [None]
    assert marked["contaminated_by"].to_list() == [None]
    assert marked["variant_in_benchmark"][0].startswith("mine:")
    assert marks(mine, text, variants="drop")["drop"].to_list() == ["variant"]


@pytest.mark.parametrize(
    "text",
    [
        "How many lorries does it carry in all?",
        "A baker sells 48 rolls in the morning and 7 more in the afternoon. How many does she sell in all?",
        "Find all real $x$ with $x^2 - 5x + 6 > 12$.",
        "求 480 的平方根。",
        "سؤال: ما هو مجموع ٤٨ و ٧؟",
        "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
    ],
)
def test_common_phrases_and_single_numbers_are_no_question(mine: str, text: str) -> None:
    assert rule(mine, text) is None


def test_texts_of_every_kind_get_one_mark_each_and_nothing_is_lost(mine: str) -> None:
    texts = [None, "", " ", "\x00", "$$$$", "x" * 1_000_000, "7 plums " * 125_000, *HOSTILE]
    marked = marks(mine, *texts, ASKED[0])
    assert marked["id"].to_list() == [str(i) for i in range(len(texts) + 1)]
    assert marked["drop"].to_list()[-1] == "contaminated"
    assert marked["drop"].null_count() == len(texts)


def test_a_hit_names_the_question_as_its_file_does(tmp_path: Path) -> None:
    path = tmp_path / "named.jsonl"
    rows = [{"id": "set-7", "question": ASKED[0]}, {"id": "a:b c", "question": ASKED[4]}, {"question": ASKED[1]}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = marks(str(path), ASKED[0], ASKED[4], ASKED[1])["contaminated_by"].to_list()
    ours = read_benchmark(str(path)).problems["id"].to_list()
    assert found == ["named:set-7", f"named:{ours[1]}", f"named:{ours[2]}"], "no id that reads like a benchmark's name"


def test_a_copy_that_lacks_the_drawing_the_note_or_the_blank_is_the_question(tmp_path: Path) -> None:
    bare = "A circle of radius 3 lies in a square of side 7 and touches two of its sides. What is left of the square?"
    drawn = bare + '\n[asy] draw(circle((0,0),3)); label("$7$", (4,0)); [/asy]\nNote: no calculator is needed.'
    blank = "If 5 pens cost 35 dollars, then 8 such pens cost \\underline{\\hspace{1cm}} ______ dollars in the shop."
    path = tmp_path / "drawn.jsonl"
    path.write_text("".join(json.dumps({"problem": text}) + "\n" for text in (drawn, blank)))
    found = marks(str(path), bare, drawn, blank.replace("______", ""))
    assert found["drop"].to_list() == ["contaminated"] * 3


@pytest.mark.parametrize(
    "asked",
    [
        "A jug holds 35 cups and a glass holds 5. How many glasses fill the jug? (AMC 8 2010, Problem 3)",
        "A jug holds 35 cups and a glass holds 5. How many glasses fill the jug? (5 points)",
        "$7 \\times 11 =$",
    ],
)
def test_a_question_opened_from_its_options_is_the_question(tmp_path: Path, asked: str) -> None:
    tmp_path.joinpath("options.jsonl").write_text(
        json.dumps({"problem": f"{asked}\n(A) 6 (B) 7 (C) 77 (D) 70"}) + "\n" + json.dumps({"problem": ASKED[0]})
    )
    found = marks(str(tmp_path / "options.jsonl"), asked, asked.partition(" (")[0], ASKED[1])
    assert found["drop"].to_list() == ["contaminated", "contaminated", None]


@pytest.mark.parametrize(
    "around", ["Here is a nice one: {}", "{}\n\nSolution: We use what we know of squares. The answer is 7."]
)
@pytest.mark.parametrize("asked", ["If $2^8 = 4^x$, what is the value of $x$?", "Solve for $x$: $\\frac x2 + 3 = 5$"])
def test_a_short_question_is_found_with_other_words_around_it(tmp_path: Path, asked: str, around: str) -> None:
    """Though its own words are all common, and many rows have them."""
    tmp_path.joinpath("short.jsonl").write_text(
        json.dumps({"problem": asked}) + "\n" + json.dumps({"problem": ASKED[4]})
    )
    others = [f"Solve for $x$: $\\frac x2 + {n} = 7$. What is the value of $x^2$?" for n in range(300)]
    found = marks(str(tmp_path / "short.jsonl"), around.format(asked), *others)
    assert found["contamination_rule"][0] == "ngrams"
    assert found["drop"].null_count() == len(others)


def test_an_equation_that_goes_on_is_another_question(tmp_path: Path) -> None:
    tmp_path.joinpath("short.jsonl").write_text(json.dumps({"problem": "Solve $x + 2 = 5$"}))
    found = marks(
        str(tmp_path / "short.jsonl"), "Solve $x + 2 = 5x - 2$", "Solve $x + 2 = 51$", "Solve $x + 2 = 5$ and $y = 3$"
    )
    assert found["contamination_rule"].to_list()[:2] != ["ngrams"] * 2
    assert found["drop"].to_list() == [None, None, "contaminated"]


def test_a_question_that_only_its_drawing_tells_is_another_one_with_another_drawing(tmp_path: Path) -> None:
    asked = "What is the area of the shaded figure?\n[asy] draw((0,0)--({0},0)--({0},5)--cycle); [/asy]"
    tmp_path.joinpath("drawn.jsonl").write_text(json.dumps({"problem": asked.format(4)}))
    found = marks(str(tmp_path / "drawn.jsonl"), asked.format(9), asked.format(4))
    assert found["drop"].to_list() == [None, "contaminated"]


@pytest.mark.parametrize("asked", ["+ = +", "What is the sum of the angles of a triangle?"])
def test_a_benchmark_without_numbers_or_words_is_compared_with_any_row(tmp_path: Path, asked: str) -> None:
    tmp_path.joinpath("bare.jsonl").write_text(json.dumps({"problem": asked}))
    found = marks(str(tmp_path / "bare.jsonl"), asked, "a b c 3", None, "小明有12个苹果,给了小红5个,还剩多少个?")
    assert found["drop"].to_list() == ["contaminated", None, None, None]


def test_no_rows_are_no_marks(mine: str) -> None:
    assert marks(mine).height == 0


def test_a_question_of_two_benchmarks_is_told_with_the_first(mine: str, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"question": ASKED[0]}) + "\n")
    rows = pl.DataFrame({"id": ["a"], "problem": [ASKED[0]]})
    assert Ngrams(against=(str(other), mine))(rows)["contaminated_by"][0].startswith("other:")


def test_marks_do_not_depend_on_the_order_of_the_rows(mine: str) -> None:
    texts = [ASKED[0], "Compute $18^2$.", "What is a plum?", ASKED[4] + " Tell me."]
    forth, back = marks(mine, *texts), marks(mine, *reversed(texts))
    assert forth.drop("id").rows() == back.drop("id").reverse().rows()


def test_an_empty_benchmark_is_an_error_and_not_a_clean_bill(tmp_path: Path) -> None:
    for text in ("", '{"question": null}\n'):
        (tmp_path / "empty.jsonl").write_text(text)
        with pytest.raises(SourceError, match=r"empty\.jsonl: this benchmark has no questions"):
            Ngrams(against=(str(tmp_path / "empty.jsonl"),))(pl.DataFrame({"id": ["a"], "problem": ["1?"]}))


def test_a_benchmark_of_which_rows_cannot_be_read_is_an_error_and_not_a_clean_bill(tmp_path: Path) -> None:
    (tmp_path / "half.jsonl").write_text(json.dumps({"question": ASKED[0]}) + "\n{broken\n" * 3)
    with pytest.raises(SourceError, match=r"half.jsonl: 3 of its rows cannot be read \(bad_json\)"):
        read_benchmark(str(tmp_path / "half.jsonl"))


def test_a_table_with_a_header_is_a_benchmark_too(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.csv", tmp_path / "other.csv"
    mine.write_text("question\nWhat is 2+2?\n", encoding="utf-8")
    other.write_text("text\nWhat is 2+2?\n", encoding="utf-8")
    assert read_benchmark(str(mine)).problems["problem"].to_list() == ["What is 2+2?"]
    with pytest.raises(SourceError, match="which column holds the problem"):
        read_benchmark(str(other))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file"):
        Ngrams(against=(str(tmp_path / "gone.jsonl"),)).inputs()


MANIFEST = """name: leaky
sources: [{use: files, path: rows.jsonl, columns: {problem: q, answer: a}}]
problems: [{use: decontaminate.ngrams, against: [%s]}]
views: {rl: {unsampled: true}}
heldout: 0.0
"""


def manifest_in(folder: Path, against: str) -> Path:
    rows = [ASKED[0], ASKED[0].replace("36", "63"), "How old is the captain, who was born in 1961 and died in 2004?"]
    (folder / "rows.jsonl").write_text("".join(json.dumps({"q": q, "a": "1"}) + "\n" for q in rows))
    (folder / "mine.jsonl").write_text("".join(json.dumps({"question": q}) + "\n" for q in ASKED), encoding="utf-8")
    (folder / "m.yaml").write_text(MANIFEST % against)
    return folder / "m.yaml"


def test_a_name_that_no_benchmark_has_is_a_fault_of_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no benchmark 'math50'\. Did you mean 'math500'\?"):
        read_manifest(manifest_in(tmp_path, "math50"))


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("leaky")
    manifest = read_manifest(manifest_in(folder, "mine.jsonl"))
    return build(manifest, folder / "data", Steps(quiet=True), workers=1).version


def test_ledger_and_explain_tell_the_hit_with_its_question(leaky: Version) -> None:
    funnel = {entry["stage"]: entry for entry in leaky.lock["funnel"]}
    assert [entry["reason"] for entry in leaky.table("ledger").collect().iter_rows(named=True)] == ["contaminated"]
    assert "decontaminate.ngrams" in funnel
    dropped = leaky.table("problems").filter(pl.col("drop_reason") == "contaminated").collect()
    told = " ".join(story([leaky], dropped["id"][0]).split())
    assert f"contaminated_by = {dropped['contaminated_by'][0]}" in told
    assert "contamination_rule = exact" in told
    assert f"benchmark_question = {ASKED[0][:60]}" in told


def test_card_and_leak_matrix_tell_what_is_left(leaky: Version) -> None:
    card = (leaky.path / "README.md").read_text()
    assert "decontaminate.ngrams" in card
    assert "contaminated 1" in card
    assert [(o["left"], o["right"], o["exact"]) for o in leaky.lock["leaks"]["benchmarks"]] == [("rl:train", "mine", 0)]


def test_a_file_is_known_by_what_it_holds_and_not_by_where_it_lies(leaky: Version, tmp_path: Path) -> None:
    manifest = read_manifest(manifest_in(tmp_path, "mine.jsonl"))
    twin = build(manifest, tmp_path / "data", Steps(quiet=True), workers=1).version
    assert twin.lock["fingerprint"] == leaky.lock["fingerprint"]
    with (tmp_path / "mine.jsonl").open("a") as file:
        file.write(json.dumps({"question": "How old is the captain, who was born in 1961 and died in 2004?"}) + "\n")
    more = build(manifest, tmp_path / "data", Steps(quiet=True), workers=1)
    assert more.version.name != leaky.name
    assert more.version.problems.collect()["drop_reason"].null_count() == 1


def run(folder: Path, hub: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    env = {**clean, "HF_ENDPOINT": hub, "HF_HOME": str(folder / "hf"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "curate", "build", "-m", "m.yaml"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_without_a_network_a_benchmark_by_name_stops_the_build_in_one_line(tmp_path: Path) -> None:
    manifest_in(tmp_path, "math500")
    done = run(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "HuggingFaceH4/MATH-500: cannot reach the Hub at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_benchmark_by_name_stays_at_the_commit_of_the_first_build(tmp_path: Path) -> None:
    manifest_in(tmp_path, "math500")

    def asked(*texts: str) -> dict[str, bytes]:
        return {
            "test.jsonl": "".join(
                json.dumps({"unique_id": f"test/{i}.json", "problem": t, "answer": "1"}) + "\n"
                for i, t in enumerate(texts)
            ).encode()
        }

    with FakeHub() as hub:
        missing = run(tmp_path, hub.url)
        assert missing.returncode == 2
        assert "HuggingFaceH4/MATH-500: no such dataset" in missing.stderr
        hub.put("HuggingFaceH4/MATH-500", asked(ASKED[0]))
        first = run(tmp_path, hub.url)
        assert first.stdout.startswith("made leaky@v1"), first.stderr
        hub.put("HuggingFaceH4/MATH-500", asked(*ASKED))
        assert run(tmp_path, hub.url).stdout.startswith("nothing changed")
    stage = json.loads((tmp_path / "data/leaky/v1/lock.json").read_text())["decisions"]["problems"][0]
    assert stage["against"][0]["name"] == "math500"
    assert len(stage["against"][0]["state"]["revision"]) == 40
