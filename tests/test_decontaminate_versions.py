"""Facts about decontamination against another version: what it kept, what it holds out, what one of its views has."""

import json
from pathlib import Path

import pytest

from curate.build import build
from curate.decontaminate.ngrams import Ngrams
from curate.manifest import ManifestError, read_manifest
from curate.progress import Steps
from curate.reading.benchmarks import check_reference, read_benchmark
from curate.reading.intake import SourceError
from curate.version import Version

ASKED = [
    f"A ferry carries {n} lorries on each of its {m} crossings to {place}. How many lorries does it carry in all?"
    for n, m, place in zip(range(31, 61), range(12, 42), "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜÉ", strict=True)
]


def made(folder: Path, name: str, texts: list[str], stages: str = "", heldout: float = 0.0) -> Version:
    """A version of these problems under `folder/data`."""
    (folder / f"{name}.jsonl").write_text("".join(json.dumps({"q": q, "a": "1"}) + "\n" for q in texts))
    (folder / f"{name}.yaml").write_text(
        f"name: {name}\nsources: [{{use: files, path: {name}.jsonl, columns: {{problem: q, answer: a}}}}]\n"
        f"problems: [{stages}]\nviews: {{rl: {{unsampled: true}}}}\nheldout: {heldout}\n"
    )
    return build(read_manifest(folder / f"{name}.yaml"), folder / "data", Steps(quiet=True), workers=1).version


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return made(tmp_path_factory.mktemp("other"), "other-1.5", ASKED, heldout=0.4)


def folder_of(version: Version) -> Path:
    return version.path.parent.parent.parent


def test_a_version_gives_what_it_kept_and_its_held_out_problems(other: Version) -> None:
    root = str(folder_of(other) / "data")
    problems = other.problems.collect()
    held = problems.filter(problems["split"] == "heldout")["problem"].to_list()
    assert 0 < len(held) < len(ASKED)
    assert read_benchmark("other-1.5@v1", root).problems["problem"].to_list() == ASKED
    assert read_benchmark("other-1.5@latest:heldout", root).problems["problem"].to_list() == held
    assert read_benchmark("other-1.5@v1:rl:heldout", root).problems["problem"].to_list() == held
    assert read_benchmark(f"{other.path}:rl:train", None).problems.height == len(ASKED) - len(held)
    assert read_benchmark("other-1.5@latest", root).state == {"version": "other-1.5@v1", "digest": other.digest}


def test_what_another_version_holds_out_is_dropped_and_its_digest_stands_in_the_lock(other: Version) -> None:
    folder = folder_of(other)
    stage = "{use: decontaminate.ngrams, against: ['other-1.5@latest:heldout'], root: data}"
    clean = made(folder, "clean", ASKED, stage)
    root = str(folder / "data")
    held = set(read_benchmark("other-1.5@v1:heldout", root).problems["problem"])
    problems = clean.problems.collect()
    assert set(problems.filter(problems["drop_reason"] == "contaminated")["problem"]) == held
    assert problems["contaminated_by"].drop_nulls().str.starts_with("other-1.5@v1:heldout:").all()
    (pinned,) = clean.lock["decisions"]["problems"][0]["against"]
    assert pinned["state"] == {"version": "other-1.5@v1:heldout", "digest": other.digest}
    assert str(folder) not in json.dumps(clean.lock)
    made(folder, "other-1.5", ASKED[:7], heldout=0.5)
    assert made(folder, "clean", ASKED, stage).name == "clean@v1", "latest stays at the number of the first build"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("gone@v1", "no dataset 'gone'.* There are: .*other-1.5"),
        ("other-1.5@v9:heldout", "other-1.5 has no v9. There are: v1"),
        ("other-1.5@v1:sft", "no view or split 'sft'. There are: rl, train, heldout"),
        ("other-1.5@v1:problems:train", "no view or split 'problems'"),
    ],
)
def test_a_version_or_view_that_is_not_there_is_an_error_that_says_which_there_are(
    other: Version, reference: str, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        Ngrams(against=(reference,), root=str(folder_of(other) / "data")).inputs()


def test_a_version_without_its_name_is_a_fault_of_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"or a version \(math@v2, math@v2:heldout\)"):
        check_reference("v2:heldout")
    with pytest.raises(ManifestError, match="no benchmark 'v2:heldout'"):
        made(tmp_path, "m", ASKED, "{use: decontaminate.ngrams, against: ['v2:heldout']}")


def test_a_split_without_problems_is_an_error_and_not_a_clean_bill(tmp_path: Path) -> None:
    made(tmp_path, "none", ASKED[:3])
    with pytest.raises(SourceError, match="no questions"):
        Ngrams(against=("none@v1:heldout",), root=str(tmp_path / "data")).known()


def test_two_references_of_one_name_are_each_pinned_to_what_was_theirs() -> None:
    told = [{"name": "m", "state": {"version": "m@v3"}}, {"name": "m", "state": {"version": "m@v2"}}]
    stage = Ngrams(against=("m@latest", "m@v2"))
    assert stage.pinned([{"against": told}]).against == ("m@v3", "m@v2")
