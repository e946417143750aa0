/** What happens to a box that two people changed at the same time. Pure: no DOM. */

import { sameBox } from "./document.js";

/**
 * The boxes that somebody here and somebody else changed differently.
 *
 * @param edits edits of the person here that met other boxes than they were made on
 * @param mine state as the person here sees it; @param theirs state on the server
 * @returns [{id, mine, theirs}], each a box or null where it was deleted
 */
export function disputes(edits, mine, theirs) {
  const ids = new Set(edits.filter(({ op }) => op !== "mark_nothing").map((edit) => edit.id ?? edit.box.id));
  const both = [...ids].map((id) => ({ id, mine: mine.boxes.get(id) ?? null, theirs: theirs.boxes.get(id) ?? null }));
  return both.filter(({ mine: own, theirs: other }) => !sameBox(own, other));
}

/** The edits that make the own version hold after all. */
export function insisting({ id, mine, theirs }, newId) {
  if (!mine) return theirs ? [{ op: "delete", id }] : [];
  const { label, x, y, width, height } = mine;
  return [theirs ? { op: "update", id, label, x, y, width, height } : { op: "create", id: newId(), label, x, y, width, height }];
}
