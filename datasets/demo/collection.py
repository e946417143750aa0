"""Which compositions there are: six invented painters, what they put where, and what a catalogue says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from datasets.demo.grounds import GROUNDS, Palette
from datasets.demo.painting import paint
from datasets.demo.shapes import FIGURES, Paint, placed

Box = tuple[float, float, float, float]

# Name, colour on the annotation page, shortcut key.
LABELS = [("Sun", "#e8a200", "1"), ("Sail", "#0f8b8d", "2"), ("Star", "#c2377e", "3"), ("Arch", "#5b5bd6", "4")]
TOTAL = 72
LEFT_FOR_THE_DETECTOR = 14  # shown without boxes, so that there is something left to find
WITHOUT_FIGURES = (29, 53)  # nothing to mark: a mark that training uses too
SIZES = [(960, 720), (720, 960), (880, 880), (1000, 700), (700, 940), (900, 760)]


@dataclass(frozen=True)
class Painter:
    """An invented painter: a manner, a medium, years, and words for titles."""

    name: str
    manner: str
    medium: str
    years: tuple[int, int]
    words: tuple[str, ...]
    palette: Palette


@dataclass(frozen=True)
class Sketch:
    """A picture before it is painted: SVG, width and height in pixels, metadata and boxes as in `Composition`."""

    svg: str
    size: tuple[int, int]
    metadata: dict[str, str]
    boxes: list[tuple[str, float, float, float, float]]


@dataclass(frozen=True)
class Composition:
    """One picture: a JPEG, its file name and metadata (Dublin Core names), and its boxes as label, x, y, width, height.

    Boxes are pixels, origin top left. Where it is not `annotated`, they are the truth that the detector should find.
    """

    image: bytes
    file_name: str
    metadata: dict[str, str]
    boxes: list[tuple[str, float, float, float, float]]
    annotated: bool


PAINTERS = [
    Painter(
        "Vera Malinova",
        "planes",
        "Oil on canvas",
        (1915, 1924),
        ("Dynamic Construction", "Floating Planes", "Composition in Red", "Flight"),
        Palette(
            ("#ece4d3", "#d9cdb6", "#c9bfae", "#8e9aa6", "#d6b65f", "#b9543f"),
            (("#c8321f", "#7d1a12"), ("#1d4f91", "#0d2748"), ("#e0a722", "#a86f10"), ("#1f1d1b", "#c8321f")),
            "#26221f",
        ),
    ),
    Painter(
        "Otto Lindqvist",
        "squares",
        "Watercolour on gesso",
        (1921, 1932),
        ("Magic Ground", "Southern Gardens", "Polyphony", "Architecture of the Plain"),
        Palette(
            ("#c98f6b", "#b5785a", "#d8b48a", "#a48a6a", "#8c8f7c", "#c7a15e", "#9d6a55", "#b9a58f", "#77808a"),
            (("#fbf1d6", "#e2b23f"), ("#2b2f4a", "#5b6a93"), ("#f4d35e", "#b3472a"), ("#f7efe2", "#3f6f73")),
            "#2a2328",
        ),
    ),
    Painter(
        "Ines Salvatori",
        "coast",
        "Gouache on paper",
        (1926, 1938),
        ("Regatta", "Harbour at Noon", "The Bay", "Wind from the South"),
        Palette(
            ("#f3c98b", "#f6e3c0", "#7fb3b5", "#4c8c9b", "#2f6780", "#d9a066", "#b5623d"),
            (("#fff8ea", "#d9482b"), ("#d9482b", "#fff3dc"), ("#16324a", "#f0b429"), ("#f7d34f", "#c7372f")),
            "#142a3c",
        ),
    ),
    Painter(
        "Teodor Kovač",
        "night",
        "Tempera on panel",
        (1929, 1941),
        ("Nocturne", "Orbit", "Quiet Hour", "The Astronomer's Window"),
        Palette(
            ("#0e1436", "#1c2a5e", "#3a3f7d", "#6d7cc2", "#cdd6ff", "#0a0f26"),
            (("#f7d774", "#e08e2b"), ("#f2ede0", "#9fb2e8"), ("#e8574b", "#8c2340"), ("#6fd0c5", "#257f86")),
            "#f4e9c8",
        ),
    ),
    Painter(
        "Amélie Duroc",
        "panels",
        "Cut paper, painted with gouache",
        (1943, 1953),
        ("Jazz for Scissors", "The Garden Wall", "Lagoon", "Sheaf"),
        Palette(
            ("#f2b5a7", "#8fc0a9", "#f3d9a4", "#7fa6d6", "#c9b3dd", "#e9e2d0"),
            (("#12355b", "#2f6db5"), ("#d7263d", "#7c1227"), ("#1b7f4b", "#0c4a2c"), ("#f46f1b", "#a63d07")),
            "#1c1a22",
        ),
    ),
    Painter(
        "Kenji Aramaki",
        "print",
        "Colour woodcut",
        (1931, 1949),
        ("Rain over Roofs", "Evening Market", "Path", "First Snow"),
        Palette(
            ("#efe6d2", "#a9997d", "#8fa8a0", "#d8b98a", "#cf9480"),
            (("#20242b", "#b3261e"), ("#b3261e", "#6d1410"), ("#1f5673", "#0e2d40"), ("#c58b1b", "#7c520c")),
            "#1a1c20",
        ),
    ),
]


def compositions() -> Iterator[Composition]:
    """Make the collection, one picture after the other; the same pictures every time."""
    for number in range(TOTAL):
        yield composition(number)


def composition(number: int) -> Composition:
    """Paint the picture of this number, 0 to `TOTAL` - 1."""
    drawn = sketch(number)
    image = paint(drawn.svg, *drawn.size, seed=number * 10)
    annotated = number in WITHOUT_FIGURES or number < TOTAL - LEFT_FOR_THE_DETECTOR
    return Composition(image, f"demo_{number + 1:03}.jpg", drawn.metadata, drawn.boxes, annotated)


def sketch(number: int) -> Sketch:
    """Decide everything about the picture of this number."""
    rng = Random(7_000 + number)  # noqa: S311  (pictures, no secrets)
    painter = PAINTERS[number % len(PAINTERS)]
    width, height = SIZES[(number // len(PAINTERS) + number) % len(SIZES)]
    svg = GROUNDS[painter.manner](rng, width, height, painter.palette)
    boxes = []
    if number not in WITHOUT_FIGURES:
        for label, figure, box in figures(rng, painter, width, height, number):
            svg += figure
            boxes.append((label, *box))
    metadata = catalogue(rng, painter, number, [box[0] for box in boxes], (width, height))
    return Sketch(svg, (width, height), metadata, boxes)


def figures(rng: Random, painter: Painter, width: int, height: int, number: int) -> Iterator[tuple[str, str, Box]]:
    """Four to seven figures that do not touch: label, SVG, box. Labels take turns, so that none becomes rare."""
    names = list(FIGURES)
    taken: list[Box] = []
    total = rng.randint(4, 7)
    for turn in range(total):
        label = names[(number + turn) % len(names)] if turn < len(names) else rng.choice(names)
        for _ in range(60):
            svg, box = attempt(rng, painter, label, width, height, large=turn == 0)
            if is_free(box, taken, width, height):
                taken.append(box)
                yield label, svg, box
                break


def attempt(rng: Random, painter: Painter, label: str, width: int, height: int, *, large: bool) -> tuple[str, Box]:
    """One figure of some size, colour, place and turn."""
    side = min(width, height)
    size = side * (rng.uniform(0.3, 0.42) if large else rng.uniform(0.16, 0.28))
    body, second = rng.choice(painter.palette.pairs)
    figure = FIGURES[label](rng, size, Paint(body, second, painter.palette.ink))
    turn = {"Sun": 180.0, "Star": 180.0, "Sail": 24.0, "Arch": 7.0}[label]
    if painter.manner in ("coast", "night") and label in ("Sail", "Arch"):
        turn /= 3  # they stand on something here
    low, high = (0.0, 1.0)
    if painter.manner == "coast":
        low, high = (0.0, 0.5) if label in ("Sun", "Star") else (0.4, 1.0)
    return placed(figure, rng.uniform(0, width), rng.uniform(low, high) * height, rng.uniform(-turn, turn))


def is_free(box: Box, taken: list[Box], width: int, height: int) -> bool:
    """Whether a box lies inside the canvas and a finger's breadth from every other."""
    x, y, wide, high = box
    gap = 12
    if x < gap or y < gap or x + wide > width - gap or y + high > height - gap:
        return False
    return all(
        x > ox + ow + gap or ox > x + wide + gap or y > oy + oh + gap or oy > y + high + gap for ox, oy, ow, oh in taken
    )


def catalogue(rng: Random, painter: Painter, number: int, labels: list[str], size: tuple[int, int]) -> dict[str, str]:
    """What a museum's catalogue would say; the description says that the painter is invented."""
    series = number // len(PAINTERS) + 1
    word = painter.words[(series - 1) % len(painter.words)]
    most = max(sorted(set(labels)), key=labels.count, default="")
    number_of = {1: most}.get(labels.count(most), "Arches" if most == "Arch" else f"{most}s")
    subject = f" with {number_of}" if most else ""
    return {
        "title": f"{word}{subject}, No. {series}",
        "creator": painter.name,
        "date": str(rng.randint(*painter.years)),
        "medium": painter.medium,
        "extent": f"{size[1] / 10:.0f} × {size[0] / 10:.0f} cm",
        "identifier": f"WN {1000 + number * 7}",
        "publisher": "WebNet demo collection",
        "rights": "CC0 1.0",
        "description": "Made by code for the demo of WebNet Trainer. The painter and the catalogue entry are invented.",
    }
