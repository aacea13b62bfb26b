import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.identities import email_key, handle_key, permalink_key


@pytest.mark.parametrize(
    "written", ["ruby.hart", "@Ruby.Hart ", "https://www.instagram.com/Ruby.Hart/?hl=de", "ＲＵＢＹ.hart"]
)
def test_a_handle_is_the_same_however_it_is_written(written: str) -> None:
    assert handle_key(written) == "ruby.hart"


@pytest.mark.parametrize(
    "written",
    [
        "https://www.instagram.com/p/C0de_-x/",
        "http://instagram.com/p/C0de_-x?igsh=abc",
        "instagram.com/reel/C0de_-x/",
        "https://m.instagram.com/ruby.hart/p/C0de_-x/",
    ],
)
def test_a_post_is_the_same_by_every_address(written: str) -> None:
    assert permalink_key(written) == "instagram:C0de_-x"


def test_shortcodes_differ_by_their_case() -> None:
    assert permalink_key("https://instagram.com/p/ABC/") != permalink_key("https://instagram.com/p/abc/")


@pytest.mark.parametrize("written", ["", "nothing", "https://[", "https://", "   "])
def test_what_is_no_address_has_no_key(written: str) -> None:
    assert permalink_key(written) == ""


def test_other_addresses_are_their_host_and_path() -> None:
    assert permalink_key("https://www.example.org/looks/7/?x=1") == "example.org/looks/7"


@given(st.text(max_size=80))
def test_nothing_that_people_write_breaks_a_key(text: str) -> None:
    for key in (handle_key, permalink_key, email_key):
        assert isinstance(key(text), str)
