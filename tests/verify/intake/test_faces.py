"""Faces are counted by the decoder, and by nobody else."""

import subprocess
import sys

import matplotlib
from PIL import Image

from tests.verify.intake.pictures import encoded
from verify.intake import decoder, faces

PORTRAIT = matplotlib.get_data_path() + "/sample_data/grace_hopper.jpg"


def side_by_side(count: int) -> Image.Image:
    with Image.open(PORTRAIT) as one:
        many = Image.new("RGB", (count * one.width, one.height))
        for number in range(count):
            many.paste(one, (number * one.width, 0))
    return many


def test_each_face_that_looks_at_the_camera_is_counted() -> None:
    assert [faces.count(side_by_side(count)) for count in (1, 2, 3)] == [1, 2, 3]


def test_what_holds_nobody_has_no_face() -> None:
    assert faces.count(Image.linear_gradient("L")) == 0
    assert faces.count(Image.new("RGB", (2000, 20))) == 0


def test_the_decoder_counts_them_though_it_can_open_no_file() -> None:
    assert decoder.prepare(encoded(side_by_side(2))).measures.faces == 2
    assert decoder.measures(encoded(side_by_side(1))).faces == 1


def test_the_portal_itself_does_not_load_opencv_for_it() -> None:
    loads = "import sys; import verify.intake.copies; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0
