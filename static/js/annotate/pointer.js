/** Mouse, touch and pen on the picture: draw, select, move, resize; whatever is none of these pans and zooms. */

import { visibleBoxes } from "./desk.js";
import { contains, handleAt, isLargeEnough, moved, nextAt, rectBetween, resized } from "./geometry.js";

/** A press that moves less than this, in screen pixels, is a click (the same as OpenSeadragon's). */
const CLICK_DISTANCE = 5;
/** How near, in screen pixels, a handle is taken: fingers are wider than pointers. */
const REACH = { mouse: 9, pen: 14, touch: 22 };
const CURSORS = {
  nw: "nwse-resize", se: "nwse-resize", ne: "nesw-resize", sw: "nesw-resize",
  n: "ns-resize", s: "ns-resize", e: "ew-resize", w: "ew-resize",
};

export class Pointer {
  #gesture = null;
  #panning = false;

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
    this.actions.commit();
    this.#gesture = this.#gestureAt(this.picture.toArtwork(event.position), this.#reach(event));
    this.element.focus({ preventScroll: true });
  }

  /** What a press at a point begins, or null where it pans. */
  #gestureAt(point, reach) {
    const { desk } = this;
    if (!this.canDraw || this.#panning || desk.hidden) return null;
    const box = desk.selected ? this.store.box(desk.selected) : undefined;
    const handle = box && handleAt(box, point, reach);
    if (handle) return { kind: "resize", box, handle, from: point };
    if (desk.tool === "box") return { kind: "draw", from: point };
    // Only what is selected moves: a drag that was meant for the picture must not shift a box under it.
    return box && contains(box, point) ? { kind: "move", box, from: point } : null;
  }

  #drag(event) {
    if (!this.#gesture) return;
    event.preventDefaultAction = true;
    const point = this.picture.toArtwork(event.position);
    const { from } = this.#gesture;
    const distance = Math.hypot(point.x - from.x, point.y - from.y) * this.picture.transform().sx;
    if (!this.desk.draft && distance < CLICK_DISTANCE) return;
    this.desk.set({ draft: this.#draftAt(point), pointer: event.pointerType === "touch" ? null : point });
  }

  #draftAt(point) {
    const { kind, box, handle, from } = this.#gesture;
    if (kind === "draw") return { id: null, label: this.desk.label, rect: rectBetween(from, point, this.bounds) };
    const [dx, dy] = [point.x - from.x, point.y - from.y];
    const rect = kind === "move" ? moved(box, dx, dy, this.bounds) : resized(box, handle, dx, dy, this.bounds);
    return { id: box.id, label: box.label, rect };
  }

  #release(event) {
    if (!this.#gesture) return;
    event.preventDefaultAction = true;
    this.#gesture = null;
    const { draft } = this.desk;
    if (draft && !isLargeEnough(draft.rect)) this.actions.cancelDraft();
    else this.actions.commit();
  }

  #click(event) {
    event.preventDefaultAction = true;
    this.#gesture = null;
    if (!event.quick) return;
    this.actions.cancelDraft();
    const point = this.picture.toArtwork(event.position);
    this.actions.select(nextAt(visibleBoxes(this.store, this.desk), point, this.desk.selected, this.#reach(event) / 3));
  }

  /** Two fingers zoom: what one of them had begun is not meant. */
  #abandon() {
    this.#gesture = null;
    this.actions.cancelDraft();
  }

  #hover(event) {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, top } = this.element.getBoundingClientRect();
    const point = this.picture.toArtwork({ x: event.clientX - left, y: event.clientY - top });
    this.element.style.cursor = this.#cursorAt(point, this.#reach(event));
    if (this.desk.tool === "box") this.desk.set({ pointer: point });
  }

  #cursorAt(point, reach) {
    const gesture = this.#gestureAt(point, reach);
    if (gesture) return { resize: CURSORS[gesture.handle], move: "move", draw: "crosshair" }[gesture.kind];
    const overBox = !this.#panning && visibleBoxes(this.store, this.desk).some((box) => contains(box, point));
    return overBox ? "pointer" : "grab";
  }

  /** How near a handle must be, in artwork pixels. */
  #reach(event) {
    return (REACH[event.pointerType] ?? REACH.mouse) / this.picture.transform().sx;
  }
}
