"""What people write under their photos."""

from __future__ import annotations

import numpy as np

OPENINGS: dict[str, tuple[str, ...]] = {
    "dress": (
        "Obsessed with this one",
        "Wedding guest, take three",
        "Date night and I never want to take it off",
        "Felt like a million in this",
        "Birthday dress, sorted",
        "Twirled all night",
        "Compliments all evening",
        "Gala ready",
        "Last night in the prettiest thing I never bought",
        "Rehearsal dinner done right",
        "New city, new dress",
        "It has pockets. I repeat, pockets",
        "Bridal shower mood",
        "Dancing shoes on",
        "Rented, worn, adored",
        "Sunday best",
        "Office party but make it fashion",
        "Golden hour and a good dress",
        "My sister says this is the one",
        "Engagement photos!",
        "Who says you can't wear this to brunch",
        "Graduation day",
        "Sending it back tomorrow and I'm already sad",
        "Can we talk about this neckline",
        "Vacation state of mind",
        "Maid of honour duties",
        "Thirty, flirty and borrowed",
    ),
    "bag": (
        "Bag of the week",
        "She's small but holds everything",
        "New arm candy",
        "Carrying my whole life in here",
    ),
    "shoes": (
        "These shoes were made for dancing",
        "Shoe of the day",
        "Worth the blisters",
        "Looking down, feeling up",
    ),
    "puppy": (
        "Someone wanted to be in the photo",
        "Best dressed in the house",
        "My plus one",
        "He stole the show again",
    ),
    "food": ("Brunch first", "Dinner was a ten", "Ate the whole thing, no regrets", "Table for two"),
    "selfie": (
        "No filter, well, one",
        "Fresh hair day",
        "Make-up by my best friend",
        "Hello from the car park",
    ),
    "skirt_and_top": (
        "Skirt weather",
        "Mixing and matching today",
        "Top and skirt, not a dress, don't be fooled",
        "Office look",
    ),
    "curtain": ("New curtains are up", "Spot the match", "Window of my dreams", "Redecorating"),
    "landscape": ("Views for days", "Out of office", "Worth the climb", "Morning like this"),
    "jewellery": ("All that glitters", "Something borrowed", "Finishing touches", "The details"),
    "activewear": ("Earned my dessert", "Leg day", "Morning flow", "Off to the studio"),
}
ENDINGS = (
    "",
    "",
    "",
    " ✨",
    " 💃",
    " 🥂",
    " 💕",
    "!",
    ".",
    " Thank you @dressportal",
    " Swipe for the back",
    " Would wear again",
)
HOUSE_TAGS = ("#dressportal", "#wearandreturn", "#myportaldress", "#borrowedandadored")
TAGS: dict[str, tuple[str, ...]] = {
    "dress": (
        "#ootd",
        "#weddingguest",
        "#datenight",
        "#cocktailhour",
        "#blacktie",
        "#rentedfashion",
        "#dressoftheday",
        "#bridesmaid",
        "#partydress",
        "#sustainablestyle",
    ),
    "bag": ("#bagoftheday", "#armcandy"),
    "shoes": ("#shoesoftheday", "#heels"),
    "puppy": ("#dogsofinstagram", "#puppylove"),
    "food": ("#brunch", "#foodie"),
    "selfie": ("#selfie", "#motd"),
    "skirt_and_top": ("#ootd", "#skirtseason"),
    "curtain": ("#interiors", "#homesweethome"),
    "landscape": ("#wanderlust", "#views"),
    "jewellery": ("#sparkle", "#details"),
    "activewear": ("#fitness", "#yoga"),
}


def caption(rng: np.random.Generator, kind: str) -> str:
    """A caption for a photo of a dress (`kind` "dress") or of one of NEGATIVE_KINDS, with hashtags."""
    if kind not in OPENINGS:
        raise ValueError(f"captions are written for {', '.join(OPENINGS)}, not {kind!r}")
    words = str(rng.choice(OPENINGS[kind])) + str(rng.choice(ENDINGS))
    house = rng.choice(HOUSE_TAGS, int(rng.integers(1, 3)), replace=False).tolist()
    own = rng.choice(TAGS[kind], int(rng.integers(0, 3)), replace=False).tolist()
    return " ".join([words, *house, *own])
