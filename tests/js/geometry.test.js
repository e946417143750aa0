import assert from "node:assert/strict";
import test from "node:test";

import * as geometry from "../../static/js/annotate/geometry.js";
import { BOUNDS } from "./fixtures.js";

test("a rectangle drawn in any direction has a positive size", () => {
  const expected = { x: 10, y: 20, width: 30, height: 40 };
  assert.deepEqual(geometry.rectBetween({ x: 10, y: 20 }, { x: 40, y: 60 }, BOUNDS), expected);
  assert.deepEqual(geometry.rectBetween({ x: 40, y: 60 }, { x: 10, y: 20 }, BOUNDS), expected);
});

test("a rectangle drawn beyond the edge ends at the edge", () => {
  const rect = geometry.rectBetween({ x: -50, y: 250 }, { x: 1000, y: 1000 }, BOUNDS);
  assert.deepEqual(rect, { x: 0, y: 250, width: 400, height: 50 });
});

test("a rectangle stays inside the artwork whatever it is drawn, moved and resized by", () => {
  let seed = 7;
  const random = (span) => {
    seed = (seed * 16807) % 2147483647;
    return (seed / 2147483647 - 0.25) * span;
  };
  for (let i = 0; i < 2000; i += 1) {
    const drawn = geometry.rectBetween({ x: random(800), y: random(600) }, { x: random(800), y: random(600) }, BOUNDS);
    if (!geometry.isLargeEnough(drawn)) continue;
    const handle = geometry.HANDLES[i % 8];
    const rect = geometry.resized(geometry.moved(drawn, random(900), random(900), BOUNDS), handle, random(900), random(900), BOUNDS);
    assert.ok(rect.x >= 0 && rect.y >= 0, JSON.stringify(rect));
    assert.ok(rect.x + rect.width <= BOUNDS.width + 0.001 && rect.y + rect.height <= BOUNDS.height + 0.001, JSON.stringify(rect));
    assert.ok(rect.width > 1.98 && rect.height > 1.98, JSON.stringify(rect));
  }
});

test("moving against an edge keeps the size", () => {
  const rect = geometry.moved({ x: 10, y: 10, width: 50, height: 60 }, 1000, -1000, BOUNDS);
  assert.deepEqual(rect, { x: 350, y: 0, width: 50, height: 60 });
});

test("each handle moves the edges that it is named after", () => {
  const rect = { x: 100, y: 100, width: 50, height: 60 };
  const expected = {
    nw: [105, 107, 45, 53], n: [100, 107, 50, 53], ne: [100, 107, 55, 53], e: [100, 100, 55, 60],
    se: [100, 100, 55, 67], s: [100, 100, 50, 67], sw: [105, 100, 45, 67], w: [105, 100, 45, 60],
  };
  for (const [handle, [x, y, width, height]] of Object.entries(expected)) {
    assert.deepEqual(geometry.resized(rect, handle, 5, 7, BOUNDS), { x, y, width, height }, handle);
  }
});

test("an edge stops before it passes its opposite", () => {
  const rect = geometry.resized({ x: 100, y: 100, width: 50, height: 60 }, "w", 500, 0, BOUNDS);
  assert.deepEqual(rect, { x: 148, y: 100, width: 2, height: 60 });
});

test("a corner wins over an edge where both are within reach", () => {
  const rect = { x: 100, y: 100, width: 60, height: 60 };
  assert.equal(geometry.handleAt(rect, { x: 112, y: 101 }, 20), "nw");
  assert.equal(geometry.handleAt(rect, { x: 130, y: 99 }, 8), "n");
  assert.equal(geometry.handleAt(rect, { x: 130, y: 130 }, 8), null);
});

test("a box smaller than its handles can still be moved", () => {
  assert.equal(geometry.handleAt({ x: 100, y: 100, width: 10, height: 10 }, { x: 101, y: 101 }, 6), null);
});

test("a click selects the smallest box first and goes round the boxes under it", () => {
  const boxes = [
    { id: "large", x: 0, y: 0, width: 200, height: 200 },
    { id: "small", x: 50, y: 50, width: 20, height: 20 },
    { id: "elsewhere", x: 300, y: 200, width: 20, height: 20 },
  ];
  const point = { x: 60, y: 60 };
  assert.equal(geometry.nextAt(boxes, point, null), "small");
  assert.equal(geometry.nextAt(boxes, point, "small"), "large");
  assert.equal(geometry.nextAt(boxes, point, "large"), "small");
  assert.equal(geometry.nextAt(boxes, { x: 250, y: 250 }, "large"), null);
});

test("a box drawn with the keyboard lies in the middle of what is in view", () => {
  const rect = geometry.rectInView({ x: 100, y: 100, width: 100, height: 100 }, 0.5, BOUNDS);
  assert.deepEqual(rect, { x: 125, y: 125, width: 50, height: 50 });
  const zoomedOut = geometry.rectInView({ x: -400, y: -300, width: 1200, height: 900 }, 0.25, BOUNDS);
  assert.deepEqual(zoomedOut, { x: 150, y: 112.5, width: 100, height: 75 });
});

test("boxes are read in rows from the top, each from the left", () => {
  const boxes = [
    { id: "c", x: 200, y: 200, width: 10, height: 10 },
    { id: "b", x: 200, y: 12, width: 10, height: 10 },
    { id: "a", x: 10, y: 10, width: 10, height: 10 },
  ];
  assert.deepEqual(geometry.inReadingOrder(boxes, BOUNDS).map(({ id }) => id), ["a", "b", "c"]);
});

test("edges near the artwork's edge snap onto it, and only those that may move", () => {
  const rect = { x: 3, y: 50, width: 394, height: 200 };
  assert.deepEqual(geometry.snapped(rect, "nesw", BOUNDS, 5), { x: 0, y: 50, width: 400, height: 200 });
  assert.deepEqual(geometry.snapped(rect, "e", BOUNDS, 5), { x: 3, y: 50, width: 397, height: 200 });
  assert.deepEqual(geometry.snapped({ x: 50, y: 50, width: 20, height: 20 }, "nesw", BOUNDS, 5), { x: 50, y: 50, width: 20, height: 20 });
});

test("a box that is moved to the edge keeps its size", () => {
  assert.deepEqual(geometry.snappedWhole({ x: 4, y: 100, width: 50, height: 60 }, BOUNDS, 5), { x: 0, y: 100, width: 50, height: 60 });
  assert.deepEqual(geometry.snappedWhole({ x: 100, y: 237, width: 50, height: 60 }, BOUNDS, 5), { x: 100, y: 240, width: 50, height: 60 });
});

test("a box comes to the same place of another artwork", () => {
  const rect = { x: 100, y: 75, width: 40, height: 30 };
  assert.deepEqual(geometry.transferred(rect, BOUNDS, BOUNDS), rect);
  assert.deepEqual(geometry.transferred(rect, BOUNDS, { width: 800, height: 150 }), { x: 200, y: 37.5, width: 80, height: 15 });
});
