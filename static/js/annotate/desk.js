/**
 * What the person at the page is doing just now: tool, chosen concept, selected box, threshold, the box being drawn.
 * None of it is saved. Parts of the page read it and are told when it changes. Pure: no DOM.
 */

/** A detector's box below this score, from 0 to 1, deserves a second look, also when somebody has accepted it. */
const UNSURE = 0.5;

export class Desk {
  /** "select" or "box". */
  tool = "select";
  /** Id of the concept of what is drawn next, or null. */
  label = null;
  /** Id of the selected box, or null. */
  selected = null;
  /** Suggestions below this score, from 0 to 1, are not shown. */
  threshold = 0;
  /** Whether the boxes are hidden. */
  hidden = false;
  /** A rectangle that is being drawn or changed: {id: of the box or null for a new one, label, rect}, or null. */
  draft = null;
  /** Where the pointer is, in artwork pixels, or null. */
  pointer = null;
  /** Ids of boxes that nothing done here may change, and of boxes that are not shown. */
  locked = new Set();
  concealed = new Set();
  /** Of which concept (its id) and of whom ("people", "detectors", or "unsure": these below UNSURE) boxes are shown; null: of all. */
  onlyLabel = null;
  onlyFrom = null;
  /** A store with an earlier state of the artwork that is looked at in place of the present one, or null. */
  past = null;
  /** The view: turned to the right by a multiple of 90 degrees, brightness and contrast (1: as it is), magnifier. */
  degrees = 0;
  brightness = 1;
  contrast = 1;
  lens = false;
  #listeners = new Set();

  constructor(initial) {
    Object.assign(this, initial);
  }

  /** Change some of the above; listeners get the names of those that differ. */
  set(patch) {
    const changed = Object.keys(patch).filter((key) => this[key] !== patch[key]);
    Object.assign(this, patch);
    if (changed.length) this.#listeners.forEach((listener) => listener(changed));
  }

  /** Put the selected box into the set `name` ("locked" or "concealed"), or take it out. */
  toggle(name, id = this.selected) {
    if (id === null) return;
    const set = new Set(this[name]);
    if (!set.delete(id)) set.add(id);
    this.set({ [name]: set });
  }

  /** Show every box again. */
  showAll() {
    this.set({ concealed: new Set(), onlyLabel: null, onlyFrom: null, hidden: false });
  }

  /** Call `listener` when one of `names` changes (without names: when anything does). */
  subscribe(listener, ...names) {
    this.#listeners.add((changed) => {
      if (!names.length || names.some((name) => changed.includes(name))) listener(changed);
    });
  }
}

/** The suggestions that reach the threshold; one without a score always does. */
export function suggestionsAbove(store, threshold) {
  return store.suggestions().filter(({ score }) => score === null || score >= threshold);
}

/** What is painted and can be clicked. */
export function visibleBoxes(store, desk) {
  if (desk.hidden) return [];
  // An earlier state is looked at whole.
  if (desk.past) return desk.past.boxes();
  return [...suggestionsAbove(store, desk.threshold), ...store.confirmed()].filter((box) => isShown(box, desk));
}

/** Whether the filters of the page let a box through. */
export function isShown(box, { concealed, onlyLabel, onlyFrom }) {
  if (concealed.has(box.id) || (onlyLabel !== null && box.label !== onlyLabel)) return false;
  if (onlyFrom === "unsure") return box.source === "detector" && (box.score ?? 1) < UNSURE;
  return onlyFrom === null || (onlyFrom === "detectors") === (box.source === "detector");
}
