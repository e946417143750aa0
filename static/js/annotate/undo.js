/**
 * Undo and redo of what the person here did, derived from the store's local changes alone. Pure: no DOM.
 *
 * Undoing is itself a local change: it is saved like any other. A step whose boxes somebody else has removed
 * meanwhile is passed over.
 */

import { applyEdit, inverseOf } from "./document.js";

const STEPS_KEPT = 500;

/** @returns {{undo, redo, canUndo, canRedo, subscribe}} `undo` and `redo` return whether anything was done. */
export function createUndo(store) {
  const done = [];
  const undone = [];
  const listeners = new Set();
  let target = done;
  let replaying = false;

  store.subscribe((change) => {
    if (change.origin !== "local") return;
    // The last edit is taken back first.
    target.push(change.edits.map((edit, index) => inverseOf(edit, change.before[index])).reverse().flat());
    if (target === done) done.splice(0, Math.max(0, done.length - STEPS_KEPT));
    if (target === done && !replaying) undone.length = 0;
    listeners.forEach((listener) => listener());
  });

  function replay(from, to) {
    for (let step = from.pop(); step; step = from.pop()) {
      const possible = possibleEdits(step, store.state());
      if (!possible.length) continue;
      [target, replaying] = [to, true];
      store.apply(possible);
      [target, replaying] = [done, false];
      return true;
    }
    listeners.forEach((listener) => listener());
    return false;
  }

  return {
    undo: () => replay(done, undone),
    redo: () => replay(undone, done),
    canUndo: () => done.length > 0,
    canRedo: () => undone.length > 0,
    subscribe: (listener) => listeners.add(listener),
  };
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
