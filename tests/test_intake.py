"""What the intake makes of rows: problems and rollouts, or a stated reason why not."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.reading.cells import column_of
from curate.reading.intake import REASONS, Columns, Intake, SourceError, intake
from curate.records import PROBLEM, ROLLOUT, empty, row_ids


def read(columns: Columns, **cells: list[Any]) -> Intake:
    """The intake of rows that were parsed from JSON."""
    return intake(pl.DataFrame([column_of(name, values) for name, values in cells.items()]), columns, source="s")


def test_a_row_is_a_problem_with_an_id_from_source_and_text() -> None:
    taken = read(Columns(problem="question", answer="gold"), question=["1 + 1?"], gold=["2"])
    assert taken.problems.columns == PROBLEM.names
    assert taken.problems.select("problem", "answer", "source", "synthetic").rows() == [("1 + 1?", "2", "s", False)]
    none = pl.Series([None], dtype=pl.String)
    assert taken.problems["id"].to_list() == row_ids(pl.Series(["s"]), none, pl.Series(["1 + 1?"])).to_list()
    assert taken.rollouts.height == 0
    assert taken.rows == 1


def test_tables_have_the_types_of_the_records() -> None:
    taken = read(Columns(problem="p", rollouts="r"), p=["q"], r=["a"])
    assert taken.rollouts.schema == empty(ROLLOUT).schema
    assert taken.problems.schema == empty(PROBLEM).schema


def test_a_blank_question_is_unreadable_and_says_where() -> None:
    taken = read(Columns(problem="p"), p=["1?", " \n", None, "2?"])
    assert taken.unreadable.rows() == [("s:2", "no_problem_text"), ("s:3", "no_problem_text")]
    assert taken.problems["problem"].to_list() == ["1?", "2?"]
    assert taken.rows == 4


def test_a_list_of_replies_and_one_reply_per_row_give_the_same_rollouts() -> None:
    columns = Columns(problem="p", rollouts="r", labels="l", teacher="t")
    wide = read(columns, p=["q"], r=[["a", "b"]], l=[[True, False]], t=["m"])
    long = read(columns, p=["q", "q"], r=["a", "b"], l=[True, False], t=["m", "m"])
    assert wide.rollouts.equals(long.rollouts)
    assert wide.problems.equals(long.problems)
    assert wide.rollouts["source_verdict"].to_list() == ["correct", "wrong"]
    assert (wide.rows, long.rows) == (1, 2)


def test_rows_without_rollouts_stay_one_problem_each() -> None:
    taken = read(Columns(problem="p"), p=["q", "q", "q"])
    assert taken.problems.height == 3
    assert taken.problems["id"].n_unique() == 1


def test_the_same_question_under_two_source_ids_is_two_problems() -> None:
    taken = read(Columns(problem="p", source_id="i", rollouts="r"), p=["q", "q"], i=["1", "2"], r=["a", "a"])
    assert taken.problems["source_id"].to_list() == ["1", "2"]
    assert taken.rollouts["problem_id"].to_list() == taken.problems["id"].to_list()


def test_thinking_is_told_apart_from_the_response() -> None:
    replies = ["<think>\nhm\n</think>\n\n4", "hm</think>4", "4"]
    taken = read(Columns(problem="p", rollouts="r"), p=["q"], r=[replies])
    assert taken.rollouts.select("reasoning", "response", "format").rows() == [
        ("hm", "4", "tags"),
        ("hm", "4", "close"),
        ("", "4", "none"),
    ]


def test_a_reasoning_column_is_joined_to_its_reply() -> None:
    columns = Columns(problem="problem", rollouts="deepseek_solution", reasoning="deepseek_reasoning")
    taken = read(
        columns, problem=["p", "q"], deepseek_reasoning=["two and two", "cut off"], deepseek_solution=["4", None]
    )
    assert taken.rollouts.select("reasoning", "response").rows() == [("two and two", "4"), ("cut off", "")]


@pytest.mark.parametrize("beside", ["reasoning", "labels", "finish_reasons", "teacher"])
def test_what_cannot_be_assigned_to_a_reply_is_not_lost_in_silence(beside: str) -> None:
    columns = Columns(**{"problem": "p", "rollouts": "r", beside: "z"})
    replies = [["4", "5", "6"], ["4"], ["4", "5"], None, ["7", "8"], ["9"]]
    taken = read(columns, p=list("abcdef"), r=replies, z=[["x", "y"], ["x", "y"], [], ["x", "y"], ["x", None], "x"])
    assert taken.unreadable.rows() == [(f"s:{row}", "misaligned") for row in (1, 2, 4)]
    assert taken.rollouts.height == 5


def test_one_name_stands_for_all_replies_and_one_label_for_one() -> None:
    rows: dict[str, list[Any]] = {"p": ["a", "b", "c"], "r": [["4", "5"], ["4"], None], "z": ["x", "x", "x"]}
    assert read(Columns(problem="p", rollouts="r", teacher="z"), **rows).rollouts["teacher"].to_list() == ["x"] * 3
    for columns in (Columns("p", rollouts="r", labels="z"), Columns("p", rollouts="r", finish_reasons="z")):
        taken = read(columns, **rows)
        assert taken.unreadable["id"].to_list() == ["s:1", "s:3"]
        assert taken.rollouts.height == 1


@pytest.mark.parametrize(
    ("label", "verdict"),
    [
        (True, "correct"),
        (False, "wrong"),
        ("Correct", "correct"),
        ("incorrect", "wrong"),
        ("1", "correct"),
        ("1.0", "correct"),
        ("0.99", "wrong"),
        ("0", "wrong"),
        ("NaN", None),
        ("perhaps", None),
        (None, None),
    ],
)
def test_a_label_is_the_sources_own_verdict(label: Any, verdict: str | None) -> None:
    taken = read(Columns(problem="p", rollouts="r", labels="l"), p=["q"], r=["a"], l=[label])
    assert taken.rollouts["source_verdict"].to_list() == [verdict]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("stop", "stop"), ("EOS", "stop"), ("length", "length"), ("max_tokens", "length"), ("tool_calls", "unknown")],
)
def test_finish_reasons_have_four_names(theirs: str, ours: str) -> None:
    taken = read(Columns(problem="p", rollouts="r", finish_reasons="f"), p=["q"], r=[["a", "b"]], f=[[theirs, None]])
    assert taken.rollouts["finish_reason"].to_list() == [ours, "unknown"]


def test_a_null_among_the_replies_is_a_rollout_that_failed() -> None:
    taken = read(Columns(problem="p", rollouts="r"), p=["q"], r=[["a", None]])
    assert taken.rollouts.select("response", "finish_reason").rows() == [("a", "unknown"), ("", "error")]


def test_the_teacher_is_the_columns_then_the_options_then_unknown() -> None:
    raw = pl.DataFrame({"p": ["1", "2"], "r": [["a", "b"], ["c", "d"]], "t": [["m", None], ["n"]]})
    columns = Columns(problem="p", rollouts="r", teacher="t")
    assert intake(raw, columns, source="s").rollouts["teacher"].to_list() == ["m", "unknown", "n", "n"]
    assert intake(raw, columns, source="s", teacher="o").rollouts["teacher"].to_list() == ["m", "o", "n", "n"]


@pytest.mark.parametrize(("role", "content", "asks", "answers"), [
    ("role", "content", "user", "assistant"),
    ("from", "value", "human", "gpt"),
])  # fmt: skip
def test_conversations_give_question_and_reply(role: str, content: str, asks: str, answers: str) -> None:
    turns = [{role: "system", content: "think"}, {role: asks, content: "q?"}, {role: answers, content: "a"}]
    from_json = read(Columns(problem="m", rollouts="m"), m=[turns])
    from_arrow = intake(pl.DataFrame({"m": [turns]}), Columns(problem="m", rollouts="m"), source="s")
    for taken in (from_json, from_arrow):
        assert taken.problems["problem"].to_list() == ["q?"]
        assert taken.rollouts["response"].to_list() == ["a"]
    several = read(Columns(problem="p", rollouts="m"), p=["q?"], m=[[turns, turns[1:]]])
    assert several.rollouts["response"].to_list() == ["a", "a"]


def test_a_conversation_of_several_replies_is_no_rollout() -> None:
    turns = [{"role": "user", "content": "q?"}, *[{"role": "assistant", "content": "a"}] * 2]
    taken = read(Columns(problem="m", rollouts="m"), m=[turns])
    assert taken.rollouts.select("response", "finish_reason").rows() == [("", "error")]


def test_our_levels_are_levels_and_other_words_are_kept_beside() -> None:
    taken = read(Columns(problem="p", level="l"), p=["1", "2", "3", "4"], l=["College", "Level 5", "3", None])
    assert taken.problems["level"].to_list() == ["college", None, None, None]
    assert taken.problems["source_level"].to_list() == [None, "Level 5", "3", None]


def test_columns_of_every_arrow_type_become_text() -> None:
    raw = pl.DataFrame(
        {"p": [b"q\xff"], "a": [18.0], "i": [7], "s": pl.Series(["x"], dtype=pl.Categorical), "d": [["2", "3"]]}
    )
    taken = intake(raw, Columns(problem="p", answer="a", source_id="i", source="s", solution="d"), source="s")
    row = taken.problems.select("problem", "answer", "source_id", "source", "solution").row(0)
    assert row == ("q\ufffd", "18.0", "7", "x", "2, 3")


def test_a_missing_column_is_named_with_a_guess() -> None:
    with pytest.raises(
        SourceError, match=r"no column 'qestion' \(did you mean 'question'\?\).*There are: question, id"
    ):
        intake(pl.DataFrame({"question": ["q"], "id": ["1"]}), Columns(problem="qestion"), source="s")


def test_odd_text_comes_through() -> None:
    odd = ["half \ud83d pair", "nul \0 inside", "x" * 1_200_000, "\u202eright to left", "\ufeff"]
    taken = read(Columns(problem="p", rollouts="r"), p=odd, r=[[text] for text in odd])
    assert taken.problems["problem"].to_list() == ["half \ufffd pair", *odd[1:]]
    assert taken.rollouts.height == 5


texts = st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["q", "<think>a</think>b", " "]))
cells = st.recursive(
    texts | st.booleans() | st.integers(0, 2).map(str),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": inner})
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.fixed_dictionaries(dict.fromkeys(("p", "a", "r", "z", "l", "f", "t"), cells)), max_size=6),
    st.lists(st.lists(texts, min_size=1, max_size=3), max_size=4),
)
def test_no_row_and_no_reply_vanishes(rows: list[dict[str, Any]], lists: list[list[str | None]]) -> None:
    columns = Columns(problem="p", answer="a", rollouts="r", reasoning="z", labels="l", finish_reasons="f", teacher="t")
    taken = read(columns, **{name: [row[name] for row in rows] for name in columns.named()})
    assert taken.rows == len(rows)
    assert set(taken.unreadable["reason"]) <= set(REASONS)
    places = taken.unreadable["id"].to_list()
    # Every row is read or unreadable; each that is read has its problem, each reply its row.
    without = read(Columns(problem="p"), p=[row["p"] for row in rows])
    assert without.problems.height + without.unreadable.height == len(rows)
    assert set(without.unreadable["id"]) <= set(places)
    assert set(taken.rollouts["problem_id"]) <= set(taken.problems["id"])
    readable = [p for i, p in enumerate(_ids(rows), 1) if f"s:{i}" not in places]
    assert set(readable) == set(taken.problems["id"])

    plain = read(Columns(problem="p", rollouts="r"), p=[f"q{i}" for i in range(len(lists))], r=lists)
    assert plain.rollouts.height == sum(map(len, lists))
    assert plain.problems.height == len(lists)


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    problems = column_of("p", [row["p"] for row in rows])
    found = intake(problems.to_frame(), Columns(problem="p"), source="s")
    ids = iter(found.problems["id"])
    blank = set(found.unreadable["id"])
    return ["" if f"s:{i}" in blank else next(ids) for i in range(1, len(rows) + 1)]


def test_a_gold_answer_is_read_out_of_a_worked_solution() -> None:
    worked = ["So $\\boxed{17}$.", "3 + 4 = <<3+4=7>>7\n#### 7", "It is clear.", None, "Thus \\boxed{5}."]
    columns = Columns(problem="p", answer="a", answer_in="s")
    taken = read(columns, p=list("abcde"), a=[None, None, None, None, "six"], s=worked)
    assert taken.problems["answer"].to_list() == ["17", "7", None, None, "six"]


def test_a_box_that_was_only_thought_of_is_no_gold() -> None:
    thought = "<|begin_of_thought|>\n\n\\boxed{3}? No.\n\n<|end_of_thought|>\n\n"
    said = thought + "<|begin_of_solution|>\n\n{}\n\n<|end_of_solution|>"
    replies = [said.replace("{}", "It is $\\boxed{4}$."), said.replace("{}", "Four.")]
    turns = [[{"from": "user", "value": "q"}, {"from": "assistant", "value": text}] for text in replies]
    taken = read(Columns(problem="c", answer_in="c", rollouts="c"), c=turns)
    assert taken.problems["answer"].to_list() == ["4", None]
    assert taken.rollouts["response"].to_list() == ["It is $\\boxed{4}$.", "Four."]
