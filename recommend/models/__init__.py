from recommend.models.fitted import RecommenderVersion

__all__ = ["RecommenderVersion"]
