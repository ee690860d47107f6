"""Facts about the tiny student and its tokenizer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.small_version import sums, talk
from train.settings import SettingsError
from train.tiny import SPECIAL, Tiny, tiny_tokenizer

TEXTS = [message["content"] for row in sums(200, seed=0) for message in row]
TOKENIZER = tiny_tokenizer(TEXTS)


@pytest.mark.parametrize("whole", ["<think>", "</think>", *SPECIAL])
def test_tags_and_roles_are_one_token(whole: str) -> None:
    assert TOKENIZER.tokenize(f"7{whole}8") == ["7", whole, "8"]


def test_thinking_survives_a_reader_who_skips_special_tokens() -> None:
    ids = TOKENIZER("<think>\n1\n</think>\n\n2<|end|>")["input_ids"]
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == "<think>\n1\n</think>\n\n2"


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_round_trips(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER(text)["input_ids"]) == text


def test_texts_of_the_version_round_trip() -> None:
    assert [TOKENIZER.decode(ids) for ids in TOKENIZER(TEXTS)["input_ids"]] == TEXTS


def test_a_digit_is_a_token() -> None:
    assert TOKENIZER.tokenize("407") == ["4", "0", "7"]


def test_the_same_texts_give_the_same_tokenizer() -> None:
    assert tiny_tokenizer(TEXTS).backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()


def test_the_template_asks_in_the_words_it_was_taught() -> None:
    row = talk("What is 1 + 1?", "Two.", "2")
    asked = TOKENIZER.apply_chat_template(row[:1], tokenize=False, add_generation_prompt=True)
    taught = TOKENIZER.apply_chat_template(row, tokenize=False)
    assert taught == asked + "<think>\nTwo.\n</think>\n\n2<|end|>"


def test_the_student_is_a_phi3_under_a_million_parameters() -> None:
    full = tiny_tokenizer(["".join(map(chr, range(32, 500))) * 3, *TEXTS])
    student = Tiny()(full)
    student.resize_token_embeddings(Tiny.vocabulary)  # as if the texts had filled the vocabulary
    assert student.config.model_type == "phi3"
    assert student.num_parameters() < 1_000_000


def test_the_same_seed_gives_the_same_student() -> None:
    one, two, other = (Tiny(layers=1)(TOKENIZER, seed).lm_head.weight for seed in (1, 1, 2))
    assert one.equal(two)
    assert not one.equal(other)


def test_a_width_that_no_head_divides_is_told() -> None:
    with pytest.raises(SettingsError, match=r"student\.width: 32 is no multiple of 64"):
        Tiny(width=32)
