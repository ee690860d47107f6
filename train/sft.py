"""Stage 2, supervised fine-tuning: TRL's SFTTrainer on a version's `sft` view. Wiring only; the training is TRL's."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.data import View, open_view
from train.run import METRICS, Run, is_main, parent_of, run_folder, start_facts, write_card
from train.settings import Settings, SettingsError, read_settings
from train.tiny import NAME as TINY
from train.tiny import Tiny, tiny_tokenizer

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
        view = open_view(self.data, VIEW, self.root)
        student = TINY if self.model == TINY else parent_of(self.model).get("student")
        settings = self._settings(student)
        folder = run_folder(self.out, f"{view.version.name.replace('@', '-')}-{VIEW}-{student or 'model'}", self.resume)
        with _quiet():
            return self._train(view, student, settings, folder)

    def _settings(self, student: str | None) -> Settings:
        from trl import SFTConfig

        preset = "tiny_sft" if student else "phi4_mini_sft"
        return read_settings(preset, self.config, self.overrides, SFTConfig, Tiny if student else None)

    def _train(self, view: View, student: str | None, settings: Settings, folder: Path) -> Run:
        from transformers import set_seed
        from trl import SFTTrainer

        from train import preflight

        args = _arguments(settings, folder)
        rows = view.load(["messages"])
        heldout = view.other("heldout") if view.split == "train" else None
        heldout_rows = heldout.load(["messages"]) if heldout else None
        tokenizer = self._tokenizer(rows, settings, args)
        template = preflight.training_template(tokenizer, args.chat_template_path) if args.assistant_only_loss else None
        ends = _ends(self.model, tokenizer)

        def tokenized(some: "Dataset") -> "Dataset":
            return preflight.tokenize(some, tokenizer, template, args.max_length, ends, args.dataset_num_proc)

        ready = tokenized(rows)
        counts = preflight.count(ready, args.max_length)
        self.say(f"{view.version.name}, {view.name}:{view.split}, preset {settings.preset}\n{counts.table()}")
        counts.check(self.accept)
        if counts.empty:
            ready = ready.filter(_has_loss, input_columns="in_loss")

        facts = start_facts(VIEW, view, self.model) | {
            "student": student,
            "preset": settings.preset,
            "config": settings.fields,
            "seed": args.seed,
            "preflight": counts.facts() | {"accepted": sorted(self.accept)},
        }
        run = Run(folder, facts)
        set_seed(args.seed)
        with run.recorded():
            trainer = SFTTrainer(
                model=_tiny(settings, tokenizer, facts, args.seed) if self.model == TINY else self.model,
                args=args,
                train_dataset=ready,
                eval_dataset=tokenized(heldout_rows) if heldout_rows else None,
                processing_class=tokenizer,
                callbacks=_callbacks(folder),
            )
            if not sys.stderr.isatty():
                _without_printer(trainer)
            begun = time.monotonic()
            trained = trainer.train(resume_from_checkpoint=self.resume or None)
            facts["result"] = _result(trainer, trained, time.monotonic() - begun)
            trainer.save_model(str(folder))
            # A pickle, and run.json says the same in plain text.
            (folder / "training_args.bin").unlink(missing_ok=True)
            if heldout_rows:
                self._answer(trainer.model, tokenizer, heldout_rows, student, counts.longest, run)
            if is_main():
                write_card(run)
        self.say(_report(run))
        return run

    def _tokenizer(self, rows: "Dataset", settings: Settings, args: Any) -> "PreTrainedTokenizerBase":
        from transformers import AutoTokenizer

        if self.model == TINY:
            texts = (message["content"] for row in rows for message in row["messages"])
            return tiny_tokenizer(texts, Tiny(**settings.student).vocabulary)
        revision = (args.model_init_kwargs or {}).get("revision")
        try:
            loaded = AutoTokenizer.from_pretrained(
                self.model, revision=revision, trust_remote_code=args.trust_remote_code
            )
        except OSError as error:
            raise SettingsError(
                f"--model {self.model}: no tokenizer there. Expected `tiny`, a folder with weights and tokenizer, "
                f"or a model's name on the Hub ({str(error).splitlines()[0]})"
            ) from error
        return loaded  # type: ignore[no-any-return]  # untyped in transformers

    def _answer(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        rows: "Dataset",
        student: str | None,
        longest: int,
        run: Run,
    ) -> None:
        from train.answers import answers

        asked = min(len(rows), (16 if student else 0) if self.answers is None else self.answers)
        if not asked or not is_main():
            return
        messages = rows[:asked]["messages"]
        # A reply longer than any that was learnt does not end by itself.
        replies = answers(model, tokenizer, [talk[:-1] for talk in messages], max_new_tokens=longest)
        with (run.path / "answers.jsonl").open("w", encoding="utf-8") as lines:
            for talk, reply in zip(messages, replies, strict=True):
                row = {"prompt": talk[:-1], "reply": reply.text, "tokens": reply.tokens, "ended": reply.ended}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        run.facts["result"]["heldout_answered"] = asked
        run.facts["result"]["heldout_ended"] = sum(reply.ended for reply in replies)


def _arguments(settings: Settings, folder: Path) -> Any:
    from trl import SFTConfig

    try:
        return SFTConfig(output_dir=str(folder), **settings.fields)
    except (ValueError, TypeError, ImportError) as error:
        given = ", ".join(settings.fields)
        raise SettingsError(f"TRL refuses the settings ({given}): {error}") from error


def _tiny(settings: Settings, tokenizer: Any, facts: dict[str, Any], seed: int) -> "PreTrainedModel":
    size = Tiny(**settings.student)
    facts["student_size"] = asdict(size)
    return size(tokenizer, seed)


def _ends(model: str, tokenizer: Any) -> set[int]:
    from transformers import GenerationConfig

    from train.answers import end_tokens

    try:
        return end_tokens(tokenizer, None if model == TINY else GenerationConfig.from_pretrained(model))
    except OSError:  # a model without a generation config
        return end_tokens(tokenizer)


def _has_loss(in_loss: int) -> bool:
    return in_loss > 0


def _callbacks(folder: Path) -> list[Any]:
    from train.progress import Lines, Metrics

    return [Metrics(folder / METRICS), *([] if sys.stderr.isatty() else [Lines()])]


def _without_printer(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)


def _result(trainer: Any, trained: Any, seconds: float) -> dict[str, Any]:
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    tokens = next((log["num_tokens"] for log in reversed(trainer.state.log_history) if "num_tokens" in log), 0)
    heldout = trainer.evaluate()["eval_loss"] if trainer.eval_dataset else None
    return {
        "parameters": sum(weights.numel() for weights in trainer.model.parameters()),
        "steps": trainer.state.global_step,
        "tokens": int(tokens),
        "seconds": round(seconds, 1),
        "tokens_per_s": round(tokens / seconds),
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else trained.training_loss,
        "heldout_loss": heldout,
    }


def _report(run: Run) -> str:
    got = run.facts["result"]
    heldout = "" if got["heldout_loss"] is None else f", held-out {got['heldout_loss']:.3f}"
    first = "" if got["first_loss"] is None else f"{got['first_loss']:.3f} -> "
    lines = [
        f"{got['steps']:,} steps, {got['tokens']:,} tokens in {got['seconds']:.0f} s: {got['tokens_per_s']:,} tokens/s",
        f"loss {first}{got['last_loss']:.3f}{heldout}",
    ]
    if "heldout_answered" in got:
        lines.append(f"{got['heldout_ended']} of {got['heldout_answered']} held-out prompts answered to the end (answers.jsonl)")
    return "\n".join([*lines, f"{run.path}"])


@contextmanager
def _quiet() -> Iterator[None]:
    # Without a terminal a bar is a page of noise. The switch is the library's own and is put back.
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
