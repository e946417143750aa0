/**
 * The boxes, painted on a canvas over the picture: thousands of them cost less than the picture itself.
 *
 * Who made a box is told by more than colour: a person's box has a solid line, a suggestion a dashed one with its score and
 * a diamond in its corner, a confirmed box of a detector a solid line and the diamond.
 */

import { scoreText } from "./boxlist.js";
import { visibleBoxes } from "./desk.js";
import { handlePoints } from "./geometry.js";

const LINE = 2;
const DASH = [7, 5];
const BLACK = "#000000";
const WHITE = "#ffffff";
const DARK_HALO = "rgb(0 0 0 / 60%)";
const LIGHT_HALO = "rgb(255 255 255 / 75%)";
const HANDLE = 9;
const TAG_HEIGHT = 18;
/** Narrower boxes, in screen pixels, carry no name: a crowd of names would hide the picture. */
const TAG_FROM = 34;
const FONT = '600 12px system-ui, "Noto Sans", "Liberation Sans", sans-serif';

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

/**
 * @param picture of picture.js
 * @param labels Map of id → {name, colour}
 * @returns {{canvas, repaint}} `repaint` paints at most once per frame
 */
export function createOverlay({ picture, store, desk, labels, canDraw }) {
  const canvas = document.createElement("canvas");
  canvas.className = "overlay";
  canvas.setAttribute("aria-hidden", "true");
  picture.viewer.canvas.after(canvas);
  const context = canvas.getContext("2d");
  const widths = new Map();
  let frame = 0;

  function measure(text) {
    if (!widths.has(text)) widths.set(text, context.measureText(text).width);
    return widths.get(text);
  }

  function prepare() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    return { width, height };
  }

  function paint() {
    frame = 0;
    const size = prepare();
    const t = picture.transform();
    const place = (rect) => ({ x: t.x + rect.x * t.sx, y: t.y + rect.y * t.sy, width: rect.width * t.sx, height: rect.height * t.sy });
    for (const box of visibleBoxes(store, desk)) {
      if (box.id === desk.selected || box.id === desk.draft?.id) continue;
      const rect = place(box);
      const outside = rect.x > size.width || rect.y > size.height || rect.x + rect.width < 0 || rect.y + rect.height < 0;
      if (!outside) paintBox(box, rect, false);
    }
    paintSelected(place);
    if (desk.tool === "box" && desk.pointer) paintCrosshair(place({ ...desk.pointer, width: 0, height: 0 }), size);
  }

  function paintSelected(place) {
    const { draft } = desk;
    const box = store.box(draft ? draft.id : desk.selected) ?? draft;
    if (!box || (desk.hidden && !draft)) return;
    const rect = place(draft?.rect ?? box);
    paintBox({ ...box, label: draft?.label ?? box.label }, rect, true);
    if (canDraw && !(draft && draft.id === null)) paintHandles(rect);
  }

  function paintBox(box, rect, selected) {
    const label = labels.get(box.label) ?? { name: "?", colour: "#888888" };
    const suggested = box.state === "suggested";
    paintLine(rect, label.colour, suggested, selected);
    if (selected) {
      context.fillStyle = `${label.colour}1f`;
      context.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
    if (box.source === "detector") paintDiamond(rect.x + rect.width, rect.y, label.colour, suggested);
    if (selected || rect.width >= TAG_FROM) paintTag(box, label, rect, suggested);
  }

  /** The halo is the opposite of the line, so that one of them stands out from any painting. */
  function paintLine(rect, colour, dashed, selected) {
    const width = selected ? LINE + 1 : LINE;
    context.strokeStyle = inkOn(colour) === WHITE ? LIGHT_HALO : DARK_HALO;
    context.lineWidth = dashed ? width : width + 2;
    context.strokeRect(rect.x, rect.y, rect.width, rect.height);
    context.strokeStyle = colour;
    context.lineWidth = width;
    if (dashed) context.setLineDash(DASH);
    context.strokeRect(rect.x, rect.y, rect.width, rect.height);
    context.setLineDash([]);
  }

  function paintDiamond(x, y, colour, hollow) {
    context.beginPath();
    context.moveTo(x, y - 6);
    context.lineTo(x + 6, y);
    context.lineTo(x, y + 6);
    context.lineTo(x - 6, y);
    context.closePath();
    context.fillStyle = hollow ? WHITE : colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = hollow ? colour : WHITE;
    context.stroke();
  }

  function paintTag(box, label, rect, suggested) {
    const score = suggested && box.score !== null ? ` ${scoreText(box.score)}` : "";
    const text = `${label.name}${score}`;
    const width = measure(text) + 10;
    const y = rect.y >= TAG_HEIGHT ? rect.y - TAG_HEIGHT : rect.y;
    context.fillStyle = label.colour;
    context.fillRect(rect.x - 1, y, width, TAG_HEIGHT);
    context.fillStyle = inkOn(label.colour);
    context.fillText(text, rect.x + 4, y + TAG_HEIGHT / 2 + 0.5);
  }

  function paintHandles(rect) {
    context.lineWidth = 1.5;
    context.strokeStyle = "#1b1b1b";
    context.fillStyle = WHITE;
    const small = Math.min(rect.width, rect.height) < 3 * HANDLE;
    for (const { name, x, y } of handlePoints(rect)) {
      if (small && name !== "se") continue;
      context.fillRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
      context.strokeRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
    }
  }

  function paintCrosshair(point, size) {
    for (const [width, colour] of [[3, "rgb(0 0 0 / 35%)"], [1, "rgb(255 255 255 / 90%)"]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(0, point.y);
      context.lineTo(size.width, point.y);
      context.moveTo(point.x, 0);
      context.lineTo(point.x, size.height);
      context.stroke();
    }
  }

  function repaint() {
    frame ||= requestAnimationFrame(paint);
  }

  // In the same frame as the picture, or the boxes would swim on it while it moves.
  picture.onView(paint);
  store.subscribe(repaint);
  desk.subscribe(repaint);
  new ResizeObserver(repaint).observe(canvas);
  return { canvas, repaint };
}
