"""The `tiny` student: Phi-3's architecture, under a million parameters, from scratch, with a tokenizer of its own.

It stands in for Phi-4-mini where there is no GPU: the same chat format, the same `<think>` text, the same four stages.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from train.settings import SettingsError

if TYPE_CHECKING:
    from transformers import Phi3ForCausalLM, PreTrainedTokenizerFast

NAME = "tiny"

END, PAD = "<|end|>", "<|pad|>"
SPECIAL = ("<|endoftext|>", END, PAD, "<|system|>", "<|user|>", "<|assistant|>")
# Not special: a reader who skips special tokens must still see where the thinking ends.
THINK = ("<think>", "</think>")

# A digit is always a token by itself, so that the places of two numbers line up; spaces go with the words and signs
# around it. Against the usual ` 7` this keeps ten digits instead of twenty, at the same length.
PIECES = r"\d| ?\p{L}+ ?| ?[^\s\p{L}\d]+ ?|\s+(?!\S)|\s+"

# Phi-4-mini's format. What stands between the generation marks is what the loss sees: the reply and its end.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|' + message['role'] + '|>' -}}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}{{- message['content'] + '<|end|>' -}}{%- endgeneration -%}
{%- else -%}
{{- message['content'] + '<|end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"""


@dataclass(frozen=True)
class Tiny:
    """The sizes of the student; calling it gives the untrained model."""

    layers: int = 3
    """Transformer blocks."""
    width: int = 128
    """Hidden size: 64, 128, ...; 32 per attention head, and two heads share a key."""
    inner: int = 384
    """Hidden size within the feed-forward part."""
    vocabulary: int = 1024
    """Tokens, bytes and special ones included."""
    context: int = 4096
    """Longest sequence, in tokens."""

    def __post_init__(self) -> None:
        if self.width < 64 or self.width % 64:
            raise SettingsError(f"student.width: {self.width} is no multiple of 64")

    def __call__(self, tokenizer: "PreTrainedTokenizerFast", seed: int = 0) -> "Phi3ForCausalLM":
        """The student with random weights: the same for the same seed and sizes."""
        import torch
        from transformers import GenerationConfig, Phi3Config, Phi3ForCausalLM

        ends: dict[str, Any] = {
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        config = Phi3Config(
            vocab_size=-(-len(tokenizer) // 64) * 64,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.width // 32,
            num_key_value_heads=self.width // 64,
            # Three times the usual 0.02, which is made for widths of thousands; with it, copying from the question
            # is learnt within a few hundred steps.
            initializer_range=0.06,
            max_position_embeddings=self.context,
            original_max_position_embeddings=self.context,
            tie_word_embeddings=True,
            **ends,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = Phi3ForCausalLM(config)
        model.generation_config = GenerationConfig(**ends)  # type: ignore[no-untyped-call]  # transformers' own
        return model


def tiny_tokenizer(texts: Iterable[str], vocabulary: int = Tiny.vocabulary) -> "PreTrainedTokenizerFast":
    """Byte-level BPE over the texts: round-trips any text, single digits, `<think>` and the roles whole.

    The same texts in the same order give the same tokenizer.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PIECES), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(THINK),
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(_without_tags(texts), trainer)
    core.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in THINK])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers' own
        tokenizer_object=core,
        bos_token="<|endoftext|>",
        eos_token=END,
        pad_token=PAD,
        model_max_length=Tiny.context,
        clean_up_tokenization_spaces=False,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )


def _without_tags(texts: Iterable[str]) -> Iterator[str]:
    # The tags become tokens of their own afterwards; left in, they would buy merges that nothing ever uses.
    for text in texts:
        for tag in THINK:
            text = text.replace(tag, "\n")
        yield text
