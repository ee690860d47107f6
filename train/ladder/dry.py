"""The dry run: every manifest and every setting is read as the run would read it, and nothing is run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.manifest import Manifest, read_manifest
from curate.recipes.order import check_order
from curate.version import data_root
from train.ladder.file import Ladder
from train.ladder.plan import (
    SETS,
    Run,
    as_set,
    build_overrides,
    build_words,
    eval_words,
    from_stage,
    runs,
    train_words,
    training_settings,
    typed,
)
from train.settings import Settings, read_settings
from train.student import kind_of
from train.tiny import NAME as TINY
from train.tiny import Tiny

BYTES = {"midtrain": 16, "sft": 16, "dpo": 20, "grpo": 16}
"""Per parameter while a stage trains in float32 with AdamW: weights, gradients, two moments; for DPO the reference."""

ON_A_GPU = ("bf16", "fp16", "tf32", "use_vllm")
"""Settings that TRL refuses where there is no GPU: checked by name and kind alone there."""


@dataclass(frozen=True)
class Checked:
    """A run whose manifest and settings can be used."""

    run: Run
    manifest: Manifest
    settings: Settings
    skipped: tuple[str, ...]
    """Settings that this machine cannot try."""


def dry_run(
    ladder: Ladder,
    controls: Sequence[str] | None,
    seeds: Sequence[int] | None,
    root: Path | None,
    out: Path | None,
    stage: str | None = None,
) -> str:
    """What would run, for people.

    Raises:
        LadderError: no such stage.
        ManifestError, OrderError, SettingsError: the first manifest or config that could not be used.
    """
    planned = runs(ladder, controls, seeds)
    from_stage(planned, stage)
    place = (out or Path("runs") / ladder.name).absolute()
    sets = {name: chosen for name in SETS if (chosen := getattr(ladder.evaluate, name))}
    for chosen in sets.values():
        _checked_manifest(chosen.manifest, ())
    first = planned[0].seed
    checked = [_checked(run, ladder) for run in planned if run.seed == first]
    lines = [
        f"{ladder.path.name}: fine. {len(planned)} runs: {len(checked)} a seed, {len(planned) // len(checked)} seeds"
    ]
    lines += _student(ladder, checked)
    data = data_root(root)
    lines += ["", "built first:"]
    lines += [f"  {typed(build_words(chosen.manifest, (), data))}" for chosen in sets.values()]
    for each in checked:
        lines += ["", *_told(each, ladder, place, data)]
    return "\n".join(lines)


def _checked(run: Run, ladder: Ladder) -> Checked:
    """The run's manifest and settings, read."""
    versions = {each.stage.name: Path(f"VERSION-OF-{each.stage.name}") for each in run.chain[:-1]}
    student = "RUN-BEFORE" if run.parent else (ladder.student.model if Path(ladder.student.model).is_dir() else None)
    manifest = _checked_manifest(run.stage.manifest, build_overrides(run, student, versions))
    overrides = tuple(f"{key}={as_set(value)}" for key, value in training_settings(run, ladder))
    kind = kind_of(ladder.student.model)
    groups: dict[str, Any] = {"student": Tiny} if kind else {}
    config, more = _config_of(run.stage.trainer)
    preset = f"{'tiny' if kind else 'phi4_mini'}_{run.stage.trainer}"
    written = Path(run.stage.config) if run.stage.config else None
    settings = read_settings(preset, written, overrides, config, **groups, **more)
    return Checked(run, manifest, settings, _tried(config, settings))


def _checked_manifest(path: str, overrides: tuple[str, ...]) -> Manifest:
    read = read_manifest(path, overrides)
    check_order(read)
    return read


def _config_of(trainer: str) -> tuple[type[Any], dict[str, Any]]:
    """TRL's config class of a trainer, and the groups of settings beside it."""
    from peft import LoraConfig
    from trl import DPOConfig, GRPOConfig, SFTConfig

    from train.rlvr import Fixes

    if trainer == "grpo":
        return GRPOConfig, {"lora": LoraConfig, "rl": Fixes}
    return (DPOConfig if trainer == "dpo" else SFTConfig), {"lora": LoraConfig}


def _tried(config: type[Any], settings: Settings) -> tuple[str, ...]:
    """TRL has taken the settings; the names of those that only a machine with a GPU can try."""
    import torch

    from train.settings import SettingsError

    able = torch.cuda.is_available() or settings.fields.get("use_cpu", False)
    skipped = () if able else tuple(name for name in ON_A_GPU if settings.fields.get(name))
    given = {name: value for name, value in settings.fields.items() if name not in skipped}
    here = {} if able else {"use_cpu": True, "bf16": False}
    try:
        config(output_dir="unused", report_to="none", **given | here)
    except (ValueError, TypeError, ImportError) as error:
        raise SettingsError(f"TRL refuses the settings ({', '.join(given)}): {error}") from error
    return skipped


def _student(ladder: Ladder, checked: Sequence[Checked]) -> list[str]:
    parameters = _parameters(ladder.student.model, checked[0].settings.groups.get("student", {}))
    if parameters is None:
        return [f"student {ladder.student.model}: its config is not on this machine, so its size is not known"]
    most = max(BYTES[each.run.stage.trainer] for each in checked)
    return [
        f"student {ladder.student.model}: {parameters:,} parameters; about {parameters * most / 2**30:.2f} GiB for "
        f"weights, gradients and AdamW in float32 ({most} bytes each), activations aside"
    ]


def _parameters(model: str, sizes: Mapping[str, Any]) -> int | None:
    """How many weights; nothing is loaded."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, Phi3Config

    if model == TINY:
        tiny = Tiny(**sizes)
        config: Any = Phi3Config(
            vocab_size=tiny.vocabulary, hidden_size=tiny.width, intermediate_size=tiny.inner, pad_token_id=0,
            num_hidden_layers=tiny.layers, num_attention_heads=tiny.width // 32,
            num_key_value_heads=tiny.width // 64, tie_word_embeddings=True, eos_token_id=0, bos_token_id=0,
        )  # fmt: skip
    else:
        try:
            config = AutoConfig.from_pretrained(model)
        except OSError:
            return None
    with torch.device("meta"):
        weights = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]  # transformers' own
    return int(sum(each.numel() for each in weights.parameters()))


def _told(each: Checked, ladder: Ladder, place: Path, data: Path) -> Iterator[str]:
    run = each.run
    before = place / "runs" / f"{run.parent.name}-..." if run.parent else Path(ladder.student.model)
    folder = place / "runs" / f"{run.name}-..."
    student = str(before) if run.parent else ladder.student.model
    versions = {one.stage.name: data / f"VERSION-OF-{one.stage.name}" for one in run.chain[:-1]}
    version = str(data / each.manifest.name / "v...")
    yield f"{run.name}: {', '.join(f'{key}={value}' for key, value in each.settings.fields.items())}"
    asked = [f"{name}@v..." for name in SETS if getattr(ladder.evaluate, name)]
    overrides = build_overrides(run, student if run.parent else None, versions)
    yield f"  {typed(build_words(run.stage.manifest, overrides, data))}"
    yield f"  {typed(train_words(run, ladder, student, version, folder, data))}"
    yield f"  {typed(eval_words(ladder, folder, asked, data))}"
    if each.skipped:
        yield f"  only a GPU can try, so only read here: {', '.join(each.skipped)}"
