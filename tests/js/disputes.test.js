import assert from "node:assert/strict";
import test from "node:test";

import { disputes, insisting } from "../../static/js/annotate/disputes.js";
import { applyEdit, stateOf } from "../../static/js/annotate/document.js";
import { box, documentOf } from "./fixtures.js";

const MINE = stateOf(documentOf([box("a", { x: 50 }), box("b")]));
const THEIRS = stateOf(documentOf([box("a", { x: 90, author: "bruno" }), box("c")]));
const made = () => "new";

test("only boxes that both changed differently are in dispute, each once", () => {
  const edits = [{ op: "update", id: "a", x: 40 }, { op: "update", id: "a", x: 50 }, { op: "delete", id: "c" }, { op: "mark_nothing", value: true }];
  const found = disputes(edits, MINE, THEIRS);
  assert.deepEqual(found.map(({ id, mine, theirs }) => [id, mine?.x, theirs?.x]), [["a", 50, 90], ["c", undefined, 10]]);
  assert.deepEqual(disputes([{ op: "delete", id: "gone" }], MINE, THEIRS), []);
});

test("insisting makes the own version hold, whatever became of the box", () => {
  for (const id of ["a", "b", "c"]) {
    const [mine, theirs] = [MINE.boxes.get(id) ?? null, THEIRS.boxes.get(id) ?? null];
    const after = insisting({ id, mine, theirs }, made).reduce((state, edit) => applyEdit(state, edit, "ada"), THEIRS);
    const now = after.boxes.get(theirs ? id : "new");
    assert.deepEqual([now?.x, now?.y, now?.width, now?.height, now?.label], [mine?.x, mine?.y, mine?.width, mine?.height, mine?.label]);
  }
  assert.deepEqual(insisting({ id: "z", mine: null, theirs: null }, made), []);
});
