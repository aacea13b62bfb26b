"""A post's caption in pages."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verify import captions

register = template.Library()


@register.filter
def linked(caption: str) -> SafeString:
    """The caption with its hashtags and handles as links; whatever else is in it is text."""
    shown = format_html_join(
        "", "{}", ((_linked(part) if part.url else part.text,) for part in captions.parts(caption))
    )
    return format_html('<bdi class="caption">{}</bdi>', shown)


def _linked(part: captions.Part) -> SafeString:
    told = '<a href="{}" rel="nofollow ugc noopener noreferrer">{}</a>'
    return format_html(told, part.url, part.text)
