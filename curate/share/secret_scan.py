"""Keys and tokens in what is about to be shared: by their forms, and by the values that this environment holds.

A Hub scans for keys too, after a push: too late for a public repository. Replies of a server that echoes a key, or a
question that holds one, bring them into a table.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate.version import LOCK, Version

BATCH_ROWS = 1000
MOST = 50
"""So many are named; more say nothing new."""

# One text for two engines: polars reads every row with it, re names what was found. No look-around, ASCII words.
_FORMS = (
    r"sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,}|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{35}|Bearer +[A-Za-z0-9._~+/=-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
_EDGE = r"(?:^|[^A-Za-z0-9_])"  # task-... and nothf_... are none
_FORM = re.compile(f"{_EDGE}({_FORMS})")
_SECRET_NAME = re.compile(r"(?:_|^)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)
_NAMED_LENGTH, _GUESSED_LENGTH = 8, 16  # shorter values (EMPTY, none) stand in plain text for other reasons


@dataclass(frozen=True)
class Found:
    """One secret, by place; never its text."""

    place: str
    kind: str

    def text(self) -> str:
        """For people."""
        return f"{self.place}: {self.kind}"


def secrets_of(manifest: Any, token: str | None = None) -> dict[str, str]:
    """Values that must not be shared, by what they are called: those of variables that the manifest names (`*_env`),
    the Hub's token, and all others in the environment that are called a key, token, secret or password.

    Example:
        >>> os.environ["DEMO_KEY"] = "0123456789"
        >>> secrets_of({"rollouts": {"teacher": {"api_key_env": "DEMO_KEY"}}})["DEMO_KEY"]
        '0123456789'
    """
    named = {name: os.environ.get(name, "").strip() for name in _named(manifest)}
    found = {name: value for name, value in named.items() if len(value) >= _NAMED_LENGTH}
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value.strip()) >= _GUESSED_LENGTH:
            found[name] = value.strip()
    return found | ({"the token of the Hub": token} if token else {})


def scan(
    version: Version, secrets: dict[str, str], done: Callable[[int], None] = lambda count: None
) -> Iterator[Found]:
    """Every secret in the version's papers and tables.

    Args:
        secrets: values by name (secrets_of).
        done: told of every file.
    """
    for name in (*version.lock["files"], LOCK):
        file = version.path / name
        if file.suffix == ".parquet":
            yield from _in_table(name, pq.ParquetFile(file), secrets)
        else:
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                yield from (Found(f"{name}, line {number}", kind) for kind in kinds(line, secrets))
        done(1)


def kinds(text: str, secrets: dict[str, str]) -> list[str]:
    """What the text holds: which named values, and which forms of keys."""
    held = [f"the value of {name}" for name, value in secrets.items() if _value_in(value, text)]
    if held:
        return held
    forms = [found[1] for found in _FORM.finditer(text) if _is_real(found[1])]
    return [f"looks like a key ({re.match(r'-+BEGIN|Bearer|[A-Za-z]+[-_]?', form)[0]}...)" for form in forms[:1]]  # type: ignore[index]  # every form begins so


def _in_table(name: str, file: pq.ParquetFile, secrets: dict[str, str]) -> Iterator[Found]:
    done = 0
    for batch in file.iter_batches(BATCH_ROWS):
        for column, values in zip(batch.schema.names, batch.columns, strict=True):
            if not any(_suspicious(leaf, secrets) for leaf in _leaves(values)):
                continue
            ids = batch.column(batch.schema.get_field_index(_id_of(batch.schema))) if _id_of(batch.schema) else None
            for row, value in enumerate(values.to_pylist()):
                where = f"id {ids[row].as_py()}" if ids is not None else f"row {done + row}"
                held = {kind for text in _texts(value) for kind in kinds(text, secrets)}
                yield from (Found(f"{name}, {where}, column {column}", kind) for kind in sorted(held))
        done += batch.num_rows


def _suspicious(leaf: pa.Array, secrets: dict[str, str]) -> bool:
    """Whether any text may hold a secret: a look at all rows at once."""
    texts = pl.Series(pl.from_arrow(leaf))
    if bool(texts.str.contains(f"{_EDGE}(?:{_FORMS})").any()):
        return True
    return bool(secrets) and bool(texts.str.contains_any(list(secrets.values())).any())


def _leaves(values: pa.Array) -> Iterator[pa.Array]:
    """All texts below a column, however nested."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        yield values
    elif pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        yield from _leaves(values.flatten())
    elif pa.types.is_struct(values.type):
        for field in values.flatten():
            yield from _leaves(field)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _id_of(schema: pa.Schema) -> str | None:
    return next((name for name in ("id", "problem_id") if name in schema.names), None)


def _named(manifest: Any) -> Iterator[str]:
    if isinstance(manifest, dict):
        yield from (value for key, value in manifest.items() if str(key).endswith("_env") and isinstance(value, str))
    for inner in manifest.values() if isinstance(manifest, dict) else manifest if isinstance(manifest, list) else ():
        yield from _named(inner)


def _value_in(value: str, text: str) -> bool:
    return value in text or json.dumps(value)[1:-1] in text


def _is_real(form: str) -> bool:
    """Keys are drawn by chance, so letters and digits stand in all of them; sk-your-key-goes-here is none."""
    return form.startswith("-") or (any(sign.isdigit() for sign in form) and any(sign.isalpha() for sign in form))
