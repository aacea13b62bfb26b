"""What is asked of owners and what counts as an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import rights
from verify.models import Post

WORDS = st.text(st.characters(categories=["L", "N", "P", "S", "Z"]), max_size=40)
TAGS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=3, max_size=20)


@pytest.mark.parametrize(
    "text",
    [
        "#YesMaison",
        "sure! #yesmaison 💛",
        "(#YESMAISON)",
        "ok #YesMaison.",
        "#other#x #yesmaison",
        "＃ＹｅｓＭａｉｓｏｎ",
    ],
)
def test_the_key_hashtag_is_found_however_it_is_written(text: str) -> None:
    assert rights.has_hashtag(text, "#YesMaison")


@pytest.mark.parametrize(
    "text", ["", "YesMaison", "#YesMaisonLunch", "#Yes Maison", "x#yesmaison", "&#yesmaison"]
)
def test_what_is_not_the_key_hashtag_is_no_answer(text: str) -> None:
    assert not rights.has_hashtag(text, "#YesMaison")


@given(WORDS, TAGS, WORDS)
def test_a_hashtag_between_spaces_is_always_found(before: str, tag: str, after: str) -> None:
    assert rights.has_hashtag(f"{before} #{tag} {after}", tag.upper())


@given(WORDS)
def test_without_a_sign_nothing_is_found(text: str) -> None:
    assert not rights.has_hashtag(text.replace("#", "").replace("＃", "").replace("﹟", ""), "yes")


def test_the_request_names_the_person_and_the_hashtag() -> None:
    text = "Hi {handle}! May we show it? {hashtag}"
    assert rights.request_text(text, "YesMaison", "ruby", "there") == "Hi @ruby! May we show it? #YesMaison"
    assert rights.request_text(text, "#YesMaison", "", "there") == "Hi there! May we show it? #YesMaison"


@pytest.mark.parametrize(
    ("text", "hashtag", "complaint"),
    [
        ("May we?", "#YesMaison", "needs {hashtag}"),
        ("{hashtag} {price}", "#YesMaison", "{price}"),
        ("{hashtag} {", "#YesMaison", "brace"),
        ("{hashtag.__class__}", "#YesMaison", "{hashtag.__class__}"),
        ("{hashtag}", "#no", "3 to 80"),
        ("{hashtag}", "#two words", "3 to 80"),
    ],
)
def test_a_template_that_cannot_be_sent_says_why(text: str, hashtag: str, complaint: str) -> None:
    assert any(complaint in said for said in rights.complaints(text, hashtag))


def test_a_template_that_can_be_sent_has_no_complaint() -> None:
    assert rights.complaints("Hi {handle}, {hashtag}?", "#YesMaison") == []


@pytest.mark.parametrize("former", Post.Rights.values)
@pytest.mark.parametrize("stated", Post.Rights.values)
def test_a_no_stays_a_no_whatever_a_file_says(former: str, stated: str) -> None:
    kept = former in ("refused", "revoked") and stated != "revoked"
    assert rights.may_state(former, stated) is not kept


def test_no_policy_shows_what_somebody_refused() -> None:
    assert all(rights.SAID_NO.isdisjoint(shown) for shown in rights.SHOWN.values())
    assert rights.SHOWN["granted"] == ("granted",)
