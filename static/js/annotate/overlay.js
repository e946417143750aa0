/**
 * The boxes, painted on a canvas over the picture: thousands of them cost less than the picture itself.
 *
 * Who made a box is told by more than colour: a person's box has a solid line, a suggestion a dashed one with its score and
 * a diamond in its corner, a confirmed box of a detector a solid line and the diamond.
 */

import { turnedHandle } from "./affine.js";
import { visibleBoxes } from "./desk.js";
import { handlePoints } from "./geometry.js";
import { BLACK, WHITE, inkOn, scoreText } from "./looks.js";

const LINE = 2;
const DASH = [7, 5];
const DARK_HALO = "rgb(0 0 0 / 60%)";
const LIGHT_HALO = "rgb(255 255 255 / 75%)";
const CROSSHAIR = [[3, "rgb(0 0 0 / 35%)"], [1, "rgb(255 255 255 / 90%)"]];
const HANDLE = 9;
const DIAMOND = 6;
const TAG_HEIGHT = 18;
/** Narrower boxes, in screen pixels, carry no name: a crowd of names would hide the picture. */
const TAG_FROM = 34;
const TAG_CELL = 16;
const FONT = '600 12px system-ui, "Noto Sans", "Liberation Sans", sans-serif';
const UNKNOWN = { name: "?", colour: "#888888" };

export class Overlay {
  #frame = 0;
  #textWidths = new Map();

  /**
   * @param context.picture Picture
   * @param context.labels Map of id → {name, colour}
   * @param context.canDraw whether the selected box has handles
   */
  constructor({ picture, store, desk, labels, canDraw }) {
    Object.assign(this, { picture, store, desk, labels, canDraw });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    picture.viewer.canvas.after(this.canvas);
    this.context = this.canvas.getContext("2d");
    // In the same frame as the picture, or the boxes would swim on it while it moves.
    picture.viewer.addHandler("update-viewport", () => this.#paint());
    store.subscribe(() => this.repaint());
    desk.subscribe(() => this.repaint());
    new ResizeObserver(() => this.repaint()).observe(this.canvas);
  }

  /** Paint, at most once per frame. */
  repaint() {
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const size = this.#prepare();
    const view = this.picture.view();
    const place = (rect) => view.rectToScreen(rect);
    const painted = [];
    for (const box of visibleBoxes(this.store, this.desk)) {
      if (box.id === this.desk.selected || box.id === this.desk.draft?.id) continue;
      const rect = place(box);
      if (!isInside(rect, size)) continue;
      this.#paintBox(box, rect, false);
      if (rect.width >= TAG_FROM) painted.push({ box, rect });
    }
    this.#paintTags(painted);
    this.#paintSelected(place);
    const { tool, pointer } = this.desk;
    if (tool === "box" && pointer) this.#paintCrosshair(view.toScreen(pointer), size);
  }

  #prepare() {
    const { canvas, context } = this;
    const ratio = window.devicePixelRatio || 1;
    const size = { width: canvas.clientWidth, height: canvas.clientHeight };
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    context.font = FONT;
    context.textBaseline = "middle";
    return size;
  }

  #paintSelected(place) {
    const { draft, selected, hidden } = this.desk;
    const box = this.store.box(draft ? draft.id : selected) ?? draft;
    if (!box || (hidden && !draft) || this.desk.past) return;
    const rect = place(draft?.rect ?? box);
    this.#paintBox({ ...box, label: draft?.label ?? box.label }, rect, true);
    const isNew = draft && draft.id === null;
    this.#paintTag(this.#tagOf({ ...box, label: draft?.label ?? box.label }, rect));
    if (this.canDraw && !isNew && !this.desk.locked.has(box.id)) this.#paintHandles(rect);
  }

  #paintBox(box, rect, selected) {
    const label = this.#labelOf(box.label);
    const suggested = box.state === "suggested";
    this.#paintLine(rect, label.colour, suggested, selected);
    if (selected) {
      this.context.fillStyle = `${label.colour}1f`;
      this.context.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
    if (box.source === "detector") this.#paintDiamond(rect.x + rect.width, rect.y, label.colour, suggested);
  }

  /** A concept; of an earlier state also one that has been deleted. */
  #labelOf(id) {
    return this.labels.get(id) ?? this.desk.past?.gone.get(id) ?? UNKNOWN;
  }

  /** The halo is the opposite of the line, so that one of them stands out from any painting. */
  #paintLine({ x, y, width, height }, colour, dashed, selected) {
    const { context } = this;
    const line = selected ? LINE + 1 : LINE;
    context.strokeStyle = inkOn(colour) === WHITE ? LIGHT_HALO : DARK_HALO;
    context.lineWidth = dashed ? line : line + 2;
    context.strokeRect(x, y, width, height);
    context.strokeStyle = colour;
    context.lineWidth = line;
    if (dashed) context.setLineDash(DASH);
    context.strokeRect(x, y, width, height);
    context.setLineDash([]);
  }

  #paintDiamond(x, y, colour, hollow) {
    const { context } = this;
    context.beginPath();
    context.moveTo(x, y - DIAMOND);
    context.lineTo(x + DIAMOND, y);
    context.lineTo(x, y + DIAMOND);
    context.lineTo(x - DIAMOND, y);
    context.closePath();
    context.fillStyle = hollow ? WHITE : colour;
    context.fill();
    context.lineWidth = LINE;
    context.strokeStyle = hollow ? colour : WHITE;
    context.stroke();
  }

  /** Names of boxes, the surest first; a name that would cover another one is left out. */
  #paintTags(painted) {
    const taken = new Set();
    painted.sort((a, b) => sureness(b.box) - sureness(a.box));
    for (const { box, rect } of painted) {
      const tag = this.#tagOf(box, rect);
      const cells = cellsOf(tag);
      if (cells.some((cell) => taken.has(cell))) continue;
      cells.forEach((cell) => taken.add(cell));
      this.#paintTag(tag);
    }
  }

  #tagOf({ label, state, score }, rect) {
    const { name, colour } = this.#labelOf(label);
    const text = state === "suggested" && score !== null ? `${name} ${scoreText(score)}` : name;
    const y = rect.y >= TAG_HEIGHT ? rect.y - TAG_HEIGHT : rect.y;
    return { text, colour, x: rect.x - 1, y, width: this.#widthOf(text) + 10 };
  }

  #paintTag({ text, colour, x, y, width }) {
    this.context.fillStyle = colour;
    this.context.fillRect(x, y, width, TAG_HEIGHT);
    this.context.fillStyle = inkOn(colour);
    this.context.fillText(text, x + 5, y + TAG_HEIGHT / 2 + 0.5);
  }

  /** Measuring text is slow, and few different texts are painted often. */
  #widthOf(text) {
    if (!this.#textWidths.has(text)) this.#textWidths.set(text, this.context.measureText(text).width);
    return this.#textWidths.get(text);
  }

  #paintHandles(rect) {
    const { context } = this;
    context.lineWidth = 1.5;
    context.strokeStyle = BLACK;
    context.fillStyle = WHITE;
    const small = Math.min(rect.width, rect.height) < 3 * HANDLE;
    // On a small box only one handle answers (`geometry.handleAt`): the artwork's lower right, wherever the view turns it.
    const only = turnedHandle("se", this.desk.degrees);
    for (const { name, x, y } of handlePoints(rect)) {
      if (small && name !== only) continue;
      context.fillRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
      context.strokeRect(x - HANDLE / 2, y - HANDLE / 2, HANDLE, HANDLE);
    }
  }

  #paintCrosshair({ x, y }, { width, height }) {
    const { context } = this;
    for (const [line, colour] of CROSSHAIR) {
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.moveTo(x, 0);
      context.lineTo(x, height);
      context.stroke();
    }
  }
}

function isInside({ x, y, width, height }, size) {
  return x <= size.width && y <= size.height && x + width >= 0 && y + height >= 0;
}

/** Confirmed boxes before suggestions, these by their score. */
function sureness({ state, score }) {
  return state === "confirmed" ? 2 : (score ?? 1);
}

/** The cells of a coarse grid that a tag lies in: finding a free place must not cost more with more boxes. */
function cellsOf({ x, y, width }) {
  const cells = [];
  for (const row of new Set([Math.floor(y / TAG_HEIGHT), Math.floor((y + TAG_HEIGHT - 1) / TAG_HEIGHT)])) {
    for (let column = Math.floor(x / TAG_CELL); column <= Math.floor((x + width) / TAG_CELL); column += 1) {
      cells.push(`${column}:${row}`);
    }
  }
  return cells;
}
