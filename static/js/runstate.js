/** What a run is at, put together from its events: no page, no network. */

export const STAGES = ["annotations", "partition", "augment", "tfrecord", "configure", "train", "evaluate", "export"];

/** The share of a training that is over with its last step. */
const ALL_STEPS = 0.99;

export function stageName(stage) {
  const names = {
    annotations: gettext("Prepare annotations"),
    partition: gettext("Split into training and test"),
    augment: gettext("Vary the training pictures"),
    tfrecord: gettext("Pack the pictures"),
    configure: gettext("Configure the detector"),
    train: gettext("Train"),
    evaluate: gettext("Test the detector"),
    export: gettext("Save the detector"),
  };
  return names[stage] ?? stage;
}

export function stateName(state) {
  const names = {
    queued: gettext("Waiting"),
    running: gettext("Running"),
    done: gettext("Done"),
    failed: gettext("Failed"),
    cancelled: gettext("Cancelled"),
    interrupted: gettext("Interrupted"),
  };
  return names[state] ?? state;
}

/** Whether a run in this state does nothing any more. */
export const hasEnded = (state) => !["queued", "running"].includes(state);

export class RunState {
  /** @param {object} run the run's JSON of the API */
  constructor(run) {
    this.state = run.state;
    this.message = run.message;
    this.stages = new Map(STAGES.map((stage) => [stage, { state: "waiting", done: 0, total: 0, message: "" }]));
    this.metrics = null;
    /** When the last metrics were told, in milliseconds. */
    this.heard = NaN;
    this.evaluation = null;
    this.progress = null;
    /** The id and name of the detector that a training has made, as it is now. */
    this.detector = null;
    /** Whether that was deleted. */
    this.isDetectorGone = false;
    this.error = null;
    this.artworks = 0;
    this.suggestions = 0;
    this.log = [];
  }

  get isOver() {
    return hasEnded(this.state);
  }

  /**
   * Take in the run's JSON and the events that came with it. What a detector was called when it was made, and that there
   * was one, is in the events for good; what has become of it only the JSON knows.
   */
  update({ state, message, training, last_seq: last, events }) {
    events.forEach((event) => this.apply(event));
    // The events are read after the rest, and may know more.
    if (events.at(-1)?.seq > last) return;
    this.on_status({ state, message });
    if (!training) return;
    this.detector = training.detector && { id: training.detector, name: training.detector_name };
    this.isDetectorGone = state === "done" && !this.detector;
  }

  /** Take one event in. */
  apply({ kind, payload, time }) {
    this[`on_${kind}`]?.(payload, time);
  }

  on_status({ state, message }) {
    this.state = state;
    this.message = message;
    if (state === "queued") this.error = null;
    if (!["running", "done"].includes(state)) this.#pause();
  }

  /** What was under way will begin again when the run goes on, and nobody knows yet how long that will take. */
  #pause() {
    this.stages.forEach((stage) => stage.state === "started" && (stage.state = "stopped"));
    for (const told of ["metrics", "progress"]) {
      if (this[told]) this[told] = { ...this[told], seconds_left: null };
    }
  }

  on_stage({ stage, state, done, total, message }) {
    const known = this.stages.get(stage) ?? { message: "" };
    const began = state === "progress" ? "started" : state;
    // A stage that an earlier try has finished says "skipped" when the run goes on: it stays done, with what it said.
    if (state === "skipped" && known.state === "done") return;
    this.stages.set(stage, { state: began, done: done ?? 0, total: total ?? 0, message: message || (state === "progress" ? known.message : "") });
  }

  on_metrics(metrics, time) {
    this.metrics = metrics;
    this.heard = Date.parse(time);
  }

  on_evaluation(evaluation) {
    if (evaluation.split !== "train") this.evaluation = evaluation;
  }

  on_progress(progress) {
    this.progress = progress;
  }

  on_artwork({ boxes }) {
    this.artworks += boxes > 0 ? 1 : 0;
    this.suggestions += boxes;
  }

  on_detector(detector) {
    this.detector = detector;
  }

  on_error(error, time) {
    this.error = error;
    this.on_log({ text: [error.message, error.detail].filter(Boolean).join("\n") }, time);
  }

  on_log({ text }, time) {
    this.log.push({ text, time });
  }

  /** The stage under way, or undefined. */
  get stage() {
    return [...this.stages].find(([, { state }]) => state === "started")?.[0];
  }

  /**
   * Seconds until a training has made its detector, or null where nobody knows: what was said with the last steps, less
   * what has passed since, for testing and saving say nothing of it.
   */
  secondsLeft(now) {
    if (this.state !== "running" || this.metrics?.seconds_left == null) return null;
    if (this.stage === "train") return this.metrics.seconds_left;
    const left = this.metrics.seconds_left - (now - this.heard) / 1000;
    return ["evaluate", "export"].includes(this.stage) && left > 0 ? left : null;
  }

  /** The stage under way, in words. */
  stageText() {
    return this.stage ? stageName(this.stage) : stateName(this.state);
  }

  /** How far the whole run is, from 0 to 1: its training counts most. */
  get share() {
    if (this.state === "done") return 1;
    if (this.progress) return this.progress.total ? this.progress.done / this.progress.total : 0;
    // After its last step it is tested and saved.
    return this.metrics ? Math.min(ALL_STEPS, this.metrics.step / this.metrics.total_steps) : 0;
  }
}
