"""Duplicates: forms of one problem go, variants stay, and which one of a cluster stays is a stated rule."""

import json
import os
import time
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.alike.buckets import bands, cut_bands, shares, shingle
from curate.alike.embedding import ModelError, _one_thread
from curate.alike.sameness import statements
from curate.build import build
from curate.dedup.exact import Exact
from curate.dedup.minhash import Minhash
from curate.dedup.semantic import Semantic
from curate.manifest import read_manifest
from curate.progress import Steps

DATA = os.environ.get("COTILLION_REAL_DATA")

FENCE = "A rectangular garden is $12$ meters long and $5$ meters wide. How many meters of fence go around it?"
FORMS = (
    "A rectangular garden is 12 meters long and 5 meters wide . How many meters of fence go around it ?",
    "Question: A rectangular garden is \\(12\\) meters long and \\(5\\) meters wide. How many meters of fence go "
    "around it?\nPlease reason step by step, and put your final answer within \\boxed{}.",
    "a rectangular garden is $12$ meters long and $5$ meters wide.\nHow many meters of fence go around it?\n"
    "(A) 34 (B) 17 (C) 60 (D) 24",
    "A rectangular garden is $12$ metres long and $5$ metres wide. How many meters of fence go around it?",
)
OTHERS = (
    "A rectangular garden is $12$ meters long and $6$ meters wide. How many meters of fence go around it?",
    "A rectangular garden is $5$ meters long and $12$ meters wide. How many meters of fence go around it?",
    "A triangular garden is $12$ meters long and $5$ meters wide. How many meters of fence go around it?",
    "A rectangular garden is $12$ meters long and $5$ feet wide. How many meters of fence go around it?",
)


def table(*problems: str | None, **columns: list[object]) -> pl.DataFrame:
    ids = [f"{at:02d}" for at in range(len(problems))]
    return pl.DataFrame({"id": ids, "problem": problems, **columns}, schema_overrides={"problem": pl.String})


def marks(rows: pl.DataFrame, **options: object) -> dict[str, tuple[str | None, str | None, str | None]]:
    """By id: what it is a form of, what it is a variant of, and why it goes."""
    found = Minhash(**options)(rows)  # type: ignore[arg-type]  # options of several types
    return {row[0]: row[1:] for row in found.select("id", "near_duplicate_of", "variant_of", "drop").iter_rows()}


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_a_problem_goes(form: str) -> None:
    assert marks(table(FENCE, form))["01"] == ("00", None, "near_duplicate")


@pytest.mark.parametrize("other", OTHERS)
def test_a_problem_with_another_number_shape_or_unit_is_a_variant_and_stays(other: str) -> None:
    assert marks(table(FENCE, other))["01"] == (None, "00", None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Solve $x^2 + 5x + 6 = 0$ for real $x$.", "Solve $x^2 - 5x + 6 = 0$ for real $x$."),
        ("For which real $x$ is $2x + 3 < 11$ true?", "For which real $x$ is $2x + 3 > 11$ true?"),
        ("Compute $(2+3) \\cdot 4$ without a calculator.", "Compute $2+(3 \\cdot 4)$ without a calculator."),
        ("What is the sum of the roots of $x^2-7x+1$?", "What is the product of the roots of $x^2-7x+1$?"),
        ("Find the largest value of $5-x^2$ on $[1,2]$.", "Find the smallest value of $5-x^2$ on $[1,2]$."),
        ("If $a + 2b = 7$ and $a = 3$, what is $a$?", "If $a + 2b = 7$ and $a = 3$, what is $b$?"),
        ("In triangle $ABC$ with $AB=7$ and $AC=9$ find $BC$.", "In triangle $ABC$ with $AB=7$ and $BC=9$ find $AC$."),
        ("Tom had 34 marbles and gave away 12 of them.", "Tom had 3 marbles and gave away 412 of them."),
        ("How many of the 40 students do like tea?", "How many of the 40 students do not like tea?"),
        (
            "Find the least $n$ with $617n \\equiv 943n$ modulo 18.",
            "Find the least $n$ with $617n \\equiv 943$ modulo 18.",
        ),
        (
            "If $\\cot A \\cot B = 3$ and $A < B$, find $\\tan B$.",
            "If $\\cot A \\cot B = 3$ and $A < B$, find $\\tan A$.",
        ),
        ("A non-square rectangle has whole sides and area 48.", "A rectangle has whole sides and a square of area 48."),
        ("How many pairs $m, n$ have $mn = 108$ and $m < n$?", "How many pairs $m, n$ have $mn | 108$ and $m < n$?"),
        ("Let $f$ be odd. Is $f(f(f(x)))$ odd or even?", "Let $f$ be odd. Is $f(f(x))$ odd or even?"),
        ("Which of the 5 statements is correct?", "Which of the 5 statements is incorrect?"),
        ("Compute $\\arccos(-1)$ in radians.", "Compute $\\operatorname{arccot}(-1)$ in radians."),
    ],
)
def test_signs_brackets_letters_and_what_is_asked_make_another_problem(one: str, other: str) -> None:
    assert marks(table(one, other))["01"][0] is None
    assert marks(table(one, other))["01"][2] is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "The mean is $\\frac mn$ with $m+n=7$ and $m<n$.",
            "The mean is $\\dfrac{m}{n}$ with $m + n = 7$ and $m < n$.",
        ),
        ("Find $\\sum_{k=1}^{9} k^2$ as an integer.", "Find \\[\\sum\\limits^{9}_{k=1} k^{2}\\] as an integer."),
        ("Ann can't pay 7 dollars for the book.", "Ann can ' t pay 7 dollars for the book ."),
        ("A town has 12,500 people in 3 quarters.", "A town has 12500 people in three quarters."),
        ("Is $3 \\leq x$ when $x \\neq 2$ is a root?", "Is $3\\le x$ when $x\\ne 2$ is a root?"),
        (
            "For every $n$ let $S_n$ be $n^2 + 17$. There is one $n$ with $S_n$ prime. Find this $n$.",
            "For every $n$ let $S_n$ be $n^2 + 17$. Find the one $n$ with $S_n$ prime.",
        ),
        (
            "The sum of two prime numbers is 99. How far apart are the two prime numbers?",
            "The sum of two prime numbers is 99. How far apart are the two numbers?",
        ),
        (
            "The two players take 1 to 5 of the 18 stones in turn. Who of them wins?",
            "Both players take 1 to 5 of the 18 stones in turn. Who of them wins?",
        ),
        (
            "The play began at 8:30 and had 2 breaks. How long did the breaks last in all?",
            "The play began at 8:30 and had 2 breaks. How long were the breaks in all?",
        ),
        (
            "Ann scored 31, Bob 12, Cy 25. Write their scores in descending order.",
            "Ann scored 31, Bob 12, Cy 25. Write their scores from the highest to the lowest.",
        ),
        ("A lathe turned $\\sqrt{3}$ of 1 , 105,000 parts.", "A lathe turned $√3$ of 1,105,000 parts."),
    ],
)
def test_ways_of_writing_the_same_are_the_same(one: str, other: str) -> None:
    assert marks(table(one, other))["01"][0] == "00"


def test_the_options_count_where_the_question_is_about_them() -> None:
    which = "Which of the following numbers is a prime number?"
    one, other = f"{which}\nA) 21\nB) 23\nC) 25", f"{which}\nA) 33\nB) 35\nC) 37"
    assert marks(table(one, other, f"{one}\nD) 27"))["01"][0] is None
    assert marks(table(one, other, f"{one}\nD) 27"))["02"][0] == "00"


def test_the_options_do_not_count_where_the_following_is_something_else() -> None:
    asked = "The following are the ages of 5 sisters: 7, 9, 12, 15, 21. Find the median of their ages."
    assert marks(table(f"{asked}\nA) 7\nB) 9\nC) 12", f"{asked}\nA) 12\nB) 15\nC) 21"))["01"][0] == "00"


def test_one_more_option_makes_no_other_problem_unless_the_question_is_which_of_them() -> None:
    asked = "If 6 cans hold 96 spoons of sugar, then there are a total of spoons of sugar in 15 cans."
    few, more = "A) 192\nB) 208\nC) 240\nD) 288", "A) 192\nB) 208\nC) 240\nD) 270\nE) 288"
    assert marks(table(f"{asked}\n{few}", f"{asked}\n{more}"))["01"][0] == "00"
    which = "Which of the following numbers is the one that sums up most digits?"
    assert marks(table(f"{which}\n{few}", f"{which}\n{more}"))["01"][0] is None


def test_a_drawing_with_other_numbers_is_another_problem_and_a_missing_one_is_not() -> None:
    text = "What is the area of the shaded triangle in the drawing?"
    drawn = [f'{text}\n[asy]\nlabel("{side}", (0,0));\n[/asy]' for side in (8, 9)]
    found = marks(table(*drawn, text))
    assert found["01"][0] is None
    assert found["02"][0] is not None


def test_variants_go_where_the_manifest_asks_and_point_to_one_that_stays() -> None:
    found = marks(table(FENCE, *OTHERS, FORMS[0]), variants="drop")
    assert [found[f"{at:02d}"][2] for at in range(6)] == [None, *["variant"] * 4, "near_duplicate"]
    assert {found[f"{at:02d}"][1] for at in range(1, 5)} == {"00"}


def test_gold_then_rollouts_then_order_say_who_stays() -> None:
    rows = table(*[FENCE, *FORMS[:3]], answer=[None, "34", "34", " "], with_rollouts=[True, False, True, True])
    assert [mark[0] for mark in marks(rows).values()] == ["02", "02", None, "02"]
    assert [mark[0] for mark in marks(rows, keep=("rollouts", "order")).values()] == [None, "00", "00", "00"]
    assert [mark[0] for mark in marks(rows, keep=("answer", "order")).values()] == ["01", None, "01", "01"]


def test_every_row_that_goes_points_to_one_that_stays() -> None:
    chain = ["word " + " ".join(f"w{letter}{at}" for letter in "abcdefghij") for at in range(3)]
    rows = table(FENCE, *FORMS, *OTHERS, *chain, "", None)
    found = marks(rows)
    for same, variant, _ in found.values():
        assert same is None or found[same][0] is None
        assert variant is None or found[variant][2] is None


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(10)))
def test_without_order_in_the_rule_the_order_of_the_rows_changes_nothing(order: list[int]) -> None:
    rows = table(FENCE, *FORMS, *OTHERS, "What is 2 + 2?")
    shuffled = rows[order]
    stage = Minhash(keep=("answer", "rollouts"))
    assert stage(shuffled).sort("id").equals(stage(rows).sort("id"))


def test_any_number_of_threads_gives_the_same_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(*[f"{text} Bed {at % 7}." for at in range(60) for text in (FENCE, *FORMS, *OTHERS)])
    monkeypatch.setattr("curate.alike.sameness.BATCH_ROWS", 50)
    monkeypatch.setattr("curate.alike.buckets.BATCH_ROWS", 50)
    found = []
    for cores in (1, 3):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        found.append(Minhash()(rows))
    assert found[0].equals(found[1])


def test_hostile_texts_and_empty_tables_get_a_mark_each() -> None:
    hostile = [
        None,
        "",
        " \u200f",
        "מה סכום 3 ו־4 במשולש?",
        "$\\frac{1}{2}+\\frac{1}{3}=$",
        "long " * 200_000,
        "$$",
        "?!",
    ]
    found = Minhash()(table(*hostile))
    assert found["id"].to_list() == [f"{at:02d}" for at in range(len(hostile))]
    assert found["drop"].null_count() == len(hostile)
    assert Minhash()(table()).is_empty()
    assert Minhash()(table("What is 2 + 2?"))["drop"].to_list() == [None]
    characters = Minhash(shingles="characters", n=5)(table(*hostile, FENCE, FORMS[0]))
    assert characters["near_duplicate_of"].to_list()[-1] == "08"


def test_a_hundred_thousand_equal_rows_take_no_square_of_time() -> None:
    rows = pl.DataFrame({"id": [f"{at:06d}" for at in range(100_000)], "problem": "What is 2 + 2?"})
    alike = rows[:20_000].with_columns(problem=pl.format("What is {} + 2?", "id"))
    start = time.process_time()
    assert Minhash()(rows)["near_duplicate_of"].unique().sort().to_list() == [None, "000000"]
    found = Minhash()(alike)
    assert found["variant_of"].null_count() == 1
    assert found["drop"].null_count() == 20_000
    assert time.process_time() - start < 60


def test_bands_miss_at_most_one_in_a_hundred_at_the_threshold() -> None:
    for threshold in (0.5, 0.6, 0.8, 0.95):
        count, rows = cut_bands(128, threshold)
        assert (1 - threshold**rows) ** count <= 0.01
        assert count * rows <= 128
    assert cut_bands(128, 0.9)[1] > cut_bands(128, 0.5)[1]


@pytest.mark.parametrize("permutations", [8, 128, 1024])
@pytest.mark.parametrize("threshold", [0.001, 0.01, 1.0])
def test_any_threshold_can_be_cut_into_bands(permutations: int, threshold: float) -> None:
    count, rows = cut_bands(permutations, threshold)
    assert 1 <= count * rows <= permutations
    assert marks(table(FENCE, FORMS[0]), permutations=permutations, threshold=threshold)["01"][0] == "00"


@pytest.mark.parametrize("shingles", ["words", "characters"])
def test_texts_shorter_than_a_run_are_compared_too(shingles: str) -> None:
    short = table("Prove it.", "prove it", "Prove them.")
    found = marks(short, n=40, shingles=shingles)
    assert [found[at][0] for at in ("00", "01", "02")] == [None, "00", None]
    assert marks(short[:1], n=40, shingles=shingles)["00"] == (None, None, None)


def test_shares_are_those_of_the_sets() -> None:
    said = statements(pl.Series(["red green blue", "red green blue", "red green blue brown", "one", ""]))
    cut = shingle(said, "words", 2, workers=1)
    # {red green, green blue} against {red green, green blue, blue brown}
    assert shares(cut, *(pl.Series(side).to_numpy() for side in ([0, 0, 0, 3, 4], [1, 2, 3, 3, 4]))).tolist() == [
        1.0,
        pytest.approx(2 / 3),
        0.0,
        1.0,
        0.0,
    ]
    signed = bands(cut, 32, 0.5, seed=1, workers=1)
    assert (signed[0] == signed[1]).all()
    assert not (signed[0] == signed[3]).any()


def test_exact_then_minhash_of_the_same_rows_mark_each_row_once() -> None:
    rows = table(FENCE, FENCE.upper(), FORMS[0])
    exact = Exact()(rows)
    left = rows.filter(exact["drop"].is_null())
    assert exact["duplicate_of"].to_list() == [None, "00", None]
    assert marks(left) == {"00": (None, None, None), "02": ("00", None, "near_duplicate")}


def test_a_cluster_stands_on_one_side_of_the_held_out_split(tmp_path: Path) -> None:
    bases = (
        "Ann has 7 red apples and buys 4 more on Monday. How many apples does she have?",
        "A train covers 90 miles in 2 hours. What is its average speed in miles per hour?",
        "What is the remainder when $3^{11}$ is divided by 5?",
        "Two fair dice are rolled. What is the probability that the sum of the faces is 9?",
        "Find the area of a circle whose radius is 6 inches, in square inches.",
    )
    texts = [
        text
        for base in bases
        for text in (base, base.replace(" ", "  "), base.replace("?", " ?").replace(".", " ."), f"{base} 8")
    ]
    lines = [json.dumps({"q": text, "a": "34", "r": ["It is \\boxed{34}."]}) for text in texts]
    (tmp_path / "q.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "m.yaml").write_text(
        "name: forms\nlicense: cc0-1.0\nheldout: 0.5\nseed: 3\nsources:\n  - {use: files, path: q.jsonl, "
        "license: cc0-1.0, columns: {problem: q, answer: a, rollouts: r}}\nproblems: [dedup.exact, dedup.minhash]\n"
        "verdicts: [rule]\nviews: {sft: {}}\n",
        encoding="utf-8",
    )
    version = build(read_manifest(tmp_path / "m.yaml"), tmp_path / "data", Steps(quiet=True), workers=1).version
    problems = version.table("problems").collect()
    assert problems["drop_reason"].drop_nulls().value_counts().sort("drop_reason").rows() == [
        ("duplicate", 5),
        ("near_duplicate", 5),
    ]
    assert problems.select("cluster").unique().height == 5
    assert problems.group_by("cluster").agg(pl.col("split").n_unique())["split"].unique().to_list() == [1]
    assert set(problems["split"]) == {"train", "heldout"}


def test_the_four_manifests_of_the_paper_look_for_duplicates_alike() -> None:
    folder = Path(__file__).parent.parent / "manifests"
    early = [
        [(use.name, use.plug) for use in read_manifest(folder / f"math_{view}.yaml").problems]
        for view in ("midtrain", "sft", "dpo", "rl")
    ]
    assert all(stages == early[0] for stages in early)
    names = [name for name, _ in early[0]]
    assert names.index("dedup.exact") < names.index("dedup.minhash") < names.index("decontaminate.ngrams")


@pytest.mark.skipif(not DATA, reason="COTILLION_REAL_DATA names no folder")
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("format_variants", 0.99, 1.0), ("natural_overlap", 0.97, 1.0), ("math_perturb", 0.0, 0.01)],
)
def test_labelled_pairs(name: str, least: float, most: float) -> None:
    pairs = pl.read_ndjson(Path(str(DATA)) / f"dups/{name}.jsonl", infer_schema_length=None)
    pairs = pairs.filter(~pl.col("kind").str.starts_with("zh") & (pl.col("label") == int(most == 1.0)))
    sides = [pairs.select(id=pl.format(f"{side}{{}}", pl.int_range(pl.len())), problem=side) for side in "ab"]
    found = Minhash()(pl.concat(sides))
    stays = found.select(pl.coalesce("near_duplicate_of", "id"))["near_duplicate_of"]
    share = (stays[: pairs.height] == stays[pairs.height :]).sum() / pairs.height
    assert least <= share <= most


def test_meaning_finds_words_in_another_order_and_keeps_other_numbers() -> None:
    pytest.importorskip("sentence_transformers", reason="dedup.semantic needs sentence-transformers")
    pytest.importorskip("faiss", reason="dedup.semantic needs faiss")
    said = "On Monday Ann picked 12 red apples in the orchard and Ben 7 green pears. How many fruits are there?"
    turned = "Ann picked 12 red apples and Ben 7 green pears in the orchard on Monday. How many fruits are there?"
    rows = table(said, turned, said.replace("12", "13"), FENCE, "", None, *OTHERS[:1], "A circle has radius 3.")
    found = Semantic()(rows)
    assert found["near_duplicate_of"].to_list() == [None, "00", *[None] * 6]
    assert found["variant_of"].to_list() == [None, None, "00", None, None, None, "03", None]
    assert found.equals(Semantic()(rows))
    alone = Semantic(keep=("answer",))
    assert alone(rows[::-1]).sort("id").equals(alone(rows).sort("id"))
    assert Semantic()(table("", None))["drop"].null_count() == 2


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        Semantic(model=str(tmp_path / "missing"))
    with pytest.raises(ModelError, match="organisation/name"):
        Semantic(model="all-MiniLM")
    assert Semantic(model="a/b@0123").pinned([]).model == "a/b@0123"
    earlier = [{"use": "dedup.semantic", "model": {"name": "a/b", "state": {"revision": "0123"}}}]
    assert Semantic(model="a/b").pinned(earlier).model == "a/b@0123"


def test_a_model_in_a_folder_is_known_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_bytes(b"1")
    stage = Semantic(model=str(tmp_path / "model"))
    before = stage.inputs()
    assert before["model"]["name"] == "model"
    (tmp_path / "model/weights").write_bytes(b"2")
    assert stage.inputs() != before


@pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="the encoder needs sentence-transformers")
def test_the_encoder_reckons_on_one_thread_so_that_cores_change_nothing() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(2), _one_thread():
        import sklearn.decomposition  # noqa: F401  # what it loads is limited, too

        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
