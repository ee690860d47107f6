"""The rollout store against a dictionary: whatever is done to it in whatever order, both hold the same.

`make crash` (COTILLION_CRASH=full) tells 2,000 stories of 50 steps, otherwise a few short ones.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import distill.store
from distill.request import Reply
from distill.store import Store
from distill.storing.frames import frames

FULL = os.environ.get("COTILLION_CRASH") == "full"
pytestmark = pytest.mark.timeout(0 if FULL else 300)
WRITERS = st.integers(0, 1)
KEYS = "abcdef"


class Model(RuleBasedStateMachine):
    """Two writers of one folder, a store on another machine, and the attempts that must be there."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.here, self.there = self.place / "here", self.place / "there"
        self.roll, distill.store.ROLL_BYTES = distill.store.ROLL_BYTES, 900
        self.stores = [Store(self.here), Store(self.here)]
        self.attempts: list[Reply] = []
        self.elsewhere: list[Reply] = []
        self.logs: dict[Path, list[Reply]] = {}
        self.count = 0

    @rule(writer=WRITERS, keys=st.lists(st.sampled_from(KEYS), max_size=4), failed=st.booleans())
    def append(self, writer: int, keys: list[str], failed: bool) -> None:
        rows = [self._paid(key, failed) for key in keys]
        self.stores[writer].append(rows)
        self.attempts += rows
        if log := self.stores[writer]._log:
            self.logs.setdefault(log.path, []).extend(rows)

    @rule(writer=WRITERS, n=st.integers(1, 8))
    def raise_n(self, writer: int, n: int) -> None:
        """As sampling does: what is answered, by whomever, is not asked again."""
        keys = [f"rollout {index}" for index in range(n)]
        known = self.stores[writer].answered(keys)
        self.append(writer, [key for key, old in zip(keys, known, strict=True) if not old], False)
        assert sum(row.key in keys for row in self.attempts) == len({row.key for row in self.attempts} & set(keys))

    @rule(writer=WRITERS)
    def close(self, writer: int) -> None:
        """Seals the writer's log and those that crashes left; joins what is short."""
        self.stores[writer].close()

    @rule(writer=WRITERS)
    def kill(self, writer: int) -> None:
        """kill -9: what was written stays, and nothing is sealed."""
        if log := self.stores[writer]._log:
            log.close()
        self.stores[writer] = Store(self.here)

    @rule(shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
    def cut_power(self, shares: tuple[float, float]) -> None:
        """Both writers die, and what was not synced is gone from some byte on."""
        logs = [store._log for store in self.stores]
        synced = [log.synced if log else 0 for log in logs]
        for writer, log in enumerate(logs):
            self.kill(writer)
            if log:
                os.truncate(log.path, synced[writer] + int(shares[writer] * (log.size - synced[writer])))
                kept = sum(1 for _ in frames(log.path))
                lost = self.logs[log.path][kept:]
                self.logs[log.path] = self.logs[log.path][:kept]
                self.attempts = [row for row in self.attempts if row not in lost]

    @rule(key=st.sampled_from(KEYS), failed=st.booleans())
    def pay_elsewhere(self, key: str, failed: bool) -> None:
        row = self._paid(key, failed)
        with Store(self.there) as there:
            there.append([row])
        self.elsewhere.append(row)

    @rule(writer=WRITERS)
    def merge(self, writer: int) -> None:
        new = [row for row in self.elsewhere if row not in self.attempts]
        assert self.stores[writer].merge([self.there, self.here]) == len(new)
        self.attempts += new
        if log := self.stores[writer]._log:
            held = self.logs.setdefault(log.path, [])
            # A log that filled up on the way was sealed: what went into it is past the reach of a power cut.
            held.extend(new[len(new) + len(held) - sum(1 for _ in frames(log.path)) :])

    @invariant()
    def agrees(self) -> None:
        by_key: dict[str, list[Reply]] = {}
        for row in sorted(self.attempts, key=lambda row: row.completion_tokens):
            by_key.setdefault(row.key, []).append(row)
        good = {key: [row for row in rows if row.finish_reason != "error"] for key, rows in by_key.items()}
        asked = sorted(by_key)
        counts = [good[key][0] if good[key] else by_key[key][-1] for key in asked]
        spent = [(len(by_key[key]), sum(row.completion_tokens for row in by_key[key])) for key in asked]
        for store in (*self.stores, Store(self.here)):
            assert store.answered(list(KEYS)) == [bool(good.get(key)) for key in KEYS]
            assert store.keys() == [key for key in asked if good[key]]
            assert store.get(asked) == counts
            assert store.costs(asked).select("attempts", "completion_tokens").rows() == spent
        assert sorted(row["completion_tokens"] for row in store.attempts()) == sorted(
            row.completion_tokens for row in self.attempts
        )

    def _paid(self, key: str, failed: bool) -> Reply:
        self.count += 1
        text, reason = ("", "error") if failed else (f"{key}{self.count}" * 5, "stop")
        return Reply(key, text, finish_reason=reason, completion_tokens=self.count)

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        distill.store.ROLL_BYTES = self.roll
        shutil.rmtree(self.place)


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=2_000 if FULL else 12,
    stateful_step_count=50 if FULL else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
