"""Files of ratings: each format, and what is wrong in them by file and row."""

from pathlib import Path

import numpy as np
import pytest

from recommend.ratings import RatingsRefused
from recommend.readers import catalogue_of, read, read_split

MOVIELENSE = Path(__file__).parents[3] / "shared/data/movielense"
FORMATS = {
    "u.data": "196\t242\t3\t881250949\n186\t302\t3.5\t891717742\n196\t302\t1\t878887116\n",
    "ratings.csv": "userId,movieId,rating,timestamp\n196,242,3.0,1\n186,302,3.5,2\n196,302,1.0,3\n",
    "ours.csv": "\ufeffuser,item,rating\r\n196,242,3\r\n186,302,3.5\r\n196,302,1\r\n\r\n",
    "no-header.csv": "196,242,3\n186,302,3.5\n196,302,1\n",
    "other-order.csv": 'rating,"item",user\n3,242,196\n3.5,302,186\n1,302,196\n',
}


def write(folder: Path, text: str, name: str = "ratings.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_reads_alike(tmp_path: Path, name: str) -> None:
    found = read(write(tmp_path, FORMATS[name], name))
    assert (found.users, found.items) == (("196", "186"), ("242", "302"))
    assert found.matrix.toarray().tolist() == [[3, 1], [0, 3.5]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user,item,rating\n1,2,3\n1,3\n", r"row 3: expected user, item and rating, got '1,3'"),
        ("user,item,rating\n1,2,many\n", r"row 2: 'many' is no rating"),
        ("1,2,3\n1,3,nan\n", r"row 2: nan is no rating"),
        ("user,item,rating\n1,2,3\n1,3,1e9\n", r"row 3: 1000000000.0 is no rating"),
        ("user,item,rating\n1,2,3\n1,3,4\n1,2,5\n", r"row 4: this user and item were there in row 2"),
        ("user,item,rating\n,2,3\n", r"row 2: a user without an id"),
        ("who,what,how much\n1,2,3\n", r"row 1: expected user,item,rating, got 'who,what,how much'"),
        ("1,2,3\n\n2,2,3\n", r"row 2: expected user, item and rating"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_row(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(RatingsRefused, match=said) as refusal:
        read(path)
    assert str(path) in str(refusal.value)


def test_the_last_of_two_wins_where_it_may(tmp_path: Path) -> None:
    found = read(write(tmp_path, "1,2,3\n1,2,5\n"), duplicates="last")
    assert found.matrix.toarray().max() == 5


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatingsRefused, match=r"gone.csv: cannot be read \(No such file"):
        read(tmp_path / "gone.csv")
    (tmp_path / "photo.csv").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(RatingsRefused, match=r"photo.csv: cannot be read"):
        read(tmp_path / "photo.csv")


def test_numbers_of_a_catalogue_are_all_of_it() -> None:
    assert catalogue_of(["5", "3", "4"]) == ("1", "2", "3", "4", "5")
    assert catalogue_of(["193609", "7"]) == ("7", "193609")
    assert catalogue_of(["red", "2", "blue"]) == ("red", "2", "blue")
    assert catalogue_of(["01", "2"]) == ("01", "2")


def write_split(folder: Path, **parts: str) -> str:
    given = {"train": "9,1,3\n9,4,1\n", "known": "7,2,5\n8,1,2\n", "unknown": "8,3,4\n", **parts}
    for part, text in given.items():
        write(folder, "user,item,rating\n" + text, f"s_{part}.csv")
    return str(folder / "s")


def test_a_split_stands_on_one_catalogue_with_its_users_in_one_order(tmp_path: Path) -> None:
    found = read_split(write_split(tmp_path))
    assert found.train.items == found.known.items == found.unknown.items == ("1", "2", "3", "4")
    assert found.known.users == found.unknown.users == ("7", "8")
    assert found.unknown.matrix.toarray().tolist() == [[0, 0, 0, 0], [0, 0, 4, 0]]
    assert len(found.together()) == 5


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"unknown": "5,1,2\n"}, "row 2: nothing is known of user '5'"),
        ({"unknown": "7,2,5\n"}, "row 2: this rating is among those known already"),
        ({"train": "9,1,3\n8,3,4\n"}, "row 2: this rating is among those learnt from"),
    ],
)
def test_a_split_that_gives_itself_away_is_refused(tmp_path: Path, parts: dict[str, str], said: str) -> None:
    with pytest.raises(RatingsRefused, match=said):
        read_split(write_split(tmp_path, **parts))


@pytest.mark.skipif(not MOVIELENSE.is_dir(), reason="there is no MovieLense beside the checkout")
def test_movielense_has_all_its_items() -> None:
    found = read_split(str(MOVIELENSE / "ml_g15_r4"))
    assert found.known.matrix.shape == (95, 1664)
    assert (len(found.train), len(found.known), len(found.unknown)) == (90334, 1425, 7633)
    assert set(np.diff(found.known.matrix.indptr)) == {15}
