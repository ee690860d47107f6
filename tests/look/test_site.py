"""`curate view`: pages that can be opened, all links of which lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from curate.look.picking import pick
from curate.look.viewer import PER_PAGE, SiteError, write_site
from curate.progress import Steps
from curate.version import Version

QUIET = Steps(quiet=True)


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small version."""
    return write_site(Version(root / "seen" / "v1"), tmp_path_factory.mktemp("sites") / "site", QUIET).index.parent


def test_every_link_leads_to_a_place_that_is_there(site: Path) -> None:
    links = 0
    for file in site.rglob("*.html"):
        for href in re.findall(r'href="([^"]*)"', file.read_text(encoding="utf-8")):
            place, _, anchor = href.partition("#")
            there = (file.parent / place).resolve()
            assert there.is_file(), (file, href)
            assert not anchor or f'id="{anchor}"' in there.read_text(encoding="utf-8")
            links += 1
    assert links > 24


def test_every_problem_stands_on_one_page(site: Path, version: Version) -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (site / "problems").iterdir())
    for row in version.problems.collect()["id"]:
        assert text.count(f'aria-label="problem {row}"') == 1
    assert text.count('<article class="rollout') == 96


def test_a_sample_is_the_same_each_time(version: Version, hostile: Version, tmp_path: Path) -> None:
    assert pick(hostile, 3, False) == pick(hostile, 3, False)
    sites = [write_site(version, tmp_path / name, QUIET, problems=7).index.parent for name in ("one", "two")]
    one, two = ({f.relative_to(site): f.read_bytes() for f in site.rglob("*.html")} for site in sites)
    assert one == two


def test_a_sample_holds_every_disagreement_and_some_of_every_drop(hostile: Version) -> None:
    picked = pick(hostile, 0, False)
    rollouts = hostile.rollouts.collect()
    said, label = rollouts["verdict"], rollouts["source_verdict"]
    differ = set(rollouts.filter((said == "correct") != (label == "correct"))["problem_id"])
    dropped = set(hostile.problems.collect().drop_nulls("drop_reason")["id"])
    assert len(differ) > 100
    assert set(picked.ids) >= differ | dropped
    assert len(pick(hostile, 0, True).ids) == 200


def test_pages_hold_fifty_problems_at_most(hostile_site: Path) -> None:
    pages = sorted((hostile_site / "problems").iterdir())
    counts = [page.read_text(encoding="utf-8").count('<section class="problem"') for page in pages]
    assert sum(counts) == 200
    assert max(counts) <= PER_PAGE


def test_a_site_is_replaced_but_nothing_else_ever_is(version: Version, tmp_path: Path) -> None:
    first = write_site(version, tmp_path / "site", QUIET)
    (first.index.parent / "old.html").write_text("old")
    write_site(version, tmp_path / "site", QUIET)
    assert not (first.index.parent / "old.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(SiteError, match="no site"):
        write_site(version, tmp_path / "mine", QUIET)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "site"]


def test_the_command_says_what_to_open(root: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "curate",
        "view",
        "seen@v1",
        "--root",
        str(root),
        "--out",
        "a site",
        "--problems",
        "5",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    url = done.stdout.split()[-1]
    assert Path(unquote(urlsplit(url).path)) == (tmp_path / "a site" / "index.html")
    assert "5 problems on 1 page." in done.stdout
