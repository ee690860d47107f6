"""Models that run in this process: under which name they are credited, what decides their text, how they are asked."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distill.request import Message, TeacherError

COMMIT = re.compile(r"[0-9a-f]{40}")
DECIDES_TEXT = (
    "*.safetensors",
    "*.json",
    "*.jinja",
    "*.model",
    "*.txt",
    "*.py",
)
"""Files of a model folder that its text depends on, with what `NO_MATTER` leaves out."""
NO_MATTER = frozenset(("run.json", "trainer_state.json", "all_results.json", "train_results.json", "eval_results.json"))
THINKING = ("<think>", "</think>")


def credited(model: str, path: str | None, commit: str, trust_remote_code: bool) -> str:
    """The name under which rollouts are stored: the model's on the Hub, or its folder's; never a path.

    Raises:
        ValueError: the options name no model, two, or one that may change under its name.
    """
    if path is None:
        if not model:
            raise ValueError("no model is named: give path (a folder) or model (a name on the Hub)")
        if not COMMIT.fullmatch(commit):
            raise ValueError(f"model {model} is on the Hub: pin it with commit, the 40 hex digits of one; it may move")
        return model
    if commit:
        raise ValueError("commit goes with a model on the Hub; the files of a folder are hashed")
    if trust_remote_code:
        raise ValueError(
            "trust_remote_code takes a model on the Hub with its commit, not a folder whose code may change"
        )
    return model or os.path.basename(os.path.normpath(os.path.abspath(path)))


def revision_of(path: str | None, commit: str, **settings: Any) -> str:
    """What else decides the text: a digest of the folder's files or the commit, and of settings that are not empty.

    Raises:
        TeacherError: no model in the folder.
    """
    base = commit if path is None else f"sha256-{folder_digest(path)[:16]}"
    said = {name: value for name, value in settings.items() if value}
    if not said:
        return base
    text = json.dumps(said, sort_keys=True, ensure_ascii=True)
    return f"{base}+{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def check_there(path: str | None) -> None:
    """Passes if the folder, where one is named, looks like a model's.

    Raises:
        TeacherError: no model in the folder.
    """
    if path and not (Path(path) / "config.json").is_file():
        raise TeacherError(
            f"{Path(path).name}: no model there. Expected a folder with config.json, weights and tokenizer"
        )


def check_installed(plug: str, extra: str, *libraries: str) -> None:
    """Passes if the libraries can be found; imports none.

    Raises:
        TeacherError: one cannot.
    """
    if lacking := [name for name in libraries if find_spec(name) is None]:
        raise TeacherError(f'{plug} needs {" and ".join(lacking)}: pip install "cotillion[{extra}]"')


def folder_digest(path: str) -> str:
    """sha256 over names and bytes of the files that decide the text: a checkpoint that is trained anew is another.

    Raises:
        TeacherError: no model in the folder.
    """
    check_there(path)
    folder = Path(path)
    files = {file for pattern in DECIDES_TEXT for file in folder.glob(pattern)}
    digest = hashlib.sha256()
    for file in sorted(files):
        if file.name not in NO_MATTER:
            facts = file.stat()
            digest.update(f"{file.name} {_file_digest(file, facts.st_mtime_ns, facts.st_size)}\n".encode())
    return digest.hexdigest()


# A revision is asked for with every request; gigabytes of weights are hashed once, as long as nobody touches them.
@lru_cache(maxsize=256)
def _file_digest(file: Path, mtime_ns: int, size: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def prompt_tokens(tokenizer: Any, messages: Sequence[Message], template_options: dict[str, Any]) -> list[int] | None:
    """The prompt as the model's own chat template writes it; None for text that no tokenizer takes (lone surrogates).

    The template is a stranger's program; transformers renders it in jinja's sandbox.

    Raises:
        TeacherError: there is no chat template, it is none, or it refuses the messages.
    """
    from jinja2 import TemplateError

    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True, **template_options)
    except (TemplateError, ValueError, TypeError, ArithmeticError, MemoryError) as error:
        raise TeacherError(f"the model's chat template fails: {type(error).__name__}: {_first_line(error)}") from None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def skips_special(tokenizer: Any) -> bool:
    """Whether special tokens can be left out of a reply's text without losing where the thinking ends."""
    return not set(THINKING) & set(tokenizer.all_special_tokens)


def context_of(config: Any, limit: int | None) -> int:
    """Most tokens of prompt and reply together, by the model's config and the limit that the user set."""
    known = getattr(config.get_text_config(), "max_position_embeddings", None)
    return min(length for length in (known, limit, 2**31) if length)


def one_line(error: BaseException, path: str | None) -> str:
    """The first line of an error, without the folder's path."""
    return _first_line(error).replace(str(path), Path(path).name) if path else _first_line(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]
