import assert from "node:assert/strict";
import test from "node:test";

globalThis.gettext = (text) => text;
globalThis.ngettext = (one, many, n) => (n === 1 ? one : many);
globalThis.interpolate = (text, values) => values.reduce((said, value) => said.replace("%s", value), text);
const { entriesOf, whatOf, whoOf } = await import("../../static/js/annotate/changes.js");

const NONE = { drawn: 0, moved: 0, resized: 0, relabelled: 0, deleted: 0, accepted: 0, rejected: 0, suggested: 0, withdrawn: 0 };

function change(revision, minute, more = {}) {
  const time = new Date(Date.UTC(2026, 4, 3, 10, minute)).toISOString();
  const plain = { kind: "edit", author: "anna", detector_name: "", counts: { ...NONE, drawn: 1 }, nothing_to_mark: null, known: true, concept: null };
  return { revision, time, ...plain, ...more };
}

test("what one person did at a stretch is one entry, with the newest revision", () => {
  const found = entriesOf([change(5, 42), change(4, 40, { counts: { ...NONE, moved: 2 } }), change(3, 36)]);
  assert.equal(found.length, 1);
  assert.deepEqual([found[0].revision, whatOf(found[0])], [5, "2 boxes drawn, 2 moved"]);
});

test("somebody else, another kind or a pause begins a new entry", () => {
  const others = [{ author: "bruno" }, { kind: "review" }, { known: false }];
  for (const other of others) assert.equal(entriesOf([change(5, 42), change(4, 41, other), change(3, 40)]).length, 3);
  assert.equal(entriesOf([change(5, 42), change(4, 36)]).length, 2);
});

test("everything that can have happened is told in words", () => {
  assert.equal(whatOf(change(1, 0, { counts: NONE })), "no visible change");
  assert.equal(whatOf(change(1, 0, { counts: NONE, nothing_to_mark: true })), "marked that there is nothing");
  assert.equal(whatOf(change(1, 0, { kind: "label", concept: "Halo", counts: { ...NONE, deleted: 3 } })), "deleted the concept “Halo”, 3 deleted");
  assert.equal(whatOf(change(1, 0, { kind: "restore" })), "brought an earlier state back, 1 box drawn");
  for (const deed of Object.keys(NONE)) assert.match(whatOf(change(1, 0, { counts: { ...NONE, [deed]: 2 } })), /^2 /);
  assert.equal(whoOf({ author: null, detector_name: "Quick" }), "Quick");
});
