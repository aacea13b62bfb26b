"""What people write below their photos comes out as text, with hashtags and handles as links and no more."""

import re
import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.captions import INSTAGRAM, parts, seen
from verify.templatetags.captions import linked

TAG = re.compile(
    r'<a href="https://www\.instagram\.com/[A-Za-z0-9._/%]+" rel="nofollow ugc noopener noreferrer">'
    r"[#@][^<>\"']+</a>"
)
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://evil.example/#login",
    "www.evil.example",
    "[click](https://evil.example/)",
    '#tag"onclick=alert(1)',
    "#<script>",
    "@<b>me</b>",
    '@me"><script>',
    "#tag'><img src=x>",
    "@../../accounts/login",
    "@..",
    "@me/../../admin",
    "@me?next=//evil.example",
    "#%2e%2e%2f",
    "me@evil.example",
    "//evil.example/@me",
    "https://evil.example/@me/#tag",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&lt;script&gt;",
    "{{ 7*7 }}{% debug %}",
    "${alert(1)}",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "<math><mtext></p><style><img src onerror=alert(1)></style>",
    "</bdi><iframe src=//evil.example>",
    "<style>*{background:url(//evil.example)}</style>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=p></form>",
    "\u202e gpj.tcerroc \u202d",
    "\u2066\u2067\u2068 hidden \u2069",
    "pay\u200bpal\u2060\ufeff",
    "#\u202etag",
    "@m\u202ee",
    "#dre\u200bss",
    "\x00\x08\x1b[31mred\x1b[0m",
    "\x85\u2028<script>\u2029",
    "\U000e0041\U000e0042 unseen tags",
    "#" * 10_000,
    "@" * 10_000,
    "#a" * 5_000,
    "# tag @ me",
    "＠me ＃tag",
    "#123 #1st",
    "\ud800 half a character",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_text(attack: str) -> None:
    html = str(linked(attack))
    inner = html.removeprefix('<bdi class="caption">').removesuffix("</bdi>")
    assert inner != html
    rest = TAG.sub("", inner)
    assert not re.search(r"[<>\"']", rest), "nothing but links to Instagram is markup"
    assert unescape(re.sub(r"<[^>]+>", "", inner)) == seen(attack)


@given(st.text(max_size=300))
def test_whatever_is_written_is_text(text: str) -> None:
    found = parts(text)
    assert "".join(part.text for part in found) == seen(text)
    assert all(part.text for part in found)
    for part in found:
        assert not part.url or (part.text[0] in "#@" and part.url.startswith(INSTAGRAM + "/"))
    assert not re.search(r"[<>\"']", TAG.sub("", str(linked(text))[len('<bdi class="caption">') : -6]))


@given(st.text(max_size=300))
def test_nothing_unseen_is_left_and_once_is_enough(text: str) -> None:
    shown = seen(text)
    assert not {unicodedata.bidirectional(each) for each in shown} & {
        *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }
    assert not any(unicodedata.category(each) == "Cc" and each not in "\n\t" for each in shown)
    assert not any(each in shown for each in "\u200b\u2060\ufeff\u00ad")
    assert seen(shown) == shown


def test_hashtags_and_handles_lead_to_instagram() -> None:
    caption = "In #Valentino2026, seen by @mia.rose_! #Kleid_für_Müller #платье (@anna.) #100%"
    assert [part for part in parts(caption) if part.url] == [
        ("#Valentino2026", f"{INSTAGRAM}/explore/tags/Valentino2026/"),
        ("@mia.rose_", f"{INSTAGRAM}/mia.rose_/"),
        ("#Kleid_für_Müller", f"{INSTAGRAM}/explore/tags/Kleid_f%C3%BCr_M%C3%BCller/"),
        ("#платье", f"{INSTAGRAM}/explore/tags/%D0%BF%D0%BB%D0%B0%D1%82%D1%8C%D0%B5/"),
        ("@anna", f"{INSTAGRAM}/anna/"),
    ]


@pytest.mark.parametrize("text", ["👩‍❤️‍👩", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "שלום", "e\u0301", "two\nlines"])
def test_what_is_really_written_stays(text: str) -> None:
    assert seen(text) == text
