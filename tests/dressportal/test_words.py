"""Every word of the interface can be translated, those that scripts say included."""

import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.template.base import Lexer, TokenType
from django.test import Client
from django.urls import reverse
from django.utils import translation

from tests import make
from verify.models import Answer

TEMPLATES = project_settings.BASE_DIR / "templates"
STATIC = project_settings.BASE_DIR / "dressportal" / "static"
SPOKEN = {"alt", "aria-label", "title", "placeholder"}
BODY_CLASS = r"(?<={% block body_class %})\w*"  # within base.html it stands in an attribute
NO_WORDS = {"dressportal", "kbd", "style", "svg"}  # our name; what stands in these elements is not read out
GERMAN = {
    "None of these": "Keines davon",
    "Not a dress": "Kein Kleid",
    "none of these": "keines davon",
    "Skip": "Weiter",
    "A child is in it": "Ein Kind ist darauf",
    "Customer’s photo": "Foto einer Kundin",
    "No connection. Answers kept: {n}": "Keine Verbindung. Behaltene Antworten: {n}",
    "Menu": "Menü",
    "Nothing hangs here": "Hier hängt nichts",
    "{n} dresses": "{n} Kleider",
}


class Reader(HTMLParser):
    """The texts of a page, and what its attributes say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.said += [value or "" for name, value in attributes if name in SPOKEN]
        if tag in NO_WORDS:
            self.within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in NO_WORDS:
            self.within.pop()

    def handle_data(self, text: str) -> None:
        if not self.within:
            self.said.append(text)


def untranslated(source: str) -> list[str]:
    """What a template says in words of its own: not in a variable, and not for translators to see."""
    texts, seen_by_translators = [], False
    for token in Lexer(re.sub(BODY_CLASS, "", source)).tokenize():
        if token.token_type == TokenType.BLOCK:
            tag = token.contents.split()[0]
            seen_by_translators = tag in ("blocktranslate", "plural") or (
                seen_by_translators and tag != "endblocktranslate"
            )
        elif token.token_type == TokenType.TEXT and not seen_by_translators:
            texts.append(token.contents)
    reader = Reader()
    reader.feed("".join(texts))
    words = (text.replace("dressportal", "").strip() for text in reader.said)
    return [text for text in words if re.search(r"[^\W\d_]", text)]


def templates() -> list[Path]:
    folders = [TEMPLATES, *(TEMPLATES / name for name in ("email", "portal", "registration", "shop"))]
    return sorted(path for folder in folders for path in folder.glob("*.html"))


@pytest.mark.parametrize("template", templates(), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_says_nothing_that_translators_do_not_see(template: Path) -> None:
    assert untranslated(template.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>{% if a %}Hello{% endif %}</p>",
        '<img alt="A {{ colour }} dress">',
        '<button aria-label="{% if a %}Close{% endif %}"></button>',
        '<input placeholder="Title" title="{% translate "Title" %}">',
        "{% blocktranslate %}Seen{% endblocktranslate %} unseen",
    ],
)
def test_a_word_that_translators_do_not_see_would_be_found(source: str) -> None:
    assert len(untranslated(source)) == 1


@pytest.mark.parametrize(
    ("page", "scripts"),
    [
        ("portal/_dialogs.html", ["portal.js", "portal/*.js"]),
        ("shop/home.html", ["shop/home.js", "shop/card.js", "shop/dreamt.js"]),
        ("shop/product.html", ["shop/product.js", "shop/deeds.js"]),
        ("shop/wall.html", ["shop/wall.js", "shop/card.js"]),
    ],
)
def test_a_script_says_only_what_its_page_holds(page: str, scripts: list[str]) -> None:
    held = set(re.findall(r'data-word="(\w+)"', (TEMPLATES / page).read_text()))
    code = "".join(path.read_text() for pattern in scripts for path in STATIC.glob(pattern))
    said = {word for call in re.findall(r"\bword\(([^)]*)\)", code) for word in re.findall(r'"(\w+)"', call)}
    assert said
    assert said <= held
    assert [word for word in held if not re.search(rf"\b{word}\b", code)] == []
    assert re.findall(r'textContent: ["`][^"`$]*[A-Za-z]{2}', code) == []


def write_catalogue(folder: Path, language: str, messages: dict[str, str]) -> None:
    """A .mo file, see https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html."""
    messages = {"": "Content-Type: text/plain; charset=UTF-8\n", **messages}
    pairs = [(key.encode(), value.encode()) for key, value in sorted(messages.items())]
    start = 28 + 16 * len(pairs)
    texts, tables = b"", []
    for column in zip(*pairs, strict=True):
        table = b""
        for text in column:
            table += struct.pack("<II", len(text), start + len(texts))
            texts += text + b"\0"
        tables.append(table)
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    path = folder / language / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables) + texts)


@pytest.fixture
def german(settings: Any, tmp_path: Path) -> None:
    """A portal that speaks German, as far as somebody has translated it."""
    write_catalogue(tmp_path, "de", GERMAN)
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGE_CODE = "de"


@pytest.mark.django_db
def test_a_card_speaks_the_portal_s_language(client: Client, german: None) -> None:
    make.make_open_posts(1, make.make_batch())
    client.force_login(make.make_employee("ann"))
    html = client.get(reverse("play")).content.decode()
    assert '<html lang="de">' in html
    for button in ("Keines davon<kbd>0</kbd>", "Kein Kleid<kbd>n</kbd>", "Weiter<kbd>s</kbd>"):
        assert f"{button}</button>" in html
    assert ">Ein Kind ist darauf</button>" in html
    assert 'alt="Foto einer Kundin"' in html
    assert 'aria-label="Menü"' in html
    assert ">Flag<" in html  # nobody has translated it yet


@pytest.mark.django_db
def test_scripts_and_errors_speak_it_too(client: Client, german: None) -> None:
    client.force_login(make.make_employee("ann"))
    game, wall, nowhere = (client.get(path) for path in ("/", "/dresses/", "/nowhere/"))
    kept = '<p data-word="kept">Keine Verbindung. Behaltene Antworten: {n}</p>'
    assert kept in game.content.decode()
    assert '<p data-word="dresses">{n} Kleider</p>' in wall.content.decode()
    assert "<h1>Hier hängt nichts</h1>" in nowhere.content.decode()
    assert Answer.NONE_OF_THESE.label == "keines davon"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/shop/", "/dresses/", "/dresses/LUNA/", "/api/v1/dresses/", "/api/v1/dresses/LUNA/"]
)
def test_what_shoppers_get_is_the_same_for_every_browser(client: Client, path: str) -> None:
    make.make_dress("LUNA", title="Luna")
    page = client.get(path, headers={"accept-language": "de"})
    assert page.status_code == 200
    assert "accept-language" not in page.headers.get("Vary", "").lower()
    assert translation.get_language() == "en-gb"
