"""The grounds of the demo's compositions: six manners of painting, as SVG that fills the canvas.

Each function takes the canvas size in pixels and a palette, and returns SVG. Nothing in a ground is a concept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Palette:
    """Colours of one manner: those of the ground, and those of the figures (body, second tone) with their ink."""

    ground: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    ink: str


def rect(x: float, y: float, width: float, height: float, fill: str, extra: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" {extra}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, extra: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
        f'stroke-width="{width:.1f}" {extra}/>'
    )


def planes(rng: Random, width: int, height: int, palette: Palette) -> str:
    """Tilted bars and thin lines that float on a light ground."""
    tilt = rng.choice([-1, 1]) * rng.uniform(18, 38)
    parts = [rect(0, 0, width, height, palette.ground[0])]
    for _ in range(rng.randint(7, 11)):
        across = rng.random() < 0.25
        x, y = rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height
        long, thick = rng.uniform(0.14, 0.55) * width, rng.choice([6, 12, 26, 46, 90])
        turn = f'transform="rotate({tilt + 90 * across + rng.uniform(-3, 3):.1f} {x:.1f} {y:.1f})"'
        parts.append(rect(x - long / 2, y - thick / 2, long, thick, rng.choice(palette.ground[1:]), turn))
    for _ in range(4):
        x, y, long = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.3, 0.8) * width
        colour = rng.choice([palette.ink, palette.ink, palette.pairs[0][0]])
        dx, dy = long * math.cos(math.radians(tilt)), long * math.sin(math.radians(tilt))
        parts.append(line(x - dx / 2, y - dy / 2, x + dx / 2, y + dy / 2, colour, rng.choice([1.5, 3, 7])))
    return "".join(parts)


def squares(rng: Random, width: int, height: int, palette: Palette) -> str:
    """A chequer of muted squares, here and there one divided in two."""
    columns = rng.randint(5, 7)
    side = width / columns
    rows = math.ceil(height / side)
    parts = []
    for row in range(rows):
        for column in range(columns):
            x, y = column * side, row * side
            parts.append(rect(x - 0.5, y - 0.5, side + 1, side + 1, rng.choice(palette.ground)))
            if rng.random() < 0.22:
                high = rng.random() < 0.5
                part = (side, side / 2) if high else (side / 2, side)
                parts.append(rect(x - 0.5, y - 0.5, part[0] + 1, part[1] + 1, rng.choice(palette.ground)))
    return "".join(parts)


def gradient(name: str, *stops: str) -> str:
    """A vertical gradient that can be painted with as `url(#name)`."""
    last = max(len(stops) - 1, 1)
    inner = "".join(f'<stop offset="{i / last:.2f}" stop-color="{stop}"/>' for i, stop in enumerate(stops))
    return f'<defs><linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">{inner}</linearGradient></defs>'


def wave(rng: Random, width: int, height: int, top: float, swing: float, fill: str) -> str:
    """Everything below a wavy line at y = `top`."""
    start, length = rng.uniform(0, 6.3), rng.uniform(0.5, 1.2) * width

    def swell(x: int) -> float:
        return math.sin(start + 6.3 * x / length) + 0.3 * math.sin(3 * x / length)

    shore = " ".join(f"L{x} {top + swing * swell(x):.1f}" for x in range(0, width + 41, 20))
    return f'<path d="M0 {height} {shore} L{width} {height} Z" fill="{fill}"/>'


def coast(rng: Random, width: int, height: int, palette: Palette) -> str:
    """A sky, and layers of hills and water below it."""
    sky, *layers = palette.ground
    parts = [gradient("sky", sky, layers[0]), rect(0, 0, width, height, "url(#sky)")]
    top = 0.42 * height
    for fill in layers[1:]:
        parts.append(wave(rng, width, height, top, rng.uniform(6, 34), fill))
        top += height * 0.58 / len(layers[1:]) * rng.uniform(0.85, 1.1)
    for _ in range(rng.randint(5, 9)):
        x, y, long = rng.uniform(0, width), rng.uniform(0.5, 0.95) * height, rng.uniform(40, 190)
        parts.append(line(x, y, x + long, y, layers[0], rng.choice([2, 3, 5]), 'stroke-linecap="round" opacity="0.7"'))
    return "".join(parts)


def night(rng: Random, width: int, height: int, palette: Palette) -> str:
    """A dark sky with orbits, a thread of points, and a horizon."""
    parts = [gradient("night", *palette.ground[:3]), rect(0, 0, width, height, "url(#night)")]
    cx, cy = rng.uniform(0.2, 0.8) * width, rng.uniform(0.1, 0.6) * height
    for i in range(rng.randint(3, 5)):
        radius = (0.45 + 0.2 * i) * width
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}" fill="none" stroke="{palette.ground[3]}" '
            f'stroke-width="{rng.choice([1.5, 2.5])}" opacity="0.55"/>'
        )
    thread = [(rng.uniform(0, width), rng.uniform(0, 0.75) * height) for _ in range(9)]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in sorted(thread))
    tone = palette.ground[4]
    parts.append(f'<polyline points="{joined}" fill="none" stroke="{tone}" stroke-width="1.5" opacity="0.5"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{tone}"/>' for x, y in thread]
    parts.append(wave(rng, width, height, height * rng.uniform(0.8, 0.88), 12, palette.ground[5]))
    return "".join(parts)


def leaf(rng: Random, x: float, y: float, size: float, fill: str) -> str:
    """A cut-out with rounded lobes, as scissors leave it."""
    lobes, start = rng.choice([5, 6, 7]), rng.uniform(0, 6.3)
    curve = []
    for i in range(90):
        angle = 6.2832 * i / 90
        radius = size * (0.74 + 0.26 * math.sin(lobes * angle + start))
        curve.append(f"{x + radius * math.cos(angle):.1f},{y + radius * 0.8 * math.sin(angle):.1f}")
    return f'<polygon points="{" ".join(curve)}" fill="{fill}"/>'


def panels(rng: Random, width: int, height: int, palette: Palette) -> str:
    """Bold panels of paper with cut-out leaves."""
    columns, rows = rng.choice([(2, 2), (3, 2), (2, 3)])
    colours = [rng.choice(palette.ground) for _ in range(columns * rows)]
    parts = []
    for i, colour in enumerate(colours):
        x, y = (i % columns) * width / columns, (i // columns) * height / rows
        parts.append(rect(x - 0.5, y - 0.5, width / columns + 1, height / rows + 1, colour))
    for _ in range(rng.randint(4, 6)):
        size = rng.uniform(0.06, 0.12) * width
        x, y = rng.uniform(0.05, 0.95) * width, rng.uniform(0.05, 0.95) * height
        parts.append(leaf(rng, x, y, size, rng.choice(palette.ground)))
    return "".join(parts)


def print_block(rng: Random, width: int, height: int, palette: Palette) -> str:
    """Paper with hatched blocks, as a woodcut leaves them."""
    parts = [rect(0, 0, width, height, palette.ground[0])]
    for _ in range(rng.randint(5, 7)):
        x, y = rng.uniform(-0.1, 0.8) * width, rng.uniform(-0.1, 0.8) * height
        wide, high = rng.uniform(0.2, 0.5) * width, rng.uniform(0.15, 0.4) * height
        colour, gap = rng.choice(palette.ground[1:]), rng.choice([9, 12, 16])
        if rng.random() < 0.35:
            parts.append(rect(x, y, wide, high, colour))
            continue
        flat = rng.random() < 0.5
        for i in range(int((high if flat else wide) / gap)):
            step = i * gap
            ends = (x, y + step, x + wide, y + step) if flat else (x + step, y, x + step, y + high)
            parts.append(line(*ends, colour, gap * 0.34))
    return "".join(parts)


GROUNDS: dict[str, Callable[[Random, int, int, Palette], str]] = {
    "planes": planes,
    "squares": squares,
    "coast": coast,
    "night": night,
    "panels": panels,
    "print": print_block,
}
