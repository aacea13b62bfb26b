"""A dress as parameters, and the wardrobe that holds as many of them as anyone asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ml.synthetic import names
from ml.synthetic.canvas import Colour, mix

Generator = np.random.Generator

SILHOUETTES = {
    "sheath": 1.6,
    "a-line": 2.0,
    "fit and flare": 1.6,
    "ballgown": 0.7,
    "mermaid": 0.8,
    "shift": 1.2,
    "slip": 1.2,
    "wrap": 1.2,
    "empire": 0.8,
    "peplum": 0.6,
    "tiered": 1.0,
    "trapeze": 0.7,
    "balloon": 0.4,
}
NECKLINES = {
    "crew": 1.2,
    "scoop": 1.2,
    "v": 1.6,
    "deep v": 0.8,
    "square": 1.0,
    "boat": 0.8,
    "sweetheart": 0.9,
    "bandeau": 0.6,
    "halter": 0.8,
    "off shoulder": 0.8,
    "one shoulder": 0.8,
    "high": 0.6,
    "cowl": 0.5,
    "collar": 0.8,
    "keyhole": 0.5,
    "cami": 1.2,
}
SLEEVES = {
    "none": 2.4,
    "cap": 0.8,
    "short": 1.0,
    "flutter": 0.7,
    "puff": 0.9,
    "elbow": 0.8,
    "long": 1.1,
    "bishop": 0.8,
    "bell": 0.7,
}
BARE = ("sweetheart", "bandeau", "halter", "off shoulder", "one shoulder", "cami", "cowl")
LENGTHS = {"mini": 1.4, "knee": 1.5, "midi": 1.6, "maxi": 1.2}
HEM_AT = {"mini": 4.75, "knee": 5.45, "midi": 6.25, "maxi": 7.2}
HEMS = {
    "straight": 3.0,
    "high-low": 0.7,
    "asymmetric": 0.7,
    "slit": 1.2,
    "ruffle": 1.0,
    "scallop": 0.5,
    "band": 0.7,
}
WAISTS = {"plain": 2.0, "seam": 1.0, "belt": 1.2, "sash": 0.9, "ties": 0.6, "buckle": 0.7}
TRIMS = {
    "none": 3.0,
    "buttons": 1.0,
    "bow": 0.7,
    "piping": 0.8,
    "pockets": 0.6,
    "ruffle front": 0.6,
    "neck band": 0.6,
    "brooch": 0.4,
}
FABRICS = {
    "crepe": 2.0,
    "satin": 1.4,
    "chiffon": 1.3,
    "velvet": 0.6,
    "jersey": 1.2,
    "linen": 1.2,
    "tweed": 0.5,
}
PATTERNS = {
    "solid": 9.0,
    "stripe": 1.6,
    "breton": 0.7,
    "pinstripe": 0.6,
    "gingham": 0.9,
    "plaid": 0.8,
    "windowpane": 0.5,
    "dot": 1.6,
    "confetti": 0.8,
    "chevron": 0.7,
    "houndstooth": 0.5,
    "ditsy": 1.6,
    "floral": 2.4,
    "botanical": 1.3,
    "leopard": 0.9,
    "zebra": 0.5,
    "tile": 1.0,
    "brush": 1.0,
    "paisley": 0.6,
    "wave": 0.8,
    "lace": 1.2,
    "sequin": 1.1,
    "colour block": 1.0,
    "ombre": 0.7,
    "bouquet": 1.2,
}
PLACEMENTS = {"all": 5.0, "skirt": 1.0, "bodice": 0.7, "border": 0.8, "side": 0.4}
PLACEABLE = (
    "floral",
    "ditsy",
    "botanical",
    "lace",
    "sequin",
    "tile",
    "paisley",
    "dot",
    "stripe",
    "brush",
    "gingham",
    "leopard",
)
SKIRT_PLEATS = {"none": 2.2, "soft": 1.2, "knife": 0.8}
PLEATABLE = ("a-line", "fit and flare", "ballgown", "empire", "wrap")


def pick(rng: Generator, weights: dict[str, float]) -> str:
    """One key, drawn in proportion to its weight."""
    share = np.fromiter(weights.values(), float)
    return str(list(weights)[int(rng.choice(len(share), p=share / share.sum()))])


@dataclass(frozen=True)
class Dress:
    """One style of the wardrobe `seed`; every photo of it is drawn from these parameters alone.

    Colours are RGB, 0 to 1: ground, two of the pattern, and the trim's. `scale` is the pattern's repeat and
    every length is in heads, the height of its wearer's head.
    """

    seed: int
    index: int
    twin_of: int | None
    silhouette: str
    neckline: str
    sleeve: str
    length: str
    hem: str
    waist: str
    trim: str
    pleats: str
    fabric: str
    pattern: str
    placement: str
    scale: float
    angle: float
    layout: int
    fullness: float
    hem_at: float
    colour_name: str
    colours: tuple[Colour, Colour, Colour, Colour]
    designer: str
    given_name: str
    word_choice: int
    price: int

    @property
    def category(self) -> str:
        """What the shop files it under."""
        if self.length == "maxi":
            return (
                "gown"
                if self.silhouette in ("ballgown", "mermaid", "sheath", "slip", "a-line")
                else "maxi dress"
            )
        dressy = self.pattern in ("sequin", "lace") or self.fabric in ("satin", "velvet")
        if dressy and self.length in ("mini", "knee"):
            return "cocktail dress"
        return {"mini": "mini dress", "knee": "day dress", "midi": "midi dress"}[self.length]

    def title(self) -> str:
        """A shop's name for it, such as "Solène Pleated Midi"."""
        adjectives = self._adjectives()
        first = adjectives[self.word_choice % len(adjectives)]
        nouns = names.SILHOUETTE_NOUNS[self.silhouette]
        noun = nouns[self.word_choice // 7 % len(nouns)]
        length = names.LENGTH_WORDS[self.length]
        if length and (noun == "Dress" or self.word_choice % 3 == 0) and "Gown" not in noun:
            noun = length if noun == "Dress" else f"{length} {noun}"
        if self.length == "maxi" and noun == "Dress":
            noun = "Gown"
        return f"{self.given_name} {first} {noun}"

    def _adjectives(self) -> list[str]:
        words = [*names.PATTERN_WORDS.get(self.pattern, ()), *names.FABRIC_WORDS[self.fabric][:1]]
        words += [
            table[key]
            for table, key in ((names.SLEEVE_WORDS, self.sleeve), (names.NECK_WORDS, self.neckline))
            if key in table
        ]
        words += ["Pleated"] if self.pleats != "none" else []
        words += [self.colour_name.title()] if self.pattern == "solid" else []
        return words


@dataclass(frozen=True)
class Wardrobe:
    """Dresses without end, each a function of (`seed`, index); every fifth is kin of one a little before.

    Of those, a third are recolours, the others differ from their twin in one attribute.
    """

    seed: int

    def dress(self, index: int) -> Dress:
        """The dress at `index` (0 or more)."""
        if index < 0:
            raise ValueError(f"a dress has an index of 0 or more, not {index}")
        return _dress(self.seed, index)


@lru_cache(maxsize=8192)
def _dress(seed: int, index: int) -> Dress:
    rng = np.random.default_rng([seed & 0xFFFFFFFF, index, 11])
    if index % 5 != 4:
        return _original(rng, seed, index)
    twin = index - int(rng.integers(1, min(index, 40) + 1))
    return _kin(rng, _dress(seed, twin), index)


def _original(rng: Generator, seed: int, index: int) -> Dress:
    name, colours = draw_colours(rng)
    length = pick(rng, LENGTHS)
    drawn = Dress(
        seed=seed,
        index=index,
        twin_of=None,
        silhouette=pick(rng, SILHOUETTES),
        neckline=pick(rng, NECKLINES),
        sleeve=pick(rng, SLEEVES),
        length=length,
        hem=pick(rng, HEMS),
        waist=pick(rng, WAISTS),
        trim=pick(rng, TRIMS),
        pleats=pick(rng, SKIRT_PLEATS),
        fabric=pick(rng, FABRICS),
        pattern=pick(rng, PATTERNS),
        placement=pick(rng, PLACEMENTS),
        scale=float(np.exp(rng.uniform(np.log(0.75), np.log(1.7)))),
        angle=float(rng.choice([0, 0, 0, np.pi / 4, np.pi / 2])),
        layout=int(rng.integers(1 << 31)),
        fullness=float(rng.uniform(0.85, 1.18)),
        hem_at=HEM_AT[length] + float(rng.uniform(-0.22, 0.22)),
        colour_name=name,
        colours=colours,
        designer="",
        given_name="",
        word_choice=0,
        price=0,
    )
    label = {**_label(rng), "price": _price(rng, drawn)}
    return _wearable(replace(drawn, **label))  # type: ignore[arg-type]


def _label(rng: Generator) -> dict[str, str | int]:
    return {
        "designer": str(rng.choice(names.DESIGNERS)), "given_name": str(rng.choice(names.GIVEN_NAMES)),
        "word_choice": int(rng.integers(1 << 20)),
    }  # fmt: skip


def _price(rng: Generator, dress: Dress) -> int:
    """Retail price in whole pounds, ending as prices do."""
    base = {"mini": 180.0, "knee": 220.0, "midi": 290.0, "maxi": 420.0}[dress.length]
    base *= 1.5 if dress.pattern in ("sequin", "lace") or dress.fabric in ("satin", "velvet") else 1
    return int(round(base * float(rng.lognormal(0, 0.35)) / 10) * 10 - 5)


def draw_colours(rng: Generator) -> tuple[str, tuple[Colour, Colour, Colour, Colour]]:
    """A ground from the palette with its name, two pattern colours that stand out from it, and the trim's."""
    weights = {str(i): row[4] for i, row in enumerate(names.PALETTE)}
    ground = names.PALETTE[int(pick(rng, weights))]
    base = _dyed(rng, ground[1:4])
    others = [_dyed(rng, names.PALETTE[int(pick(rng, weights))][1:4]) for _ in range(8)]
    first = max(others[:3], key=lambda c: _contrast(c, base))
    second = max(others[3:6], key=lambda c: min(_contrast(c, base), 0.8 * _contrast(c, first)))
    trim = others[6] if _contrast(others[6], base) > 0.25 else mix(base, (0.05, 0.05, 0.06), 0.7)
    return ground[0], (base, first, second, trim)


def _dyed(rng: Generator, rgb: tuple[int, ...]) -> Colour:
    red, green, blue = np.clip(
        np.array(rgb) / 255 + rng.normal(0, 0.018, 3) + rng.normal(0, 0.02), 0.04, 0.97
    )
    return float(red), float(green), float(blue)


def _contrast(a: Colour, b: Colour) -> float:
    return float(np.abs(np.subtract(a, b)) @ [0.4, 0.45, 0.3])


def _wearable(dress: Dress) -> Dress:
    """The same dress without what cannot be sewn together."""
    changes: dict[str, str] = {}
    if dress.neckline in BARE and dress.sleeve not in ("none",):
        changes["sleeve"] = "none"
    if dress.silhouette not in PLEATABLE:
        changes["pleats"] = "none"
    if dress.pattern not in PLACEABLE:
        changes["placement"] = "all"
    if dress.silhouette in ("shift", "trapeze", "slip", "balloon") and dress.waist not in ("plain", "belt"):
        changes["waist"] = "plain"
    if dress.silhouette == "wrap":
        changes["waist"], changes["neckline"] = "ties", "deep v" if dress.neckline in BARE else "v"
    if dress.silhouette in ("ballgown", "mermaid") and dress.length in ("mini", "knee"):
        changes["silhouette"] = "fit and flare"
    if dress.silhouette in ("balloon",) and dress.length in ("midi", "maxi"):
        changes["silhouette"] = "a-line"
    if dress.hem == "slit" and dress.length in ("mini",):
        changes["hem"] = "straight"
    if dress.trim in ("buttons", "ruffle front", "bow") and dress.neckline in (
        "deep v",
        "cowl",
        "one shoulder",
    ):
        changes["trim"] = "none"
    if dress.pattern in ("lace", "sequin") and dress.trim in ("buttons", "pockets"):
        changes["trim"] = "none"
    return replace(dress, **changes)  # type: ignore[arg-type]


def _kin(rng: Generator, parent: Dress, index: int) -> Dress:
    label = {**_label(rng), "price": parent.price, "designer": parent.designer}
    if rng.random() < 0.34:
        label["given_name"], label["word_choice"] = parent.given_name, parent.word_choice
        return replace(parent, index=index, twin_of=parent.index, **_recolour(rng, parent), **label)  # type: ignore[arg-type]
    for _ in range(60):
        changed = _wearable(replace(parent, **_one_change(rng, parent)))  # type: ignore[arg-type]
        if changed != parent:
            return replace(changed, index=index, twin_of=parent.index, **label)  # type: ignore[arg-type]
    return replace(parent, index=index, twin_of=parent.index, **_recolour(rng, parent), **label)  # type: ignore[arg-type]


def _recolour(rng: Generator, parent: Dress) -> dict[str, object]:
    for _ in range(30):
        name, colours = draw_colours(rng)
        if name != parent.colour_name and _contrast(colours[0], parent.colours[0]) > 0.12:
            break
    return {"colour_name": name, "colours": colours}


def _one_change(rng: Generator, parent: Dress) -> dict[str, object]:
    what = str(
        rng.choice(["neckline", "sleeve", "hem", "trim", "waist", "scale", "layout", "length", "silhouette"])
    )
    if what == "scale":
        return (
            {"scale": parent.scale * (1.6 if parent.scale < 1.1 else 0.6)}
            if parent.pattern != "solid"
            else {}
        )
    if what == "layout":
        placed = ("floral", "bouquet", "brush", "colour block", "ombre", "wave")
        return {"layout": int(rng.integers(1 << 31))} if parent.pattern in placed else {}
    if what == "length":
        length = pick(rng, LENGTHS)
        return {"length": length, "hem_at": HEM_AT[length]} if length != parent.length else {}
    tables = {
        "neckline": NECKLINES,
        "sleeve": SLEEVES,
        "hem": HEMS,
        "trim": TRIMS,
        "waist": WAISTS,
        "silhouette": SILHOUETTES,
    }
    return {what: pick(rng, tables[what])}
