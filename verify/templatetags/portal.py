from django import template

register = template.Library()


@register.filter
def percent_of(part: int, whole: int) -> int:
    """Whole percent, rounded down: 100 means all of it."""
    return 100 * part // whole
