"""The arithmetic of the paper's fixes, and that TRL's trainer follows it."""

import math
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from train.rlvr import Fixes, fixed_trainer, length_spread, rebalanced, repeats, set_temperature, temperature_at
from train.settings import SettingsError

NOISY = Path(__file__).parents[1] / "fixtures" / "noisy_teacher"


def kept(rewards: list[float]) -> Counter[float]:
    return Counter(reward for reward in rewards if not math.isnan(reward))


@pytest.mark.parametrize(
    ("right", "wrong", "left"),
    [(1, 7, (1, 1)), (3, 5, (3, 3)), (4, 4, (4, 4)), (6, 2, (6, 2)), (0, 8, (0, 8)), (8, 0, (8, 0))],
)
def test_all_correct_rollouts_and_as_many_wrong_ones_count(right: int, wrong: int, left: tuple[int, int]) -> None:
    counted = kept(rebalanced([1.0] * right + [-1.0] * wrong, 8, Random(0)))
    assert (counted[1.0], counted[-1.0]) == left


def test_which_wrong_ones_stay_is_drawn() -> None:
    stays = Counter()
    for seed in range(400):
        drawn = rebalanced([1.0, -1.0, -1.0, -1.0, -1.0], 5, Random(seed))
        stays[next(i for i in range(1, 5) if not math.isnan(drawn[i]))] += 1
    assert all(60 < stays[i] < 140 for i in range(1, 5))  # 100 each, 3 standard deviations are 26


def test_a_group_that_is_solved_too_often_gives_no_gradient() -> None:
    groups = [1.0, 1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0]
    left = rebalanced(groups, 4, Random(0), balance=False, accuracy_at_most=0.5)
    assert all(math.isnan(reward) for reward in left[:4])
    assert left[4:] == groups[4:]


def test_what_could_not_be_judged_counts_to_neither_side() -> None:
    left = rebalanced([1.0, math.nan, -1.0, -1.0], 4, Random(0), accuracy_at_most=0.5)
    assert kept(left) == Counter({1.0: 1, -1.0: 1})


@pytest.mark.parametrize("wrong", [{"accuracy_at_most": 50}, {"oversample": 0}, {"temperature_end": 0.0}])
def test_a_fix_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Fixes(**wrong)


def test_temperature_falls_over_half_the_steps_and_stays() -> None:
    # arXiv 2504.21233: 1.0 at the start, linear to 0.6 over the first half of the steps, then 0.6.
    course = [temperature_at(step, 200, 1.0, 0.6) for step in range(200)]
    assert course[0] == 1.0
    assert course[50] == pytest.approx(0.8)
    assert course[100:] == [pytest.approx(0.6)] * 100
    assert course == sorted(course, reverse=True)


def test_hard_prompts_are_drawn_more_often() -> None:
    assert repeats([0.0, 0.25, 0.5, 0.75, 1.0, None], 5) == [5, 4, 3, 2, 1, 1]
    assert repeats([0.0, 1.0], 1) == [1, 1]


def test_length_spread_is_the_coefficient_of_variation() -> None:
    # Mean 16, deviations 4 and 4: 4 / 16.
    assert length_spread([12_000, 20_000]) == pytest.approx(0.25)


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """TRL's trainer as the fixes make it, over the noisy teacher; nothing has run yet."""
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import GRPOConfig

    args = GRPOConfig(
        output_dir=str(tmp_path_factory.mktemp("rl")),
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        per_device_train_batch_size=8,
        num_generations=8,
        max_completion_length=64,
        report_to="none",
    )
    rows = Dataset.from_dict({"prompt": [[{"role": "user", "content": "What is 1 + 1?"}]] * 8})
    tokenizer = AutoTokenizer.from_pretrained(NOISY)

    def reward(completions: list[Any], **rest: Any) -> list[float | None]:
        return [1.0, -1.0, -1.0, -1.0, None, -1.0, -1.0, -1.0]

    trained = fixed_trainer(Fixes(rebalance=True))
    return trained(model=str(NOISY), reward_funcs=reward, args=args, train_dataset=rows, processing_class=tokenizer)


def test_surplus_wrong_rollouts_get_no_advantage(trainer: Any) -> None:
    trainer.model.train()
    batch = trainer._generate_and_score_completions([trainer.train_dataset[0]] * 8)
    advantages = batch["advantages"].tolist()
    assert sum(a > 0 for a in advantages) == 1
    assert sum(a < 0 for a in advantages) == 1
    assert sum(a == 0 for a in advantages) == 6
    assert trainer._metrics["train"]["group/accuracy"] == [pytest.approx(1 / 7)]
    assert trainer._metrics["train"]["group/left_out"] == [pytest.approx(5 / 8)]
    assert len(trainer._metrics["train"]["group/length_spread"]) == 1


def test_the_loss_follows_the_temperature(trainer: Any) -> None:
    import torch

    ids = torch.tensor([[1, 30, 31, 32, 33, 34]])
    seen = torch.ones_like(ids)

    def log_probs() -> torch.Tensor:
        with torch.no_grad():
            found: torch.Tensor = trainer._get_per_token_logps_and_entropies(trainer.model, ids, seen, 4)[0]
        return found

    for temperature in (1.0, 0.6):
        set_temperature(trainer, temperature)
        with torch.no_grad():
            logits = trainer.model(input_ids=ids, attention_mask=seen).logits[:, :-1] / temperature
        expected = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[:, -4:, 0]
        assert torch.allclose(log_probs(), expected, atol=1e-4)
        assert trainer.generation_config.temperature == temperature
