import assert from "node:assert/strict";
import test from "node:test";

import { Affine, turnedHandle, turnedStep } from "../../static/js/annotate/affine.js";

const BOUNDS = { width: 400, height: 300 };
/** Views of an artwork shown at half its size: upright, and turned by a quarter to the right. */
const UPRIGHT = new Affine({ x: 10, y: 20 }, { x: 210, y: 20 }, { x: 10, y: 170 }, BOUNDS);
const TURNED = new Affine({ x: 160, y: 20 }, { x: 160, y: 220 }, { x: 10, y: 20 }, BOUNDS);

const close = (a, b) => Object.keys(b).forEach((key) => assert.ok(Math.abs(a[key] - b[key]) < 1e-9, `${key}: ${a[key]} is not ${b[key]}`));

test("a point goes to the screen and back, whichever way the view is turned", () => {
  for (const view of [UPRIGHT, TURNED]) {
    assert.equal(view.scale, 0.5);
    for (const point of [{ x: 0, y: 0 }, { x: 400, y: 300 }, { x: 33, y: 271 }]) close(view.toArtwork(view.toScreen(point)), point);
  }
  close(TURNED.toScreen({ x: 400, y: 0 }), { x: 160, y: 220 });
});

test("a rectangle stays upright on the screen and comes back", () => {
  const rect = { x: 100, y: 50, width: 80, height: 40 };
  close(UPRIGHT.rectToScreen(rect), { x: 60, y: 45, width: 40, height: 20 });
  close(TURNED.rectToScreen(rect), { x: 115, y: 70, width: 20, height: 40 });
  close(TURNED.rectToArtwork(TURNED.rectToScreen(rect)), rect);
});

test("handles and steps turn with the view", () => {
  assert.deepEqual([0, 90, 180, 270, -90].map((degrees) => turnedHandle("nw", degrees)), ["nw", "ne", "se", "sw", "sw"]);
  assert.equal(turnedHandle("e", 90), "s");
  // What goes right on the screen must, in a view turned by a quarter to the right, go up on the artwork.
  assert.deepEqual(turnedStep(1, 0, 90).map((step) => step + 0), [0, -1]);
  for (const degrees of [0, 90, 180, 270]) {
    const [dx, dy] = turnedStep(3, 0, degrees);
    assert.equal(Math.hypot(dx, dy), 3);
  }
});
