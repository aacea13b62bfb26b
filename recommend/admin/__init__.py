"""Pages of the admin; importing them registers them."""

from recommend.admin.dream import LikedDreamAdmin
from recommend.admin.interaction import InteractionAdmin
from recommend.admin.sales import TallyAdmin
from recommend.admin.version import RecommenderVersionAdmin

__all__ = ["InteractionAdmin", "LikedDreamAdmin", "RecommenderVersionAdmin", "TallyAdmin"]
