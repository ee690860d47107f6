"""Preflight: what a trainer would do to the rows, counted on its own tokens before any weights are loaded.

TRL cuts a row at `max_length` without a word; a row that loses its end teaches the student not to stop, and one that
loses its final answer teaches it not to answer (trl issue 5697: 97-99 % of completions cut at the default).
"""

from collections.abc import Set
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

THINK = ("<think>", "</think>")
ACCEPTS = ("cut", "empty", "split", "endless")
"""What `--accept` may name."""


class PreflightError(ValueError):
    """The rows would be trained on in a way that nobody wants by accident."""


@dataclass(frozen=True)
class Preflight:
    """Counts of rows, but for `tokens`, `longest` and the quantiles, which are token counts."""

    rows: int
    max_length: int | None
    tokens: int
    longest: int
    quantiles: dict[str, int]
    up_to: dict[int, int]
    """Rows of at most so many tokens, and more than half of that."""
    cut: int
    """Longer than `max_length`."""
    answerless: int
    """Cut before the final answer is complete."""
    empty: int
    """Without any token for the loss within `max_length`; left out of the training."""
    split: int
    """With `<think>` or `</think>` in several tokens."""
    endless: int
    """Whose last token in the loss, before any cut, does not end the reply."""

    def table(self) -> str:
        """The counts as a small table for people."""
        lines = [f"tokens per row: {self.tokens:,} in {self.rows:,} rows, " + _pairs(self.quantiles)]
        width = max(len(f"{edge:,}") for edge in self.up_to)
        for edge, rows in self.up_to.items():
            mark = "  <- max_length" if self.max_length and edge // 2 < self.max_length <= edge else ""
            bar = "#" * round(40 * rows / self.rows)
            lines.append(f"  up to {edge:{width},} {rows:8,} {_share(rows, self.rows):>7}  {bar}{mark}")
        for name, what in (
            ("cut", f"cut at max_length {self.max_length}"),
            ("answerless", "final answer lost by the cut"),
            ("empty", "nothing in the loss"),
            ("split", "<think> or </think> in several tokens"),
            ("endless", "no end of the reply in the loss"),
        ):
            lines.append(f"  {what:38} {getattr(self, name):8,} {_share(getattr(self, name), self.rows):>7}")
        return "\n".join(lines)

    def check(self, accept: Set[str]) -> None:
        """Nothing is wrong with the rows that was not accepted.

        Raises:
            PreflightError: naming each fault, what mends it, and the flag that accepts it.
        """
        faults = self.faults(accept)
        if faults:
            raise PreflightError("preflight refuses this data:\n  " + "\n  ".join(faults))

    def faults(self, accept: Set[str]) -> list[str]:
        """What is wrong and was not accepted, each with its cure."""
        return [f"{getattr(self, name):,} of {self.rows:,} {cure}. To go on anyway: --accept {name}"
                for name, cure in self._cures().items() if getattr(self, name) and name not in accept]  # fmt: skip

    def _cures(self) -> dict[str, str]:
        lost = f", {self.answerless:,} of them before their final answer" if self.answerless else ""
        return {
            "cut": f"rows would be cut at max_length {self.max_length}{lost}: "
            f"--set max_length={self.longest} takes them whole",
            "empty": "rows have nothing for the loss and would be left out: look at their messages",
            "split": "rows hold <think> or </think> that this tokenizer splits: add the two as tokens, "
            "or accept it as models without such tokens must",
            "endless": "rows have no end of the reply in the loss, so the student would not learn to stop: "
            "give a chat template with the end inside {% generation %} (--set chat_template_path=FILE.jinja)",
        }

    def facts(self) -> dict[str, Any]:
        """The counts, for run.json."""
        return asdict(self)


def tokenize(
    rows: "Dataset",
    tokenizer: "PreTrainedTokenizerBase",
    template: str | None,
    max_length: int | None,
    ends: Set[int],
    processes: int | None = None,
) -> "Dataset":
    """The rows with `input_ids` and `assistant_masks` (1: in the loss) as TRL reads them, and what `count` needs.

    Args:
        rows: with a column `messages`; with a column `prompt`, what it renders alike to is not in the loss.
        template: a chat template with generation marks; None puts every token in the loss, with the tokenizer's own.
        ends: ids of the tokens that end a reply.
    """
    return rows.map(
        _tokenize,
        batched=True,
        batch_size=256,
        num_proc=processes,
        fn_kwargs={"tokenizer": tokenizer, "template": template, "max_length": max_length, "ends": sorted(ends)},
        desc="Tokenizing",
    )


def count(tokenized: "Dataset", max_length: int | None) -> Preflight:
    """The counts over rows that `tokenize` gave."""
    import polars as pl

    facts = tokenized.select_columns(["tokens", "in_loss", "answerless", "split", "endless"]).with_format("polars")[:]
    assert isinstance(facts, pl.DataFrame)
    tokens = facts["tokens"]
    edges = (2 ** (tokens - 1).log(2).floor().cast(pl.Int64) * 2).clip(lower_bound=64).value_counts().sort("tokens")
    return Preflight(
        rows=facts.height,
        max_length=max_length,
        tokens=int(tokens.sum()),
        longest=int(tokens.max()),  # type: ignore[arg-type]  # polars types a maximum as any value
        quantiles={f"{q:.0%}": int(tokens.quantile(q) or 0) for q in (0.05, 0.5, 0.95, 1.0)},
        up_to=dict(edges.iter_rows()),
        cut=int((tokens > max_length).sum()) if max_length else 0,
        answerless=int(facts["answerless"].sum()),
        empty=int((facts["in_loss"] == 0).sum()),
        split=int(facts["split"].sum()),
        endless=int(facts["endless"].sum()),
    )


def _tokenize(
    batch: dict[str, list[Any]],
    tokenizer: "PreTrainedTokenizerBase",
    template: str | None,
    max_length: int | None,
    ends: list[int],
) -> dict[str, list[Any]]:
    marked = template is not None
    encoded: Any = tokenizer.apply_chat_template(
        batch["messages"], chat_template=template, return_dict=True, return_assistant_tokens_mask=marked
    )
    ids_by_row = encoded["input_ids"]
    masks = encoded["assistant_masks"] if marked else [[1] * len(ids) for ids in ids_by_row]
    if "prompt" in batch:
        asked: Any = tokenizer.apply_chat_template(batch["prompt"], add_generation_prompt=True, return_dict=True)
        masks = [_behind(prompt, ids) for prompt, ids in zip(asked["input_ids"], ids_by_row, strict=True)]
    tags = [tokenizer.encode(tag, add_special_tokens=False) for tag in THINK]
    return {
        "input_ids": ids_by_row,
        "assistant_masks": masks,
        "tokens": [len(ids) for ids in ids_by_row],
        "in_loss": [sum(mask[:max_length]) for mask in masks],
        "answerless": [_loses_answer(ids, max_length, tokenizer) for ids in ids_by_row],
        "split": [_splits(messages, ids, tags) for messages, ids in zip(batch["messages"], ids_by_row, strict=True)],
        "endless": [
            bool(any(mask)) and not _ends(ids, mask, ends, tokenizer)
            for ids, mask in zip(ids_by_row, masks, strict=True)
        ],
    }


def _behind(prompt: list[int], ids: list[int]) -> list[int]:
    # As TRL does for pairs: the reply begins where prompt and conversation part.
    common = next((place for place, pair in enumerate(zip(prompt, ids, strict=False)) if pair[0] != pair[1]), None)
    length = min(len(prompt), len(ids)) if common is None else common
    return [0] * length + [1] * (len(ids) - length)


def _loses_answer(ids: list[int], max_length: int | None, tokenizer: "PreTrainedTokenizerBase") -> bool:
    if not max_length or len(ids) <= max_length:
        return False
    whole, kept = str(tokenizer.decode(ids)), str(tokenizer.decode(ids[:max_length]))
    return len(kept) < _answer_end(whole)


def _answer_end(text: str) -> int:
    # Where the last \boxed{...} closes; without one, any cut may take the answer.
    start = text.rfind("\\boxed{")
    depth = 0
    for position in range(start, len(text)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if text[position] == "}" and depth == 0:
            return position + 1
    return len(text)


def _splits(messages: list[dict[str, str]], ids: list[int], tags: list[list[int]]) -> bool:
    written = [sum(message["content"].count(tag) for message in messages) for tag in THINK]
    whole = [ids.count(tag[0]) if len(tag) == 1 else 0 for tag in tags]
    return any(found < count for found, count in zip(whole, written, strict=True))


def _ends(ids: list[int], mask: list[int], ends: list[int], tokenizer: "PreTrainedTokenizerBase") -> bool:
    # Some templates put a line break behind the end of the turn.
    learned = [token for token, taught in zip(ids, mask, strict=True) if taught]
    last = next((token for token in reversed(learned) if str(tokenizer.decode([token])).strip()), None)
    return last in ends


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}"


def _pairs(values: dict[str, int]) -> str:
    return ", ".join(f"{name} have at most {value:,}" for name, value in values.items())
