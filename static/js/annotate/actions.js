/**
 * Everything that a person can do to the boxes. Pointer, keyboard and panels all call these, so that each way does the same.
 */

import * as clipboard from "./clipboard.js";
import { isShown, suggestionsAbove, visibleBoxes } from "./desk.js";
import { inReadingOrder, isLargeEnough, isSameRect, moved, rectInView, resized } from "./geometry.js";
import { newId } from "./ids.js";

/** Arrow keys held down are one gesture; it ends this long after the last of them. */
const NUDGE_PAUSE = 500;
const KEYBOARD_BOX_SHARE = 0.3;
const DUPLICATE_OFFSET = 0.02;
const MOST_APART = 40;

export class Actions {
  #timer = null;

  /**
   * @param context.store boxes
   * @param context.desk what the person is doing
   * @param context.bounds {width, height} of the artwork
   * @param context.visible () → rectangle of the artwork that is in view
   * @param context.reveal (rectangle) brings it into view
   * @param context.tell (text) → a notice
   * @param context.place {dataset, artwork}: their ids, for what is copied
   */
  constructor({ store, desk, bounds, visible, reveal, tell, place }) {
    Object.assign(this, { store, desk, bounds, visible, reveal, tell, place: { ...place, bounds } });
  }

  /** End what is being drawn or moved: keep it. */
  keepDraft() {
    const { draft } = this.desk;
    this.commit();
    if (draft?.id === null) this.add(draft.rect, draft.label);
  }

  /** End what is being moved: keep it. A box that is not drawn to its end, with one corner given, is forgotten. */
  commit() {
    clearTimeout(this.#timer);
    const { draft } = this.desk;
    if (!draft) return;
    this.desk.set({ draft: null });
    if (draft.id !== null) this.setRect(draft.id, draft.rect);
  }

  /** End what is being drawn or moved: forget it. False where there was nothing. */
  cancelDraft() {
    clearTimeout(this.#timer);
    if (!this.desk.draft) return false;
    this.desk.set({ draft: null });
    return true;
  }

  /** Draw a box and select it. */
  add(rect, label = this.desk.label) {
    if (!isLargeEnough(rect)) return;
    if (label === null) {
      this.tell(gettext("Choose a concept first: a box needs to say what it shows."));
      return;
    }
    const id = newId();
    this.#apply([{ op: "create", id, label, ...rect }]);
    this.desk.set({ selected: id });
  }

  /** Draw a box in the middle of what is in view. */
  addInView() {
    this.add(this.#apart(rectInView(this.visible(), KEYBOARD_BOX_SHARE, this.bounds), this.desk.label));
  }

  duplicate() {
    this.commit();
    const box = this.#selectedBox();
    if (!box) return;
    const offset = DUPLICATE_OFFSET * Math.min(this.bounds.width, this.bounds.height);
    this.add(this.#apart(moved(box, offset, offset, this.bounds), box.label), box.label);
  }

  /** Remember the selected box for `paste`; false where none is selected. */
  copy() {
    this.commit();
    const box = this.#selectedBox();
    if (box) clipboard.copy(box, this.place);
    return Boolean(box);
  }

  /** Draw the copied box here; in another dataset it gets the chosen concept. */
  paste() {
    this.commit();
    const copied = clipboard.pasted(this.place);
    const label = copied?.label ?? this.desk.label;
    if (copied) this.add(this.#apart(copied.rect, label), label);
    return Boolean(copied);
  }

  /** A rectangle, moved a little where a box of the concept lies exactly there: one of the two would never be seen. */
  #apart(rect, label) {
    const offset = DUPLICATE_OFFSET * Math.min(this.bounds.width, this.bounds.height);
    const taken = [...this.store.state.boxes.values()].filter((box) => box.label === label);
    let free = rect;
    for (let tries = 0; tries < MOST_APART && taken.some((box) => isSameRect(box, free)); tries += 1) free = moved(free, offset, offset, this.bounds);
    return free;
  }

  /** Give a box another place; too small a rectangle changes nothing. */
  setRect(id, rect) {
    if (!this.#isLocked(id) && isLargeEnough(rect) && this.store.box(id)) this.#apply([{ op: "update", id, ...rect }]);
  }

  /** Move (or with `handle` resize) the selected box by artwork pixels; saved when the keys rest. */
  nudge(dx, dy, handle = null) {
    const box = this.#selectedBox();
    if (!box || this.#isLocked(box.id)) return false;
    const from = this.desk.draft?.id === box.id ? this.desk.draft.rect : box;
    const rect = handle ? resized(from, handle, dx, dy, this.bounds) : moved(from, dx, dy, this.bounds);
    this.desk.set({ draft: { id: box.id, label: box.label, rect } });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.commit(), NUDGE_PAUSE);
    return true;
  }

  /** Select a box or, with null, none. */
  select(id) {
    this.commit();
    this.desk.set({ selected: id });
  }

  /** Select the next (1) or previous (-1) suggestion, or box where no suggestion waits; false past the last one. */
  step(direction, wrap = true) {
    this.commit();
    const ids = this.#ordered();
    if (!ids.length || this.desk.past) return false;
    const index = ids.indexOf(this.desk.selected);
    const next = index < 0 ? (direction > 0 ? 0 : ids.length - 1) : index + direction;
    if (!wrap && (next < 0 || next >= ids.length)) return false;
    this.#goTo(ids[(next + ids.length) % ids.length]);
    return true;
  }

  /** Delete a box or reject a suggestion; after a suggestion the next one is selected. */
  remove(id = this.desk.selected) {
    this.cancelDraft();
    if (!this.store.box(id) || this.#isLocked(id)) return;
    const next = this.#following(id);
    this.#apply([{ op: "delete", id }]);
    this.#goTo(next);
  }

  /** Accept a suggestion and select the next one; false where it is none. */
  accept(id = this.desk.selected) {
    this.commit();
    if (this.store.box(id)?.state !== "suggested") return false;
    if (this.#isLocked(id)) return true;
    const next = this.#following(id);
    this.#apply([{ op: "accept", id }]);
    this.#goTo(next ?? id);
    return true;
  }

  /** "accept" or "reject" every suggestion that is shown and not locked, in one step. */
  reviewAll(op) {
    this.commit();
    const shown = suggestionsAbove(this.store, this.desk.threshold).filter((box) => isShown(box, this.desk));
    this.#apply(shown.filter(({ id }) => !this.desk.locked.has(id)).map(({ id }) => ({ op, id })));
  }

  /** Choose the concept of what is drawn next and, where a box is selected, give it to that one. */
  chooseLabel(label) {
    this.commit();
    this.desk.set({ label });
    const box = this.#selectedBox();
    if (box && box.label !== label && !this.#isLocked(box.id)) this.#apply([{ op: "update", id: box.id, label }]);
  }

  markNothing(value) {
    this.commit();
    const locked = [...this.store.state.boxes.keys()].some((id) => this.desk.locked.has(id));
    if (value && this.store.confirmed().length) {
      this.tell(gettext("There are boxes on this artwork. Delete them before marking that there is nothing."));
    } else if (value && locked) {
      this.tell(gettext("A suggestion on this artwork is locked. Unlock it before marking that there is nothing."));
    } else this.#apply([{ op: "mark_nothing", value }]);
  }

  /** Do edits to the present; an earlier state that is looked at cannot be changed. */
  #apply(edits) {
    if (this.desk.past) this.tell(gettext("This is an earlier state. Go back to now, or bring it back, to change something."));
    else this.store.apply(edits);
  }

  /** Whether a box is locked; says so. */
  #isLocked(id) {
    const locked = this.desk.locked.has(id);
    if (locked) this.tell(gettext("This box is locked. Unlock it to change it."));
    return locked;
  }

  #selectedBox() {
    return this.desk.selected === null ? undefined : this.store.box(this.desk.selected);
  }

  /** Select a box that may be out of view. (What is selected with the pointer is in view: nothing must move then.) */
  #goTo(id) {
    this.desk.set({ selected: id });
    if (id) this.reveal(this.store.box(id));
  }

  #ordered() {
    const suggestions = suggestionsAbove(this.store, this.desk.threshold).filter((box) => isShown(box, this.desk));
    const boxes = suggestions.length ? suggestions : visibleBoxes(this.store, this.desk);
    return inReadingOrder(boxes, this.bounds).map(({ id }) => id);
  }

  /** The suggestion to look at when this one is decided. */
  #following(id) {
    if (this.store.box(id)?.state !== "suggested") return null;
    const ids = this.#ordered();
    return ids.length > 1 ? ids[(ids.indexOf(id) + 1) % ids.length] : null;
  }
}
