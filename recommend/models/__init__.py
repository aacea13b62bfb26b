from recommend.models.interaction import Interaction, ShopperKind, shopper_key

__all__ = ["Interaction", "ShopperKind", "shopper_key"]
