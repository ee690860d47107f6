"""Drawing replies from a transformers model in batches, each by its own seed, whatever stands beside it.

A rollout's chance is a function of its seed, the place in the reply and the token alone, so it needs no generator whose
state depends on the batch, and is the same on every device. What remains is rounding: the logits of a row differ in
their last bits with the shape of its batch, which changes a reply only where two tokens are all but tied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from distill.request import Sampling

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BatchRow:
    """One reply to be drawn, beside others."""

    prompt: list[int]
    """Token ids, never empty."""
    sampling: Sampling
    seed: int
    max_tokens: int
    """At most as many as the context leaves."""


def draw(model: Any, rows: Sequence[BatchRow], end_tokens: set[int], pad_token: int) -> list[list[int]]:
    """Token ids of every reply, the one that ends it included; all rows go through the model together.

    A batch that the device's memory does not hold is halved: the replies stay the same.

    Args:
        pad_token: fills the prompts on the left; what it is changes nothing.

    Raises:
        torch.OutOfMemoryError: not even one row fits.
    """
    import torch

    try:
        return _draw(model, rows, end_tokens, pad_token)
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
    middle = len(rows) // 2
    halves = (rows[:middle], rows[middle:])
    return [reply for half in halves for reply in draw(model, half, end_tokens, pad_token)]


def _draw(model: Any, rows: Sequence[BatchRow], end_tokens: set[int], pad_token: int) -> list[list[int]]:
    import torch
    from transformers import GenerationConfig

    width = max(len(each.prompt) for each in rows)
    tokens = torch.full((len(rows), width), pad_token)
    attended = torch.zeros((len(rows), width), dtype=torch.long)
    for place, each in enumerate(rows):
        tokens[place, width - len(each.prompt) :] = torch.tensor(each.prompt)
        attended[place, width - len(each.prompt) :] = 1
    limits = [each.max_tokens for each in rows]
    # Greedy in the library's eyes: with the noise added, the likeliest token is the drawn one.
    config = GenerationConfig(  # type: ignore[no-untyped-call]  # transformers' own
        max_new_tokens=max(limits), do_sample=False, eos_token_id=sorted(end_tokens), pad_token_id=pad_token
    )
    with torch.inference_mode():
        written = model.generate(
            input_ids=tokens.to(model.device),
            attention_mask=attended.to(model.device),
            generation_config=config,
            logits_processor=[GumbelNoise(rows, width, model.device)],
            stopping_criteria=[_Limits(torch.tensor(limits, device=model.device) + width)],
        )
    return [_reply(row, limit, end_tokens) for row, limit in zip(written[:, width:].tolist(), limits, strict=True)]


def _reply(row: list[int], limit: int, end_tokens: set[int]) -> list[int]:
    end = next((place for place, token in enumerate(row) if token in end_tokens), limit)
    return row[: min(end + 1, limit)]


class GumbelNoise:
    """A logits processor after which the highest score is a draw: Gumbel-max (Gumbel 1954; arXiv 1411.0030).

    Temperature and top_p are applied first, row by row; at temperature 0 the scores stay as they are.
    """

    def __init__(self, rows: Sequence[BatchRow], prompt_width: int, device: Any) -> None:
        import torch

        def column(values: list[Any], dtype: Any) -> Any:
            return torch.tensor(values, dtype=dtype, device=device)[:, None]

        heat = [each.sampling.temperature for each in rows]
        self.prompt_width = prompt_width
        self.warm = column([t > 0 for t in heat], torch.bool)
        self.temperature = column([t or 1.0 for t in heat], torch.float32)
        self.top_p = column([each.sampling.top_p for each in rows], torch.float32)
        self.nucleus = any(each.sampling.top_p < 1 and each.sampling.temperature > 0 for each in rows)
        self.seeds = column([each.seed for each in rows], torch.int64)

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import torch

        heated = scores / self.temperature
        if self.nucleus:
            shares, tokens = heated.softmax(-1).sort(descending=True, stable=True)
            # The likeliest tokens that reach top_p together, the one that reaches it included.
            beyond = shares.cumsum(-1) - shares >= self.top_p
            beyond &= self.top_p < 1
            heated = heated.masked_fill(beyond.scatter(-1, tokens, beyond), -torch.inf)
        noise = gumbel(self.seeds, input_ids.shape[1] - self.prompt_width, scores.shape[1])
        return torch.where(self.warm, heated + noise, scores)


class _Limits:
    """A stopping criterion: each row ends at its own length."""

    def __init__(self, lengths: "torch.Tensor") -> None:
        self.lengths = lengths

    def __call__(self, input_ids: "torch.Tensor", scores: Any) -> "torch.Tensor":
        return input_ids.shape[1] >= self.lengths


def gumbel(seeds: "torch.Tensor", step: int, vocabulary: int) -> "torch.Tensor":
    """Standard Gumbel noise, (rows, vocabulary): a hash of seed, step and token.

    Args:
        seeds: int64, (rows, 1).
    """
    import torch

    token = torch.arange(vocabulary, device=seeds.device)
    bits = _mixed(_mixed(seeds * _GOLDEN + step) + token * _GOLDEN)
    # 40 bits: near 0, where the highest noise comes from, float32 keeps them all.
    share = (((bits >> 24) & (2**40 - 1)).float() + 0.5) * 2.0**-40
    return -(-torch.log1p(-share)).log()


# splitmix64 (Steele, Lea and Flood 2014), in the two's complement that torch's int64 wraps around in.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64


def _mixed(bits: "torch.Tensor") -> "torch.Tensor":
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def _shifted(bits: "torch.Tensor", places: int) -> "torch.Tensor":
    kept: torch.Tensor = (bits >> places) & (2 ** (64 - places) - 1)
    return kept
