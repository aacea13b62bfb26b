from recommend.models.fitted import RecommenderVersion
from recommend.models.interaction import Interaction, ShopperKind, shopper_key
from recommend.models.liked_dream import DreamLike, LikedDream
from recommend.models.tally import Tally

__all__ = [
    "DreamLike",
    "Interaction",
    "LikedDream",
    "RecommenderVersion",
    "ShopperKind",
    "Tally",
    "shopper_key",
]
