from recommend.models.fitted import RecommenderVersion
from recommend.models.interaction import Interaction, ShopperKind, shopper_key
from recommend.models.liked_dream import DreamLike, LikedDream

__all__ = ["DreamLike", "Interaction", "LikedDream", "RecommenderVersion", "ShopperKind", "shopper_key"]
