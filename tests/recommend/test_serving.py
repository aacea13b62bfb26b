"""How a list is made of scores: spread, explained, and of the model that is live now."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommend import learning, nightly, serving, versions
from recommend.diversify import spread
from recommend.methods import METHODS, ON_ANY_MACHINE
from recommend.models import ShopperKind, shopper_key
from recommend.recommender import ModelRefused
from tests.recommend.conftest import Crowd
from tests.recommend.test_contract import told
from verify.models import Dress


def test_the_same_dress_in_another_colour_stands_further_down() -> None:
    scores = np.array([1.0, 0.99, 0.9, 0.0], np.float32)
    looks = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    assert spread(scores, looks, 3, 0.3).tolist() == [0, 2, 1]
    assert spread(scores, looks, 9, 0.0).tolist() == [0, 1, 2, 3]
    assert spread(scores, np.zeros((4, 0), np.float32), 2, 0.3).tolist() == [0, 1]
    assert spread(np.zeros(0, np.float32), np.zeros((0, 2), np.float32), 2, 0.3).tolist() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("small")
class TestServing:
    def test_another_version_serves_from_the_next_request_on(self, crowd: Crowd) -> None:
        crowd.comes()
        first, second = (nightly.fit("TOGETHER", lambda line: None) for _ in range(2))
        ann = [shopper_key(ShopperKind.USER, "ann")]
        assert serving.recommend(ann, 1)[0].version == second
        versions.roll_back()
        assert serving.recommend(ann, 1)[0].version == first

    def test_what_only_looks_like_a_dress_of_hers_is_said_to(
        self, crowd: Crowd, dresses: dict[str, Dress], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crowd.comes()
        looks = {dresses["Luna"].pk: (1.0, 0.0), dresses["Onda"].pk: (0.9, 0.1)}

        def looks_of(items: tuple[str, ...]) -> np.ndarray:
            return np.array([looks.get(int(item), (0, 0)) for item in items], np.float32)

        monkeypatch.setattr(learning, "looks_of", looks_of)
        nightly.fit("TOGETHER", lambda line: None)
        crowd.did("ann", "Luna")
        [answer] = serving.recommend([shopper_key(ShopperKind.USER, "ann")], 5)
        told = {each.dress: (each.kind, each.seed) for each in answer.results}
        assert told[dresses["Sole"].pk] == ("liked", dresses["Luna"].pk)
        assert told[dresses["Onda"].pk] == ("looks_like", dresses["Luna"].pk)
        assert told[dresses["Alga"].pk] == ("popular", None)

    @pytest.mark.parametrize("name", ON_ANY_MACHINE)
    def test_no_person_is_in_what_is_served(self, crowd: Crowd, name: str) -> None:
        """As text, in one byte a character or numpy's four, and as a number."""
        crowd.comes()
        for number in range(12):  # so that every method tells one dress from another
            crowd.did(f"shopper {number}", "Luna", 20, "rating", value=1 + number % 5)
            crowd.did(f"shopper {number}", "Onda", 20, "rating", value=5 - number % 5)
        if METHODS[name].keeps_people:
            with pytest.raises(CommandError, match=f"{name} keeps what single people did"):
                call_command("fit_recommender", method=told(name))
            return
        folder = versions.folder_of(nightly.fit(told(name), lambda line: None))
        ann = shopper_key(ShopperKind.USER, "shopper 1")
        spelt = (str(ann).encode(), str(ann).encode("utf-32-le"), ann.bytes)
        files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert files
        assert not [path for path, found in files.items() if any(each in found for each in spelt)]

    @pytest.mark.parametrize("broken", ["about.json", "fans.npy", "state.together.npy"])
    def test_a_file_that_is_cut_short_is_named(self, crowd: Crowd, broken: str) -> None:
        crowd.comes()
        version = nightly.fit("TOGETHER", lambda line: None)
        (versions.folder_of(version) / versions.SERVED / broken).write_bytes(b"\x93NUM")
        with pytest.raises(ModelRefused, match="served"):
            serving.live()
