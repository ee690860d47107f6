"""Chat templates that mark the replies, so that the loss sees them alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from train.settings import SettingsError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TEMPLATES = Path(__file__).parent / "templates"


def training_template(tokenizer: "PreTrainedTokenizerBase", path: str | None) -> str:
    """A chat template with generation marks, so that the loss sees the replies alone.

    The file at `path` if one is given, else the tokenizer's own if it has the marks, else TRL's marked variant of it,
    else one of ours that renders the same text.

    Raises:
        SettingsError: there is none.
    """
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    if path:
        return read_template(path)
    own = tokenizer.chat_template
    own = own["default"] if isinstance(own, dict) else own
    if not own:
        raise SettingsError("the tokenizer has no chat template: --set chat_template_path=FILE.jinja gives one")
    if has_generation_markers(own):
        return str(own)
    try:
        return str(get_training_chat_template(tokenizer))
    except ValueError:  # TRL knows no variant of this template
        return _ours(tokenizer)


def read_template(path: str) -> str:
    """The chat template in a file.

    Raises:
        SettingsError: it is no .jinja file.
    """
    if not path.endswith((".jinja", ".j2")) or not Path(path).is_file():
        raise SettingsError(f"chat_template_path: expected a .jinja file, found {path!r}")
    return Path(path).read_text(encoding="utf-8")


def _ours(tokenizer: "PreTrainedTokenizerBase") -> str:
    talk = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    for file in sorted(TEMPLATES.glob("*.jinja")):
        marked = file.read_text(encoding="utf-8")
        if all(
            tokenizer.apply_chat_template(talk[:n], tokenize=False, add_generation_prompt=n == 2)
            == tokenizer.apply_chat_template(
                talk[:n], tokenize=False, add_generation_prompt=n == 2, chat_template=marked
            )
            for n in (2, 3)
        ):
            return marked
    raise SettingsError(
        "the tokenizer's chat template does not mark the replies with {% generation %}, and no marked variant of it is "
        "known: --set chat_template_path=FILE.jinja gives one, --set assistant_only_loss=false trains on all tokens"
    )
