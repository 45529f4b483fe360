"""One process owns a state folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from citybrain.app.lock import StateLock
from citybrain.kernel.errors import ConflictError

_HOLD = "import sys; from pathlib import Path; from citybrain.app.lock import StateLock; StateLock(Path(sys.argv[1])).__enter__(); print('mine', flush=True); sys.stdin.read()"


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with StateLock(tmp_path / "var"), pytest.raises(ConflictError) as caught, StateLock(tmp_path / "var"):
        pass
    assert str(os.getpid()) in caught.value.what.zh
    assert "--state" in caught.value.what.en


def test_the_lock_is_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        with StateLock(tmp_path):
            assert (tmp_path / "lock").read_text("ascii") == str(os.getpid())


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(ConflictError, match=str(other.pid)), StateLock(tmp_path):
            pass
        other.kill()
        other.wait(30)
        with StateLock(tmp_path):
            assert (tmp_path / "lock").read_text("ascii") == str(os.getpid())
