"""What every stage does around TRL's `train`: trains, keeps the weights, and says what came out."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from train.options import Opening, Options
from train.run import METRICS, Run, is_main, last_checkpoint, result_of, start_facts, step_of, tokens_logged

if TYPE_CHECKING:
    from peft import LoraConfig

ADAPTER = "adapter"


def facts_of(opening: Opening, options: Options, seed: int, preflight: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of the stage before it runs."""
    groups = {name: values for name, values in opening.settings.groups.items() if values and name != "student"}
    return start_facts(opening.view, opening.stage, options.model) | {
        "student": opening.student,
        "student_size": opening.settings.groups["student"],
        "preset": opening.settings.preset,
        "config": opening.settings.fields,
        **groups,
        "seed": seed,
        "preflight": preflight | {"accepted": sorted(options.accept)},
    }


def lora_of(opening: Opening) -> "LoraConfig | None":
    """An adapter instead of full weights, where `lora` is set: r 16 on all linear layers unless told otherwise."""
    given = opening.settings.groups["lora"]
    if not given:
        return None
    from peft import LoraConfig

    return LoraConfig(**{"task_type": "CAUSAL_LM", "target_modules": "all-linear", "r": 16, "lora_alpha": 32, **given})


def train_and_keep(trainer: Any, run: Run, resume: bool) -> None:
    """The trainer has trained; the folder holds its weights, whole and without a pickle, and `result` says how it went.

    An adapter is kept beside the weights that it was merged into: the next stage, an evaluation and vLLM read a run
    folder without knowing of it.
    """
    from train.progress import forget_after, without_printer

    without_printer(trainer)
    checkpoint, before = last_checkpoint(run.path) if resume else None, 0
    if checkpoint:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        # TRL counts tokens from 0 again in a new process.
        trainer._total_train_tokens = before = tokens_logged(state["log_history"])
        if is_main():
            forget_after(step_of(checkpoint), run.path / METRICS)
    begun = time.monotonic()
    trained = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    run.facts["result"] = result_of(trainer, trained, time.monotonic() - begun, before)
    _save(trainer, run.path)
    if is_main():
        from train.plot import plot_losses

        plot_losses(run.path)


def _save(trainer: Any, folder: Path) -> None:
    adapted = hasattr(trainer.model, "merge_and_unload")
    trainer.save_model(str(folder / ADAPTER if adapted else folder))
    if adapted and is_main():
        trainer.model.merge_and_unload().save_pretrained(folder)
        trainer.processing_class.save_pretrained(folder)
    for pickled in (folder / "training_args.bin", folder / ADAPTER / "training_args.bin"):
        pickled.unlink(missing_ok=True)  # a pickle, and run.json says the same in plain text
