import assert from "node:assert/strict";
import test from "node:test";

import { Store } from "../../static/js/annotate/store.js";
import { History } from "../../static/js/annotate/undo.js";
import { box, documentOf, suggestion } from "./fixtures.js";

function desk(boxes = [], more) {
  const store = new Store(documentOf(boxes, more), "ada");
  return { store, history: new History(store) };
}

const create = (id) => ({ op: "create", id, label: 1, x: 1, y: 2, width: 30, height: 40 });
const ids = (store) => store.boxes().map(({ id }) => id);

test("undo takes back the last gesture and redo does it again", () => {
  const { store, history } = desk();
  store.apply([create("a")]);
  store.apply([{ op: "update", id: "a", x: 99 }]);
  assert.ok(history.undo());
  assert.equal(store.box("a").x, 1);
  assert.ok(history.undo());
  assert.deepEqual(ids(store), []);
  assert.ok(history.redo() && history.redo());
  assert.equal(store.box("a").x, 99);
  assert.equal(history.canRedo, false);
});

test("undo brings back a deleted box with its score and author", () => {
  const made = box("a", { source: "detector", score: 0.7, author: "bruno" });
  const { store, history } = desk([made]);
  store.apply([{ op: "delete", id: "a" }]);
  history.undo();
  assert.deepEqual(store.box("a"), made);
});

test("undo of an accepted, corrected or rejected suggestion makes it a suggestion again", () => {
  for (const edit of [{ op: "accept" }, { op: "update", x: 3 }, { op: "reject" }]) {
    const { store, history } = desk([suggestion("a")]);
    store.apply([{ ...edit, id: "a" }]);
    history.undo();
    assert.deepEqual(store.box("a"), suggestion("a"), edit.op);
    history.redo();
    assert.equal(store.suggestions().length, 0, edit.op);
  }
});

test("a gesture of many edits is one step", () => {
  const { store, history } = desk([suggestion("a"), suggestion("b")]);
  store.apply([{ op: "accept", id: "a" }, { op: "accept", id: "b" }]);
  history.undo();
  assert.equal(store.suggestions().length, 2);
});

test("undo of the first box says again that there is nothing to mark", () => {
  const { store, history } = desk([], { nothing_to_mark: true });
  store.apply([create("a")]);
  assert.equal(store.state.nothing, false);
  history.undo();
  assert.equal(store.state.nothing, true);
  assert.deepEqual(ids(store), []);
});

test("what arrives from the server is never undone", () => {
  const { store, history } = desk();
  store.receive(documentOf([suggestion("s")]));
  assert.equal(history.undo(), false);
  assert.deepEqual(ids(store), ["s"]);
});

test("undo of a move keeps the label that somebody else has given meanwhile", () => {
  const { store, history } = desk([box("a")]);
  store.apply([{ op: "update", id: "a", x: 99 }]);
  store.receive(documentOf([box("a", { x: 99, label: 2 })]));
  history.undo();
  assert.deepEqual([store.box("a").x, store.box("a").label], [10, 2]);
});

test("a step whose box somebody else has deleted is passed over", () => {
  const { store, history } = desk([box("a"), box("b")]);
  store.apply([{ op: "update", id: "b", x: 50 }]);
  store.apply([{ op: "update", id: "a", x: 50 }]);
  store.receive(documentOf([box("b", { x: 50 })]));
  assert.ok(history.undo());
  assert.equal(store.box("b").x, 10);
});

test("a new gesture ends what could be done again", () => {
  const { store, history } = desk();
  store.apply([create("a")]);
  history.undo();
  store.apply([create("b")]);
  assert.equal(history.redo(), false);
  assert.deepEqual(ids(store), ["b"]);
});

test("saying that there is nothing to mark rejects the suggestions, and undo brings them back", () => {
  const { store, history } = desk([suggestion("a"), suggestion("b")]);
  store.apply([{ op: "mark_nothing", value: true }]);
  assert.deepEqual(ids(store), []);
  history.undo();
  assert.equal(store.state.nothing, false);
  assert.equal(store.suggestions().length, 2);
  history.redo();
  assert.deepEqual([ids(store), store.state.nothing], [[], true]);
});

test("nothing done before an earlier state was brought back is taken back or done again", () => {
  const { store, history } = desk();
  store.apply([create("a")]);
  store.apply([create("b")]);
  history.undo();
  history.forget();
  assert.deepEqual([history.canUndo, history.canRedo, history.undo(), history.redo()], [false, false, false, false]);
  assert.deepEqual(ids(store), ["a"]);
});
