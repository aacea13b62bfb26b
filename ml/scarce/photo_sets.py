"""The two collections that the methods are compared on: Fashion-MNIST's files, and a folder of clothes."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ml.photos import Pixels, UnreadablePhoto, read_square

Labels = npt.NDArray[np.int64]
FASHION_MNIST = (
    *("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag"),
    "ankle boot",
)
DRESS = "dress"
SIDE = 32  # pixels; Fashion-MNIST's 28 get a margin
UNSIGNED_BYTES = 8  # as the IDX format calls them
PHOTO_TYPES = (".jpg", ".jpeg", ".png", ".webp")


class PhotosRefused(ValueError):
    """The files are not what they should be; the message says which, and what was expected."""


@dataclass(frozen=True)
class PhotoSet:
    """Photos of classes, one of them "dress": to learn from, and to measure on."""

    name: str
    classes: tuple[str, ...]
    train: Pixels  # (n, side, side, 3), or 1 channel where all are grey
    train_labels: Labels
    test: Pixels
    test_labels: Labels

    @property
    def dress(self) -> int:
        return self.classes.index(DRESS)

    @property
    def side(self) -> int:
        return int(self.train.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Of what the photos show and what they are called: results of other photos are not these."""
        content = hashlib.sha256(repr((self.classes, self.train.shape, self.test.shape)).encode())
        for part in (self.train, self.train_labels, self.test, self.test_labels):
            content.update(np.ascontiguousarray(part).data)
        return content.hexdigest()

    def labelled(self, count: int, seed: int) -> Labels:
        """Rows of `train` whose label may be known: each class's share of `count`, and at least one photo.

        Raises PhotosRefused where there are too few.
        """
        sizes = np.bincount(self.train_labels, minlength=len(self.classes))
        if count < len(self.classes):
            raise PhotosRefused(
                f"{count} labels for {len(self.classes)} classes: expected one for each, at least"
            )
        if count > sizes.sum():
            raise PhotosRefused(f"{count} labels: {self.name} has {sizes.sum()} photos to train on")
        rng = np.random.default_rng([seed, count])
        wanted = _shares(sizes, count)
        rows = [
            rng.choice(np.flatnonzero(self.train_labels == each), wanted[each], replace=False)
            for each in range(len(self.classes))
        ]
        return np.sort(np.concatenate(rows))


def _shares(sizes: Labels, count: int) -> Labels:
    """`count` in proportion to `sizes`, none of them 0 and none larger than it is there."""
    exact = np.clip(count * sizes / sizes.sum(), 1, sizes)
    shares: Labels = np.floor(exact).astype(np.int64)
    while (short := count - shares.sum()) != 0:
        left = exact - shares if short > 0 else shares - exact
        left[(shares >= sizes) if short > 0 else (shares <= 1)] = -math.inf
        shares[np.argmax(left)] += 1 if short > 0 else -1
    return shares


def fashion_mnist(folder: Path) -> PhotoSet:
    """Fashion-MNIST's four IDX files, gzipped or not (Xiao et al. 2017, arXiv:1708.07747).

    Raises PhotosRefused.
    """
    parts = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        pixels = _idx(_found(folder, f"{name}-images-idx3-ubyte"), 3)
        labels = _idx(_found(folder, f"{name}-labels-idx1-ubyte"), 1).astype(np.int64)
        if pixels.shape[1:] != (28, 28):
            raise PhotosRefused(f"{folder}: {name}'s photos are {pixels.shape[1:]}, expected 28 x 28 pixels")
        if len(pixels) != len(labels):
            raise PhotosRefused(f"{folder}: {name} has {len(pixels)} photos and {len(labels)} labels")
        if len(labels) and labels.max() >= len(FASHION_MNIST):
            raise PhotosRefused(f"{folder}: {name} has the label {labels.max()}, expected 0 to 9")
        margin = (SIDE - 28) // 2
        parts[part] = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin)))[..., None], labels
    return _checked(PhotoSet("fashion-mnist", FASHION_MNIST, *parts["train"], *parts["test"]), folder)


def _found(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise PhotosRefused(f"{folder}: no file {name}.gz there (nor {name})")


def _idx(path: Path, dimensions: int) -> Pixels:
    """The IDX format: 0, 0, the type, the number of dimensions, their sizes (big-endian), then the values."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise PhotosRefused(f"{path}: cannot be read ({error})") from error
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes((0, 0, UNSIGNED_BYTES, dimensions)):
        raise PhotosRefused(f"{path}: not an IDX file of bytes in {dimensions} dimensions")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if len(content) - start != math.prod(shape):
        values = " x ".join(map(str, shape))
        raise PhotosRefused(f"{path}: {len(content) - start} bytes for {values} values: truncated or altered")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def clothing(folder: Path, side: int = SIDE) -> PhotoSet:
    """A folder of train/<class>/ and of validation/<class>/, test/<class>/ or both, to measure on.

    Raises PhotosRefused.
    """
    if not (folder / "train").is_dir():
        raise PhotosRefused(f"{folder}: no folder train/ there, with a folder of photos for each class")
    classes = tuple(sorted(path.name for path in (folder / "train").iterdir() if path.is_dir()))
    measured = [name for name in ("validation", "test") if (folder / name).is_dir()]
    if not measured:
        raise PhotosRefused(f"{folder}: neither validation/ nor test/ there, with photos to measure on")
    for name in measured:
        strange = {path.name for path in (folder / name).iterdir() if path.is_dir()} - set(classes)
        if strange:
            raise PhotosRefused(f"{folder / name}: class {min(strange)!r}, which train/ has not")
    train = _folders([folder / "train"], classes, side)
    test = _folders([folder / name for name in measured], classes, side)
    return _checked(PhotoSet("clothing", classes, *train, *test), folder)


def _folders(parts: Sequence[Path], classes: Sequence[str], side: int) -> tuple[Pixels, Labels]:
    files = [
        (path, number)
        for part in parts
        for number, name in enumerate(classes)
        for path in sorted((part / name).glob("*"))
        if path.suffix.lower() in PHOTO_TYPES
    ]
    pixels = np.empty((len(files), side, side, 3), np.uint8)
    for place, (path, _) in enumerate(tqdm(files, "photos", unit="photo", leave=False)):
        try:
            pixels[place] = read_square(path, side)
        except UnreadablePhoto as error:
            raise PhotosRefused(str(error)) from error
    return pixels, np.array([number for _, number in files], np.int64)


def _checked(photos: PhotoSet, folder: Path) -> PhotoSet:
    """Raises PhotosRefused where there is a class without photos, or no dress among them."""
    if DRESS not in photos.classes or len(photos.classes) < 2:
        raise PhotosRefused(f"{folder}: classes {list(photos.classes)}; expected 'dress' and others")
    for part, labels in (("train on", photos.train_labels), ("measure on", photos.test_labels)):
        sizes = np.bincount(labels, minlength=len(photos.classes))
        if not sizes.all():
            empty = photos.classes[int(np.argmin(sizes))]
            raise PhotosRefused(f"{folder}: no photo of class {empty!r} to {part}")
    return photos
