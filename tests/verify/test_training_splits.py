"""``manage.py export_training_set``: who and what stays in which split."""

from pathlib import Path
from typing import Any

import pytest

from tests.make import make_admin, make_dress, make_look, make_photo
from tests.verify.training_sets import a_look, content, lines, run
from verify import training_export
from verify.models import Look, Post
from verify.training_export import Choice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_same_draws(settings: Any) -> None:
    settings.SECRET_KEY = "by which people and dresses draw their splits"


def test_a_person_and_a_photo_stay_in_their_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_export, "DRESSES_TO_PEOPLE", 0)
    dresses, shared = [make_dress() for _ in range(3)], make_photo()
    for number in range(60):
        a_look(dresses[number % 3], username=f"person{number % 20}")
    people = {post.pk: post.username for post in Post.objects.all()}
    a_look(dresses[0], username="PERSON1", photo=shared)
    a_look(dresses[0], username="person2", photo=shared)
    run(tmp_path, held_out=0.2)
    first = splits_by_photo(tmp_path)
    by_person: dict[str, set[str]] = {}
    for post in Post.objects.filter(pk__in=people).select_related("photo"):
        if content(post.photo) in first:
            by_person.setdefault(post.username, set()).add(first[content(post.photo)])
    assert all(len(splits) == 1 for splits in by_person.values())
    assert set.union(*by_person.values()) == {"train", "validation", "test"}
    assert by_person["person1"] == by_person["person2"] == {first[content(shared)]}
    for number in range(20):
        a_look(dresses[0], username=f"newcomer{number}")
    run(tmp_path, held_out=0.2)
    assert first.items() <= splits_by_photo(tmp_path).items()


def splits_by_photo(out: Path) -> dict[str, str]:
    return {row["photo"]: row["split"] for row in lines(out)}


def test_a_frozen_post_takes_along_its_person_and_who_shares_a_photo(tmp_path: Path) -> None:
    dress, shared = make_dress(), make_photo()
    audited = a_look(dress, username="Ruby", audit=True)
    of_ruby, of_ruby_and_pearl = a_look(dress, username="ruby "), a_look(dress, username="ruby", photo=shared)
    a_look(dress, username="pearl", photo=shared)
    of_pearl, of_opal = a_look(dress, username="pearl"), a_look(dress, username="opal")
    run(tmp_path)
    found = splits_by_photo(tmp_path)
    for post in (audited, of_ruby, of_ruby_and_pearl, of_pearl):
        assert found[content(post.photo)] == "test"
    assert found[content(of_opal.photo)] == "train"


def test_what_was_compared_on_is_never_trained_on_whoever_posts_it(tmp_path: Path) -> None:
    dress, photo = make_dress(), make_photo()
    audited = a_look(dress, username="ruby", audit=True, photo=photo)
    training_export.write(tmp_path, Choice(held_out=0, freeze=True), lambda rows, *_: rows)
    Post.objects.filter(pk=audited.pk).update(audit=False, username="pearl")
    of_pearl, of_opal = a_look(dress, username="pearl"), a_look(dress, username="opal")
    run(tmp_path)
    found = splits_by_photo(tmp_path)
    assert [found[content(post.photo)] for post in (audited, of_pearl, of_opal)] == ["test", "test", "train"]


def test_a_share_of_the_looks_that_an_admin_cleared_is_tested_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_export, "CLEARED_TO_TEST", 1)
    by_hand, by_itself = (make_look(make_dress(), username=name) for name in ("ruby", "pearl"))
    Look.objects.filter(pk=by_hand.pk).update(cleared_by=make_admin())
    run(tmp_path)
    found = splits_by_photo(tmp_path)
    assert [found[content(look.post.photo)] for look in (by_hand, by_itself)] == ["test", "train"]


def test_a_held_out_dress_is_never_trained_on(tmp_path: Path) -> None:
    for number in range(40):
        a_look(make_dress(f"D-{number}"), username=f"person{number}")
    run(tmp_path, held_out=0.3)
    found = lines(tmp_path)
    held_out = {row["dress"] for row in found if row["role"] == "catalogue" and row["split"] != "train"}
    trained = {row["dress"] for row in found if row["split"] == "train"}
    assert held_out
    assert trained
    assert not held_out & trained
