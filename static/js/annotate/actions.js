/**
 * Everything that a person can do to the boxes. Pointer, keyboard and panels all call these, so that each way does the same.
 */

import { suggestionsAbove, visibleBoxes } from "./desk.js";
import { inReadingOrder, isLargeEnough, moved, rectInView, resized } from "./geometry.js";
import { newId } from "./ids.js";

/** Arrow keys held down are one gesture; it ends this long after the last of them. */
const NUDGE_PAUSE = 500;
const KEYBOARD_BOX_SHARE = 0.3;
const DUPLICATE_OFFSET = 0.02;

/**
 * @param store boxes
 * @param desk what the person is doing
 * @param bounds {width, height} of the artwork
 * @param visible () → rectangle of the artwork that is in view
 * @param tell (text) → a notice
 */
export function createActions({ store, desk, bounds, visible, tell }) {
  let timer = null;

  function commit() {
    clearTimeout(timer);
    const { draft } = desk;
    if (!draft) return;
    desk.set({ draft: null });
    if (!isLargeEnough(draft.rect)) return;
    if (draft.id === null) add(draft.rect, draft.label);
    else if (store.box(draft.id)) store.apply([{ op: "update", id: draft.id, ...draft.rect }]);
  }

  function add(rect, label = desk.label) {
    if (label === null) return tell(gettext("Choose a concept first: a box needs to say what it shows."));
    const id = newId();
    store.apply([{ op: "create", id, label, ...rect }]);
    desk.set({ selected: id });
  }

  function selectedBox() {
    return desk.selected === null ? undefined : store.box(desk.selected);
  }

  /** Move (or with `handle` resize) the selected box by artwork pixels; saved when the keys rest. */
  function nudge(dx, dy, handle = null) {
    const box = selectedBox();
    if (!box) return false;
    const from = desk.draft?.id === box.id ? desk.draft.rect : box;
    const rect = handle ? resized(from, handle, dx, dy, bounds) : moved(from, dx, dy, bounds);
    desk.set({ draft: { id: box.id, label: box.label, rect } });
    clearTimeout(timer);
    timer = setTimeout(commit, NUDGE_PAUSE);
    return true;
  }

  function cancelDraft() {
    clearTimeout(timer);
    if (!desk.draft) return false;
    desk.set({ draft: null });
    return true;
  }

  function ordered() {
    const suggestions = suggestionsAbove(store, desk.threshold);
    return inReadingOrder(suggestions.length ? suggestions : visibleBoxes(store, desk), bounds).map(({ id }) => id);
  }

  /** Select the next (or previous) suggestion, or box where no suggestion waits; false past the last one. */
  function step(direction, wrap = true) {
    commit();
    const ids = ordered();
    if (!ids.length) return false;
    const index = ids.indexOf(desk.selected);
    const next = index < 0 ? (direction > 0 ? 0 : ids.length - 1) : index + direction;
    if (!wrap && (next < 0 || next >= ids.length)) return false;
    desk.set({ selected: ids[(next + ids.length) % ids.length] });
    return true;
  }

  /** The suggestion to look at when this one is decided. */
  function following(id) {
    const box = store.box(id);
    if (box?.state !== "suggested") return null;
    const ids = ordered();
    const index = ids.indexOf(id);
    return ids.length > 1 ? ids[(index + 1) % ids.length] : null;
  }

  function remove(id = desk.selected) {
    cancelDraft();
    if (!store.box(id)) return;
    const next = following(id);
    store.apply([{ op: "delete", id }]);
    desk.set({ selected: next });
  }

  function accept(id = desk.selected) {
    commit();
    if (store.box(id)?.state !== "suggested") return false;
    const next = following(id);
    store.apply([{ op: "accept", id }]);
    desk.set({ selected: next ?? id });
    return true;
  }

  function reviewAll(op) {
    commit();
    const boxes = suggestionsAbove(store, desk.threshold);
    store.apply(boxes.map(({ id }) => ({ op, id })));
    return boxes.length;
  }

  /** Choose the concept of what is drawn next and, where a box is selected, give it to that one. */
  function chooseLabel(label) {
    commit();
    desk.set({ label });
    const box = selectedBox();
    if (box && box.label !== label) store.apply([{ op: "update", id: box.id, label }]);
  }

  function duplicate() {
    commit();
    const box = selectedBox();
    if (!box) return;
    const offset = DUPLICATE_OFFSET * Math.min(bounds.width, bounds.height);
    add(moved(box, offset, offset, bounds), box.label);
  }

  function markNothing(value) {
    commit();
    if (value && store.confirmed().length) {
      return tell(gettext("There are boxes on this artwork. Delete them before marking that there is nothing."));
    }
    store.apply([{ op: "mark_nothing", value }]);
  }

  return {
    add, commit, cancelDraft, nudge, step, remove, accept, chooseLabel, duplicate, markNothing,
    acceptAll: () => reviewAll("accept"),
    rejectAll: () => reviewAll("reject"),
    addInView: () => add(rectInView(visible(), KEYBOARD_BOX_SHARE, bounds)),
    /** Select a box or, with null, none. */
    select(id) {
      commit();
      desk.set({ selected: id });
    },
    setRect(id, rect) {
      if (isLargeEnough(rect)) store.apply([{ op: "update", id, ...rect }]);
    },
  };
}
