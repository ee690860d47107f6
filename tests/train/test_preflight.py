"""Facts about the preflight: what it counts, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.train.small_version import Talk, sums, talk, write_version
from train import preflight
from train.chat_templates import training_template
from train.settings import SettingsError
from train.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer(message["content"] for row in sums(50, seed=0) for message in row)
END = TOKENIZER.eos_token_id


def tokenized(rows: list[Talk], max_length: int | None = None, tokenizer: Any = TOKENIZER) -> Any:
    from datasets import Dataset

    template = training_template(tokenizer, None)
    return preflight.tokenize(
        Dataset.from_list([{"messages": row} for row in rows]), tokenizer, template, max_length, {END}
    )


def counted(rows: list[Talk], max_length: int | None = None) -> preflight.Preflight:
    return preflight.count(tokenized(rows, max_length), max_length)


def test_only_the_reply_and_its_end_are_in_the_loss() -> None:
    row = tokenized([talk("What is 1 + 1?", "Two.", "2")])[0]
    in_loss = [token for token, taught in zip(row["input_ids"], row["assistant_masks"], strict=True) if taught]
    assert TOKENIZER.decode(in_loss) == "<think>\nTwo.\n</think>\n\n2<|end|>"


def test_a_row_that_just_fits_is_not_cut() -> None:
    rows = sums(1, seed=0)
    length = len(tokenized(rows)[0]["input_ids"])
    assert counted(rows, length).cut == 0
    assert counted(rows, length - 1).cut == 1


def test_a_cut_behind_the_box_keeps_the_answer() -> None:
    rows = [talk("What is 1 + 1?", "Two.", "So \\boxed{\\frac{4}{2}} is the answer that was asked for.")]
    ids = tokenized(rows)[0]["input_ids"]
    behind_the_box = next(n for n in range(len(ids)) if "{2}}" in TOKENIZER.decode(ids[:n]))
    assert counted(rows, behind_the_box).answerless == 0
    assert counted(rows, behind_the_box).cut == 1
    assert counted(rows, behind_the_box - 1).answerless == 1


def test_a_question_that_fills_the_row_leaves_nothing_for_the_loss() -> None:
    assert counted([talk("Why? " * 50, "Two.", "2")], 40).empty == 1


def test_every_row_is_in_one_bucket_of_the_table() -> None:
    counts = counted([*sums(30, seed=0), talk("Why? " * 80, "Two.", "2")])
    assert sum(counts.up_to.values()) == counts.rows == 31
    assert max(counts.up_to) // 2 < counts.longest <= max(counts.up_to)


def test_a_tokenizer_that_splits_the_tags_is_seen() -> None:
    from tokenizers import Tokenizer

    core = json.loads(TOKENIZER.backend_tokenizer.to_str())
    core["added_tokens"] = [token for token in core["added_tokens"] if "think" not in token["content"]]
    plain = type(TOKENIZER)(
        tokenizer_object=Tokenizer.from_str(json.dumps(core)),
        chat_template=TOKENIZER.chat_template,
        eos_token="<|end|>",
    )
    counts = preflight.count(tokenized(sums(3, seed=0), tokenizer=plain), None)
    assert counts.split == 3
    assert counted(sums(3, seed=0)).split == 0


def test_a_template_that_leaves_the_end_out_of_the_loss_is_seen(tmp_path: Path) -> None:
    from datasets import Dataset

    late = TOKENIZER.chat_template.replace(
        "message['content'] + '<|end|>' -}}{%- endgeneration -%}",
        "message['content'] -}}{%- endgeneration -%}{{- '<|end|>' -}}",
    )
    rows = Dataset.from_list([{"messages": row} for row in sums(3, seed=0)])
    assert preflight.count(preflight.tokenize(rows, TOKENIZER, late, None, {END}), None).endless == 3


def test_a_template_without_marks_is_matched_by_the_text_it_renders() -> None:
    # The chat template of microsoft/Phi-4-mini-instruct, from its tokenizer_config.json.
    own = (
        "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is "
        "not none %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + "
        "'<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
    )
    tokenizer = tiny_tokenizer(["What is 1 + 1?"])
    tokenizer.eos_token = "<|endoftext|>"
    tokenizer.chat_template = own
    marked = training_template(tokenizer, None)
    row = talk("What is 1 + 1?", "Two.", "2")
    encoded = tokenizer.apply_chat_template(
        row, chat_template=marked, return_dict=True, return_assistant_tokens_mask=True
    )
    taught = [t for t, yes in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if yes]
    assert tokenizer.decode(taught) == "<think>\nTwo.\n</think>\n\n2<|end|><|endoftext|>"
    assert tokenizer.decode(encoded["input_ids"]) == tokenizer.apply_chat_template(row, tokenize=False)


def test_an_unknown_template_without_marks_says_what_to_give() -> None:
    tokenizer = tiny_tokenizer(["What is 1 + 1?"])
    tokenizer.chat_template = "{% for message in messages %}[{{ message['content'] }}]{% endfor %}"
    with pytest.raises(SettingsError, match="chat_template_path"):
        training_template(tokenizer, None)


def test_a_max_length_that_cuts_is_refused_with_exit_3(train: Callable[..., Any], root: Path, tmp_path: Path) -> None:
    code, said = train("sft", "--data", "v1", "--root", root, "--out", tmp_path / "run", "--set", "max_length=32")
    assert code == 3
    assert "160 of 160 rows would be cut at max_length 32" in said
    assert "--accept cut" in said
    assert not (tmp_path / "run").exists()


def test_accepting_one_fault_accepts_no_other(train: Callable[..., Any], tmp_path: Path) -> None:
    write_version(tmp_path, {"train": [*sums(3, seed=0), talk("Why? " * 60, "Two.", "2")]})
    code, said = train("sft", "--data", "v1", "--root", tmp_path, "--set", "max_length=100", "--accept", "cut")
    assert code == 3
    assert "1 of 4 rows have nothing for the loss" in said
