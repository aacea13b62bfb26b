from recommend.models.fitted import RecommenderVersion
from recommend.models.interaction import Interaction, ShopperKind, shopper_key

__all__ = ["Interaction", "RecommenderVersion", "ShopperKind", "shopper_key"]
