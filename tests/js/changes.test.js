import assert from "node:assert/strict";
import test from "node:test";

import { stateOf } from "../../static/js/annotate/document.js";
import { box, documentOf, suggestion } from "./fixtures.js";

globalThis.gettext = (text) => text;
globalThis.ngettext = (one, many, n) => (n === 1 ? one : many);
globalThis.interpolate = (text, values) => values.reduce((said, value) => said.replace("%s", value), text);
const { differenceOf, differenceText, entriesOf, whatOf, whoOf } = await import("../../static/js/annotate/changes.js");

const NONE = { drawn: 0, moved: 0, resized: 0, relabelled: 0, deleted: 0, accepted: 0, rejected: 0, suggested: 0, withdrawn: 0 };

function change(revision, minute, more = {}) {
  const time = new Date(Date.UTC(2026, 4, 3, 10, minute)).toISOString();
  const plain = { kind: "edit", author: "anna", detector_name: "", counts: { ...NONE, drawn: 1 }, nothing_to_mark: null, known: true, concept: null };
  return { revision, time, ...plain, ...more };
}

test("what one person did at a stretch is one entry, with the newest revision", () => {
  const found = entriesOf([change(5, 42), change(4, 40, { counts: { ...NONE, moved: 2 } }), change(3, 36)]);
  assert.equal(found.length, 1);
  assert.deepEqual([found[0].revision, whatOf(found[0])], [5, "2 boxes drawn, 2 boxes moved"]);
  assert.deepEqual(found[0].steps.map(({ revision }) => revision), [5, 4, 3]);
});

test("somebody else, another kind or a pause begins a new entry", () => {
  const others = [{ author: "bruno" }, { kind: "review" }, { known: false }];
  for (const other of others) assert.equal(entriesOf([change(5, 42), change(4, 41, other), change(3, 40)]).length, 3);
  assert.equal(entriesOf([change(5, 42), change(4, 36)]).length, 2);
});

test("everything that can have happened is told in words", () => {
  assert.equal(whatOf(change(1, 0, { counts: NONE })), "no visible change");
  assert.equal(whatOf(change(1, 0, { counts: NONE, nothing_to_mark: true })), "marked that there is nothing");
  assert.equal(whatOf(change(1, 0, { counts: NONE, nothing_to_mark: false })), "took back that there is nothing");
  assert.equal(whatOf(change(1, 0, { nothing_to_mark: false })), "1 box drawn");
  const label = { kind: "label", concept: "Halo", counts: { ...NONE, deleted: 3 } };
  assert.equal(whatOf(change(1, 0, label)), "deleted the concept “Halo”, 3 boxes deleted");
  assert.equal(whatOf(change(1, 0, { kind: "import" })), "1 box imported");
  for (const deed of Object.keys(NONE)) assert.match(whatOf(change(1, 0, { counts: { ...NONE, [deed]: 2 } })), /^2 /);
  assert.equal(whoOf({ author: null, detector_name: "Quick" }), "Quick");
});

test("a bringing back names the state that was brought back", () => {
  const of = (restored, time) => whatOf(change(9, 0, { kind: "restore", restored, restored_time: time }), (iso) => `<${iso}>`);
  assert.equal(of(4, "2026-05-03"), "brought back the state of <2026-05-03>");
  assert.equal(of(0, null), "brought back the state before the first change");
  assert.equal(of(4, null), "brought an earlier state back");
});

test("an earlier state is compared with now", () => {
  const past = documentOf([box("kept"), box("moved", { x: 1 }), suggestion("decided"), box("gone")], { gone_labels: [{ boxes: 1 }] });
  const now = stateOf(documentOf([box("kept"), box("moved", { x: 9 }), suggestion("decided", { state: "confirmed" }), box("new")]));
  const difference = differenceOf(now, past);
  assert.deepEqual(difference, { gone: 1, lost: 1, later: 1, other: 2, nothing: false });
  assert.equal(
    differenceText(difference),
    "1 box that is gone now · 1 box was not there yet · 2 boxes were different · 1 box cannot come back: its concept is deleted",
  );
});

test("a state that is no other than now is said to be so", () => {
  const past = (nothing) => documentOf([box("a")], { gone_labels: [], nothing_to_mark: nothing });
  const now = stateOf(documentOf([box("a", { author: "bruno" })]));
  assert.equal(differenceText(differenceOf(now, past(false))), "Just as it is now.");
  assert.equal(differenceText(differenceOf(now, past(true))), "Only whether there is nothing to mark was different.");
});
