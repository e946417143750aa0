"""Turn SVG into something that looks painted: edges of a hand, the weave of a canvas, the streaks of a brush."""

import pyvips

WOBBLE = 2.2  # how far an edge strays, in pixels
MARGIN = 8


def paint(svg: str, width: int, height: int, seed: int) -> bytes:
    """JPEG of an SVG drawing of `width` × `height` pixels; the same seed gives the same picture."""
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{svg}</svg>'
    drawn = pyvips.Image.svgload_buffer(frame.encode()).flatten(background=255).copy_memory()
    painted = textured(wobbling(drawn, seed), seed)
    return bytes(painted.jpegsave_buffer(Q=88, keep="none"))


def wobbling(image: pyvips.Image, seed: int) -> pyvips.Image:
    """Move every pixel a little, so that no edge is a ruler's."""
    width, height = image.width + 2 * MARGIN, image.height + 2 * MARGIN
    wider = image.embed(MARGIN, MARGIN, width, height, extend="copy")  # there is no picture to stray into beyond it
    strays = [pyvips.Image.perlin(width, height, cell_size=48, seed=seed + i) * WOBBLE for i in (1, 2)]
    index = pyvips.Image.xyz(width, height) + strays[0].bandjoin(strays[1])
    moved = wider.mapim(index, interpolate=pyvips.Interpolate.new("bilinear"))
    return moved.crop(MARGIN, MARGIN, image.width, image.height)


def textured(image: pyvips.Image, seed: int) -> pyvips.Image:
    """Lay grain, streaks of the brush and uneven light over a picture."""
    width, height = image.width, image.height
    grain = pyvips.Image.gaussnoise(width, height, mean=0, sigma=0.045, seed=seed + 3).gaussblur(0.7)
    narrow = pyvips.Image.gaussnoise(width // 32 + 1, height, mean=0, sigma=0.038, seed=seed + 4).gaussblur(0.6)
    streaks = narrow.resize(32, vscale=1, kernel="cubic").crop(0, 0, width, height)
    light = pyvips.Image.perlin(width, height, cell_size=260, seed=seed + 5) * 0.05
    return (image * (grain + streaks + light + 1)).cast("uchar").copy(interpretation="srgb")
