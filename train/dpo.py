"""Stage 3, Rollout DPO: TRL's DPOTrainer on the `dpo` view, against the frozen model that the stage starts from.

Wrong rollouts are the rejected side (arXiv 2504.21233, stage 3). The loss is `loss_type`'s: sigmoid unless told
otherwise, `--set loss_type=[nca_pair]` or `[apo_zero]`, and `--set ld_alpha=0.3` for length-desensitised DPO, since
plain DPO lengthens replies by a quarter (arXiv 2505.02142).
"""

from dataclasses import dataclass

from train.card import summary, write_card
from train.finish import facts_of, lora_of, train_and_keep
from train.options import Opening, Options, open_stage
from train.preflight_pairs import ACCEPTS, count_pairs
from train.run import Run, is_main
from train.settings import SettingsError
from train.student import end_ids, tokenizer_of, weights_of
from train.tiny import NAME as TINY

COLUMNS = ["prompt", "chosen", "rejected"]


@dataclass(frozen=True)
class Dpo(Options):
    """A student that prefers the chosen rollouts; calling it gives the finished run.

    Example:
        >>> Dpo(data="math@v1", model="runs/math-v1-sft-tiny-1").model
        'runs/math-v1-sft-tiny-1'
    """

    def __call__(self) -> Run:
        """Trains; the folder holds weights, tokenizer, run.json, metrics.jsonl, loss.png and a card.

        Raises:
            As train.sft.Sft; SettingsError also for an untrained student.
        """
        from peft import LoraConfig
        from trl import DPOConfig

        if self.model == TINY:
            raise SettingsError("--model: Rollout DPO needs a trained student, such as the run folder of `train sft`")
        opening = open_stage(self, "dpo", "dpo", DPOConfig, ACCEPTS, lora=LoraConfig)
        from train.progress import quiet

        with quiet():
            return self._train(opening)

    def _train(self, opening: Opening) -> Run:
        from transformers import set_seed
        from trl import DPOConfig, DPOTrainer

        from train.progress import callbacks

        pairs, heldout = opening.view.load(COLUMNS), opening.heldout
        args = opening.arguments(DPOConfig)
        tokenizer = tokenizer_of(self.model, opening.settings, ())
        counts = count_pairs(
            pairs, tokenizer, args.max_length, end_ids(self.model, opening.settings, tokenizer), args.dataset_num_proc
        )
        self.say(f"{opening.view.version.name}, dpo:{opening.view.split}, preset {opening.settings.preset}")
        self.say(counts.table())
        counts.check(self.accept)

        run = Run(opening.folder, facts_of(opening, self, args.seed, counts.facts()))
        with run.recorded():
            set_seed(args.seed)
            trainer = DPOTrainer(
                model=weights_of(self.model, opening.settings, tokenizer, args.seed),
                args=args,
                train_dataset=pairs,
                eval_dataset=heldout.load(COLUMNS) if heldout else None,
                processing_class=tokenizer,
                callbacks=callbacks(opening.folder),
                peft_config=lora_of(opening),
            )
            train_and_keep(trainer, run, self.resume)
            if is_main():
                write_card(run)
        self.say(summary(run))
        return run
