import assert from "node:assert/strict";
import test from "node:test";

import { Desk, visibleBoxes } from "../../static/js/annotate/desk.js";
import { matching } from "../../static/js/annotate/search.js";
import { Store } from "../../static/js/annotate/store.js";
import { box, documentOf, suggestion } from "./fixtures.js";

const BOXES = [box("a"), box("b", { label: 2 }), box("c", { source: "detector", score: 0.9 }), suggestion("s", { score: 0.4 })];
const ids = (store, desk) => visibleBoxes(store, desk).map(({ id }) => id).sort().join("");

test("filters let through what they say, and together what all of them let through", () => {
  const store = new Store(documentOf(BOXES), "ada");
  const desk = new Desk({});
  assert.equal(ids(store, desk), "abcs");
  desk.set({ onlyLabel: 1 });
  assert.equal(ids(store, desk), "acs");
  desk.set({ onlyFrom: "detectors" });
  assert.equal(ids(store, desk), "cs");
  desk.set({ threshold: 0.5 });
  assert.equal(ids(store, desk), "c");
  desk.set({ onlyFrom: "people" });
  assert.equal(ids(store, desk), "a");
  desk.toggle("concealed", "a");
  assert.equal(ids(store, desk), "");
  desk.showAll();
  assert.equal(ids(store, desk), "abc");
});

test("what a detector was unsure of can be looked at again, also where somebody has accepted it", () => {
  const unsure = [box("u", { source: "detector", score: 0.3 }), box("n", { source: "detector", score: null })];
  const store = new Store(documentOf([...BOXES, ...unsure]), "ada");
  assert.equal(ids(store, new Desk({ onlyFrom: "unsure" })), "su");
});

test("locking and hiding tell who listens, and are taken back by doing them again", () => {
  const desk = new Desk({ selected: "a" });
  const told = [];
  desk.subscribe((names) => told.push(...names), "locked", "concealed");
  desk.toggle("locked");
  desk.toggle("locked");
  desk.toggle("concealed", null);
  assert.deepEqual([told, desk.locked.size], [["locked", "locked"], 0]);
});

test("the palette finds parts of names, and beginnings first", () => {
  const labels = ["Saint", "Mary", "Paint", "Ainu"].map((name, id) => ({ id, name }));
  assert.deepEqual(matching(labels, " AIN").map(({ name }) => name), ["Ainu", "Paint", "Saint"]);
  assert.deepEqual(matching(labels, "").map(({ name }) => name), ["Ainu", "Mary", "Paint", "Saint"]);
  assert.deepEqual(matching(labels, "x"), []);
});
