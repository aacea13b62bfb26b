"""A procedural wardrobe: dresses as parameters, and photos of them drawn from nothing but a seed."""

from ml.synthetic.captions import caption
from ml.synthetic.dress import Dress, Wardrobe
from ml.synthetic.negatives import NEGATIVE_KINDS, negative_photo
from ml.synthetic.photos import VIEWS, catalogue_photo, street_photo

__all__ = [
    "NEGATIVE_KINDS",
    "VIEWS",
    "Dress",
    "Wardrobe",
    "caption",
    "catalogue_photo",
    "negative_photo",
    "street_photo",
]
