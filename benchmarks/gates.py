"""What the quality gates are worth: precision and recall of each, and what they cost a photo.

Drawn photos, pages and screenshots; real photos of clothes beside them where ../shared/data has them, whose
shorter side of 192 pixels says nothing of the gate for size. A gate's positives are made of the good photos:
blurred, shrunk, framed as screenshots, copied; pages are set from words. Precision is stated for one positive
in ten photos taken in, whatever the numbers drawn here.

    .venv/bin/python benchmarks/gates.py [--photos 100] [--json FILE]
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml.synthetic import NEGATIVE_KINDS, Wardrobe, negative_photo, street_photo  # noqa: E402
from verify import gates  # noqa: E402
from verify.gates import Gate, Measures, holds, measure  # noqa: E402
from verify.intake import faces  # noqa: E402

Picture = Image.Image
SHARE = 0.1  # of photos taken in that a gate is there for
THRESHOLDS = {Gate.SIZE: 100, Gate.BLUR: 25, Gate.TEXT: 0.55, Gate.SCREENSHOT: 0.08, Gate.DUPLICATE: 6}
REAL = ROOT.parent / "shared" / "data" / "photos" / "clothing" / "train"
GARMENTS, FACING = REAL.parents[1] / "garments", "[mw][hjstb]??-*_main.jpg"  # worn tops, from the front
PETS = REAL.parents[1] / "pets"
WORDS = [
    *(
        "the",
        "night",
        "we",
        "danced",
        "until",
        "morning",
        "and",
        "nobody",
        "wanted",
        "to",
        "go",
        "home",
        "silk",
    ),
    *(
        "velvet",
        "summer",
        "sale",
        "today",
        "only",
        "love",
        "is",
        "a",
        "dress",
        "that",
        "never",
        "fades",
        "new",
    ),
]


def good(count: int) -> list[Picture]:
    """Street photos, and what customers post that is no dress."""
    wardrobe, kinds = Wardrobe(2026), list(NEGATIVE_KINDS)
    dressed = [street_photo(wardrobe.dress(each % 40), (540, 720), each) for each in range(count)]
    others = range(count // 2)
    return dressed + [
        negative_photo(kinds[each % len(kinds)], (540, 720), each, wardrobe.dress(each)) for each in others
    ]


def real(count: int) -> list[Picture]:
    return opened(REAL, "*/*.jpg", count)


def opened(folder: Path, pattern: str, count: int) -> list[Picture]:
    files = sorted(folder.glob(pattern))
    random.Random(1).shuffle(files)
    return [Image.open(file).convert("RGB") for file in files[:count]]


def beside(one: Picture, other: Picture) -> Picture:
    """Two photos of the same height as one."""
    other = other.resize((other.width * one.height // other.height, one.height))
    both = Image.new("RGB", (one.width + other.width, one.height))
    both.paste(one)
    both.paste(other, (one.width, 0))
    return both


def people(drawn: list[Picture], count: int) -> dict[str, str]:
    """Share of photos in which more than one face is counted: pairs of people, and what holds one or none."""
    sets = {"drawn, one person or none": drawn}
    if REAL.exists():
        facing, any_view = opened(GARMENTS, FACING, count), opened(GARMENTS, "[mw]*.jpg", count)
        sets |= {
            "pairs, both from the front": list(map(beside, facing, reversed(facing))),
            "pairs from any side, close-ups among them": list(map(beside, any_view, reversed(any_view))),
            "one person": opened(GARMENTS, "*.jpg", 3 * count),
            "clothes": real(3 * count),
            "pets": opened(PETS, "*.jpg", count),
        }
    told = {}
    for name, photos in sets.items():
        several = sum(faces.count(photo) > 1 for photo in photos)
        told[name] = f"{several} of {len(photos)}, {several / len(photos):.1%}"
    print("\nMore than one face\n")
    show(["photos", "flagged"], [[name, found] for name, found in told.items()])
    return told


def saved(picture: Picture, quality: int = 85) -> Picture:
    buffer = BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(BytesIO(buffer.getvalue())).convert("RGB")


def measured(picture: Picture) -> Measures:
    return measure(saved(picture), min(picture.size))


def blurred(picture: Picture, chance: random.Random) -> Picture:
    """As by a shaking hand or a wrong focus: 6 to 12 pixels of a photo of 1,080."""
    radius = chance.uniform(6, 12) / 1080 * max(picture.size)
    return picture.filter(ImageFilter.GaussianBlur(radius))


def page(chance: random.Random) -> Picture:
    """A saying on a coloured ground."""
    ground = tuple(chance.randrange(256) for _ in range(3))
    ink = "black" if sum(ground) > 384 else "white"
    picture = Image.new("RGB", (720, 900), ground)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(chance.choice([28, 36, 48, 64, 80]))
    top = float(chance.randrange(60, 250))
    for _ in range(chance.randrange(3, 9)):
        words = line(pen, font, chance, 430)
        pen.text(((720 - pen.textlength(words, font=font)) / 2, top), words, font=font, fill=ink)
        top += font.size * 1.35
    return picture


def line(pen: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont, chance: random.Random, width: int) -> str:
    words = ""
    while pen.textlength(words, font=font) < width:
        words += f"{chance.choice(WORDS)} "
    return words


def screenshot(photo: Picture, chance: random.Random) -> Picture:
    """A post as an app on a phone shows it, sometimes cut to 4:5."""
    paper, ink = chance.choice([("black", "white"), ("white", "black")])
    width, height = 720, chance.choice([1280, 1440, 1560])
    screen = Image.new("RGB", (width, height), paper)
    pen, small, large = ImageDraw.Draw(screen), ImageFont.load_default(26), ImageFont.load_default(30)
    pen.text((40, 14), f"{chance.randrange(24)}:{chance.randrange(10, 60)}", font=small, fill=ink)
    pen.rectangle((630, 18, 680, 38), outline=ink, width=3)
    pen.ellipse((24, 80, 84, 140), fill="purple")
    pen.text((104, 92), f"{chance.choice(WORDS)}_{chance.choice(WORDS)}", font=large, fill=ink)
    shown = photo.resize((width, width * photo.height // photo.width))
    below = 180 + min(shown.height, height - 520)
    screen.paste(shown.crop((0, 0, width, below - 180)), (0, 160))
    for left in (30, 100, 170, 650):
        pen.ellipse((left, below, left + 40, below + 40), outline=ink, width=4)
    pen.text((30, below + 70), f"{chance.randrange(1000)} likes", font=large, fill=ink)
    for number in range(chance.randrange(2, 6)):
        pen.text((30, below + 116 + 40 * number), line(pen, small, chance, 420), font=small, fill=ink)
    return screen.crop((0, height - 900, 720, height)) if chance.random() < 0.3 else screen


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "half the size": lambda photo: photo.resize((photo.width // 2, photo.height // 2)),
    "JPEG of quality 30": lambda photo: saved(photo, 30),
    "brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.25),
    "less colour": lambda photo: ImageEnhance.Color(photo).enhance(0.3),
    "2% cut off": lambda photo: photo.crop(
        (photo.width // 50, photo.height // 50, photo.width * 49 // 50, photo.height * 49 // 50)
    ),
    "5% cut off": lambda photo: photo.crop(
        (photo.width // 20, photo.height // 20, photo.width * 19 // 20, photo.height * 19 // 20)
    ),
    "a name written on it": lambda photo: signed(photo),
    "mirrored": lambda photo: photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def signed(photo: Picture) -> Picture:
    copy = photo.copy()
    font = ImageFont.load_default(photo.width / 14)
    ImageDraw.Draw(copy).text(
        (photo.width * 0.05, photo.height * 0.9), "@somebody.else", font=font, fill="white"
    )
    return copy


def figures(photos: list[Picture], chance: random.Random) -> Iterator[tuple[Gate, int, int, int, int]]:
    """For each gate that looks at one photo: found, of how many; falsely held, of how many."""
    whole = [measured(photo) for photo in photos]
    small = [photo.resize([80 * side // min(photo.size) for side in photo.size]) for photo in photos]
    wrong = {
        Gate.SIZE: [measured(photo) for photo in small],
        Gate.BLUR: [measured(blurred(photo, chance)) for photo in photos],
        Gate.TEXT: [measured(page(chance)) for _ in photos],
        Gate.SCREENSHOT: [measured(screenshot(photo, chance)) for photo in photos],
    }
    values = {
        Gate.SIZE: lambda found: found.side,
        Gate.BLUR: lambda found: found.sharpness,
        Gate.TEXT: lambda found: found.paper,
        Gate.SCREENSHOT: lambda found: found.writing,
    }
    for gate, made in wrong.items():
        held = [
            [holds(gate, values[gate](found), THRESHOLDS[gate]) for found in each] for each in (made, whole)
        ]
        yield gate, sum(held[0]), len(made), sum(held[1]), len(whole)


def copies(photos: list[Picture]) -> tuple[dict[str, float], float, list[int]]:
    """Recall by kind of copy, the share of pairs of other photos taken for copies, and their distances."""
    prints = [measured(photo).fingerprint for photo in photos]
    known = [(photo, print_) for photo, print_ in zip(photos, prints, strict=True) if print_ is not None]
    recall = {}
    for name, copy in COPIES.items():
        found = [gates.distance(print_, measured(copy(photo)).fingerprint or 0) for photo, print_ in known]
        recall[name] = float(np.mean([distance <= THRESHOLDS[Gate.DUPLICATE] for distance in found]))
    apart = [gates.distance(one, other) for (_, one), (_, other) in combinations(known, 2)]
    return recall, float(np.mean([each <= THRESHOLDS[Gate.DUPLICATE] for each in apart])), apart


def precision(recall: float, false: float) -> float:
    """Of what is held back, with `SHARE` of the photos being what the gate is there for."""
    return SHARE * recall / (SHARE * recall + (1 - SHARE) * false) if recall or false else 0.0


def cost(photos: list[Picture], measuring: Callable[[Picture], object]) -> float:
    """Milliseconds of a photo, from our large copy."""
    started = time.process_time()
    for photo in photos:
        measuring(photo)
    return 1000 * (time.process_time() - started) / len(photos)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=100, help="of a kind (100)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    sets = {"drawn": good(options.photos)}
    if REAL.exists():
        sets["real"] = real(3 * options.photos)
    told = {name: report(name, photos) for name, photos in sets.items()}
    large = [photo.resize((810, 1080)) for photo in sets["drawn"][:50]]
    told["people"] = people(sets["drawn"], options.photos)
    told["milliseconds"] = cost(large, lambda photo: measure(photo, min(photo.size)))
    told["milliseconds of faces"] = cost(large, faces.count)
    print(f"\nA photo of 810 x 1080 costs {told['milliseconds']:.1f} ms of computing,")
    print(f"and {told['milliseconds of faces']:.1f} ms for its faces.")
    if options.json:
        options.json.write_text(json.dumps(told, indent=1))


def report(name: str, photos: list[Picture]) -> dict[str, object]:
    rows = []
    for gate, found, of, false, whole in figures(photos, random.Random(7)):
        sure = precision(found / of, false / whole)
        held = f"{false} of {whole}, {false / whole:.1%}"
        rows.append([gate.value, f"{found} of {of}, {found / of:.1%}", held, f"{sure:.1%}"])
    print(f"\n{len(photos)} {name} photos\n")
    show(["gate", "recall", "falsely held", "precision at 1 in 10"], rows)
    recall, false_pairs, apart = copies(photos)
    print(
        f"\nCopies of {len(photos)} {name} photos, held back at {THRESHOLDS[Gate.DUPLICATE]} bits or fewer\n"
    )
    show(["copy", "recall"], [[kind, f"{share:.1%}"] for kind, share in recall.items()])
    print(f"Of {len(apart):,} pairs of others {false_pairs:.4%}; the nearest differ in {min(apart)} bits.")
    return {"gates": rows, "copies": recall, "others": false_pairs, "nearest": min(apart)}


def show(headings: list[str], rows: list[list[str]]) -> None:
    for row in (headings, ["---"] * len(headings), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
