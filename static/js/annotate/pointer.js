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

/**
 * @param element the picture's element
 * @param canDraw whether the role allows to change boxes
 * @returns {{setPanning}} while panning is set (the space bar is held) dragging always moves the picture
 */
export function listenToPointer({ element, picture, store, desk, actions, bounds, canDraw }) {
  let gesture = null;
  let panning = false;

  const reach = (event) => (REACH[event.pointerType] ?? REACH.mouse) / picture.transform().sx;

  /** What a press at a point begins, or null where it pans. */
  function gestureAt(point, distance) {
    if (!canDraw || panning || desk.hidden) return null;
    const box = desk.selected ? store.box(desk.selected) : undefined;
    const handle = box && handleAt(box, point, distance);
    if (handle) return { kind: "resize", box, handle, from: point };
    if (desk.tool === "box") return { kind: "draw", from: point };
    if (box && contains(box, point)) return { kind: "move", box, from: point };
    return null;
  }

  function draftOf({ kind, box, handle, from }, point) {
    const [dx, dy] = [point.x - from.x, point.y - from.y];
    if (kind === "draw") return { id: null, label: desk.label, rect: rectBetween(from, point, bounds) };
    const rect = kind === "move" ? moved(box, dx, dy, bounds) : resized(box, handle, dx, dy, bounds);
    return { id: box.id, label: box.label, rect };
  }

  function press(event) {
    const point = picture.toArtwork(event.position);
    actions.commit();
    gesture = gestureAt(point, reach(event));
    element.focus({ preventScroll: true });
  }

  function drag(event) {
    if (!gesture) return;
    event.preventDefaultAction = true;
    const point = picture.toArtwork(event.position);
    const distance = Math.hypot(point.x - gesture.from.x, point.y - gesture.from.y) * picture.transform().sx;
    if (!desk.draft && distance < CLICK_DISTANCE) return;
    desk.set({ draft: draftOf(gesture, point), pointer: event.pointerType === "touch" ? null : point });
  }

  function release(event) {
    if (!gesture) return;
    event.preventDefaultAction = true;
    const { draft } = desk;
    gesture = null;
    if (draft && !isLargeEnough(draft.rect)) actions.cancelDraft();
    else actions.commit();
  }

  function click(event) {
    event.preventDefaultAction = true;
    gesture = null;
    if (!event.quick) return;
    actions.cancelDraft();
    const point = picture.toArtwork(event.position);
    actions.select(nextAt(visibleBoxes(store, desk), point, desk.selected, reach(event) / 3));
  }

  function cursorAt(point, distance) {
    const next = gestureAt(point, distance);
    if (!next) return panning ? "grab" : visibleBoxes(store, desk).some((box) => contains(box, point)) ? "pointer" : "grab";
    if (next.kind === "resize") return CURSORS[next.handle];
    return next.kind === "move" ? "move" : "crosshair";
  }

  function hover(event) {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, top } = element.getBoundingClientRect();
    const point = picture.toArtwork({ x: event.clientX - left, y: event.clientY - top });
    element.style.cursor = cursorAt(point, reach(event));
    if (desk.tool === "box") desk.set({ pointer: point });
  }

  /** Two fingers zoom: what one of them had begun is not meant. */
  function abandon() {
    gesture = null;
    actions.cancelDraft();
  }

  const { viewer } = picture;
  viewer.addHandler("canvas-press", press);
  viewer.addHandler("canvas-drag", drag);
  viewer.addHandler("canvas-drag-end", release);
  viewer.addHandler("canvas-click", click);
  viewer.addHandler("canvas-pinch", abandon);
  element.addEventListener("pointermove", hover, { passive: true });
  element.addEventListener("pointerleave", () => desk.set({ pointer: null }));
  return {
    setPanning(on) {
      panning = on;
      element.style.cursor = on ? "grab" : "";
    },
  };
}
