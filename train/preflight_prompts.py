"""Preflight of prompts: what reinforcement learning would meet, counted before any weights are loaded."""

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from train.preflight import PreflightError
from train.settings import SettingsError

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

ACCEPTS = ("long", "settled")
"""What `--accept` may name."""


@dataclass(frozen=True)
class PromptPreflight:
    """Counts of prompts; lengths in tokens."""

    prompts: int
    longest: int
    median: int
    context: int | None
    """The model's longest sequence; None where its config names none."""
    completion: int
    """`max_completion_length`."""
    long: int
    """Prompts that leave less than `completion` of the context."""
    goldless: int
    """Without a gold answer."""
    settled: int
    """With a recorded pass rate of 0 or 1: a group of equal rewards teaches nothing."""

    def table(self) -> str:
        """The counts for people."""
        room = "" if self.context is None else f" in a context of {self.context:,}"
        return (
            f"{self.prompts:,} prompts of at most {self.longest:,} tokens (median {self.median:,}), replies of at most "
            f"{self.completion:,}{room}\n"
            f"  {'no room for a whole reply':38} {self.long:8,}\n"
            f"  {'no gold answer':38} {self.goldless:8,}\n"
            f"  {'pass rate 0 or 1':38} {self.settled:8,}"
        )

    def check(self, accept: Set[str]) -> None:
        """Nothing is wrong with the prompts that was not accepted.

        Raises:
            PreflightError: naming each fault, what mends it, and the flag that accepts it.
        """
        faults = []
        if self.longest >= (self.context or self.longest + 1):
            faults.append(
                f"a prompt of {self.longest:,} tokens is longer than the model's context of {self.context:,}: "
                "leave such problems out of the view rl"
            )
        if self.goldless:
            faults.append(f"{self.goldless:,} of {self.prompts:,} prompts have no gold answer: nothing can be rewarded")
        if self.long and "long" not in accept:
            faults.append(
                f"{self.long:,} of {self.prompts:,} prompts leave no room for a whole reply: "
                f"--set max_completion_length={max(1, (self.context or 0) - self.longest)}. "
                "To go on anyway: --accept long"
            )
        if self.settled and "settled" not in accept:
            faults.append(
                f"{self.settled:,} of {self.prompts:,} prompts have a pass rate of 0 or 1, so that their groups teach "
                "nothing: set pass_rate of the view rl. To go on anyway: --accept settled"
            )
        if faults:
            raise PreflightError("preflight refuses these prompts:\n  " + "\n  ".join(faults))

    def facts(self) -> dict[str, Any]:
        """The counts, for run.json."""
        return asdict(self)


def count_prompts(
    prompts: "Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    model: str,
    completion: int | None,
    asked_for: Mapping[str, Any],
) -> PromptPreflight:
    """The counts over rows with `prompt` (message lists), `solution` and `pass_rate`.

    Args:
        completion: `max_completion_length`.
        asked_for: the model's revision, and whether its code may run.

    Raises:
        SettingsError: the tokenizer has no chat template.
    """
    from transformers import AutoConfig

    if not tokenizer.chat_template:
        raise SettingsError(
            "the tokenizer has no chat template: RL asks its prompts in one. `train sft` with "
            "--set chat_template_path=FILE.jinja gives the student one"
        )
    lengths: list[int] = []
    for start in range(0, len(prompts), 256):
        talks = prompts[start : start + 256]["prompt"]
        encoded: Any = tokenizer.apply_chat_template(talks, add_generation_prompt=True, return_dict=True)
        lengths += [len(ids) for ids in encoded["input_ids"]]
    context = getattr(AutoConfig.from_pretrained(model, **asked_for).get_text_config(), "max_position_embeddings", None)
    completion = completion or 0
    return PromptPreflight(
        prompts=len(lengths),
        longest=max(lengths),
        median=sorted(lengths)[len(lengths) // 2],
        context=context,
        completion=completion,
        long=sum(length + completion > context for length in lengths) if context else 0,
        goldless=sum(not (gold or "").strip() for gold in prompts["solution"]),
        settled=sum(rate in (0.0, 1.0) for rate in prompts["pass_rate"]),
    )
