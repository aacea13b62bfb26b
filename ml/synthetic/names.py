"""The words of the house: designers, given names, colours and what a cut is called."""

from __future__ import annotations

DESIGNERS = tuple(
    """Maison Orlane|Atelier Brume|Halden & Rye|Ines Calder|Fable Row|Noor Studio|Lindqvist|Ottoline|
    Casa Verena|
    Marlowe Lane|Pell & Quince|Soraya Amin|Tilda Vance|Rue Violette|Odette Faure|Kestrel|Hana Mori Atelier|
    Bellamy North|Cosima Grey|Arden & Moss|Lucia Ferrante|Wren Abbey|Delphine Roux|Saint Averil|Juno Park|
    Mirabel|Etta Lowe|Nadia Koury|Osterley|Palomar|Vesper & Vine|Isolde|Greta Holm|Amara Obi|Luma Collective|
    Petra Novak|Sable House|Thea Laurent|Clover Hill|Yael Ronen""".replace("\n    ", "").split("|")
)

GIVEN_NAMES = tuple(
    """
    Solène Amélie Bianca Calla Dahlia Elowen Fiora Giselle Harlow Imogen Jolie Katya Leonie Margaux
    Nerissa Odile Paloma Quinn Rosalind Saskia Thalia Una Violetta Willa Xenia Yvaine Zelda Adele
    Beatrix Celeste Daphne Esme Flavia Greer Helena Iris Juliette Kaia Linnea Marisol Noemi Oriana Perla
    Romy Sienna Tamsin Ursula Vera Winnie Yara Zora Anouk Briar Corinne Delia Elodie Freya Gemma Hattie
    Ilse Jasmine Kirsten Lucinda Mireille Nadine Ondine Penelope Rhea Simone Tatiana Valentina
    Wilhelmina Zinnia Astrid Bronte Clementine Dorothea Eulalie Francesca Georgia Hollis Ingrid Jacinta
    Kendra Lorelei Marguerite Nicolette Opal Philippa Raquel Severine Tess Vivienne Whitney Ysabel Zahra
    Aurelia Blythe Camille Dominique Estelle Felicity Genevieve Hermione Isadora Josephine Karina
    Lavinia Matilda Natalia Ophelia Priscilla Renata Serafina Theodora Verity Winslow Yolanda Zuri Alma
    Birdie Cleo Dove Edie Fern Goldie Honor Ida Juno Kit Lark Mabel Nell Olive Pearl Ruby Sage Tilly
    Vesper Wren Anthea Carys Delphi Elara Ginevra Honora Isla Junia Kerensa Liv Maren Nova Orla Petra
    Rowan Sunniva Tova Undine Vesna Wynne Zadie
    """.split()  # noqa: SIM905
)

# name, red, green, blue, how often it is drawn
PALETTE: tuple[tuple[str, int, int, int, float], ...] = (
    ("black", 26, 25, 29, 4.0),
    ("navy", 28, 36, 74, 3.0),
    ("midnight", 22, 28, 54, 1.0),
    ("ivory", 240, 232, 216, 2.0),
    ("white", 244, 243, 241, 1.5),
    ("blush", 234, 190, 186, 2.4),
    ("rose", 200, 92, 112, 1.6),
    ("fuchsia", 194, 38, 116, 1.2),
    ("red", 186, 28, 40, 2.6),
    ("burgundy", 104, 22, 42, 2.0),
    ("rust", 172, 82, 46, 1.2),
    ("terracotta", 198, 108, 82, 1.0),
    ("coral", 240, 122, 102, 1.2),
    ("apricot", 246, 184, 136, 0.8),
    ("marigold", 232, 168, 52, 1.2),
    ("butter", 246, 226, 160, 1.0),
    ("champagne", 222, 198, 164, 1.4),
    ("camel", 180, 140, 98, 0.8),
    ("chocolate", 82, 54, 42, 0.8),
    ("olive", 106, 108, 60, 1.0),
    ("sage", 166, 182, 152, 1.4),
    ("emerald", 18, 104, 78, 2.0),
    ("forest", 30, 66, 50, 1.0),
    ("mint", 184, 222, 200, 0.8),
    ("teal", 24, 110, 118, 1.0),
    ("sky", 156, 194, 224, 1.6),
    ("cornflower", 92, 126, 194, 1.2),
    ("cobalt", 36, 66, 168, 1.4),
    ("lilac", 192, 172, 214, 1.4),
    ("aubergine", 66, 34, 66, 1.2),
    ("silver", 188, 190, 196, 0.8),
    ("charcoal", 66, 68, 74, 0.8),
)

PATTERN_WORDS: dict[str, tuple[str, ...]] = {
    "stripe": ("Striped", "Stripe"),
    "breton": ("Breton", "Sailor"),
    "pinstripe": ("Pinstripe",),
    "gingham": ("Gingham", "Picnic Check"),
    "plaid": ("Plaid", "Tartan"),
    "windowpane": ("Windowpane",),
    "dot": ("Polka Dot", "Dotted"),
    "confetti": ("Confetti", "Speckled"),
    "chevron": ("Chevron", "Zigzag"),
    "houndstooth": ("Houndstooth",),
    "ditsy": ("Ditsy Floral", "Meadow"),
    "floral": ("Floral", "Garden Rose"),
    "botanical": ("Botanical", "Palm Leaf"),
    "leopard": ("Leopard", "Ocelot"),
    "zebra": ("Zebra",),
    "tile": ("Tile Print", "Mosaic"),
    "brush": ("Brushstroke", "Painterly"),
    "paisley": ("Paisley",),
    "wave": ("Wave Print", "Marbled"),
    "lace": ("Lace", "Guipure"),
    "sequin": ("Sequin", "Sequined"),
    "colour block": ("Colour-Block", "Two-Tone"),
    "ombre": ("Ombré", "Dip-Dye"),
    "bouquet": ("Bouquet", "Placed Bloom"),
}

FABRIC_WORDS: dict[str, tuple[str, ...]] = {
    "crepe": ("Crepe",),
    "satin": ("Satin", "Silk"),
    "chiffon": ("Chiffon",),
    "velvet": ("Velvet",),
    "jersey": ("Jersey",),
    "linen": ("Linen", "Cotton"),
    "tweed": ("Tweed", "Bouclé"),
}

SILHOUETTE_NOUNS: dict[str, tuple[str, ...]] = {
    "sheath": ("Sheath", "Column Dress"),
    "a-line": ("A-Line Dress", "Dress"),
    "fit and flare": ("Swing Dress", "Skater Dress"),
    "ballgown": ("Ballgown", "Gown"),
    "mermaid": ("Mermaid Gown", "Trumpet Gown"),
    "shift": ("Shift", "Shift Dress"),
    "slip": ("Slip", "Slip Dress"),
    "wrap": ("Wrap Dress", "Wrap"),
    "empire": ("Empire Dress", "Dress"),
    "peplum": ("Peplum Dress",),
    "tiered": ("Tiered Dress", "Prairie Dress"),
    "trapeze": ("Trapeze Dress", "Swing"),
    "balloon": ("Bubble Dress", "Cocoon Dress"),
}

SLEEVE_WORDS = {
    "puff": "Puff-Sleeve",
    "bishop": "Bishop-Sleeve",
    "bell": "Bell-Sleeve",
    "flutter": "Flutter",
    "long": "Long-Sleeve",
    "cap": "Cap-Sleeve",
}
NECK_WORDS = {
    "halter": "Halter",
    "off shoulder": "Off-Shoulder",
    "one shoulder": "One-Shoulder",
    "square": "Square-Neck",
    "sweetheart": "Sweetheart",
    "bandeau": "Strapless",
    "cowl": "Cowl",
    "boat": "Bateau",
    "high": "High-Neck",
    "deep v": "Plunge",
    "collar": "Shirt",
    "keyhole": "Keyhole",
}
LENGTH_WORDS = {"mini": "Mini", "knee": "", "midi": "Midi", "maxi": "Maxi"}
