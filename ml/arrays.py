"""Arrays as files that are written in place, their room on the disk taken beforehand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt


def mapped(path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype]:
    """A new .npy file, zeros at first. Raises OSError where the disk has no room for all of it.

    A mapped file is sparse: on a full disk not a write but a signal would end the process, at any row.
    """
    try:
        array = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
        if hasattr(os, "posix_fallocate"):  # macOS has none
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        wanted = np.dtype(dtype).itemsize * int(np.prod(shape)) / 1e6
        raise OSError(error.errno, f"{error.strerror}, {wanted:,.1f} MB are needed", str(path)) from error
    return array
