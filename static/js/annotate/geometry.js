/**
 * Rectangles and points of the annotation page. Pure: no DOM.
 *
 * Everything is in pixels of the artwork after EXIF orientation, origin top left, y downwards. A rectangle is
 * {x, y, width, height}; bounds are {width, height} of the artwork.
 */

/** Smallest side, in artwork pixels, that a box can be given by drawing or resizing. */
export const SMALLEST = 2;

/** The eight handles; each letter names an edge that the handle moves. */
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const round = (value) => Math.round(value * 100) / 100;

/** The point itself, or the nearest one inside the artwork. */
export function clampPoint(point, bounds) {
  return { x: clamp(point.x, 0, bounds.width), y: clamp(point.y, 0, bounds.height) };
}

/** The rectangle between two points, both first brought inside the artwork; rounded to hundredths of a pixel. */
export function rectBetween(first, second, bounds) {
  const a = clampPoint(first, bounds);
  const b = clampPoint(second, bounds);
  return fromEdges(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y));
}

function fromEdges(left, top, right, bottom) {
  const x = round(left);
  const y = round(top);
  return { x, y, width: round(round(right) - x), height: round(round(bottom) - y) };
}

/** Whether a rectangle is large enough to be kept as a box. */
export function isLargeEnough(rect) {
  return rect.width >= SMALLEST && rect.height >= SMALLEST;
}

/** Whether two rectangles are the same, as far as anybody can see. */
export function isSameRect(first, second) {
  return ["x", "y", "width", "height"].every((side) => Math.abs(first[side] - second[side]) < 0.5);
}

/** The rectangle moved by (dx, dy), stopped at the edges of the artwork with its size unchanged. */
export function moved(rect, dx, dy, bounds) {
  return {
    x: round(clamp(rect.x + dx, 0, Math.max(0, bounds.width - rect.width))),
    y: round(clamp(rect.y + dy, 0, Math.max(0, bounds.height - rect.height))),
    width: rect.width,
    height: rect.height,
  };
}

/** The rectangle with the edges of `handle` moved by (dx, dy); an edge stops before it would pass its opposite. */
export function resized(rect, handle, dx, dy, bounds) {
  let [left, top, right, bottom] = [rect.x, rect.y, rect.x + rect.width, rect.y + rect.height];
  if (handle.includes("w")) left = clamp(left + dx, 0, right - SMALLEST);
  if (handle.includes("e")) right = clamp(right + dx, left + SMALLEST, bounds.width);
  if (handle.includes("n")) top = clamp(top + dy, 0, bottom - SMALLEST);
  if (handle.includes("s")) bottom = clamp(bottom + dy, top + SMALLEST, bounds.height);
  return fromEdges(left, top, right, bottom);
}

/** Where the eight handles of a rectangle are: [{name, x, y}]. */
export function handlePoints(rect) {
  return HANDLES.map((name) => ({
    name,
    x: rect.x + rect.width * (name.includes("w") ? 0 : name.includes("e") ? 1 : 0.5),
    y: rect.y + rect.height * (name.includes("n") ? 0 : name.includes("s") ? 1 : 0.5),
  }));
}

/**
 * The handle within `reach` pixels of a point, or null. Corners win over edges. On a box smaller than the handles
 * only the lower right corner answers, so that a small box can still be moved.
 */
export function handleAt(rect, point, reach) {
  const small = Math.min(rect.width, rect.height) < 3 * reach;
  const candidates = handlePoints(rect)
    .filter(({ name }) => !small || name === "se")
    .map((handle) => ({ ...handle, distance: Math.hypot(handle.x - point.x, handle.y - point.y) }))
    .filter(({ distance }) => distance <= reach)
    .sort((a, b) => b.name.length - a.name.length || a.distance - b.distance);
  return candidates.length ? candidates[0].name : null;
}

/** Whether a point is in the rectangle or within `reach` pixels of it. */
export function contains(rect, point, reach = 0) {
  return (
    point.x >= rect.x - reach &&
    point.x <= rect.x + rect.width + reach &&
    point.y >= rect.y - reach &&
    point.y <= rect.y + rect.height + reach
  );
}

/** The boxes at a point, the smallest first: what lies inside another box must be reachable. */
export function boxesAt(boxes, point, reach = 0) {
  return [...boxes]
    .filter((box) => contains(box, point, reach))
    .sort((a, b) => a.width * a.height - b.width * b.height);
}

/** The box that a click at a point selects: clicking again goes on to the next one under the pointer. */
export function nextAt(boxes, point, selected, reach = 0) {
  const found = boxesAt(boxes, point, reach);
  if (!found.length) return null;
  const index = found.findIndex((box) => box.id === selected);
  return found[(index + 1) % found.length].id;
}

/** A rectangle of `share` of the visible part, in its middle and inside the artwork: a box drawn with the keyboard. */
export function rectInView(visible, share, bounds) {
  const inside = rectBetween(
    visible,
    { x: visible.x + visible.width, y: visible.y + visible.height },
    bounds,
  );
  const width = Math.max(SMALLEST, inside.width * share);
  const height = Math.max(SMALLEST, inside.height * share);
  const x = inside.x + (inside.width - width) / 2;
  const y = inside.y + (inside.height - height) / 2;
  return rectBetween({ x, y }, { x: x + width, y: y + height }, bounds);
}

/** Order in which boxes are read: rows from the top, each from the left; a row is a tenth of the artwork's height. */
export function inReadingOrder(boxes, bounds) {
  const row = (box) => Math.floor((10 * (box.y + box.height / 2)) / bounds.height);
  return [...boxes].sort((a, b) => row(a) - row(b) || a.x - b.x || (a.id < b.id ? -1 : 1));
}

/**
 * The rectangle with those of its edges that come within `reach` of the artwork's edge put onto it: what reaches to the edge
 * of a picture is meant to. `edges` holds the letters of the edges that may move (as in a handle's name).
 */
export function snapped(rect, edges, bounds, reach) {
  let [left, top, right, bottom] = [rect.x, rect.y, rect.x + rect.width, rect.y + rect.height];
  if (edges.includes("w") && left < reach) left = 0;
  if (edges.includes("n") && top < reach) top = 0;
  if (edges.includes("e") && bounds.width - right < reach) right = bounds.width;
  if (edges.includes("s") && bounds.height - bottom < reach) bottom = bounds.height;
  return fromEdges(left, top, right, bottom);
}

/** The same for a rectangle that is moved as a whole: it keeps its size. */
export function snappedWhole(rect, bounds, reach) {
  const [right, bottom] = [bounds.width - rect.width, bounds.height - rect.height];
  const near = (value, end) => (value < reach ? 0 : end - value < reach ? end : value);
  return { ...rect, x: near(rect.x, right), y: near(rect.y, bottom) };
}

/** A rectangle of one artwork at the same place of another: in its pixels where the sizes agree, else in proportion. */
export function transferred(rect, from, to) {
  const [across, down] = [to.width / from.width, to.height / from.height];
  const end = { x: (rect.x + rect.width) * across, y: (rect.y + rect.height) * down };
  return rectBetween({ x: rect.x * across, y: rect.y * down }, end, to);
}
