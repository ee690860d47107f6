"""Facts about kill -9 at any system call of a build: nothing that arrived is lost or doubled, the version is the same.

In CI at a dozen points spread over the build, with `make crash` at every one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.counting_server import CountingServer
from tests.crash.trials import FULL, IN_FLIGHT, ROLLOUTS, Place, Point, needs_strace, points, spread

pytestmark = pytest.mark.timeout(0 if FULL else 300)


@dataclass
class Undisturbed:
    """What a build makes when nothing happens to it, and where something can."""

    points: list[Point]
    version: tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    needs_strace()
    folder = tmp_path_factory.mktemp("undisturbed")
    with CountingServer() as server:
        found = points(folder, server)
        assert set(server.asked.values()) == {1}
        return Undisturbed(found, Place(folder, server).version())


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


def test_a_build_killed_at_any_write_loses_and_doubles_nothing(
    undisturbed: Undisturbed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = spread(undisturbed.points, 12)
    fired = lost = doubled = equal = most_extra = 0
    for number, point in enumerate(chosen, start=1):
        with CountingServer() as server:
            place = Place(tmp_path / f"{point.call}-{point.n}", server)
            fired += place.disturbed(point, "signal=KILL").fired
            assert place.whole_or_absent(), point
            acknowledged = {row["key"]: row["content"] for row in place.store.attempts()}
            again = place.build()
            assert again.code == 0, (point, again.said)
            kept = list(place.store.attempts())
            contents = {row["key"]: row["content"] for row in kept}
            lost += sum(contents.get(key) != content for key, content in acknowledged.items())
            doubled += len(kept) - len(contents)
            equal += place.version() == undisturbed.version
            most_extra = max(most_extra, sum(server.asked.values()) - ROLLOUTS)
            assert len(server.asked) == ROLLOUTS
        if FULL and number % 20 == 0:
            with capsys.disabled():
                print(f"  {number} of {len(chosen)}: fired {fired}, lost {lost}, doubled {doubled}, equal {equal}")
    with capsys.disabled():
        print(f"\nkill -9: {len(chosen)} of {len(undisturbed.points)} points, fired {fired}, lost {lost}, ", end="")
        print(f"doubled {doubled}, digests and shards equal {equal}, asked again at most {most_extra} of {IN_FLIGHT}")
    assert fired >= 0.9 * len(chosen)
    assert (lost, doubled, equal) == (0, 0, len(chosen))
    assert most_extra <= IN_FLIGHT


def test_what_was_spent_is_known_after_many_kills(
    undisturbed: Undisturbed, server: CountingServer, tmp_path: Path
) -> None:
    kills, place = 20 if FULL else 3, Place(tmp_path, server)
    fired = 0
    for _ in range(kills):
        # Each run goes on where the one before was killed, about so many replies later.
        fired += place.disturbed(Point("write", ROLLOUTS // (kills + 1)), "signal=KILL").fired
    assert place.build().code == 0
    assert fired >= 0.9 * kills
    store = place.store
    assert store.costs().height == store.costs()["attempts"].sum() == ROLLOUTS
    assert store.costs()["completion_tokens"].sum() == sum(server.charged.values())
    assert sum(server.asked.values()) - ROLLOUTS <= kills * IN_FLIGHT
    assert place.version() == undisturbed.version
