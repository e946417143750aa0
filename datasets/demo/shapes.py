"""The four concepts of the demo dataset as SVG: sun, sail, star and arch, each in several manners.

Every function draws around the origin and returns a `Figure`. Angles are degrees, lengths pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Point = tuple[float, float]


@dataclass(frozen=True)
class Paint:
    """The colours of a figure: its body, a second tone, and the ink of its lines."""

    body: str
    second: str
    ink: str


@dataclass(frozen=True)
class Figure:
    """SVG around the origin, and the points of its outline, from which its box is computed after turning."""

    svg: str
    outline: list[Point]


def around(radius: float, number: int = 72, start: float = 0) -> list[Point]:
    """Points on a circle around the origin, the first one at `start` degrees (0 is up, clockwise)."""
    angles = [math.radians(start + 360 * i / number) for i in range(number)]
    return [(radius * math.sin(a), -radius * math.cos(a)) for a in angles]


def points(outline: list[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)


def polygon(outline: list[Point], fill: str, extra: str = "") -> str:
    return f'<polygon points="{points(outline)}" fill="{fill}" {extra}/>'


def disc(radius: float, fill: str, extra: str = "") -> str:
    return f'<circle r="{radius:.1f}" fill="{fill}" {extra}/>'


def sun(rng: Random, size: float, paint: Paint) -> Figure:
    """A disc: ringed, halved, with rays like teeth, or with rays like needles."""
    radius = size / 2
    manner = rng.choice(["rings", "rings", "halves", "teeth", "needles"])
    if manner == "rings":
        tones = ((1, paint.body), (0.78, paint.second), (0.56, paint.body), (0.3, paint.ink))[: rng.randint(2, 4)]
        return Figure("".join(disc(radius * part, tone) for part, tone in tones), around(radius))
    if manner == "halves":
        half = f'<path d="M0 {-radius:.1f} A{radius:.1f} {radius:.1f} 0 0 1 0 {radius:.1f} Z" fill="{paint.second}"/>'
        return Figure(disc(radius, paint.body) + half, around(radius))
    number = rng.choice([12, 16, 20])
    inner = radius * 0.66
    if manner == "teeth":
        tips, feet = around(radius, number), around(inner, number, 180 / number)
        teeth = [corner for pair in zip(tips, feet, strict=True) for corner in pair]
        return Figure(polygon(teeth, paint.second) + disc(inner * 0.92, paint.body), tips)
    needles = "".join(
        f'<line x2="{x:.1f}" y2="{y:.1f}" stroke="{paint.ink}" stroke-width="{size * 0.022:.1f}"/>'
        for x, y in around(radius, number)
    )
    return Figure(needles + disc(inner, paint.body) + disc(inner * 0.5, paint.second), around(radius, number))


def sail(rng: Random, size: float, paint: Paint) -> Figure:
    """A triangle: divided by its mast, striped, or folded of two tones."""
    height, width = size, size * rng.uniform(0.62, 0.95)
    lean = rng.uniform(-0.42, 0.42) * width
    top, left, right = (lean, -height / 2), (-width / 2, height / 2), (width / 2, height / 2)
    outline = [top, left, right]
    body = polygon(outline, paint.body)
    manner = rng.choice(["mast", "stripes", "fold"])
    if manner == "mast":
        foot = (rng.uniform(-0.1, 0.15) * width, height / 2)
        return Figure(body + polygon([top, foot, right], paint.second), outline)
    if manner == "stripes":
        return Figure(body + stripes(top, left, right, rng.choice([3, 4, 5]), paint.second), outline)
    middle = (lean * 0.3, height * 0.12)
    folds = polygon([top, middle, right], paint.second) + polygon([left, middle, right], paint.ink)
    return Figure(body + folds, outline)


def stripes(top: Point, left: Point, right: Point, number: int, fill: str) -> str:
    """Every second band of a triangle, parallel to its foot."""

    def between(corner: Point, part: float) -> Point:
        return (top[0] + (corner[0] - top[0]) * part, top[1] + (corner[1] - top[1]) * part)

    bands = []
    for i in range(1, 2 * number, 2):
        upper, lower = i / (2 * number), (i + 1) / (2 * number)
        band = [between(left, upper), between(right, upper), between(right, lower), between(left, lower)]
        bands.append(polygon(band, fill))
    return "".join(bands)


def star(rng: Random, size: float, paint: Paint) -> Figure:
    """A star of four to eight points, faceted in two tones like a compass rose, or flat with a disc in it.

    A flat one of many points would be a sun with teeth.
    """
    number = rng.choice([4, 5, 6, 8])
    radius = size / 2
    inner = radius * {4: 0.3, 5: 0.4, 6: 0.5, 8: 0.5}[number]
    tips, feet = around(radius, number), around(inner, number, 180 / number)
    outline = [corner for pair in zip(tips, feet, strict=True) for corner in pair]
    svg = polygon(outline, paint.body)
    if number > 5 or rng.random() < 0.5:
        halves = [polygon([tip, foot, (0, 0)], paint.second) for tip, foot in zip(tips, feet, strict=True)]
        return Figure(svg + "".join(halves), tips)
    return Figure(svg + disc(inner * 0.55, paint.second), tips)


def arch(rng: Random, size: float, paint: Paint) -> Figure:
    """A gate with a round top: arches within arches, with voussoirs, or with an open door."""
    height, width = size, size * rng.uniform(0.6, 0.78)
    manner = rng.choice(["nested", "nested", "voussoirs", "door"])
    svg = gate(width, height, height / 2, paint.body)
    if manner == "nested":
        steps = ((0.72, paint.second), (0.46, paint.body), (0.24, paint.ink))[: rng.randint(2, 3)]
        svg += "".join(gate(width * part, height * (0.5 + part / 2), height / 2, fill) for part, fill in steps)
    elif manner == "voussoirs":
        svg += voussoirs(width, height, paint.second) + gate(width * 0.55, height * 0.74, height / 2, paint.ink)
    else:
        svg += gate(width * 0.62, height * 0.78, height / 2, paint.ink)
        leaf = [(0, -height * 0.1), (width * 0.31, -height * 0.1), (width * 0.31, height / 2), (0, height / 2)]
        svg += polygon(leaf, paint.second)
    top = [(x, y - height / 2 + width / 2) for x, y in around(width / 2)]
    corners = [(-width / 2, height / 2), (width / 2, height / 2)]
    return Figure(svg, [point for point in top if point[1] <= -height / 2 + width / 2] + corners)


def gate(width: float, height: float, foot: float, fill: str) -> str:
    """A rectangle with a half disc on it, standing on y = `foot`."""
    half = width / 2
    spring = foot - height + half
    return (
        f'<path d="M{-half:.1f} {foot:.1f} V{spring:.1f} A{half:.1f} {half:.1f} 0 0 1 {half:.1f} {spring:.1f} '
        f'V{foot:.1f} Z" fill="{fill}"/>'
    )


def voussoirs(width: float, height: float, fill: str) -> str:
    """Wedges around the round top of a gate, every second one."""
    half, spring = width / 2, -height / 2 + width / 2
    wedges = []
    for i in range(0, 9, 2):
        rays = [math.radians(180 + 20 * (i + step)) for step in (0, 1)]
        outer = [(half * math.cos(a), spring + half * math.sin(a)) for a in rays]
        wedges.append(polygon([(0, spring), *outer], fill))
    return "".join(wedges)


FIGURES: dict[str, Callable[[Random, float, Paint], Figure]] = {"Sun": sun, "Sail": sail, "Star": star, "Arch": arch}


def placed(figure: Figure, x: float, y: float, angle: float) -> tuple[str, tuple[float, float, float, float]]:
    """Turn a figure by `angle` degrees and move it to x, y: its SVG and its box (x, y, width, height)."""
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    xs = [x + px * cosine - py * sine for px, py in figure.outline]
    ys = [y + px * sine + py * cosine for px, py in figure.outline]
    svg = f'<g transform="translate({x:.1f} {y:.1f}) rotate({angle:.1f})">{figure.svg}</g>'
    return svg, (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
