"""The student: its tokenizer and its weights, whether tiny, a run of ours or a model from elsewhere."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from train.run import parent_of
from train.settings import Settings, SettingsError
from train.tiny import NAME as TINY
from train.tiny import Tiny, tiny_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def kind_of(model: str) -> str | None:
    """`tiny` for the tiny student and every run that started from it, else None."""
    return TINY if model == TINY else parent_of(model).get("student")


def tokenizer_of(model: str, settings: Settings, texts: Iterable[str]) -> "PreTrainedTokenizerBase":
    """The model's own tokenizer; an untrained tiny student gets one made from the texts.

    Raises:
        SettingsError: there is no such model.
    """
    from transformers import AutoTokenizer

    if model == TINY:
        return tiny_tokenizer(texts, Tiny(**settings.groups["student"]).vocabulary)
    try:
        return AutoTokenizer.from_pretrained(model, **asked_for(settings))
    except OSError as error:
        raise SettingsError(
            f"--model {model}: no tokenizer there. Expected `tiny`, a folder with weights and tokenizer, "
            f"or a model's name on the Hub ({str(error).splitlines()[0]})"
        ) from error


def asked_for(settings: Settings) -> dict[str, Any]:
    """Which revision of a model is meant, and whether its code may run: for whatever is loaded of it before weights."""
    revision = (settings.fields.get("model_init_kwargs") or {}).get("revision")
    return {"revision": revision or "main", "trust_remote_code": settings.fields.get("trust_remote_code", False)}


def end_ids(model: str, settings: Settings, tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    """Ids of the tokens at which the model's generation stops, known before its weights are loaded."""
    from transformers import GenerationConfig

    from train.answers import end_tokens

    try:
        return end_tokens(
            tokenizer, None if model == TINY else GenerationConfig.from_pretrained(model, **asked_for(settings))
        )
    except OSError:  # a model without a generation config
        return end_tokens(tokenizer)


def weights_of(model: str, settings: Settings, tokenizer: Any, seed: int) -> "PreTrainedModel | str":
    """What TRL's trainers take as `model`: a new tiny student, or the name to load."""
    return Tiny(**settings.groups["student"])(tokenizer, seed) if model == TINY else model
