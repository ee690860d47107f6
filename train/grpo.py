"""Stage 4, reinforcement learning with a verifiable reward: TRL's GRPOTrainer on the `rl` view.

+1 for a correct answer, -1 for a wrong, missing or cut-off one, and nothing for what could not be judged: a timeout of
the verifier is never a wrong answer. The paper's three fixes are settings below `rl` (train.rlvr).
"""

from dataclasses import dataclass
from typing import Any

from train.card import summary, write_card
from train.finish import facts_of, lora_of, train_and_keep
from train.options import Opening, Options, open_stage
from train.preflight_prompts import ACCEPTS, count_prompts
from train.rlvr import Fixes, annealing, fixed_trainer, oversampled
from train.run import Run, is_main
from train.settings import SettingsError
from train.student import asked_for, end_ids, tokenizer_of, weights_of
from train.tiny import NAME as TINY

COLUMNS = ["prompt", "solution", "pass_rate"]


@dataclass(frozen=True)
class Grpo(Options):
    """A student that is right more often; calling it gives the finished run.

    Example:
        >>> Grpo(data="math@v1", model="runs/math-v1-dpo-tiny-1", overrides=("rl.rebalance=true",)).data
        'math@v1'
    """

    def __call__(self) -> Run:
        """Trains; the folder holds weights, tokenizer, run.json, metrics.jsonl, loss.png and a card.

        Raises:
            As train.sft.Sft; SettingsError also for an untrained student.
        """
        from peft import LoraConfig
        from trl import GRPOConfig

        if self.model == TINY:
            raise SettingsError("--model: RL needs a trained student, such as the run folder of `train sft`")
        opening = open_stage(self, "grpo", "rl", GRPOConfig, ACCEPTS, lora=LoraConfig, rl=Fixes)
        from train.progress import quiet

        with quiet():
            return self._train(opening)

    def _train(self, opening: Opening) -> Run:
        from transformers import set_seed
        from trl import GRPOConfig

        from train.progress import callbacks

        prompts, heldout = opening.view.load(COLUMNS), opening.heldout
        args, fixes = opening.arguments(GRPOConfig), Fixes(**opening.settings.groups["rl"])
        tokenizer = tokenizer_of(self.model, opening.settings, ())
        ends = end_ids(self.model, opening.settings, tokenizer)
        counts = count_prompts(prompts, tokenizer, self.model, args.max_completion_length, asked_for(opening.settings))
        self.say(f"{opening.view.version.name}, rl:{opening.view.split}, preset {opening.settings.preset}")
        self.say(counts.table())
        counts.check(self.accept)

        run = Run(opening.folder, facts_of(opening, self, args.seed, counts.facts()))
        with run.recorded():
            set_seed(args.seed)
            annealed = annealing(fixes)
            evaluated = heldout if heldout and args.eval_strategy != "no" else None
            trainer = fixed_trainer(fixes)(
                model=weights_of(self.model, opening.settings, tokenizer, args.seed),
                reward_funcs=Accuracy(frozenset(ends)),
                args=args,
                train_dataset=oversampled(prompts, fixes.oversample),
                eval_dataset=evaluated.load(COLUMNS) if evaluated else None,
                processing_class=tokenizer,
                callbacks=[*callbacks(opening.folder), *annealed],
                peft_config=lora_of(opening),
            )
            for callback in annealed:
                callback.trainer = trainer  # type: ignore[attr-defined]  # made in train.rlvr
            train_and_keep(trainer, run, self.resume)
            if is_main():
                write_card(run)
        self.say(summary(run))
        return run


@dataclass(frozen=True)
class Accuracy:
    """The reward in TRL's form: the response behind the thinking is judged, cut-off completions are known as such."""

    ends: frozenset[int]
    """Ids of the tokens that end a reply: a completion that ends in none of them was cut off."""

    __name__ = "accuracy"
    """TRL logs a reward under this name."""

    def __call__(
        self, completions: list[Any], completion_ids: list[list[int]], solution: list[str], **_: Any
    ) -> list[float | None]:
        """One reward per completion: +1, -1, or None for what could not be judged."""
        from distill.thinking import split_thinking
        from verify import reward

        ended = [bool(ids) and ids[-1] in self.ends for ids in completion_ids]
        texts = [c if isinstance(c, str) else str(c[-1]["content"]) if c else "" for c in completions]
        responses = [split_thinking(text, finished=end).response for text, end in zip(texts, ended, strict=True)]
        return reward.accuracy(responses, solution, finish_reason=["stop" if end else "length" for end in ended])
