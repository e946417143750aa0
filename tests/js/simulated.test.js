import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
globalThis.gettext = (text) => text;
globalThis.ngettext = (one, many, n) => (n === 1 ? one : many);
globalThis.interpolate = (text, values) => text.replace("%(n)s", values.n);
const { simulatedMark, simulatedMeaning, simulatedWord } = await import("../../static/js/simulated.js");

test("an AP50 is marked as partly or wholly simulated", () => {
  assert.equal(simulatedWord(1, 3), "partly simulated");
  assert.equal(simulatedWord(3, 3), "simulated");
  assert.match(simulatedMeaning(2), /^2 of its concepts were tested/);
  assert.match(simulatedMeaning(1), /^1 of its concepts was tested/);
});

test("where nothing is simulated, and for detectors that do not say, there is no mark", () => {
  assert.deepEqual([simulatedWord(0, 3), simulatedWord(undefined, 3)], ["", ""]);
  assert.deepEqual([simulatedMark(0, 3), simulatedMark(undefined, 3)], [null, null]);
});
