"""Facts about a disk that is full, read-only or broken: a clean end that says so, and the next build goes on."""

from itertools import cycle
from pathlib import Path

import pytest

from tests.crash.counting_server import CountingServer
from tests.crash.trials import FULL, IN_FLIGHT, ROLLOUTS, Place, Point, needs_strace, points, spread

pytestmark = pytest.mark.timeout(0 if FULL else 300)

FAULTS = {"ENOSPC": "No space left on device", "EIO": "Input/output error", "EROFS": "Read-only file system"}
FAILING = ("write", "fsync", "rename")


def at_disk(point: Point) -> bool:
    """Whether the point fails a file of the data folder."""
    return point.call in FAILING and "data/" in point.path


def test_a_failing_disk_ends_the_build_cleanly_and_the_next_one_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_strace()
    with CountingServer() as server:
        found = [point for point in points(tmp_path / "undisturbed", server) if at_disk(point)]
        version = Place(tmp_path / "undisturbed", server).version()
    chosen = spread(found, 5)
    fired = equal = clean = 0
    unclean: list[str] = []
    for point, (fault, text) in zip(chosen, cycle(FAULTS.items()), strict=False):
        with CountingServer() as server:
            place = Place(tmp_path / f"{point.call}-{point.n}", server)
            ended = place.disturbed(point, f"error={fault}")
            fired += ended.fired
            told = ended.code == 2 and text in ended.said and "Traceback" not in ended.said
            clean += told
            if not told:
                unclean.append(f"{point} {fault}: exit {ended.code}, {ended.said[-400:]}")
            assert place.whole_or_absent(), point
            again = place.build()
            assert again.code == 0, (point, fault, again.said)
            equal += place.version() == version
            costs = place.store.costs()
            assert costs.height == costs["attempts"].sum() == ROLLOUTS
            assert sum(server.asked.values()) - ROLLOUTS <= IN_FLIGHT
    with capsys.disabled():
        print(f"\nENOSPC, EIO, EROFS: {len(chosen)} of {len(found)} points, fired {fired}, ", end="")
        print(f"clean ends {clean}, digests and shards equal {equal}", *unclean, sep="\n")
    assert fired >= 0.9 * len(chosen)
    assert equal == len(chosen)
    assert not unclean
