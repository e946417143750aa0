/**
 * Where a pixel of the artwork is on the screen, for a view that is moved, zoomed and turned by quarters. Pure: no DOM.
 *
 * Three points of the artwork and where they are shown determine the map
 *   screen = origin + x · across + y · down
 * with x and y in pixels of the artwork and the vectors in CSS pixels per pixel of the artwork.
 */

export class Affine {
  /**
   * @param origin where (0, 0) is shown
   * @param right where (width, 0) is shown
   * @param below where (0, height) is shown
   * @param bounds {width, height} of the artwork
   */
  constructor(origin, right, below, { width, height }) {
    this.origin = origin;
    this.across = { x: (right.x - origin.x) / width, y: (right.y - origin.y) / width };
    this.down = { x: (below.x - origin.x) / height, y: (below.y - origin.y) / height };
  }

  /** CSS pixels per pixel of the artwork. */
  get scale() {
    return Math.hypot(this.across.x, this.across.y);
  }

  toScreen({ x, y }) {
    const { origin, across, down } = this;
    return { x: origin.x + x * across.x + y * down.x, y: origin.y + x * across.y + y * down.y };
  }

  toArtwork(point) {
    const { origin, across, down } = this;
    const [dx, dy] = [point.x - origin.x, point.y - origin.y];
    const determinant = across.x * down.y - across.y * down.x;
    return { x: (dx * down.y - dy * down.x) / determinant, y: (dy * across.x - dx * across.y) / determinant };
  }

  /** A rectangle of the artwork as it is shown; upright, since views are turned by quarters only. */
  rectToScreen(rect) {
    const start = this.toScreen(rect);
    const end = this.toScreen({ x: rect.x + rect.width, y: rect.y + rect.height });
    return between(start, end);
  }

  /** A rectangle of the screen in pixels of the artwork. */
  rectToArtwork(rect) {
    const start = this.toArtwork(rect);
    const end = this.toArtwork({ x: rect.x + rect.width, y: rect.y + rect.height });
    return between(start, end);
  }
}

function between(start, end) {
  const [x, y] = [Math.min(start.x, end.x), Math.min(start.y, end.y)];
  return { x, y, width: Math.abs(end.x - start.x), height: Math.abs(end.y - start.y) };
}

const COMPASS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];

/** The direction in which a handle of the artwork points in a view that is turned by `degrees` (a multiple of 90). */
export function turnedHandle(handle, degrees) {
  const steps = Math.round(degrees / 45);
  return COMPASS[(((COMPASS.indexOf(handle) + steps) % 8) + 8) % 8];
}

/** The step on the artwork that looks like (dx, dy) in a view that is turned by `degrees` (a multiple of 90). */
export function turnedStep(dx, dy, degrees) {
  const quarters = ((Math.round(degrees / 90) % 4) + 4) % 4;
  const steps = [[dx, dy], [dy, -dx], [-dx, -dy], [-dy, dx]];
  return steps[quarters];
}
