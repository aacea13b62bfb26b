"""Posts that a gate holds back are seen by nobody but admins, who can let them through."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from PIL import ImageFilter

from tests import make
from tests.verify.curation import act, page
from tests.verify.intake.pictures import encoded
from tests.verify.test_gates import page as printed
from tests.verify.test_gates import photo
from verify import gating, tasks
from verify.gates import Gate
from verify.intake.photos import store
from verify.intake.posts import import_posts
from verify.models import Employee, Flag, GateVerdict, Photo, Post

pytestmark = pytest.mark.django_db

THRESHOLDS = {
    Gate.SIZE: 200,
    Gate.BLUR: 25,
    Gate.TEXT: 0.55,
    Gate.SCREENSHOT: 0.08,
    Gate.PEOPLE: 1,
    Gate.DUPLICATE: 5,
}
SHARP = encoded(photo(), quality=90)
COPY = encoded(photo().resize((270, 360)), quality=60)
BLURRED = encoded(photo(2).filter(ImageFilter.GaussianBlur(8)))


@pytest.fixture(autouse=True)
def closed_gates(settings: Any) -> None:
    settings.GATES = dict(THRESHOLDS)


def taken_in(*photos: bytes, **fields: Any) -> list[Post]:
    """Posts with these photos, one after the other."""
    posts = [make.make_post(photo=store(data), **fields) for data in photos]
    gating.judge(posts)
    return list(Post.objects.filter(pk__in=[post.pk for post in posts]).order_by("pk"))


def holding(post: Post) -> set[str]:
    return set(GateVerdict.objects.holding().filter(post=post).values_list("gate", flat=True))


def test_each_finding_is_kept_with_its_measure_and_its_threshold() -> None:
    [post] = taken_in(SHARP)
    assert post.state == Post.State.WAITING
    found = {row.gate: (row.value, row.threshold, row.held) for row in post.gate_verdicts.all()}
    assert set(found) == {gate.value for gate in Gate}
    assert found["size"] == (300, 200, False)
    assert found["duplicate"] == (64, 5, False)
    assert not any(held for _, _, held in found.values())


@pytest.mark.parametrize(
    ("data", "gate", "words"),
    [
        (encoded(photo(3, (150, 200))), "size", "Too small: 150 pixels"),
        (BLURRED, "blur", "Blurred"),
        (encoded(printed(4, top=160)), "text", "Text rather than a photo"),
    ],
)
def test_a_gate_holds_back_and_says_why(data: bytes, gate: str, words: str) -> None:
    [post] = taken_in(data)
    assert post.state == Post.State.HELD
    assert gate in holding(post)
    assert words in post.trouble


def with_two_faces() -> Post:
    post = make.make_post(photo=store(SHARP))
    post.photo.measures["faces"] = 2
    post.photo.save()
    gating.judge([post])
    return post


def test_several_people_are_flagged_and_shown_all_the_same() -> None:
    post = with_two_faces()
    gating.judge([post])  # for the second time
    assert post.state == Post.State.WAITING
    assert [(flag.reason, flag.by, flag.employee) for flag in post.flags.all()] == [
        ("several", "a quality gate", None)
    ]
    verdict = post.gate_verdicts.get(gate="people")
    assert (verdict.value, verdict.threshold, verdict.held, verdict.flagged) == (2, 1, False, True)


def test_an_admin_takes_the_gates_flag_back_and_nobodys_else(client: Client) -> None:
    post = with_two_faces()
    colleague = make.make_employee("rosa")
    Flag.objects.create(post=post, employee=colleague, reason="child", created_at=timezone.now())
    admin = make.make_admin()
    client.force_login(admin)
    assert "2 faces, more than 1" in client.get(page("post", "change", post.pk)).content.decode()
    assert list(client.get(page("post") + "?gate=people").context["cl"].queryset) == [post]
    told = act(client, "post", "let_through", post).content.decode()
    assert "1 are flagged by no gate any more" in told
    assert [flag.employee for flag in post.flags.all()] == [colleague]
    assert post.gate_verdicts.get(gate="people").overruled_by == admin
    gating.judge([post])  # an admin's word stands
    assert post.flags.count() == 1


def test_what_was_measured_before_faces_were_counted_is_not_judged_by_them() -> None:
    post = make.make_post(photo=store(SHARP))
    del post.photo.measures["faces"]
    post.photo.save()
    gating.judge([post])
    assert not post.gate_verdicts.filter(gate="people").exists()
    assert post.gate_verdicts.filter(gate="blur").exists()


def test_what_is_held_back_is_offered_to_nobody() -> None:
    taken_in(BLURRED)
    assert not Post.objects.waiting_for_suggestion(timezone.now()).exists()
    assert not Post.objects.proposable(timezone.now()).exists()
    assert not Post.objects.unfinished().exists()
    assert not Post.objects.in_no_batch().exists()


@pytest.mark.parametrize("source", ["instagram", "reviews"])
def test_a_copy_stays_aside_behind_the_first_across_sources(source: str) -> None:
    first, copy = taken_in(SHARP, COPY, source=source)
    [other] = taken_in(encoded(photo(), quality=40))
    assert [post.state for post in (first, copy, other)] == ["waiting", "held", "held"]
    assert set(first.duplicates.values_list("post", flat=True)) == {copy.pk, other.pk}


def test_the_same_bytes_are_a_duplicate_even_without_light_and_shade(settings: Any) -> None:
    settings.GATES = {Gate.DUPLICATE: 0}
    flat = make.jpeg(300, 400, (9, 9, 9))
    first, second = taken_in(flat, flat)
    assert (first.state, second.state) == ("waiting", "held")
    [third] = taken_in(make.jpeg(300, 400, (99, 9, 9)))
    assert third.state == "waiting"


def test_a_duplicates_duplicate_is_one_of_the_first() -> None:
    first, *copies = taken_in(SHARP, COPY, encoded(photo(), quality=30), encoded(photo(), quality=20))
    [last] = taken_in(encoded(photo(), quality=25))
    verdicts = GateVerdict.objects.holding().filter(gate="duplicate")
    assert set(verdicts.values_list("duplicate_of", flat=True)) == {first.pk}
    assert verdicts.count() == len(copies) + 1
    assert last.state == "held"


def test_when_the_first_is_gone_the_next_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "beat", lambda: None)  # which loads the weights
    first, second, third = taken_in(SHARP, COPY, encoded(photo(), quality=30))
    first.delete()
    tasks.tick()
    second.refresh_from_db()
    third.refresh_from_db()
    assert (second.state, third.state) == ("waiting", "held")
    assert third.gate_verdicts.get(gate="duplicate").duplicate_of == second
    assert gating.adopt_orphans() == 0


def test_an_orphan_that_is_blurred_as_well_stays_held() -> None:
    first, second = taken_in(BLURRED, encoded(photo(2).filter(ImageFilter.GaussianBlur(8)), quality=60))
    assert holding(second) == {"blur", "duplicate"}
    first.delete()
    assert gating.adopt_orphans() == 1
    second.refresh_from_db()
    assert (second.state, holding(second)) == ("held", {"blur"})


def test_whoever_is_let_through_is_judged_no_more() -> None:
    by = make.make_admin()
    [post] = taken_in(BLURRED)
    assert gating.release(Post.objects.all(), by) == [post]
    post.refresh_from_db()
    assert (post.state, post.trouble, holding(post)) == ("waiting", "", set())
    verdict = post.gate_verdicts.get(gate="blur")
    assert (verdict.held, verdict.overruled_by) == (True, by)
    assert gating.judge([post]) == []


def test_photos_that_were_never_measured_pass(settings: Any) -> None:
    post = make.make_post()
    assert gating.judge([post]) == []
    assert not GateVerdict.objects.exists()


def test_a_gate_without_a_threshold_is_open(settings: Any) -> None:
    del settings.GATES[Gate.BLUR]
    [post] = taken_in(BLURRED)
    assert post.state == "waiting"
    assert not post.gate_verdicts.filter(gate="blur").exists()


def test_an_import_judges_what_it_brings(tmp_path: Path, django_capture_on_commit_callbacks: Any) -> None:
    for name, data in {"a": SHARP, "b": COPY, "c": BLURRED}.items():
        (tmp_path / f"{name}.jpg").write_bytes(data)
    rows = [{"id": name, "timestamp": 1780228800, "file": f"{name}.jpg"} for name in "abc"]
    (tmp_path / "posts.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    list(import_posts(tmp_path / "posts.jsonl"))
    assert dict(Post.objects.values_list("external_id", "state")) == {
        "a": "waiting",
        "b": "held",
        "c": "held",
    }
    (tmp_path / "c.jpg").write_bytes(encoded(photo(5)))
    list(import_posts(tmp_path / "posts.jsonl"))
    assert Post.objects.get(external_id="c").state == "waiting"


def test_judging_costs_as_many_statements_for_many_posts_as_for_few() -> None:
    def statements(count: int, seed: int) -> int:
        posts = [make.make_post(photo=store(encoded(photo(seed + number)))) for number in range(count)]
        with CaptureQueriesContext(connection) as queries:
            gating.judge(posts)
        return len(queries)

    assert statements(2, 100) == statements(12, 200) <= 8


def test_near_photos_are_found_by_an_index() -> None:
    Photo.objects.bulk_create(
        Photo(sha256=f"{number:064}", width=9, height=9, fingerprint=number, bands=[number % 900])
        for number in range(5_000)
    )
    taken_in(SHARP, COPY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE verify_photo")
        cursor.execute("EXPLAIN " + gating.NEAREST, {"posts": [Post.objects.latest("pk").pk], "most": 5})
        assert "photo_by_fingerprint" in str(cursor.fetchall())


# The admin


def test_an_admin_sees_why_and_lets_it_through(
    client: Client, ada: Employee, django_capture_on_commit_callbacks: Any
) -> None:
    first, copy = taken_in(SHARP, COPY)
    shown = client.get(page("post", "change", copy.pk)).content.decode()
    assert "held back" in shown
    assert reverse("admin:verify_post_change", args=[first.pk]) in shown
    assert str(copy) in client.get(page("post", "change", first.pk)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = act(client, "post", "let_through", first, copy)
    assert "1 wait for DeepDress; no gate held 1" in answer.content.decode()
    copy.refresh_from_db()
    assert copy.state == "waiting"
    assert copy.gate_verdicts.get(gate="duplicate").overruled_by == ada
    assert OrmQ.objects.count() == 1
    assert "let through" in client.get(page("post", "change", copy.pk)).content.decode()


def test_the_list_and_the_first_page_count_by_gate(client: Client, ada: Employee) -> None:
    _, copy, blurred = taken_in(SHARP, COPY, BLURRED)
    gating.release(Post.objects.filter(pk=blurred.pk), ada)
    listed = client.get(page("post") + "?gate=duplicate").context["cl"].queryset
    assert list(listed) == [copy]
    through = client.get(page("post") + "?gate=let_through").context["cl"].queryset
    assert list(through) == [blurred]
    first_page = client.get(reverse("admin:index")).content.decode()
    assert "Held back by quality gates" in first_page
    assert "1 posts held back, of 3 judged." in first_page
    assert "posts held back by a gate" in first_page
