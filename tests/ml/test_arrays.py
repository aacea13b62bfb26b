"""Arrays as files: their room is taken beforehand, and a full disk is told of in words."""

import errno
from pathlib import Path

import numpy as np
import pytest

from ml.arrays import mapped

SHAPE = (200, 32, 32, 3)


def test_the_room_is_taken_before_a_row_is_written(tmp_path: Path) -> None:
    array = mapped(tmp_path / "a.npy", np.uint8, SHAPE)
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= array.nbytes
    assert not array.any()
    array[7] = 9
    array.flush()
    assert np.array_equal(np.load(tmp_path / "a.npy"), array)


def test_a_full_disk_is_told_of_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ml.arrays.os.posix_fallocate", full)
    with pytest.raises(OSError, match=r"No space left on device, 2\.5 MB are needed: '.*/a\.npy'") as raised:
        mapped(tmp_path / "a.npy", np.float32, SHAPE)
    assert raised.value.errno == errno.ENOSPC
