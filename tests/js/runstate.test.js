import assert from "node:assert/strict";
import test from "node:test";

import { RunState } from "../../static/js/runstate.js";

const open = (state = "running") => new RunState({ id: 1, state, message: "" });
const stage = (name, state, more = {}) => ({ kind: "stage", payload: { stage: name, state, done: 0, total: 0, message: "", ...more } });

test("a stage goes from waiting over progress to done and keeps what it said", () => {
  const run = open();
  assert.equal(run.stages.get("augment").state, "waiting");
  run.apply(stage("augment", "started"));
  run.apply(stage("augment", "progress", { done: 3, total: 9 }));
  assert.deepEqual(run.stages.get("augment"), { state: "started", done: 3, total: 9, message: "" });
  run.apply(stage("augment", "done", { message: "9 copies" }));
  assert.equal(run.stages.get("augment").message, "9 copies");
});

test("a stage that an earlier try has finished stays done when the run goes on", () => {
  const run = open();
  run.apply(stage("tfrecord", "done", { message: "56 records" }));
  run.apply(stage("tfrecord", "skipped", { message: "done earlier" }));
  assert.deepEqual([run.stages.get("tfrecord").state, run.stages.get("tfrecord").message], ["done", "56 records"]);
});

test("the time left goes on running down while the detector is tested and saved", () => {
  const run = open();
  const now = Date.parse("2026-01-01T00:00:20Z");
  run.apply(stage("train", "started"));
  assert.equal(run.secondsLeft(now), null);
  run.apply({ kind: "metrics", payload: { step: 9, total_steps: 9, seconds_left: 50 }, time: "2026-01-01T00:00:00Z" });
  assert.equal(run.secondsLeft(now), 50);
  run.apply(stage("train", "done"));
  assert.equal(run.secondsLeft(now), null);
  run.apply(stage("export", "started"));
  assert.equal(run.secondsLeft(now), 30);
  assert.equal(run.secondsLeft(now + 30_000), null);
  run.apply({ kind: "status", payload: { state: "cancelled", message: "" } });
  assert.equal(run.secondsLeft(now), null);
});

test("what was under way when a run stopped is shown as stopped", () => {
  const run = open();
  run.apply(stage("train", "started"));
  run.apply({ kind: "status", payload: { state: "cancelled", message: "" } });
  assert.equal(run.stages.get("train").state, "stopped");
  assert.equal(run.isOver, true);
});

test("an interrupted run that waits for its next turn does nothing and has no time left", () => {
  const run = open();
  const metrics = (step, left) => ({ kind: "metrics", payload: { step, total_steps: 1000, seconds_left: left }, time: "2026-01-01T00:00:00Z" });
  const status = (state) => ({ kind: "status", payload: { state, message: "" } });
  const now = Date.parse("2026-01-01T00:00:01Z");
  [stage("train", "started"), metrics(500, 3600), status("queued")].forEach((event) => run.apply(event));
  assert.equal(run.stages.get("train").state, "stopped");
  assert.equal(run.stage, undefined);
  assert.equal(run.secondsLeft(now), null);
  [status("running"), stage("train", "started")].forEach((event) => run.apply(event));
  // What the earlier try said of its time is no word of this one.
  assert.equal(run.secondsLeft(now), null);
  assert.equal(run.share, 0.5);
  run.apply(metrics(501, 1800));
  assert.equal(run.secondsLeft(now), 1800);
});

test("an inference that was interrupted keeps what it has done but no time left", () => {
  const run = open();
  run.apply({ kind: "progress", payload: { done: 3, total: 12, seconds_left: 40 } });
  run.apply({ kind: "status", payload: { state: "queued", message: "" } });
  assert.deepEqual([run.share, run.progress.seconds_left], [0.25, null]);
});

test("an error stays with its run until it goes on", () => {
  const run = open();
  run.apply({ kind: "error", payload: { message: "no memory", detail: "trace" }, time: "2026-01-01T00:00:00Z" });
  run.apply({ kind: "status", payload: { state: "failed", message: "no memory" } });
  assert.equal(run.error.message, "no memory");
  assert.match(run.log[0].text, /trace/);
  run.apply({ kind: "status", payload: { state: "queued", message: "" } });
  assert.equal(run.error, null);
});

test("the training part is never taken for the test part", () => {
  const run = open();
  run.apply({ kind: "evaluation", payload: { step: 5, split: "train", AP50: 0.99 } });
  assert.equal(run.evaluation, null);
  run.apply({ kind: "evaluation", payload: { step: 5, split: "test", AP50: 0.5 } });
  assert.equal(run.evaluation.AP50, 0.5);
});

test("an inference counts its suggestions and how far it is", () => {
  const run = open();
  run.apply({ kind: "progress", payload: { done: 3, total: 12 } });
  run.apply({ kind: "artwork", payload: { artwork: 1, revision: 2, boxes: 4 } });
  run.apply({ kind: "artwork", payload: { artwork: 2, revision: 2, boxes: 0 } });
  assert.deepEqual([run.share, run.artworks, run.suggestions], [0.25, 1, 4]);
});

test("of the detector that a training made, the page knows what has become of it", () => {
  const events = [
    { seq: 8, kind: "detector", payload: { id: 7, name: "First name" } },
    { seq: 9, kind: "status", payload: { state: "done", message: "" } },
  ];
  const opened = (training, last = 9) => {
    const run = open();
    run.update({ state: "done", message: "", training, last_seq: last, events });
    return [run.state, run.detector, run.isDetectorGone];
  };
  assert.deepEqual(opened({ detector: 7, detector_name: "Renamed" }), ["done", { id: 7, name: "Renamed" }, false]);
  assert.deepEqual(opened({ detector: null, detector_name: null }), ["done", null, true]);
  // The run was read before it ended, and its events after that.
  const run = open();
  run.update({ state: "running", message: "", training: { detector: null, detector_name: null }, last_seq: 7, events });
  assert.deepEqual([run.state, run.detector.id, run.isDetectorGone], ["done", 7, false]);
});

test("a detector that is made while its page is open is offered", () => {
  const run = open();
  run.update({ state: "running", message: "", training: { detector: null, detector_name: null }, last_seq: 0, events: [] });
  run.apply({ kind: "detector", payload: { id: 7, name: "Fresh" } });
  run.apply({ kind: "status", payload: { state: "done", message: "" } });
  assert.deepEqual([run.detector.name, run.isDetectorGone], ["Fresh", false]);
});

test("an event of a kind that is not known yet changes nothing", () => {
  const run = open();
  run.apply({ kind: "weather", payload: {} });
  assert.equal(run.state, "running");
});
