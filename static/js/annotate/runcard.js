/** One run beside the picture: the loss of a training, or the progress of automatic annotation. */

import { api } from "../api.js";
import { lossChart } from "../chart.js";
import { duration, element, number, percent } from "../dom.js";
import { toast } from "../toast.js";

/** How long, in milliseconds, the card of an ended run stays; longer where there is a new detector to use. */
const LINGER = 12_000;
const LINGER_WITH_DETECTOR = 120_000;

/** Whether a run in this state does nothing any more. */
export const hasEnded = (state) => ["done", "failed", "cancelled", "interrupted"].includes(state);

export class RunCard {
  #linger = LINGER;
  #accuracy = "";
  #lastText = "";

  /**
   * @param run run json, or at least its id and kind
   * @param data page data
   * @param told.onGone called when the card has been shown long enough after the run's end
   * @param told.onUse (detector id) called when somebody wants to use the detector that it has made
   */
  constructor(run, data, { onGone, onUse }) {
    Object.assign(this, { run, data, onGone, onUse });
    const training = run.kind === "training";
    this.name = element("h2", {}, training ? gettext("Training") : gettext("Finding boxes"));
    this.line = element("p", { class: "run-line", role: "status" });
    this.bar = element("progress", { max: "1", "aria-label": gettext("Progress") });
    this.foot = element("p", { class: "run-foot" }, element("a", { href: this.#page() }, gettext("Open")));
    const mayCancel = training ? data.can.curate : data.can.draw;
    this.cancel = element("button", { type: "button", class: "link", onclick: () => this.#cancel() }, gettext("Cancel"));
    if (mayCancel) this.foot.append(this.cancel);
    const figure = training ? element("div", { class: "run-chart" }) : null;
    this.node = element("article", { class: "run-card", "data-run": run.id }, this.name, this.line, figure, this.bar, this.foot);
    this.chart = figure && lossChart(figure, { small: true });
  }

  /** Take over what the run's json says beyond its events. */
  update({ inference, message, state }) {
    if (inference) this.name.textContent = interpolate(gettext("Finding boxes: %s"), [inference.detector_name]);
    if (!this.line.textContent) this.#show(message || stateText(state));
  }

  /** Take an event of the run. */
  take(event) {
    this.chart?.add(event);
    const { kind, payload } = event;
    if (kind === "status") this.#takeStatus(payload);
    else if (kind === "stage") this.#show(payload.message || this.#lastText, share(payload.done, payload.total));
    else if (kind === "progress") this.#show(progressText(payload), share(payload.done, payload.total));
    else if (kind === "metrics") this.#show(metricsText(payload, this.#accuracy), share(payload.step, payload.total_steps));
    else if (kind === "evaluation" && payload.AP50 != null) this.#accuracy = `AP50 ${percent(payload.AP50)}`;
    else if (kind === "detector") this.#offer(payload);
    else if (kind === "error") this.#show(payload.message);
  }

  destroy() {
    this.chart?.destroy();
    this.node.remove();
  }

  #takeStatus({ state, message }) {
    if (!hasEnded(state)) return this.#show(stateText(state));
    this.bar.hidden = this.cancel.hidden = true;
    this.node.dataset.state = state;
    this.#show(message || stateText(state));
    return setTimeout(this.onGone, this.#linger);
  }

  #show(text, done = null) {
    this.#lastText = text;
    this.line.textContent = text;
    if (done === null) this.bar.removeAttribute("value");
    else this.bar.value = done;
  }

  /** The loop closes here: what was just trained draws the boxes of this artwork. */
  #offer({ id }) {
    this.#linger = LINGER_WITH_DETECTOR;
    if (!this.data.can.draw) return;
    const use = () => this.onUse(id);
    this.foot.prepend(element("button", { type: "button", class: "link", onclick: use }, gettext("Find boxes with it")));
  }

  async #cancel() {
    try {
      await api("POST", `/api/datasets/${this.data.dataset.id}/runs/${this.run.id}/cancel/`, { json: {} });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  #page() {
    return `/datasets/${this.data.dataset.id}/runs/${this.run.id}/`;
  }
}

const share = (done, total) => (total ? done / total : null);

function stateText(state) {
  const texts = {
    queued: gettext("Waiting to start…"),
    running: gettext("Running…"),
    done: gettext("Done."),
    failed: gettext("It failed. Open it to see why."),
    cancelled: gettext("Cancelled."),
    interrupted: gettext("Interrupted. Open it to go on."),
  };
  return texts[state] ?? "";
}

function timeLeft(seconds) {
  return seconds == null ? [] : [interpolate(gettext("%s left"), [duration(seconds)])];
}

function progressText({ done, total, seconds_left: left }) {
  return [interpolate(gettext("%s of %s artworks"), [number(done), number(total)]), ...timeLeft(left)].join(" · ");
}

function metricsText({ step, total_steps: total, loss, seconds_left: left }, accuracy) {
  const parts = [interpolate(gettext("Step %s of %s"), [number(step), number(total)])];
  if (loss != null) parts.push(interpolate(gettext("loss %s"), [number(loss, 2)]));
  if (accuracy) parts.push(accuracy);
  return [...parts, ...timeLeft(left)].join(" · ");
}
