from recommend.models.fitted import RecommenderVersion
from recommend.models.interaction import Interaction, ShopperKind, shopper_key
from recommend.models.tally import Tally

__all__ = ["Interaction", "RecommenderVersion", "ShopperKind", "Tally", "shopper_key"]
