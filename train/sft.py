"""Stage 2, supervised fine-tuning: TRL's SFTTrainer on a version's `sft` view. Wiring only; the training is TRL's."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.data import View, open_view
from train.preflight import ACCEPTS
from train.run import Run, is_main, result_of, run_folder, start_facts, summary, write_card
from train.settings import Settings, SettingsError, read_settings
from train.student import end_ids, kind_of, tokenizer_of, weights_of
from train.tiny import NAME as TINY
from train.tiny import Tiny

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

VIEW = "sft"


@dataclass(frozen=True)
class Sft:
    """A student that has learnt the view's replies, end included; calling it gives the finished run.

    Example:
        >>> Sft(data="math@v1", overrides=("num_train_epochs=2",)).model
        'tiny'
    """

    data: str
    """Version to train on: `v1`, `math@v1`, `math@v1:heldout`, or a path."""

    root: Path | None = None
    """Folder of the datasets; None means COTILLION_DATA, else `data`."""

    model: str = TINY
    """`tiny`, a run folder, a folder of weights, or a model's name on the Hub."""

    out: Path | None = None
    """Run folder; None means the next free one under `runs`."""

    config: Path | None = None
    """YAML of SFTConfig's fields, over the preset."""

    overrides: tuple[str, ...] = ()
    """`key=value` of SFTConfig's fields, over all else."""

    accept: frozenset[str] = frozenset()
    """Faults of the data to train with anyway (train.preflight.ACCEPTS)."""

    resume: bool = False
    """Go on from the last checkpoint in `out`."""

    answers: int | None = None
    """Held-out prompts to answer at the end; None means 16 for a tiny student, none for others."""

    say: Callable[[str], None] = print
    """Where the report goes."""

    def __call__(self) -> Run:
        """Trains; the folder holds weights, tokenizer, run.json, metrics.jsonl and a card.

        Raises:
            VersionError: no such version, view or split.
            DigestError: the files are not those of the version's lock.
            SettingsError: a setting that does not exist or cannot be.
            PreflightError: the rows would be harmed, and that was not accepted.
        """
        unknown = sorted(self.accept - set(ACCEPTS))
        if unknown:
            raise SettingsError(f"--accept {', '.join(unknown)}: expected any of {', '.join(ACCEPTS)}")
        view = open_view(self.data, VIEW, self.root)
        student = kind_of(self.model)
        settings = self._settings(student)
        folder = run_folder(self.out, f"{view.version.name.replace('@', '-')}-{VIEW}-{student or 'model'}", self.resume)
        from train.progress import quiet

        with quiet():
            return self._train(view, student, settings, folder)

    def _settings(self, student: str | None) -> Settings:
        from trl import SFTConfig

        preset = "tiny_sft" if student else "phi4_mini_sft"
        return read_settings(preset, self.config, self.overrides, SFTConfig, Tiny if student else None)

    def _train(self, view: View, student: str | None, settings: Settings, folder: Path) -> Run:
        from transformers import set_seed
        from trl import SFTTrainer

        from train import preflight
        from train.progress import callbacks, without_printer

        rows = view.load(["messages"])
        heldout = view.other("heldout") if view.split == "train" else None
        heldout_rows = heldout.load(["messages"]) if heldout else None
        tokenizer = tokenizer_of(self.model, settings, (talk["content"] for row in rows for talk in row["messages"]))
        args = _arguments(settings, folder)
        template = preflight.training_template(tokenizer, args.chat_template_path) if args.assistant_only_loss else None
        ends = end_ids(self.model, tokenizer)

        def tokenized(some: "Dataset") -> "Dataset":
            return preflight.tokenize(some, tokenizer, template, args.max_length, ends, args.dataset_num_proc)

        ready = tokenized(rows)
        counts = preflight.count(ready, args.max_length)
        self.say(f"{view.version.name}, {view.name}:{view.split}, preset {settings.preset}\n{counts.table()}")
        counts.check(self.accept)
        if counts.empty:
            ready = ready.filter(_has_loss, input_columns="in_loss")

        facts = start_facts(view, self.model) | {
            "student": student,
            "student_size": settings.student,
            "preset": settings.preset,
            "config": settings.fields,
            "seed": args.seed,
            "preflight": counts.facts() | {"accepted": sorted(self.accept)},
        }
        run = Run(folder, facts)
        with run.recorded():
            set_seed(args.seed)
            trainer = SFTTrainer(
                model=weights_of(self.model, settings, tokenizer, args.seed),
                args=args,
                train_dataset=ready,
                eval_dataset=tokenized(heldout_rows) if heldout_rows else None,
                processing_class=tokenizer,
                callbacks=callbacks(folder),
            )
            without_printer(trainer)
            begun = time.monotonic()
            trained = trainer.train(resume_from_checkpoint=self.resume or None)
            facts["result"] = result_of(trainer, trained, time.monotonic() - begun)
            trainer.save_model(str(folder))
            # A pickle, and run.json says the same in plain text.
            (folder / "training_args.bin").unlink(missing_ok=True)
            if heldout:
                answered = heldout.load(["messages", "answer"])
                self._answer(trainer.model, tokenizer, answered, student, counts.longest, run)
            if is_main():
                write_card(run)
        self.say(summary(run))
        return run

    def _answer(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        rows: "Dataset",
        student: str | None,
        longest: int,
        run: Run,
    ) -> None:
        from distill.thinking import split_thinking
        from train.answers import answers
        from verify import grade_many

        asked = min(len(rows), (16 if student else 0) if self.answers is None else self.answers)
        if not asked or not is_main():
            return
        messages, golds = rows[:asked]["messages"], rows[:asked]["answer"]
        # A reply longer than any that was learnt does not end by itself.
        replies = answers(model, tokenizer, [talk[:-1] for talk in messages], max_new_tokens=longest)
        finished = ["stop" if reply.ended else "length" for reply in replies]
        verdicts = grade_many(
            [split_thinking(reply.text).response for reply in replies], golds, finish_reasons=finished
        )
        with (run.path / "answers.jsonl").open("w", encoding="utf-8") as lines:
            for talk, gold, reply, verdict in zip(messages, golds, replies, verdicts, strict=True):
                told = {"tokens": reply.tokens, "ended": reply.ended, "gold": gold, "verdict": verdict.status}
                row = {"prompt": talk[:-1], "reply": reply.text, **told}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        run.facts["result"]["heldout_answered"] = asked
        run.facts["result"]["heldout_ended"] = sum(reply.ended for reply in replies)
        run.facts["result"]["heldout_correct"] = sum(verdict.status == "correct" for verdict in verdicts)


def _arguments(settings: Settings, folder: Path) -> Any:
    from trl import SFTConfig

    try:
        return SFTConfig(output_dir=str(folder), **settings.fields)
    except (ValueError, TypeError, ImportError) as error:
        given = ", ".join(settings.fields)
        raise SettingsError(f"TRL refuses the settings ({given}): {error}") from error


def _has_loss(in_loss: int) -> bool:
    return in_loss > 0
