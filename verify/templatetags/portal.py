from django import template

register = template.Library()


@register.filter
def percent_of(part: int, whole: int) -> int:
    """Whole percent, rounded down: 100 means all of it."""
    return 100 * part // whole


@register.filter
def percent(share: float) -> int:
    """A share of 0 to 1 as the nearest whole percent."""
    return round(100 * share)
