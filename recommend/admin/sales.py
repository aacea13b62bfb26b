"""The page of looks and dresses that sell."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode

from recommend import sales
from recommend.models import Tally
from recommend.sales import DEEDS, SORTS, Sold
from verify.admin.curated import ReadOnlyAdmin

PERIODS = {"7": "7 days", "28": "28 days", "90": "90 days", "all": "all"}
SHOWN = 100  # rows of the page; the CSV has all
DRAWN = 28  # days of a line, at least
WIDTH, HEIGHT = 120, 28  # of a line, in its own units
HEADINGS = {"rents": "rents", "saves": "saves", "clicks": "clicks", "opens": "opens", "rate": "opened by"}
HEADINGS |= {"views": "views"}


class Asked(NamedTuple):
    of: str  # looks or dresses
    days: str
    by: str

    def url(self, **changes: str) -> str:
        return "?" + urlencode(self._replace(**changes)._asdict())

    @property
    def since(self) -> date | None:
        """The first day of the period, which today ends."""
        return None if self.days == "all" else timezone.localdate() - timedelta(days=int(self.days) - 1)


class Line(NamedTuple):
    """A look or a dress in the table; ``points`` draw its days."""

    sold: Sold
    points: str
    told: str


class Echo:
    """What a CSV writer writes to, to be sent on."""

    def write(self, text: str) -> str:
        return text


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    """Its list is the page of what sells; a day of a look is a row of its own behind it."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise Http404
        asked = read(request)
        found = sales.best_first(getattr(sales, asked.of)(asked.since), asked.by)
        if request.GET.get("format") == "csv":
            return as_csv(found, asked)
        context = {
            **self.admin_site.each_context(request),
            **{"title": f"{asked.of.capitalize()} that sell", "opts": self.opts, "asked": asked},
            **{"lines": lines(found[:SHOWN], asked), "total": len(found), "shown": SHOWN},
            "tabs": [(of, asked.url(of=of), of == asked.of) for of in ("looks", "dresses")],
            "periods": [(name, asked.url(days=days), days == asked.days) for days, name in PERIODS.items()],
            "headings": [(name, asked.url(by=by), by == asked.by) for by, name in HEADINGS.items()],
            "csv": asked.url() + "&format=csv",
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/recommend/sales.html", context)


def read(request: HttpRequest) -> Asked:
    """What is asked for; what is not to be had, is as if it had not been asked for."""
    of, days, by = (request.GET.get(name, "") for name in Asked._fields)
    return Asked(
        of if of in ("looks", "dresses") else "looks",
        days if days in PERIODS else "28",
        by if by in SORTS else "rents",
    )


def lines(found: list[Sold], asked: Asked) -> list[Line]:
    last = timezone.localdate()
    first = max(asked.since or date.min, last - timedelta(days=89))
    first = min(first, last - timedelta(days=DRAWN - 1))
    deed = "opens" if asked.by == "rate" else asked.by
    drawn = sales.series(found, deed, first, last)
    return [
        Line(row, points(counts), f"{sum(counts)} in {len(counts)} days")
        for row, counts in zip(found, drawn, strict=True)
    ]


def points(counts: list[int]) -> str:
    """Of an SVG polyline, as high as the most that there was on a day."""
    most, step = max(*counts, 1), WIDTH / (len(counts) - 1)
    return " ".join(
        f"{number * step:.1f},{HEIGHT - 1 - (HEIGHT - 2) * count / most:.1f}"
        for number, count in enumerate(counts)
    )


def as_csv(found: list[Sold], asked: Asked) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_rows(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{asked.of}-{asked.days}.csv"'
    return response


def _rows(found: list[Sold]) -> Iterator[str]:
    write = csv.writer(Echo()).writerow
    yield write(["look", "permalink", "sku", "title", "designer", *DEEDS, "opened_by"])
    for row in found:
        about = [row.look.pk if row.look else "", row.look.post.permalink if row.look else ""]
        dress = [_harmless(text) for text in (row.dress.sku, row.dress.title, row.dress.designer)]
        yield write([*about, *dress, *(getattr(row, deed) for deed in DEEDS), f"{row.rate:.4f}"])


def _harmless(text: str) -> str:
    """A spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
