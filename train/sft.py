"""Stage 2, supervised fine-tuning: TRL's SFTTrainer on a version's `sft` view, one row per sequence.

The reply's end is in the loss: unpacked rows are what teaches the student where to stop (arXiv 2504.21233, stage 2).
"""

from dataclasses import dataclass

from train.options import Options
from train.run import Run
from train.supervised import fine_tune


@dataclass(frozen=True)
class Sft(Options):
    """A student that has learnt the view's replies, end included; calling it gives the finished run.

    Example:
        >>> Sft(data="math@v1", overrides=("num_train_epochs=2",)).model
        'tiny'
    """

    answers: int | None = None
    """Held-out prompts to answer at the end; None means 16 for a tiny student, none for others."""

    def __call__(self) -> Run:
        """Trains; the folder holds weights, tokenizer, run.json, metrics.jsonl, loss.png and a card.

        Raises:
            VersionError: no such version, view or split.
            DigestError: the files are not those of the version's lock.
            SettingsError: a setting that does not exist or cannot be.
            PreflightError: the rows would be harmed, and that was not accepted.
        """
        return fine_tune(self, "sft", "sft", self.answers)
