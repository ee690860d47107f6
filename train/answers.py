"""Answers: what a model replies to prompts, and whether it ends by itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Answer:
    """One reply, with `<think>` and all, without the tokens that end it."""

    text: str
    tokens: int
    ended: bool
    """Whether the model said the end itself, before `max_new_tokens`."""


def answers(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: list[list[dict[str, str]]],
    max_new_tokens: int,
    batch: int = 32,
) -> list[Answer]:
    """The likeliest reply to each message list, token by token (greedy: the same every time)."""
    return [
        answer
        for start in range(0, len(prompts), batch)
        for answer in _batch(model, tokenizer, prompts[start : start + batch], max_new_tokens)
    ]


def end_tokens(tokenizer: "PreTrainedTokenizerBase", generation_config: Any = None) -> set[int]:
    """Ids of the tokens that end a reply: the tokenizer's, and those that the model's generation stops at."""
    given = getattr(generation_config, "eos_token_id", None)
    more = given if isinstance(given, list) else [given]
    return {token for token in (tokenizer.eos_token_id, *more) if isinstance(token, int)}


def _batch(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: list[list[dict[str, str]]],
    max_new_tokens: int,
) -> list[Answer]:
    import torch

    encoded: Any = tokenizer.apply_chat_template(
        prompts,
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
        padding=True,
        tokenizer_kwargs={"padding_side": "left"},
    )
    ends = end_tokens(tokenizer, model.generation_config)
    training = model.training
    model.train(False)
    with torch.inference_mode():
        written: Any = model.generate(  # type: ignore[operator]  # torch's __getattr__ hides the method's type
            **encoded.to(model.device),
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=sorted(ends),
            pad_token_id=tokenizer.pad_token_id,
        )
    model.train(training)
    found = []
    for row in written[:, encoded["input_ids"].shape[1] :].tolist():
        length = next((place for place, token in enumerate(row) if token in ends), None)
        kept = row[:length]
        found.append(Answer(str(tokenizer.decode(kept, skip_special_tokens=True)), len(kept), length is not None))
    return found
