"""Facts about how commands end: what the operating system refuses is told with what to do about just that."""

import errno
import os
from pathlib import Path

import pytest

from curate.exits import exits


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "Make room"),
        (errno.EROFS, "can be written to"),
        (errno.EACCES, "permissions"),
        (errno.ENOENT, "taken from where you stand"),
        (errno.ENOTDIR, "A file stands where a folder should"),
        (errno.EIO, "Is the place right"),
    ],
)
def test_an_error_of_the_disk_says_what_to_do_about_it(
    number: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, exits(debug=False):
        raise OSError(number, os.strerror(number), "data/v1")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith(f"data/v1: {os.strerror(number)}. ")
    assert says in said
    assert ("Make room" in said) == (number == errno.ENOSPC)


def test_a_folder_in_the_way_is_told_by_a_real_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(SystemExit), exits(debug=False):
        (tmp_path / "data" / "math").mkdir()
    assert "A file stands where a folder should" in capsys.readouterr().err
