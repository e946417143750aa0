/**
 * Undo and redo of what the person here did, derived from the store's local changes alone. Pure: no DOM.
 *
 * Undoing is itself a local change: it is saved like any other. A step whose boxes somebody else has removed
 * meanwhile is passed over.
 */

import { applyEdit, inverseOf } from "./document.js";

const STEPS_KEPT = 500;

export class History {
  #store;
  #done = [];
  #undone = [];
  /** The steps that a replay is adding to; null while the person acts. */
  #replayInto = null;
  #listeners = new Set();

  constructor(store) {
    this.#store = store;
    store.subscribe((change) => change.origin === "local" && this.#remember(change));
  }

  /** Take back the last gesture; false where there is none. */
  undo() {
    return this.#replay(this.#done, this.#undone);
  }

  /** Do again what was taken back last; false where there is nothing. */
  redo() {
    return this.#replay(this.#undone, this.#done);
  }

  /** Forget every step: the boxes have become others in one go. */
  forget() {
    this.#done.length = this.#undone.length = 0;
    this.#tell();
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Call `listener` whenever `canUndo` or `canRedo` may have changed. */
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  #remember({ edits, before }) {
    // The last edit is taken back first.
    const step = edits.map((edit, index) => inverseOf(edit, before[index])).reverse().flat();
    (this.#replayInto ?? this.#done).push(step);
    if (!this.#replayInto) this.#undone.length = 0;
    this.#done.splice(0, Math.max(0, this.#done.length - STEPS_KEPT));
    this.#tell();
  }

  #replay(from, into) {
    for (let step = from.pop(); step; step = from.pop()) {
      const possible = possibleEdits(step, this.#store.state);
      if (!possible.length) continue;
      this.#replayInto = into;
      this.#store.apply(possible);
      this.#replayInto = null;
      return true;
    }
    this.#tell();
    return false;
  }

  #tell() {
    this.#listeners.forEach((listener) => listener());
  }
}

/** The edits of a step that still make sense, each judged by what the ones before it leave. */
function possibleEdits(step, start) {
  let state = start;
  return step.filter((edit) => {
    if (!isPossible(state, edit)) return false;
    state = applyEdit(state, edit, "");
    return true;
  });
}

function isPossible(state, edit) {
  if (edit.op === "restore" || edit.op === "create") return true;
  if (edit.op !== "mark_nothing") return state.boxes.has(edit.id);
  return !edit.value || ![...state.boxes.values()].some((box) => box.state === "confirmed");
}
