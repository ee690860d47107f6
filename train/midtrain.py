"""Stage 1, distillation mid-training: TRL's SFTTrainer on the `midtrain` view, packed.

As much verified long CoT as there is, until the validation loss stops falling (arXiv 2504.21233, stage 1). Packed rows
do not see each other: TRL gives each its own positions, and the attention mask is cut there, on a CPU as well.
"""

from dataclasses import dataclass

from train.options import Options
from train.run import Run
from train.settings import SettingsError
from train.supervised import fine_tune


@dataclass(frozen=True)
class Midtrain(Options):
    """A student that has read all rollouts of the view; calling it gives the finished run.

    Example:
        >>> Midtrain(data="math@v1").patience
        3
    """

    view: str = "midtrain"
    """The view to read: another one's rows can be trained on packed, too."""

    patience: int = 3
    """Stop after so many evaluations in a row without a lower held-out loss; the best checkpoint is kept. Evaluations
    come as `eval_strategy` and `eval_steps` say; without held-out rows there are none, and the epochs decide."""

    answers: int | None = None
    """Held-out prompts to answer at the end; None means 16 for a tiny student, none for others."""

    def __call__(self) -> Run:
        """Trains; the folder holds weights, tokenizer, run.json, metrics.jsonl, loss.png and a card.

        Raises:
            As train.sft.Sft.
        """
        if self.patience < 1:
            raise SettingsError("--patience: at least 1 evaluation")
        return fine_tune(self, "midtrain", self.view, self.answers, patience=self.patience)
