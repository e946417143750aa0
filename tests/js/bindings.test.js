import assert from "node:assert/strict";
import test from "node:test";

import { Bindings, DEFAULTS } from "../../static/js/annotate/bindings.js";

function storage(kept = {}) {
  const held = { ...kept };
  return { held, getItem: (name) => held[name] ?? null, setItem: (name, value) => (held[name] = value) };
}

test("no two deeds have the same key at first", () => {
  assert.equal(new Set(Object.values(DEFAULTS)).size, Object.keys(DEFAULTS).length);
});

test("a changed key is kept for the next visit, and the old one does nothing", () => {
  const browser = storage();
  assert.equal(new Bindings(browser).change("box", "Q"), null);
  const next = new Bindings(browser);
  assert.deepEqual([next.deedOf("q"), next.deedOf("Q"), next.deedOf("b"), next.keyOf("box")], ["box", "box", undefined, "q"]);
  next.reset();
  assert.equal(new Bindings(browser).keyOf("box"), "b");
});

test("a key that is taken stays where it is, and its deed is named", () => {
  const bindings = new Bindings(storage());
  assert.equal(bindings.change("box", "v"), "select");
  assert.equal(bindings.keyOf("box"), "b");
  assert.equal(bindings.change("box", "b"), null);
});

test("what an older version or somebody else has left in the storage does no harm", () => {
  for (const left of ["{", "null", "7", '{"box": "long", "gone": "g", "hide": 3}', '["x"]']) {
    const bindings = new Bindings(storage({ "webnet-keys": left }));
    assert.deepEqual([bindings.keyOf("box"), bindings.keyOf("hide")], ["b", "h"]);
  }
});
