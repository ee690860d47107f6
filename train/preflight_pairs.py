"""Preflight of pairs: what DPO would do to them, counted before any weights are loaded."""

from collections.abc import Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from train.preflight import Preflight, PreflightError, count, tokenize
from train.settings import SettingsError

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

ACCEPTS = ("cut", "split", "endless", "alike", "drift")
"""What `--accept` may name."""

DRIFT = (0.8, 1.25)
"""Chosen over rejected, at the median: outside of it, DPO teaches a length (arXiv 2505.02142 saw +25 % from 1.2)."""


@dataclass(frozen=True)
class PairPreflight:
    """Counts over both sides of all pairs, and what only pairs can have wrong."""

    pairs: int
    sides: Preflight
    """Counted over 2 x pairs conversations: each prompt with its chosen, then with its rejected reply."""
    same: int
    """Both sides are the same text."""
    alike: int
    """The sides differ, but only in spacing, case, boxes and punctuation."""
    drift: float
    """Median tokens of a chosen conversation over that of a rejected one."""

    def table(self) -> str:
        """The counts as a small table for people."""
        lines = [
            f"{self.pairs:,} pairs; the chosen side is {self.drift:.2f} x as long as the rejected one at the median",
            f"  {'both sides say the same':38} {self.same:8,}",
            f"  {'sides differ by format only':38} {self.alike:8,}",
            "both sides together: " + self.sides.table(),
        ]
        return "\n".join(lines)

    def check(self, accept: Set[str]) -> None:
        """Nothing is wrong with the pairs that was not accepted.

        Raises:
            PreflightError: naming each fault, what mends it, and the flag that accepts it.
        """
        faults = []
        if self.same:
            faults.append(f"{self.same:,} of {self.pairs:,} pairs have the same text on both sides: build them anew")
        if self.alike and "alike" not in accept:
            faults.append(
                f"{self.alike:,} of {self.pairs:,} pairs differ by format only, so the student would learn the format. "
                "To go on anyway: --accept alike"
            )
        if not DRIFT[0] <= self.drift <= DRIFT[1] and "drift" not in accept:
            way = "longer" if self.drift > 1 else "shorter"
            faults.append(
                f"chosen replies are {self.drift:.2f} x as long as rejected ones: the student would learn to write "
                f"{way} ones. Narrow length_ratio of the view dpo. To go on anyway: --accept drift"
            )
        # A side without anything in the loss is one that was cut: `cut` speaks for both.
        faults += self.sides.faults(accept | {"empty", "endless"})
        if self.sides.endless and "endless" not in accept:
            faults.append(
                f"{self.sides.endless:,} of {self.sides.rows:,} sides do not end as this model ends a reply, so none "
                "teaches where to stop: the chat template leaves the end out. To go on anyway: --accept endless"
            )
        if faults:
            raise PreflightError("preflight refuses these pairs:\n  " + "\n  ".join(faults))

    def facts(self) -> dict[str, Any]:
        """The counts, for run.json."""
        return asdict(self)


def count_pairs(
    pairs: "Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int | None,
    ends: set[int],
    processes: int | None = None,
) -> PairPreflight:
    """The counts over pairs with `prompt`, `chosen` and `rejected` as message lists.

    Raises:
        SettingsError: the tokenizer has no chat template.
    """
    import polars as pl

    if not tokenizer.chat_template:
        raise SettingsError(
            "the tokenizer has no chat template: DPO reads its pairs in one. `train sft` with "
            "--set chat_template_path=FILE.jinja gives the student one"
        )
    talks = pairs.map(
        _talks,
        batched=True,
        batch_size=256,
        remove_columns=pairs.column_names,
        num_proc=processes,
        desc="Reading pairs",
    )
    counted = tokenize(talks, tokenizer, None, max_length, ends, processes)
    facts = counted.select_columns(["side", "tokens", "same", "alike"]).with_format("polars")[:]
    assert isinstance(facts, pl.DataFrame)
    median = facts.group_by("side").agg(pl.col("tokens").median()).sort("side")["tokens"].to_list()
    return PairPreflight(
        pairs=len(pairs),
        sides=count(counted, max_length),
        same=int(facts["same"].sum()) // 2,
        alike=int(facts["alike"].sum()) // 2,
        drift=round(float(median[0] / median[1]), 3),
    )


def _talks(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Each pair as two conversations, the chosen one first."""
    import re

    out: dict[str, list[Any]] = {"prompt": [], "messages": [], "side": [], "same": [], "alike": []}
    for prompt, chosen, rejected in zip(batch["prompt"], batch["chosen"], batch["rejected"], strict=True):
        texts = [side[-1]["content"] if side else "" for side in (chosen, rejected)]
        bare = [re.sub(r"[\W_]+", "", text.replace("\\boxed", "")).lower() for text in texts]
        for name, side in (("chosen", chosen), ("rejected", rejected)):
            out["prompt"].append(prompt)
            out["messages"].append([*prompt, *side])
            out["side"].append(name)
            out["same"].append(texts[0] == texts[1])
            out["alike"].append(texts[0] != texts[1] and bare[0] == bare[1])
    return out
