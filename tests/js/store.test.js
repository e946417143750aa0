import assert from "node:assert/strict";
import test from "node:test";

import { Store } from "../../static/js/annotate/store.js";
import { box, documentOf, suggestion } from "./fixtures.js";

function storeWith(boxes, more) {
  const store = new Store(documentOf(boxes, more), "ada");
  const changes = [];
  store.subscribe((change) => changes.push(change));
  return { store, changes };
}

test("a box drawn here is confirmed, manual and its author's", () => {
  const { store, changes } = storeWith([]);
  store.apply([{ op: "create", id: "a", label: 2, x: 1, y: 2, width: 3, height: 4 }]);
  const { state, source, author, label } = store.box("a");
  assert.deepEqual({ state, source, author, label }, { state: "confirmed", source: "manual", author: "ada", label: 2 });
  assert.equal(changes[0].origin, "local");
});

test("moving or relabelling a suggestion confirms it and keeps its score", () => {
  const { store } = storeWith([suggestion("a"), suggestion("b")]);
  store.apply([{ op: "update", id: "a", x: 5 }, { op: "update", id: "b", label: 2 }]);
  assert.deepEqual(store.confirmed().map(({ id, score }) => [id, score]), [["a", 0.8], ["b", 0.8]]);
  assert.equal(store.suggestions().length, 0);
});

test("drawing or accepting a box takes back that there is nothing to mark", () => {
  const { store } = storeWith([suggestion("a")], { nothing_to_mark: true });
  store.apply([{ op: "accept", id: "a" }]);
  assert.equal(store.state.nothing, false);
});

test("an edit of a box that is gone does nothing", () => {
  const { store } = storeWith([]);
  store.apply([{ op: "update", id: "gone", x: 5 }]);
  assert.equal(store.boxes().length, 0);
});

test("what the server sends is a remote change, and none where nothing differs", () => {
  const { store, changes } = storeWith([box("a")]);
  store.receive(documentOf([box("a", { updated_at: "later" })]));
  assert.equal(changes.length, 0);
  store.receive(documentOf([box("a"), suggestion("b")]));
  assert.deepEqual(changes, [{ origin: "remote" }]);
});

test("the server's document is taken over under the edits that it does not know yet", () => {
  const { store } = storeWith([box("a")]);
  store.receive(documentOf([box("a"), box("b")]), [{ op: "delete", id: "a" }]);
  assert.deepEqual(store.boxes().map(({ id }) => id), ["b"]);
});
