"""The three fixes of arXiv 2504.21233 for GRPO with a verifiable reward, each a switch.

(a) Prompts whose rollouts are of like length: a `curate build` whose teacher is the checkpoint to be trained; the
    view rl's `length_spread` keeps the even ones.
(b) Rewards rebalanced: all correct rollouts of a group and as many wrong ones, drawn at random; groups that are solved
    too often left out; hard prompts drawn more often.
(c) Temperature from 1.0 to 0.6, linear over the first half of the steps, then flat.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from train.settings import SettingsError

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import TrainerCallback


RANGES = {
    "accuracy_at_most": "Expected a share between 0 and 1",
    "oversample": "Expected 1 or more",
    "temperature_end": "Expected more than 0",
    "temperature_share": "Expected a share above 0, at most 1",
}


@dataclass(frozen=True)
class Fixes:
    """Settings below `rl` (`--set rl.rebalance=true`). All off: TRL's own GRPO."""

    rebalance: bool = False
    """Fix b: as many wrong rollouts as correct ones count in a group, the others give no gradient."""
    accuracy_at_most: float | None = None
    """Fix b: a group in which more than this share is correct gives no gradient; the paper names 0.5."""
    oversample: int = 1
    """Fix b: prompts are drawn up to so many times as often, the more the lower their pass rate. 1 draws all alike."""
    temperature_end: float | None = None
    """Fix c: where the temperature ends; it starts at TRL's `temperature`. The paper: 1.0 to 0.6."""
    temperature_share: float = 0.5
    """Fix c: the share of the steps over which it falls."""

    def __post_init__(self) -> None:
        right = {
            "accuracy_at_most": self.accuracy_at_most is None or 0 <= self.accuracy_at_most <= 1,
            "oversample": self.oversample >= 1,
            "temperature_end": self.temperature_end is None or self.temperature_end > 0,
            "temperature_share": 0 < self.temperature_share <= 1,
        }
        for name in (name for name, holds in right.items() if not holds):
            raise SettingsError(f"rl.{name}: {getattr(self, name)} cannot be. {RANGES[name]}")


def rebalanced(
    rewards: Sequence[float], group: int, draw: Random, *, balance: bool = True, accuracy_at_most: float | None = None
) -> list[float]:
    """The rewards, NaN where a rollout is to give no gradient: surplus wrong ones, and groups solved too often.

    A group without a correct rollout is left as it is: all its rewards are equal, so it gives no gradient anyway. TRL
    leaves NaN out of a group's mean and gives it the advantage 0.

    Args:
        rewards: groups one after the other, above 0 for correct; NaN for what could not be judged.
        group: rollouts per prompt.
        draw: decides which wrong ones stay.

    Example:
        >>> rebalanced([1.0, -1.0, -1.0, -1.0], 4, Random(0))
        [1.0, -1.0, nan, nan]
    """
    out = list(rewards)
    for start in range(0, len(out), group):
        places = range(start, start + group)
        right = [i for i in places if out[i] > 0]
        wrong = [i for i in places if out[i] <= 0]
        judged = len(right) + len(wrong)
        if accuracy_at_most is not None and judged and len(right) / judged > accuracy_at_most:
            surplus: Sequence[int] = places
        elif balance and 0 < len(right) < len(wrong):
            surplus = draw.sample(wrong, len(wrong) - len(right))
        else:
            surplus = ()
        for i in surplus:
            out[i] = math.nan
    return out


def temperature_at(step: int, steps: int, start: float, end: float, share: float = 0.5) -> float:
    """Linear from `start` to `end` over the first `share` of the steps, then flat.

    Example:
        >>> [round(temperature_at(step, 100, 1.0, 0.6), 2) for step in (0, 25, 50, 99)]
        [1.0, 0.8, 0.6, 0.6]
    """
    over = share * steps
    return start + (end - start) * (min(1.0, step / over) if over > 0 else 1.0)


def repeats(pass_rates: Sequence[float | None], most: int) -> list[int]:
    """How often each prompt is drawn per epoch: `most` times where none was solved, once where all were, or unknown.

    Example:
        >>> repeats([0.0, 0.5, 1.0, None], 3)
        [3, 2, 1, 1]
    """
    return [1 if rate is None else 1 + round((most - 1) * (1.0 - rate)) for rate in pass_rates]


def oversampled(prompts: "Dataset", most: int) -> "Dataset":
    """Hard prompts stand several times in the rows."""
    counts = repeats(prompts["pass_rate"], most)
    return prompts.select([row for row, count in enumerate(counts) for _ in range(count)])


def length_spread(lengths: Sequence[int]) -> float:
    """Coefficient of variation of the lengths of one group: standard deviation over mean, 0 where all are equal.

    Example:
        >>> length_spread([100, 100]), round(length_spread([50, 150]), 3)
        (0.0, 0.5)
    """
    mean = sum(lengths) / len(lengths)
    return math.sqrt(sum((length - mean) ** 2 for length in lengths) / len(lengths)) / mean if mean else 0.0


def fixed_trainer(fixes: Fixes) -> type[Any]:
    """TRL's GRPOTrainer, its rewards rebalanced where asked, and the groups' accuracy and length spread logged."""
    import torch
    from accelerate.utils import gather  # type: ignore[import-untyped]  # accelerate has no stubs
    from trl import GRPOTrainer

    # A completion without a reward is a verdict of ours, and counted: TRL would print each with its whole text.
    logging.getLogger("trl.trainer.grpo_trainer").addFilter(_rewarded)

    class RebalancedGRPO(GRPOTrainer):  # type: ignore[misc]  # trl is untyped here
        def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids: Any) -> Any:
            rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids)
            mode = "train" if self.model.training else "eval"
            group = self.num_generations if mode == "train" else self.num_generations_eval
            lengths = torch.tensor([len(ids) for ids in completion_ids], device=rewards.device)
            by_group = gather(lengths).view(-1, group).tolist()
            spreads = [length_spread(row) for row in by_group]
            self._metrics[mode]["group/length_spread"].append(sum(spreads) / len(spreads))
            judged = rewards[:, 0][~rewards[:, 0].isnan()]
            self._metrics[mode]["group/accuracy"].append((judged > 0).float().mean().item() if len(judged) else 0.0)
            self._metrics[mode]["group/unjudged"].append(1 - len(judged) / len(rewards))
            if mode == "train" and (fixes.rebalance or fixes.accuracy_at_most is not None):
                # The same on every process, which each hold all rewards, and after a resume, which counts TRL's
                # `_step` from 0 again: the optimizer step and the place in it decide the draw.
                place = self._step % self.args.gradient_accumulation_steps
                draw = Random(f"{self.args.seed}:{self.state.global_step}:{place}")
                kept = rebalanced(
                    rewards[:, 0].tolist(),
                    group,
                    draw,
                    balance=fixes.rebalance,
                    accuracy_at_most=fixes.accuracy_at_most,
                )
                left_out = sum(map(math.isnan, kept)) - int(rewards[:, 0].isnan().sum())
                self._metrics[mode]["group/left_out"].append(left_out / len(kept))
                rewards[:, 0] = torch.tensor(kept, device=rewards.device)
            return rewards

    return RebalancedGRPO


def _rewarded(record: logging.LogRecord) -> bool:
    return "All reward functions returned None" not in record.getMessage()


def annealing(fixes: Fixes) -> "list[TrainerCallback]":
    """The callback that lowers the temperature; none where it stays."""
    if fixes.temperature_end is None:
        return []
    from transformers import TrainerCallback

    end, share = fixes.temperature_end, fixes.temperature_share

    class Annealed(TrainerCallback):
        def __init__(self) -> None:
            self.trainer: Any = None
            """Set once the trainer stands: TRL makes it after its callbacks."""

        def on_step_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            at = temperature_at(state.global_step, state.max_steps, args.temperature, end, share)
            set_temperature(self.trainer, at)

    return [Annealed()]


def set_temperature(trainer: Any, temperature: float) -> None:
    """Rollouts are drawn, and their log-probabilities scaled, at this temperature from now on.

    Raises:
        RuntimeError: TRL keeps its temperature elsewhere than in the release that this was written for (1.16).
    """
    trainer.temperature = temperature
    if trainer.use_vllm:
        trainer.vllm_generation.temperature = temperature
    else:
        trainer.generation_config.temperature = temperature
        trainer.generation_kwargs["temperature"] = temperature
    trainer._metrics["train"]["temperature"].append(temperature)
    base = trainer.accelerator.unwrap_model(trainer.model)
    base = base.get_base_model() if hasattr(base, "get_base_model") else base
    for model in (base, trainer.ref_model):
        if model is not None:
            _head_temperature(trainer.accelerator.unwrap_model(model).forward).cell_contents = temperature


def _head_temperature(forward: Callable[..., Any]) -> Any:
    """The cell in which TRL's fused head keeps its temperature: it closes over it, and has no way to set it."""
    found: list[Any] = [forward]
    for function in found:  # grows: wrappers (autocast, accelerate) close over what they wrap
        cells = _closure(getattr(function, "__func__", function))
        if {"temperature", "original_forward"} <= cells.keys():
            return cells["temperature"]
        found += [cell.cell_contents for cell in cells.values() if callable(cell.cell_contents)][: 50 - len(found)]
        found += [function.__wrapped__] if hasattr(function, "__wrapped__") and len(found) < 50 else []
    raise RuntimeError("this release of TRL keeps the temperature of its loss elsewhere: rl.temperature_end needs 1.16")


def _closure(function: Any) -> dict[str, Any]:
    """The cells that a function closes over, by name."""
    if not hasattr(function, "__code__"):
        return {}
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
