/**
 * What an edit does to the boxes of an artwork. Pure: no DOM, no network.
 *
 * A state is {nothing: boolean, boxes: Map of id → box}, boxes as the API gives them. The server applies the same
 * edits by the same rules (`annotations.services.apply_edits`); here they are applied at once, before it answers.
 */

const GEOMETRY_AND_LABEL = ["label", "x", "y", "width", "height"];
const MEANINGFUL = [...GEOMETRY_AND_LABEL, "state"];

/** The state of a document as the API gives it. */
export function stateOf(document) {
  return { nothing: document.nothing_to_mark, boxes: new Map(document.boxes.map((box) => [box.id, box])) };
}

/** The id of the box that an edit is about, or null for `mark_nothing`. */
export function targetOf(edit) {
  return edit.op === "restore" ? edit.box.id : (edit.id ?? null);
}

/** The state after an edit, as a new object; the given one is left alone. Edits of boxes that are gone do nothing. */
export function applyEdit(state, edit, username) {
  if (edit.op === "mark_nothing") return marked(state, edit.value);
  const boxes = new Map(state.boxes);
  const id = targetOf(edit);
  const box = boxes.get(id);
  if (edit.op === "create") boxes.set(id, created(edit, username));
  else if (edit.op === "restore") boxes.set(id, edit.box);
  else if (edit.op === "delete" || edit.op === "reject") boxes.delete(id);
  else if (box) boxes.set(id, { ...box, ...changes(edit), state: "confirmed", author: username });
  const somethingThere = boxes.has(id) && ["create", "update", "accept", "restore"].includes(edit.op);
  return { boxes, nothing: state.nothing && !somethingThere };
}

/** Who says that there is nothing to mark also rejects the suggestions that wait. */
function marked(state, nothing) {
  if (!nothing) return { ...state, nothing };
  return { nothing, boxes: new Map([...state.boxes].filter(([, box]) => box.state !== "suggested")) };
}

function created(edit, username) {
  const { op, ...rest } = edit;
  const origin = { state: "confirmed", source: "manual", detector: null, detector_name: "", score: null };
  return { ...rest, ...origin, author: username };
}

function changes(edit) {
  return Object.fromEntries(GEOMETRY_AND_LABEL.filter((key) => key in edit).map((key) => [key, edit[key]]));
}

/** The edits that take back `edit`, given the state that it met. */
export function inverseOf(edit, state) {
  const box = state.boxes.get(targetOf(edit));
  if (edit.op === "mark_nothing") return inverseOfMark(edit, state);
  const inverse = inverseOfBox(edit, box);
  const cleared = state.nothing && !applyEdit(state, edit, "").nothing;
  return cleared ? [...inverse, { op: "mark_nothing", value: true }] : inverse;
}

function inverseOfMark(edit, state) {
  const rejected = edit.value ? [...state.boxes.values()].filter((box) => box.state === "suggested") : [];
  return [{ op: "mark_nothing", value: state.nothing }, ...rejected.map((box) => ({ op: "restore", box }))];
}

function inverseOfBox(edit, box) {
  if (!box) return edit.op === "create" || edit.op === "restore" ? [{ op: "delete", id: targetOf(edit) }] : [];
  // Only what was changed is put back, so that what somebody else changed on the same box since then stays.
  if (edit.op === "update" && box.state === "confirmed") {
    const before = Object.fromEntries(Object.keys(changes(edit)).map((key) => [key, box[key]]));
    return [{ op: "update", id: box.id, ...before }];
  }
  return [{ op: "restore", box }];
}

/** Whether two boxes (or their absence) mean the same to a person: who saved it when does not count. */
export function sameBox(first, second) {
  if (!first || !second) return !first && !second;
  return MEANINGFUL.every((key) =>
    typeof first[key] === "number" && key !== "label" ? Math.abs(first[key] - second[key]) < 0.01 : first[key] === second[key],
  );
}

/** Whether two states show the same boxes. */
export function sameState(first, second) {
  if (first.nothing !== second.nothing || first.boxes.size !== second.boxes.size) return false;
  return [...first.boxes].every(([id, box]) => sameBox(box, second.boxes.get(id)));
}
