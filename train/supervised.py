"""Stages 1 and 2: TRL's SFTTrainer on worked solutions. Wiring only; the training is TRL's."""

import json
from typing import TYPE_CHECKING, Any

from train.card import summary, write_card
from train.chat_templates import read_template, training_template
from train.finish import facts_of, lora_of, train_and_keep
from train.options import Opening, Options, open_stage
from train.preflight import ACCEPTS
from train.run import Run, is_main
from train.settings import SettingsError
from train.student import end_ids, tokenizer_of, weights_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def fine_tune(options: Options, stage: str, view: str, answers: int | None, patience: int | None = None) -> Run:
    """The finished run of a supervised stage.

    Args:
        patience: evaluations without a lower held-out loss after which the run stops; None never stops early.
    """
    from peft import LoraConfig
    from trl import SFTConfig

    opening = open_stage(options, stage, view, SFTConfig, ACCEPTS, lora=LoraConfig)
    from train.progress import quiet

    with quiet():
        return _train(options, opening, answers, patience)


def _train(options: Options, opening: Opening, answers: int | None, patience: int | None) -> Run:
    from transformers import set_seed
    from trl import SFTConfig, SFTTrainer

    from train import preflight
    from train.progress import callbacks

    view, heldout, settings = opening.view, opening.heldout, opening.settings
    rows = view.load(["messages"])
    tokenizer = tokenizer_of(options.model, settings, (talk["content"] for row in rows for talk in row["messages"]))
    args = opening.arguments(SFTConfig)
    template = training_template(tokenizer, args.chat_template_path) if args.assistant_only_loss else None
    if args.chat_template_path and not template:
        tokenizer.chat_template = read_template(args.chat_template_path)
    if not (template or tokenizer.chat_template):
        raise SettingsError("the tokenizer has no chat template: --set chat_template_path=FILE.jinja gives one")
    ends = end_ids(options.model, settings, tokenizer)

    def tokenized(some: "Dataset") -> "Dataset":
        return preflight.tokenize(some, tokenizer, template, args.max_length, ends, args.dataset_num_proc)

    ready = tokenized(rows)
    counts = preflight.count(ready, args.max_length)
    options.say(f"{view.version.name}, {view.name}:{view.split}, preset {settings.preset}\n{counts.table()}")
    counts.check(options.accept)
    if counts.empty:
        ready = ready.filter(_has_loss, input_columns="in_loss")

    run = Run(opening.folder, facts_of(opening, options, args.seed, counts.facts()))
    with run.recorded():
        set_seed(args.seed)
        trainer = SFTTrainer(
            model=weights_of(options.model, settings, tokenizer, args.seed),
            args=args,
            train_dataset=ready,
            eval_dataset=tokenized(heldout.load(["messages"])) if heldout else None,
            processing_class=tokenizer,
            callbacks=[*callbacks(opening.folder), *_early_stop(args, patience)],
            peft_config=lora_of(opening),
        )
        train_and_keep(trainer, run, options.resume)
        if heldout:
            asked = (16 if opening.student else 0) if answers is None else answers
            _answer(trainer.model, tokenizer, heldout.load(["messages", "answer"]), asked, counts.longest, run)
        if is_main():
            write_card(run)
    options.say(summary(run))
    return run


def _early_stop(args: Any, patience: int | None) -> list[Any]:
    if patience is None or args.eval_strategy == "no":
        return []
    from transformers import EarlyStoppingCallback

    return [EarlyStoppingCallback(early_stopping_patience=patience)]


def _answer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: "Dataset",
    asked: int,
    longest: int,
    run: Run,
) -> None:
    """The first held-out prompts answered and judged: answers.jsonl, and three counts in the result."""
    from distill.thinking import split_thinking
    from train.answers import answers
    from verify import grade_many

    asked = min(len(rows), asked)
    if not asked or not is_main():
        return
    messages, golds = rows[:asked]["messages"], rows[:asked]["answer"]
    # A reply longer than any that was learnt does not end by itself.
    replies = answers(model, tokenizer, [talk[:-1] for talk in messages], max_new_tokens=longest)
    responses = [split_thinking(reply.text, finished=reply.ended).response for reply in replies]
    verdicts = grade_many(responses, golds, finish_reasons=["stop" if reply.ended else "length" for reply in replies])
    with (run.path / "answers.jsonl").open("w", encoding="utf-8") as lines:
        for talk, gold, reply, verdict in zip(messages, golds, replies, verdicts, strict=True):
            told = {"tokens": reply.tokens, "ended": reply.ended, "gold": gold, "verdict": verdict.status}
            row = {"prompt": talk[:-1], "reply": reply.text, **told}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    run.facts["result"]["heldout_answered"] = asked
    run.facts["result"]["heldout_ended"] = sum(reply.ended for reply in replies)
    run.facts["result"]["heldout_correct"] = sum(verdict.status == "correct" for verdict in verdicts)


def _has_loss(in_loss: int) -> bool:
    return in_loss > 0
