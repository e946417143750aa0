import assert from "node:assert/strict";
import test from "node:test";

import { Actions } from "../../static/js/annotate/actions.js";
import { Desk, visibleBoxes } from "../../static/js/annotate/desk.js";
import { inkOn, placeText } from "../../static/js/annotate/looks.js";
import { Store } from "../../static/js/annotate/store.js";
import { BOUNDS, box, documentOf, suggestion } from "./fixtures.js";

// In the browser the catalogue of the page's language.
globalThis.gettext = (text) => text;

function page(boxes, desk = {}) {
  const store = new Store(documentOf(boxes), "ada");
  const made = { store, desk: new Desk({ label: 1, ...desk }), gestures: [], told: [], revealed: [] };
  store.subscribe((change) => made.gestures.push(change.edits));
  const tell = (text) => made.told.push(text);
  const reveal = ({ id }) => made.revealed.push(id);
  const visible = () => ({ x: 0, y: 0, ...BOUNDS });
  made.actions = new Actions({ ...made, bounds: BOUNDS, visible, reveal, tell });
  return made;
}

const three = () => [suggestion("a", { x: 0 }), suggestion("b", { x: 100 }), suggestion("c", { x: 200, score: 0.3 })];

test("going through suggestions follows the reading order and skips those below the threshold", () => {
  const { actions, desk } = page(three(), { threshold: 0.5 });
  const seen = [1, 2, 3].map(() => actions.step(1) && desk.selected);
  assert.deepEqual(seen, ["a", "b", "a"]);
});

test("stepping brings boxes into view, selecting with the pointer moves nothing", () => {
  const { actions, revealed } = page(three());
  actions.step(1);
  actions.select("c");
  assert.deepEqual(revealed, ["a"]);
});

test("without going round, stepping ends after the last box", () => {
  const { actions, desk } = page(three());
  assert.deepEqual([1, 2, 3, 4].map(() => actions.step(1, false)), [true, true, true, false]);
  assert.equal(desk.selected, "c");
});

test("accepting or rejecting a suggestion goes on to the next one", () => {
  const { actions, desk, store } = page(three(), { selected: "a" });
  actions.accept();
  assert.equal(desk.selected, "b");
  actions.remove();
  assert.equal(desk.selected, "c");
  assert.deepEqual(store.boxes().map(({ id, state }) => [id, state]), [["a", "confirmed"], ["c", "suggested"]]);
});

test("a box of which one corner was given is forgotten where anything else is done", () => {
  const draft = { id: null, label: 1, rect: { x: 1, y: 1, width: 90, height: 80 } };
  for (const deed of ["commit", "step", "copy", "markNothing"]) {
    const { actions, desk, store } = page([]);
    desk.set({ draft });
    actions[deed]();
    assert.deepEqual([store.boxes(), desk.draft], [[], null], deed);
  }
  const { actions, desk, store } = page([]);
  desk.set({ draft });
  actions.keepDraft();
  assert.deepEqual(store.boxes().map(({ width, height }) => [width, height]), [[90, 80]]);
});

test("boxes put into the middle of the view again and again lie apart", () => {
  const { actions, store } = page([]);
  [1, 2, 3].forEach(() => actions.addInView());
  const places = new Set(store.boxes().map(({ x, y }) => `${x} ${y}`));
  assert.equal(places.size, 3);
});

test("what is locked is neither accepted, nor rejected with all others, nor by nothing to mark", () => {
  const { actions, store, told } = page(three(), { locked: new Set(["a"]) });
  assert.equal(actions.accept("a"), true);
  actions.reviewAll("reject");
  assert.deepEqual(store.boxes().map(({ id, state }) => [id, state]), [["a", "suggested"]]);
  actions.markNothing(true);
  assert.equal(store.state.nothing, false);
  assert.equal(told.length, 2);
});

test("accepting all takes those that reach the threshold, as one gesture", () => {
  const { actions, store, gestures } = page(three(), { threshold: 0.5 });
  actions.reviewAll("accept");
  assert.equal(gestures.length, 1);
  assert.deepEqual(store.suggestions().map(({ id }) => id), ["c"]);
});

test("arrow keys held down are one edit", () => {
  const { actions, store, gestures } = page([box("a")], { selected: "a" });
  for (let i = 0; i < 30; i += 1) actions.nudge(1, 0);
  actions.nudge(0, 10);
  assert.deepEqual(gestures, []);
  actions.commit();
  assert.equal(gestures.length, 1);
  assert.deepEqual([store.box("a").x, store.box("a").y], [40, 30]);
});

test("a move that is given up changes nothing", () => {
  const { actions, store, gestures } = page([box("a")], { selected: "a" });
  actions.nudge(50, 50);
  assert.ok(actions.cancelDraft());
  actions.commit();
  assert.deepEqual([gestures, store.box("a").x], [[], 10]);
});

test("choosing a concept gives it to the selected box and to the next one drawn", () => {
  const { actions, store, desk } = page([box("a")], { selected: "a" });
  actions.chooseLabel(2);
  actions.select(null);
  actions.addInView();
  assert.deepEqual(store.boxes().map(({ label }) => label), [2, 2]);
  assert.equal(desk.selected, store.boxes()[1].id);
});

test("without a concept nothing is drawn and the person is told why", () => {
  const { actions, store, told } = page([], { label: null });
  actions.addInView();
  assert.equal(store.boxes().length, 0);
  assert.match(told[0], /Choose a concept/);
});

test("nothing to mark is refused while there are boxes", () => {
  const { actions, store, told } = page([box("a")]);
  actions.markNothing(true);
  assert.equal(store.state.nothing, false);
  assert.equal(told.length, 1);
});

test("a hidden or too weak box is neither shown nor clicked", () => {
  const { store, desk } = page([box("m"), ...three()], { threshold: 0.5 });
  assert.deepEqual(visibleBoxes(store, desk).map(({ id }) => id), ["a", "b", "m"]);
  desk.set({ hidden: true });
  assert.deepEqual(visibleBoxes(store, desk), []);
});

test("a listener of the desk hears of the names that it asked for, when they differ", () => {
  const desk = new Desk({});
  const heard = [];
  desk.subscribe((changed) => heard.push(changed), "tool");
  desk.set({ pointer: { x: 1, y: 1 } });
  desk.set({ tool: "box", hidden: false });
  desk.set({ tool: "box" });
  assert.deepEqual(heard, [["tool"]]);
});

test("text on a colour is black or white, whichever is easier to read", () => {
  assert.deepEqual(["#f0e442", "#882255", "#0072b2", "#e69f00"].map(inkOn), ["#000000", "#ffffff", "#ffffff", "#000000"]);
});

test("a suggestion's place is told with its score", () => {
  assert.equal(placeText(suggestion("a")), "80% · x 10, y 20 · 30 × 40");
  assert.equal(placeText(box("a")), "x 10, y 20 · 30 × 40");
});

test("an earlier state that is looked at is neither changed nor gone through", () => {
  const { actions, desk, store, gestures, told } = page([box("a")]);
  desk.set({ past: new Store(documentOf([box("old")]), "") });
  assert.equal(actions.step(1), false);
  actions.remove("a");
  actions.markNothing(false);
  actions.addInView();
  assert.deepEqual([gestures, told.length, store.boxes().length], [[], 3, 1]);
});
