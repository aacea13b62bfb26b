"""How the portal is doing, for the admin's first page."""

from django import template
from django.template import RequestContext
from django.utils import timezone

from verify.admin.board import Board, board

register = template.Library()


@register.simple_tag(takes_context=True)
def dashboard(context: RequestContext) -> Board:
    return board(context["request"].user, timezone.now())
