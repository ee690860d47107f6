"""A model in this process, drawn from with plain transformers: on a CPU or a GPU, without a server."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field

from distill.checkpoint import (
    check_installed,
    check_there,
    context_of,
    credited,
    folder_digest,
    one_line,
    prompt_tokens,
    revision_of,
    skips_special,
)
from distill.decoding import BatchRow, draw
from distill.request import Reply, Request, TeacherError

BATCHES_AHEAD = 8
"""Batches of requests read at once, so that prompts of like length go together."""


@dataclass(frozen=True)
class TransformersLocal:
    """Draws from a model that it loads itself, batch by batch, every rollout by its request's own seed.

    Which other requests share the batch changes no reply, but for rounding (`distill.decoding`). The model stays loaded
    between calls, one at a time; `release` gives the memory back.

    Example:
        >>> TransformersLocal(path="runs/sft-3/").model
        'sft-3'
    """

    shares_time = True

    path: Annotated[str, "a path beside the manifest"] | None = None
    """A folder with config, safetensors and tokenizer: a run of `train`, or any checkpoint."""
    model: str = ""
    """The model's name on the Hub; with `path`, the name that rollouts are credited to: the folder's unless said."""
    commit: str = ""
    """Of a model on the Hub: the 40 hex digits of the commit to use."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Numbers to calculate with; auto takes the checkpoint's own."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto takes a GPU where there is one."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    """Rollouts drawn together; halved by itself where a GPU's memory is too small."""
    max_length: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of prompt and reply together; the model's own context unless said."""
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    """Handed to the model's chat template, such as `enable_thinking`."""
    trust_remote_code: bool = False
    """Run Python code that comes with a model on the Hub. Never for a folder."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", credited(self.model, self.path, self.commit, self.trust_remote_code))

    @property
    def revision(self) -> str:
        """Digest of the folder's files, or the commit; with a mark of the options that change the text."""
        dtype = "" if self.dtype == "auto" else self.dtype
        return revision_of(
            self.path, self.commit, dtype=dtype, max_length=self.max_length, template=self.chat_template_kwargs
        )

    def ready(self) -> None:
        """Raises TeacherError if the library or the folder's model is not there."""
        check_installed("transformers_local", "train", "torch", "transformers")
        check_there(self.path)

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies batch by batch. A prompt that the context does not hold yields a reply with finish_reason `error`.

        Raises:
            TeacherError: transformers is not installed, there is no such model, its chat template fails, or not even
                one rollout fits into memory.
        """
        source = iter(requests)
        first = next(source, None)
        if first is None:
            return
        tokenizer, model = self._loaded()
        waiting = [first, *islice(source, self.batch_size * BATCHES_AHEAD - 1)]
        while waiting:
            fitting: list[tuple[Request, BatchRow]] = []
            for request in waiting:
                asked = self._asked(tokenizer, model, request)
                if isinstance(asked, Reply):
                    yield asked
                else:
                    fitting.append((request, asked))
            fitting.sort(key=lambda pair: len(pair[1].prompt))
            for pairs in _in_batches(fitting, self.batch_size):
                yield from self._drawn(tokenizer, model, pairs)
            waiting = list(islice(source, self.batch_size * BATCHES_AHEAD))

    def release(self) -> None:
        """The memory of the loaded model is free again; the next call loads it anew."""
        _load.cache_clear()

    def _loaded(self) -> tuple[Any, Any]:
        digest = folder_digest(self.path) if self.path else self.commit
        return _load(
            self.path or self.model, self.commit or None, digest, self.dtype, self.device, self.trust_remote_code
        )

    def _asked(self, tokenizer: Any, model: Any, request: Request) -> BatchRow | Reply:
        prompt = prompt_tokens(tokenizer, request.messages, self.chat_template_kwargs)
        if not prompt:
            return Reply(request.key, "", finish_reason="error", error="the prompt is no text that the tokenizer takes")
        context = context_of(model.config, self.max_length)
        if len(prompt) >= context:
            said = f"the prompt has {len(prompt)} tokens, the context holds {context} with the reply"
            return Reply(request.key, "", finish_reason="error", error=said, prompt_tokens=len(prompt))
        return BatchRow(prompt, request.sampling, request.seed, min(request.sampling.max_tokens, context - len(prompt)))

    def _drawn(self, tokenizer: Any, model: Any, pairs: list[tuple[Request, BatchRow]]) -> Iterator[Reply]:
        import torch

        began = time.monotonic()
        ends = set(model.generation_config.eos_token_id)
        try:
            replies = draw(model, [each for _, each in pairs], ends, model.generation_config.pad_token_id)
        except torch.OutOfMemoryError:
            raise TeacherError(f"{self.model}: not even one rollout fits into memory. Lower max_tokens") from None
        seconds = (time.monotonic() - began) / len(pairs)
        for (request, asked), tokens in zip(pairs, replies, strict=True):
            ended = tokens[-1] in ends
            text = tokenizer.decode(
                tokens[:-1] if ended else tokens,
                skip_special_tokens=skips_special(tokenizer),
                clean_up_tokenization_spaces=False,
            )
            yield Reply(
                request.key,
                text,
                finish_reason="stop" if ended else "length",
                prompt_tokens=len(asked.prompt),
                completion_tokens=len(tokens),
                seconds=seconds,
            )


@lru_cache(maxsize=1)
def _load(
    source: str, commit: str | None, digest: str, dtype: str, device: str, trust_remote_code: bool
) -> tuple[Any, Any]:
    """Tokenizer and model, ready to draw from. The digest is here so that files that changed are loaded anew."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, logging
    except ImportError as error:
        raise TeacherError(
            f'transformers_local needs torch and transformers: pip install "cotillion[train]" ({error})'
        ) from None
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    folder = source if commit is None else None
    if bars := logging.is_progress_bar_enabled():
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, revision=commit, trust_remote_code=trust_remote_code)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source, revision=commit, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
        )
        model = model.to(where).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise TeacherError(f"the model cannot be loaded: {one_line(error, folder)}") from None
    finally:
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    ends = _end_tokens(tokenizer, model)
    if not ends:
        raise TeacherError("neither tokenizer nor generation config names a token that ends a reply (eos_token_id)")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends)
    # Penalties and ranges that a checkpoint brings along are not asked for: what decides a draw stands in the request.
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]  # transformers' own
        eos_token_id=sorted(ends), pad_token_id=pad
    )
    return tokenizer, model


def _end_tokens(tokenizer: Any, model: Any) -> set[int]:
    given = model.generation_config.eos_token_id
    more = given if isinstance(given, list) else [given]
    return {token for token in (tokenizer.eos_token_id, *more) if isinstance(token, int)}


def _in_batches(pairs: list[tuple[Request, BatchRow]], size: int) -> Iterator[list[tuple[Request, BatchRow]]]:
    return (pairs[start : start + size] for start in range(0, len(pairs), size))
