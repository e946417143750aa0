import assert from "node:assert/strict";
import test from "node:test";

import { Curve } from "../../static/js/losscurve.js";

const loss = (step, value = step) => ({ kind: "metrics", payload: { step, loss: value, total_steps: 100 } });
const score = (step, AP50, more = {}) => ({ kind: "evaluation", payload: { step, split: "test", AP: AP50 / 2, AP50, ...more } });

/** Steps, losses and AP50 after these events. */
function drawn(...events) {
  const curve = new Curve();
  events.forEach((event) => curve.add(event));
  const [steps, losses, , ap50] = curve.columns();
  return { steps, losses, ap50 };
}

test("losses and scores of one step are one point, and gaps are null", () => {
  const told = drawn(loss(10), loss(20), score(20, 0.5), { kind: "log", payload: { text: "" } }, loss(30));
  assert.deepEqual(told, { steps: [10, 20, 30], losses: [10, 20, 30], ap50: [null, 0.5, null] });
});

test("a training that goes on from a checkpoint takes back the losses of later steps", () => {
  const told = drawn(loss(10), loss(20), loss(30), loss(40), loss(15, 1), loss(25, 2));
  assert.deepEqual(told, { steps: [10, 15, 25], losses: [10, 1, 2], ap50: [null, null, null] });
});

test("it takes back the scores of later steps too, with the first loss that it tells", () => {
  const before = [loss(10), score(10, 0.1), loss(30), score(30, 0.3)];
  assert.deepEqual(drawn(...before, loss(21)), { steps: [10, 21], losses: [10, 21], ap50: [0.1, null] });
  assert.deepEqual(drawn(...before, loss(30, 7)), { steps: [10, 30], losses: [10, 7], ap50: [0.1, 0.3] });
});

test("scores that are told again replace what was said of their step and of later ones", () => {
  const told = drawn(loss(10), score(10, 0.1), loss(20), score(20, 0.2), score(10, 0.15));
  assert.deepEqual(told, { steps: [10, 20], losses: [10, 20], ap50: [0.15, null] });
});

test("scores of the training part are not drawn", () => {
  assert.deepEqual(drawn(loss(10), score(10, 0.99, { split: "train" })).ap50, [null]);
});
