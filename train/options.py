"""What every trainer is told, and how a stage opens: the view, the student, the settings, the run folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.data import View, open_view
from train.run import check_same_run, run_folder
from train.settings import Settings, SettingsError, read_settings
from train.student import kind_of
from train.tiny import NAME as TINY
from train.tiny import Tiny


@dataclass(frozen=True)
class Options:
    """The options that all trainers share; each adds its own."""

    data: str
    """Version to train on: `v1`, `math@v1`, `math@v1:heldout`, or a path."""

    root: Path | None = None
    """Folder of the datasets; None means COTILLION_DATA, else `data`."""

    model: str = TINY
    """`tiny`, a run folder, a folder of weights, or a model's name on the Hub."""

    out: Path | None = None
    """Run folder; None means the next free one under `runs`."""

    config: Path | None = None
    """YAML of the fields of TRL's config, over the preset."""

    overrides: tuple[str, ...] = ()
    """`key=value` of those fields, over all else."""

    accept: frozenset[str] = frozenset()
    """Findings of the preflight to train with anyway."""

    resume: bool = False
    """Go on from the last checkpoint in `out`."""

    say: Callable[[str], None] = print
    """Where the report goes."""


@dataclass(frozen=True)
class Opening:
    """A stage about to run: nothing is trained and nothing written yet."""

    stage: str
    view: View
    student: str | None
    """`tiny` for the tiny student and every run that started from it."""
    settings: Settings
    folder: Path

    @property
    def heldout(self) -> View | None:
        """The view's held-out rows, where the stage trains on the others."""
        return self.view.other("heldout") if self.view.split == "train" else None

    def arguments(self, config: type[Any]) -> Any:
        """TRL's config, filled. Without held-out rows nothing is evaluated on the way.

        Raises:
            SettingsError: TRL refuses the values.
        """
        fields = {"report_to": _tracker(), **self.settings.fields}
        if not self.heldout:
            fields |= {"eval_strategy": "no", "load_best_model_at_end": False}
        try:
            return config(output_dir=str(self.folder), **fields)
        except (ValueError, TypeError, ImportError) as error:
            given = ", ".join(self.settings.fields)
            raise SettingsError(f"TRL refuses the settings ({given}): {error}") from error


def open_stage(
    options: Options, stage: str, view: str, config: type[Any], accepts: tuple[str, ...], **groups: type[Any]
) -> Opening:
    """The view, what kind of student it is, its settings, and the folder of the run.

    Args:
        config: TRL's config class, whose fields are the settings.
        accepts: what the stage's preflight lets `--accept` name.
        groups: dataclasses whose fields are settings of ours below a name, such as `lora`.

    Raises:
        VersionError: no such version, view or split.
        DigestError: the files are not those of the version's lock.
        SettingsError: a setting that does not exist or cannot be.
    """
    unknown = sorted(options.accept - set(accepts))
    if unknown:
        raise SettingsError(f"--accept {', '.join(unknown)}: expected any of {', '.join(accepts)}")
    opened = open_view(options.data, view, options.root)
    student = kind_of(options.model)
    sizes = {"student": Tiny} if student else {}
    preset = f"{'tiny' if student else 'phi4_mini'}_{stage}"
    settings = read_settings(preset, options.config, options.overrides, config, **sizes, **groups)
    stem = f"{opened.version.name.replace('@', '-')}-{stage}-{student or 'model'}"
    folder = run_folder(options.out, stem, options.resume)
    if options.resume:
        check_same_run(folder, stage, opened, options.model)
    return Opening(stage, opened, student, settings, folder)


def _tracker() -> str:
    """Trackio where it is installed: local, without an account."""
    from importlib.util import find_spec

    return "trackio" if find_spec("trackio") else "none"
