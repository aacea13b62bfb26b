"""Pages of the admin; importing them registers them."""

from recommend.admin.interaction import InteractionAdmin
from recommend.admin.version import RecommenderVersionAdmin

__all__ = ["InteractionAdmin", "RecommenderVersionAdmin"]
