"""Facts about Ctrl-C: the build ends within seconds with exit code 130 and says how to go on, wherever it stands."""

from pathlib import Path

import pytest

from tests.crash.counting_server import CountingServer
from tests.crash.trials import FULL, IN_FLIGHT, ROLLOUTS, Place, needs_strace, points, spread

pytestmark = pytest.mark.timeout(0 if FULL else 300)


def test_ctrl_c_anywhere_ends_the_build_and_names_the_command_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_strace()
    with CountingServer() as server:
        found = [point for point in points(tmp_path / "undisturbed", server) if point.call in ("write", "rename")]
        version = Place(tmp_path / "undisturbed", server).version()
    chosen = spread(found, 4)
    fired = told = equal = 0
    slowest = 0.0
    strange: list[str] = []
    for point in chosen:
        with CountingServer() as server:
            place = Place(tmp_path / f"{point.call}-{point.n}", server)
            ended = place.disturbed(point, "signal=INT")
            fired += ended.fired
            slowest = max(slowest, ended.seconds)
            good = ended.code == 130 and "Go on with: curate build" in ended.said and "Traceback" not in ended.said
            told += good
            if not good:
                strange.append(f"{point}: exit {ended.code}, {ended.said[-400:]}")
            assert place.whole_or_absent(), point
            again = place.build()
            assert again.code == 0, (point, again.said)
            equal += place.version() == version
            assert sum(server.asked.values()) - ROLLOUTS <= IN_FLIGHT
    with capsys.disabled():
        print(
            f"\nCtrl-C: {len(chosen)} of {len(found)} points, fired {fired}, exit 130 with the command {told}, ", end=""
        )
        print(f"digests and shards equal {equal}, slowest end {slowest:.1f} s", *strange, sep="\n")
    assert fired >= 0.9 * len(chosen)
    assert equal == len(chosen)
    assert not strange
    assert slowest < 10  # 5 s where the machine has nothing else to do
