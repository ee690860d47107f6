"""The ledger balances, or the build stops."""

import polars as pl
import pytest

from curate.ledger import Ledger, LedgerError


def marks(**fates: str | None) -> pl.DataFrame:
    return pl.DataFrame({"id": list(fates), "drop": pl.Series(list(fates.values()), dtype=pl.String)})


SEEN = pl.Series(["a", "b", "c"])


def test_in_is_kept_plus_dropped_by_reason() -> None:
    ledger = Ledger()
    entry = ledger.record("dedup.exact", "problems", SEEN, marks(a=None, b="duplicate", c="duplicate"), ("duplicate",))
    assert (entry.seen, entry.kept, entry.dropped) == (3, 1, {"duplicate": 2})
    assert ledger.rows().rows() == [
        ("problems", "b", "dedup.exact", "duplicate"),
        ("problems", "c", "dedup.exact", "duplicate"),
    ]
    assert ledger.funnel().row(0, named=True)["dropped"] == [{"reason": "duplicate", "rows": 2}]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (marks(a=None, b=None), "1 of 3 problems lost (such as c)"),
        (marks(a=None, b=None, c=None, d=None), "1 of 3 problems invented (such as d)"),
        (pl.concat([marks(a=None, b=None, c=None), marks(a=None)]), "1 of 3 problems marked twice (such as a)"),
        (marks(a=None, b=None, c="mood"), "dropped problems for ['mood'], but declares only ['duplicate']"),
    ],
)
def test_a_stage_that_loses_invents_or_doubles_rows_stops_the_build(given: pl.DataFrame, complaint: str) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger().record("dedup.exact", "problems", SEEN, given, ("duplicate",))
    assert complaint in str(caught.value)


def test_a_stage_sees_what_the_one_before_it_kept() -> None:
    ledger = Ledger()
    ledger.record("hygiene.answerable", "problems", SEEN, marks(a=None, b=None, c="no_answer"), ("no_answer",))
    with pytest.raises(LedgerError, match="saw 3 problems, but 2 had been kept before it"):
        ledger.record("dedup.exact", "problems", SEEN, marks(a=None, b=None, c=None), ())


def test_rollouts_of_all_sources_and_the_teacher_are_seen_by_the_first_stage() -> None:
    ledger = Ledger()
    ledger.open("sources.0.files", "rollouts", 2, marks())
    ledger.open("teacher.tutor", "rollouts", 2, marks(x="no_reply"))
    with pytest.raises(LedgerError, match="saw 2 rollouts, but 3 had been kept"):
        ledger.record("verdicts.rule", "rollouts", SEEN[:2], marks(a=None, b=None), ())
    ledger.record("verdicts.rule", "rollouts", SEEN, marks(a=None, b=None, c=None), ())


def test_a_view_leaves_rows_out_of_itself_only() -> None:
    ledger = Ledger()
    ledger.record("verdicts.rule", "rollouts", SEEN, marks(a=None, b=None, c=None), ())
    ledger.record("views.sft", "rollouts", SEEN, marks(a=None, b="wrong", c="wrong"), ("wrong",))
    assert ledger.record("views.dpo", "rollouts", SEEN, marks(a=None, b=None, c="over_cap"), ("over_cap",)).kept == 2
