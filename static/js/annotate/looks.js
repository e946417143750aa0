/** How colours, scores and places are shown, the same on the canvas and in the lists. Pure: no DOM. */

export const BLACK = "#000000";
export const WHITE = "#ffffff";

const inks = new Map();

/** Black or white, whichever is easier to read on a colour "#rrggbb"; worked out once per colour. */
export function inkOn(colour) {
  if (!inks.has(colour)) inks.set(colour, luminance(colour) > 0.179 ? BLACK : WHITE);
  return inks.get(colour);
}

/** The relative luminance of WCAG 2, from 0 to 1. */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** A score from 0 to 1 as people read it. */
export function scoreText(score) {
  return `${Math.round(score * 100)}%`;
}

/** Where a box is, in words that need no translation: "x 10, y 20 · 30 × 40", after the score of a suggestion. */
export function placeText({ x, y, width, height, state, score }) {
  const place = `x ${Math.round(x)}, y ${Math.round(y)} · ${Math.round(width)} × ${Math.round(height)}`;
  return state === "suggested" && score !== null ? `${scoreText(score)} · ${place}` : place;
}
