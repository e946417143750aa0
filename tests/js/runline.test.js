import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
globalThis.gettext = (text) => text;
globalThis.interpolate = (text, values) => values.reduce((said, value) => said.replace("%s", value), text);
const { runLine } = await import("../../static/js/runline.js");
const { RunState } = await import("../../static/js/runstate.js");

function said(...events) {
  const run = new RunState({ id: 1, kind: "training", state: "queued", message: "" });
  events.forEach(([kind, payload]) => run.apply({ kind, payload }));
  return runLine(run);
}

const running = ["status", { state: "running", message: "" }];
const stage = (name, state) => ["stage", { stage: name, state, done: 0, total: 0, message: "" }];
const metrics = ["metrics", { step: 30, total_steps: 1200, loss: 0.5, seconds_left: 90 }];

test("a run that waits or begins says so", () => {
  assert.equal(said(), "Waiting");
  assert.equal(said(running), "Running");
});

test("a training tells its stage, and while it trains its steps", () => {
  assert.equal(said(running, stage("tfrecord", "started")), "Pack the pictures");
  assert.equal(said(running, stage("train", "started")), "Train");
  assert.equal(said(running, stage("train", "started"), metrics), "Step 30 of 1,200 · loss 0.50 · 1 min 30 s left");
  const tested = ["evaluation", { step: 30, split: "test", AP50: 0.5 }];
  assert.match(said(running, stage("train", "started"), metrics, tested), /loss 0.50 · AP50 50% · 1 min/);
  const marked = ["evaluation", { step: 30, split: "test", AP50: 0.5, simulated_concepts: 1, per_label: [{}, {}] }];
  assert.match(said(running, stage("train", "started"), metrics, marked), /AP50 50% \(partly simulated\) · 1 min/);
  assert.equal(said(running, metrics, stage("train", "done"), stage("export", "started")), "Save the detector");
});

test("a run that waits again says only that, and when it goes on no time of before", () => {
  const waits = ["status", { state: "queued", message: "The process stopped early." }];
  assert.equal(said(running, stage("train", "started"), metrics, waits), "Waiting");
  assert.equal(said(running, ["progress", { done: 3, total: 12, seconds_left: 40 }], waits), "Waiting");
  assert.equal(said(running, metrics, waits, running, stage("train", "started")), "Step 30 of 1,200 · loss 0.50");
});

test("an inference tells how many artworks it has looked at", () => {
  assert.equal(said(running, ["progress", { done: 3, total: 12 }]), "3 of 12 artworks");
});

test("a run that has ended says how, in its own words where it has any", () => {
  assert.equal(said(running, metrics, ["status", { state: "cancelled", message: "" }]), "Cancelled");
  assert.equal(said(running, ["status", { state: "failed", message: "The disk is full." }]), "The disk is full.");
  const error = ["error", { message: "No memory.", detail: "" }];
  assert.equal(said(running, error, ["status", { state: "failed", message: "" }]), "No memory.");
});
