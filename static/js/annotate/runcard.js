/** One run beside the picture: the loss of a training, or the progress of automatic annotation. */

import { api } from "../api.js";
import { lossChart } from "../chart.js";
import { element } from "../dom.js";
import { runLine } from "../runline.js";
import { RunState, stateName } from "../runstate.js";
import { toast } from "../toast.js";

/** How long, in milliseconds, the card of an ended run stays; longer where there is a new detector to use. */
const LINGER = 12_000;
const LINGER_WITH_DETECTOR = 120_000;

export class RunCard {
  #end = 0;

  /**
   * @param run run json, or at least its id and kind
   * @param data page data
   * @param told.onGone called when the card has been shown long enough after the run's end
   * @param told.onUse (detector id) called when somebody wants to use the detector that it has made
   */
  constructor(run, data, { onGone, onUse }) {
    Object.assign(this, { run, data, onGone, onUse, state: new RunState(run) });
    const training = run.kind === "training";
    this.name = element("h2", {}, training ? gettext("Training") : gettext("Finding boxes"));
    this.line = element("p", { class: "run-line" });
    // Of what goes on every second a screen reader says only how it begins and ends.
    this.announcer = element("p", { class: "visually-hidden", role: "status" });
    this.bar = element("progress", { max: "1", "aria-label": gettext("Progress") });
    this.foot = element("p", { class: "run-foot" }, element("a", { href: this.#page() }, gettext("Open")));
    const mayCancel = training ? data.can.curate : data.can.draw;
    this.cancel = element("button", { type: "button", class: "link", onclick: () => this.#cancel() }, gettext("Cancel"));
    if (mayCancel) this.foot.append(this.cancel);
    const figure = training ? element("div", { class: "run-chart" }) : null;
    this.node = element("article", { class: "run-card", "data-run": run.id }, this.name, this.line, this.announcer, figure, this.bar, this.foot);
    this.chart = figure && lossChart(figure, { small: true });
  }

  /** Take over what the run's json says beyond its events. */
  update({ inference }) {
    if (inference) this.name.textContent = interpolate(gettext("Finding boxes: %s"), [inference.detector_name]);
    if (!this.line.textContent) this.#show();
  }

  /** Take an event of the run. */
  take(event) {
    this.chart?.add(event);
    this.state.apply(event);
    if (event.kind === "detector") this.#offer(event.payload);
    this.#show();
  }

  destroy() {
    clearTimeout(this.#end);
    this.chart?.destroy();
    this.node.remove();
  }

  #show() {
    const { isOver, share, state, detector } = this.state;
    this.line.textContent = runLine(this.state);
    if (share) this.bar.value = share;
    else this.bar.removeAttribute("value");
    this.bar.hidden = this.cancel.hidden = isOver;
    if (this.node.dataset.state !== state) this.announcer.textContent = `${this.name.textContent}: ${stateName(state)}`;
    this.node.dataset.state = state;
    clearTimeout(this.#end);
    if (isOver) this.#end = setTimeout(this.onGone, detector ? LINGER_WITH_DETECTOR : LINGER);
  }

  /** The loop closes here: what was just trained draws the boxes of this artwork. */
  #offer({ id }) {
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
