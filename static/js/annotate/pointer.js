/** Mouse, touch and pen on the picture: draw, select, move, resize; whatever is none of these pans and zooms. */

import { turnedHandle } from "./affine.js";
import { visibleBoxes } from "./desk.js";
import { contains, handleAt, isLargeEnough, moved, nextAt, rectBetween, resized, snapped, snappedWhole } from "./geometry.js";

/** A press that moves less than this, in screen pixels, is a click (the same as OpenSeadragon's). */
const CLICK_DISTANCE = 5;
/** How near, in screen pixels, a handle is taken: fingers are wider than pointers. */
const REACH = { mouse: 9, pen: 14, touch: 22 };
/** How near the artwork's edge, in screen pixels, an edge of a box jumps onto it. */
const SNAP = 6;
const CURSORS = {
  nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize",
  n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize",
};

export class Pointer {
  #gesture = null;
  #panning = false;
  /** The first of two clicks that draw a box, in artwork pixels, or null. */
  #corner = null;
  /** Where on the screen a press began, and whether it has been a drag since, wherever it ends. */
  #pressed = null;
  #isDrag = false;

  /**
   * @param context.element the picture's element
   * @param context.canDraw whether the role allows to change boxes
   */
  constructor({ element, picture, store, desk, actions, bounds, canDraw }) {
    Object.assign(this, { element, picture, store, desk, actions, bounds, canDraw });
    const { viewer } = picture;
    viewer.addHandler("canvas-press", (event) => this.#press(event));
    viewer.addHandler("canvas-drag", (event) => this.#drag(event));
    viewer.addHandler("canvas-drag-end", (event) => this.#release(event));
    viewer.addHandler("canvas-click", (event) => this.#click(event));
    viewer.addHandler("canvas-pinch", () => this.#abandon());
    element.addEventListener("pointermove", (event) => this.#hover(event), { passive: true });
    element.addEventListener("pointerleave", () => desk.set({ pointer: null }));
  }

  /** While this is on (the space bar is held) dragging always moves the picture. */
  setPanning(on) {
    this.#panning = on;
    this.element.style.cursor = on ? "grab" : "";
  }

  #press(event) {
    [this.#pressed, this.#isDrag] = [event.position, false];
    this.#corner = this.desk.draft?.id === null ? this.#corner : null;
    if (this.#corner) return;
    this.actions.commit();
    this.#gesture = this.#gestureAt(this.picture.toArtwork(event.position), this.#reach(event));
    this.element.focus({ preventScroll: true });
  }

  /** What a press at a point begins, or null where it pans. */
  #gestureAt(point, reach) {
    const { desk } = this;
    if (!this.canDraw || this.#panning || desk.hidden || desk.past) return null;
    const box = desk.selected ? this.store.box(desk.selected) : undefined;
    const movable = box && !desk.locked.has(box.id);
    const handle = movable && handleAt(box, point, reach);
    if (handle) return { kind: "resize", box, handle, from: point };
    if (desk.tool === "box") return { kind: "draw", from: point };
    // Only what is selected moves: a drag that was meant for the picture must not shift a box under it.
    return movable && contains(box, point) ? { kind: "move", box, from: point } : null;
  }

  #drag(event) {
    const { x, y } = this.#pressed ?? event.position;
    this.#isDrag ||= Math.hypot(event.position.x - x, event.position.y - y) >= CLICK_DISTANCE;
    const point = this.picture.toArtwork(event.position);
    if (this.#corner) {
      event.preventDefaultAction = true;
      this.#stretch(point);
    }
    if (!this.#gesture) return;
    event.preventDefaultAction = true;
    const { from } = this.#gesture;
    const distance = Math.hypot(point.x - from.x, point.y - from.y) * this.picture.view().scale;
    if (!this.desk.draft && distance < CLICK_DISTANCE) return;
    this.desk.set({ draft: this.#draftAt(point), pointer: event.pointerType === "touch" ? null : point });
  }

  #draftAt(point) {
    const { kind, box, handle, from } = this.#gesture;
    if (kind === "draw") return this.#drawn(from, point);
    const [dx, dy] = [point.x - from.x, point.y - from.y];
    const snap = this.#snap();
    const rect =
      kind === "move"
        ? snappedWhole(moved(box, dx, dy, this.bounds), this.bounds, snap)
        : snapped(resized(box, handle, dx, dy, this.bounds), handle, this.bounds, snap);
    return { id: box.id, label: box.label, rect };
  }

  #drawn(from, point) {
    return { id: null, label: this.desk.label, rect: snapped(rectBetween(from, point, this.bounds), "nesw", this.bounds, this.#snap()) };
  }

  /** Between two clicks: the box reaches from the first one to the pointer. */
  #stretch(point) {
    this.desk.set({ draft: this.#drawn(this.#corner, point), pointer: point });
  }

  #snap() {
    return SNAP / this.picture.view().scale;
  }

  #release(event) {
    if (this.#corner) {
      event.preventDefaultAction = true;
      this.#finish();
    }
    if (!this.#gesture) return;
    event.preventDefaultAction = true;
    this.#gesture = null;
    this.#keepDraft();
  }

  #finish() {
    this.#corner = null;
    this.#keepDraft();
  }

  #keepDraft() {
    const { draft } = this.desk;
    if (draft && !isLargeEnough(draft.rect)) this.actions.cancelDraft();
    else this.actions.keepDraft();
  }

  #click(event) {
    event.preventDefaultAction = true;
    this.#gesture = null;
    // OpenSeadragon calls it a click where it has come back to where it began.
    if (this.#isDrag) return;
    const point = this.picture.toArtwork(event.position);
    if (this.#corner) {
      this.#stretch(point);
      this.#finish();
      return;
    }
    if (!event.quick) return;
    this.actions.cancelDraft();
    const found = nextAt(visibleBoxes(this.store, this.desk), point, this.desk.selected, this.#reach(event) / 3);
    // Where a box is, a click selects it; elsewhere, and with Shift everywhere, it is the first corner of a new one.
    if (this.desk.past) return;
    const draws = this.canDraw && this.desk.tool === "box" && (!found || event.shift) && contains({ x: 0, y: 0, ...this.bounds }, point);
    this.actions.select(draws ? null : found);
    if (draws) this.#begin(point);
  }

  #begin(point) {
    this.#corner = point;
    this.#stretch(point);
  }

  /** Two fingers zoom: what one of them had begun is not meant. */
  #abandon() {
    this.#gesture = this.#corner = null;
    this.actions.cancelDraft();
  }

  #hover(event) {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, top } = this.element.getBoundingClientRect();
    const point = this.picture.toArtwork({ x: event.clientX - left, y: event.clientY - top });
    this.element.style.cursor = this.#cursorAt(point, this.#reach(event));
    // Escape may have ended what the first click began.
    if (this.#corner && this.desk.draft?.id === null) this.#stretch(point);
    else if (this.desk.tool === "box" || this.desk.lens) this.desk.set({ pointer: point });
  }

  #cursorAt(point, reach) {
    const gesture = this.#gestureAt(point, reach);
    if (gesture) return { resize: CURSORS[turnedHandle(gesture.handle, this.desk.degrees)], move: "move", draw: "crosshair" }[gesture.kind];
    const overBox = !this.#panning && visibleBoxes(this.store, this.desk).some((box) => contains(box, point));
    return overBox ? "pointer" : "grab";
  }

  /** How near a handle must be, in artwork pixels. */
  #reach(event) {
    return (REACH[event.pointerType] ?? REACH.mouse) / this.picture.view().scale;
  }
}
