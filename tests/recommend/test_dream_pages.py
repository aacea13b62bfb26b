"""The pages of dreams: the wall, one dream, a walk, hearts, and dreams for a shopper."""

import re
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from recommend import dreams
from recommend.models import DreamLike, LikedDream
from tests.make import (
    forget_tastes,
    make_admin,
    make_dreams,
    make_dress,
    make_employee,
    make_look,
    make_model_version,
)
from verify.dreaming.dream import Dream
from verify.models import Dress, Embedding, Employee, Post

pytestmark = pytest.mark.django_db


def embed(dress: Dress, *vector: float) -> None:
    row = np.array(vector, "<f4") / np.linalg.norm(vector)
    for photo in dress.photos.all():
        facts = {"model_version": make_model_version(), "vector": row.astype("<f4").tobytes()}
        Embedding.objects.create(photo=photo.photo, not_a_dress=0, **facts)


@pytest.fixture
def ann(client: Client) -> Employee:
    ann = make_employee("ann")
    client.force_login(ann)
    return ann


@pytest.fixture
def shop(db: None) -> dict[str, Dress]:
    """Three dresses: Luna is what every dream looks like, Sole nearly so, Onda not; Stella is gone."""
    dresses = {title: make_dress(title.upper(), title=title) for title in ("Luna", "Sole", "Onda", "Stella")}
    for title, vector in {"Luna": (1, 0), "Sole": (1, 0.5), "Onda": (0, 1), "Stella": (1, 0.1)}.items():
        embed(dresses[title], *vector)
    dresses["Stella"].retire()
    return dresses


def cover(dress: Dress) -> int:
    return dress.photos.get().photo_id


def near(*dresses: Dress) -> list[Dream]:
    """The dreams of a page of the shop."""
    return dreams._dreams(dreams.wall(0, 8, dresses))


def page(client: Client, name: str, *args: int, status: int = 200, **told: Any) -> str:
    answer = client.get(reverse(name, args=args), told)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def test_the_wall_shows_a_page_of_seeds_with_what_hangs_in_the_shop(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    make_dreams(range(24))
    html = page(client, "dreams")
    assert [f"No. {seed}<" in html for seed in (0, 11, 12)] == [True, True, False]
    assert html.index("/dresses/LUNA/") < html.index("/dresses/SOLE/") < html.index("/dresses/ONDA/")
    assert "STELLA" not in html  # it has left the collection
    assert "100% alike" in html
    assert 'rel="next" href="?seed=12"' in html
    later = page(client, "dreams", seed=12)
    assert "No. 12<" in later
    assert 'rel="prev" href="?seed=0"' in later


def test_a_dream_near_a_dress_is_another_one_and_shows_others_than_that_dress(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    make_dreams([Dream(5, (cover(shop["Luna"]),))])
    html = page(client, "dream", 5, like="LUNA")
    assert "/api/v1/dreams/5.webp?like=LUNA" in html
    closest = html[html.index('class="closest"') :]
    assert "/dresses/SOLE/" in closest
    assert "/dresses/LUNA/" not in closest


def test_from_a_dream_of_a_wall_near_dresses_one_goes_on_to_dreams_near_them(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    make_dreams(dreams._dreams(dreams.wall(0, 13, (shop["Luna"], shop["Onda"]))))
    html = page(client, "dreams", like="LUNA,ONDA")
    [card] = re.findall(r'class="picture" href="/dreams/1/[?]([^"]*)"', html)
    assert card == "toward=LUNA&amp;toward=ONDA&amp;at=70"
    html = page(client, "dream", 1, toward=["LUNA", "ONDA"], at=70)
    [another] = re.findall(r'<a class="primary" href="/dreams/[0-9]+/[?]([^"]*)"', html)
    assert another == card
    assert 'href="/dreams/?seed=1&amp;like=LUNA&amp;like=ONDA"' in html  # those that follow it
    make_dreams([Dream(1, (cover(shop["Luna"]),), 9, (), 40)])
    html = page(client, "dream", 1, like="LUNA", to=9, at=40)
    assert re.findall(r'<a class="primary" href="/dreams/[0-9]+/[?]([^"]*)"', html) == ["like=LUNA"]


def test_a_walk_shows_every_place_on_the_way_and_the_dress_that_it_passes(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    start, end = (cover(shop["Sole"]),), (cover(shop["Onda"]),)
    make_dreams(Dream(3, start, None, end, at) for at in range(0, 101, 10))
    assert 'class="places"' not in page(client, "dream_walk")
    html = page(client, "dream_walk", **{"from": "SOLE", "toward": "ONDA", "seed": 3})
    assert "Sole becomes Onda" in html
    assert html.count("<li data-at=") == 11
    assert "like=SOLE&amp;toward=ONDA&amp;at=50" in html
    assert "/dresses/LUNA/" in html
    make_dreams(Dream(3, to=9, at=at) for at in range(0, 101, 10))
    assert "Dream 3 becomes dream 9" in page(client, "dream_walk", seed=3, to=9)


def test_each_colleague_gives_a_dream_one_heart_and_may_take_it_back(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    make_dreams([17, Dream(17, (cover(shop["Luna"]),))])
    address = reverse("dream_like", args=[17])
    for _ in range(2):
        assert client.post(address, {"liked": "yes"}).headers["Location"] == "/dreams/17/"
    client.post(address + "?like=LUNA", {"liked": "yes"})
    ben = Client()
    ben.force_login(make_employee("ben"))
    ben.post(address, {"liked": "yes"})
    assert [(row.seed, row.query, row.hearts) for row in LikedDream.objects.most_liked()] == [
        (17, "", 2),
        (17, "like=LUNA", 1),
    ]
    assert "Like dream 17: it has 2 hearts" in page(client, "dream", 17)
    heart = client.post(address, {"liked": "no"}, headers={"HX-Request": "true"}).content.decode()
    assert "it has 1 heart<" in heart
    assert 'aria-pressed="false"' in heart
    assert DreamLike.objects.count() == 2


def test_who_only_looks_on_likes_nothing(client: Client) -> None:
    client.force_login(make_employee("rita", read_only=True))
    make_dreams([17])
    assert '<form class="hearts"' not in page(client, "dream", 17)
    assert client.post(reverse("dream_like", args=[17]), {"liked": "yes"}).status_code == 403
    assert not LikedDream.objects.exists()


def test_the_most_liked_stand_first_for_merchandisers_with_the_picture_of_their_time(
    client: Client, ann: Employee, shop: dict[str, Dress], settings: Any
) -> None:
    make_dreams([1, 2])
    for seed in (1, 2):
        client.post(reverse("dream_like", args=[seed]), {"liked": "yes"})
    ada = make_admin()
    client.force_login(ada)
    client.post(reverse("dream_like", args=[1]), {"liked": "yes"})
    html = page(client, "admin:recommend_likeddream_changelist")
    assert html.index("dream 1<") < html.index("dream 2<")
    row = LikedDream.objects.get(seed=1)
    picture = bytes(row.picture)
    assert "What comes closest to it" in page(client, "admin:recommend_likeddream_change", row.pk)
    (settings.DREAM_WEIGHTS / "weights.safetensors").write_bytes(b"others")
    assert "only the picture is left" in page(client, "admin:recommend_likeddream_change", row.pk)
    assert client.get(reverse("liked_dream", args=[row.name])).content == picture


def test_what_nobody_likes_any_more_is_not_among_the_most_liked(client: Client, ann: Employee) -> None:
    make_dreams([1, 2])
    for seed, liked in ((1, "yes"), (2, "yes"), (1, "no")):
        client.post(reverse("dream_like", args=[seed]), {"liked": liked})
    client.force_login(make_admin())
    html = page(client, "admin:recommend_likeddream_changelist")
    assert ["dream 1<" in html, "dream 2<" in html] == [False, True]


def test_without_weights_or_a_dreamer_pages_say_so(client: Client, ann: Employee, settings: Any) -> None:
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    for name, args in (("dreams", ()), ("dream", (1,)), ("dream_for_me", ())):
        assert "Nothing dreams here yet" in page(client, name, *args, status=503)
    assert client.post(reverse("dream_like", args=[1])).status_code == 503
    make_dreams([])
    for name, args in (("dreams", ()), ("dream", (1,)), ("dream_for_me", ())):
        answer = client.get(reverse(name, args=args))
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "Try again" in answer.content.decode()
        assert answer["Refresh"] == "5"


def test_a_part_of_a_page_that_has_to_wait_sends_the_browser_to_a_page_that_comes_again(
    client: Client, ann: Employee, settings: Any
) -> None:
    settings.CLASSIFIER_SOCKET = settings.DREAMS_FOLDER / "nobody"
    make_dreams([])
    address = reverse("dream", args=[55]) + "?at=40"
    answer = client.get(address, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (503, address)
    assert "HX-Redirect" not in client.get(address)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"seed": "-1"}, "seed: expected a number from 0"),
        ({"seed": "4294967296"}, "seed: expected a number from 0 to 4294967295"),
        ({"seed": "9" * 5000}, "seed: expected a number"),
        ({"seed": "\0"}, "seed: expected a number"),
        ({"like": "NOWHERE"}, "no dress has the SKU “NOWHERE”"),
        ({"like": "LUNA,\0"}, "no list of SKUs"),
        ({"like": "x" * 1000}, "no list of SKUs"),
        ({"like": ",".join(f"D{number}" for number in range(13))}, "at most 12"),
        ({"like": "BARE"}, "has no photo to dream of"),
        ({"look": "77777"}, "no public look 77777"),
        ({"look": "one"}, "look: expected a number"),
    ],
)
def test_what_nobody_can_dream_is_refused_in_a_sentence(
    client: Client, ann: Employee, shop: dict[str, Dress], told: dict[str, str], says: str
) -> None:
    make_dreams(range(12))
    make_dress("BARE", photos=0)
    for name in ("dreams", "dream_for_me"):
        assert says in page(client, name, status=400, **told)


def test_dreams_for_a_shopper_are_near_what_the_address_names(client: Client, shop: dict[str, Dress]) -> None:
    make_dreams([*range(8), *near(shop["Onda"], shop["Luna"])])
    html = page(client, "dream_for_me")
    assert "/dresses/LUNA/" in html[html.index("real-title") :]
    look = make_look(shop["Luna"])
    for told in ({"like": "ONDA,LUNA"}, {"like": ["ONDA", "LUNA"]}, {"like": "ONDA", "look": look.pk}):
        html = page(client, "dream_for_me", **told)
        assert "/api/v1/dreams/7.webp?toward=ONDA&amp;toward=LUNA&amp;at=50" in html
        real = html[html.index("real-title") :]
        assert [f"/dresses/{sku}/" in real for sku in ("SOLE", "LUNA", "ONDA")] == [True, False, False]
    Post.objects.update(rights="revoked")
    assert "no public look" in page(client, "dream_for_me", status=400, look=look.pk)


def test_of_weights_without_tastes_nothing_is_said_to_be_near_a_dress(
    client: Client, ann: Employee, shop: dict[str, Dress]
) -> None:
    make_dreams([*range(12), *dreams._dreams(dreams.wall(0, 12, (shop["Luna"],)))])
    assert "lean towards your taste" in page(client, "dream_for_me")
    forget_tastes()
    for name, args in (("dreams", ()), ("dream", (5,)), ("dream_for_me", ())):
        assert "has learnt no tastes" in page(client, name, *args, status=400, like="LUNA")
        assert page(client, name, *args)
    ends = {"from": "LUNA", "toward": "SOLE"}
    assert "has learnt no tastes" in page(client, "dream_walk", status=400, **ends)
    assert "lean towards your taste" not in page(client, "dream_for_me")


def test_a_dress_whose_number_has_a_comma_is_found_as_well(client: Client, shop: dict[str, Dress]) -> None:
    odd = make_dress("A,B", title="Odd")
    make_dreams(near(odd))
    assert "toward=A%2CB" in page(client, "dream_for_me", like="A,B")


def test_one_address_cannot_dream_for_ever(client: Client, settings: Any) -> None:
    make_dreams(range(8))
    settings.DREAMS_RATE = "2/min"
    assert [client.get(reverse("dream_for_me")).status_code for _ in range(3)] == [200, 200, 503]
