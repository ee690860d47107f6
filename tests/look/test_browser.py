"""The pages in a real Chromium: nothing runs, nothing is asked for, and they are as wide as the window."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import html5lib
import pytest

from curate.look.viewer import write_site
from curate.progress import Steps
from curate.version import Version
from tests.look.test_hostile_pages import faults

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (apt-get install chromium)")

PROBE = """<!doctype html><body><img src=http://evil.example/probe>
<script>document.body.append("it ran"); console.log("ran")</script>"""


class Anywhere(BaseHTTPRequestHandler):
    """Every host of the web, as far as the browser knows; it remembers who was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(str(self.headers["Host"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def web() -> Iterator[ThreadingHTTPServer]:
    """A server on 127.0.0.1 that stands for all others."""
    Anywhere.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Anywhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def opened(file: Path, web: ThreadingHTTPServer, profile: Path, *options: str) -> tuple[str, list[str]]:
    """What the browser prints, and the lines that the page left in its console."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
        "--disable-background-networking", "--disable-component-update", "--no-first-run", "--virtual-time-budget=3000",
        f"--host-resolver-rules=MAP * 127.0.0.1:{web.server_address[1]}", "--enable-logging=stderr", *options,
        file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_browser_of_these_tests_runs_scripts_and_loads_images(web: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "probe.html").write_text(PROBE)
    dom, console = opened(tmp_path / "probe.html", web, tmp_path / "profile", "--dump-dom")
    assert "it ran" in dom
    assert len(console) == 1
    assert "evil.example" in Anywhere.asked


@pytest.mark.parametrize("name", ["index.html", "problems/0001.html"])
def test_hostile_pages_run_nothing_and_ask_for_nothing(
    name: str, hostile_site: Path, web: ThreadingHTTPServer, tmp_path: Path
) -> None:
    dom, console = opened(hostile_site / name, web, tmp_path / "profile", "--dump-dom")
    assert faults(html5lib.parse(dom, namespaceHTMLElements=False)) == []
    assert console == []  # neither a message nor a refusal: nothing was even tried
    assert [host for host in Anywhere.asked if "evil" in host] == []


@pytest.mark.parametrize("width", [400, 1400])
def test_pages_are_no_wider_than_the_window(
    width: int, version: Version, web: ThreadingHTTPServer, tmp_path: Path
) -> None:
    index = write_site(version, tmp_path / "site", Steps(quiet=True)).index
    shot = tmp_path / "shot.png"
    opened(index, web, tmp_path / "profile", f"--screenshot={shot}", f"--window-size={width},1200")
    assert shot.read_bytes()[:4] == b"\x89PNG"
    assert shot.stat().st_size > 20_000  # a blank window takes 5 kB
    html = (index.parent / "problems" / "0001.html").read_text(encoding="utf-8")
    # The page as it is, but for the policy that would forbid the script that measures it.
    measured = re.sub("<meta http-equiv.*?>", "", html, count=1)
    measured += "<script>document.title = document.documentElement.scrollWidth</script>"
    (tmp_path / "measured.html").write_text(measured, encoding="utf-8")
    dom, _ = opened(tmp_path / "measured.html", web, tmp_path / "profile", "--dump-dom", f"--window-size={width},1200")
    assert int(re.findall(r"<title>(\d+)</title>", dom)[0]) <= max(width, 500)  # no headless window is narrower
