/** Parts of a run's page: the stages, the numbers and the curve of a training, and the log. */

import { lossChart } from "./chart.js";
import { duration, element, icon, language, number, percent } from "./dom.js";
import { stageName } from "./runstate.js";
import { simulatedMark, simulatedWord } from "./simulated.js";

const MOST_LINES = 2000;
const share = (value) => (value == null ? "–" : percent(value));

function stageWords(state) {
  const words = {
    waiting: gettext("to come"),
    started: gettext("under way"),
    done: gettext("done"),
    skipped: gettext("done earlier"),
    stopped: gettext("stopped"),
  };
  return words[state] ?? state;
}

class Stepper {
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  row(name) {
    if (!this.rows.has(name)) {
      const mark = element("span", { class: "step-mark" }, icon("check"));
      const text = element("span", { class: "soft small" });
      const bar = element("progress", { max: 1, value: 0, hidden: true, "aria-label": stageName(name) });
      const item = element("li", { class: "step" }, mark, element("span", { class: "step-body" }, element("span", { class: "step-name" }, stageName(name)), text, bar));
      this.rows.set(name, { item, text, bar });
      this.list.append(item);
    }
    return this.rows.get(name);
  }

  show(name, { state, done, total, message }) {
    const { item, text, bar } = this.row(name);
    item.dataset.state = state;
    if (state === "started") item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
    const counted = state === "started" && total ? `${number(done)} / ${number(total)}` : "";
    item.setAttribute("aria-label", `${stageName(name)}: ${stageWords(state)}`);
    text.textContent = message || counted || stageWords(state);
    bar.hidden = !(state === "started" && total);
    bar.value = total ? done / total : 0;
  }
}

/** The page of a training run. */
export class TrainingView {
  constructor(dataset) {
    this.dataset = dataset;
    this.chart = lossChart(document.getElementById("chart"));
    this.stepper = new Stepper(document.getElementById("stages"));
    this.shown = null;
  }

  show(state, setNumber) {
    state.stages.forEach((stage, name) => this.stepper.show(name, this.withSteps(name, stage, state)));
    this.showNumbers(state, setNumber);
    if (state.evaluation && state.evaluation !== this.shown) this.showLabels(state.evaluation);
    if (state.state === "done") this.showMade(state);
  }

  /** The stage that trains reports steps in its metrics, not items. */
  withSteps(name, stage, { metrics }) {
    if (name !== "train" || stage.state !== "started" || !metrics) return stage;
    return { ...stage, done: metrics.step, total: metrics.total_steps };
  }

  showNumbers(state, setNumber) {
    const { metrics, evaluation } = state;
    if (metrics) {
      setNumber("step", `${number(metrics.step)} / ${number(metrics.total_steps)}`);
      setNumber("loss", number(metrics.loss, 3));
      setNumber("speed", number(metrics.images_per_second, 1));
      setNumber("rate", new Intl.NumberFormat(language, { maximumSignificantDigits: 2 }).format(metrics.learning_rate));
      const left = state.secondsLeft(Date.now());
      setNumber("left", left == null ? "–" : duration(left));
    }
    if (evaluation) setNumber("AP50", share(evaluation.AP50));
  }

  showLabels(evaluation) {
    this.shown = evaluation;
    const section = document.getElementById("per-label");
    const { per_label: labels = [], simulated_concepts: count } = evaluation;
    document.getElementById("simulated").replaceChildren(simulatedMark(count, labels.length) ?? "");
    const rows = labels.map(({ name, AP, AP50, simulated }) =>
      element("tr", {}, element("th", { scope: "row" }, name, " ", simulated && element("span", { class: "chip chip-plain" }, simulatedWord(1, 1))), element("td", { class: "n" }, share(AP50)), element("td", { class: "n" }, share(AP))),
    );
    section.hidden = rows.length === 0;
    section.querySelector("tbody").replaceChildren(...rows);
  }

  /** The detector that was made, or that somebody has deleted it since. */
  showMade({ detector, isDetectorGone }) {
    const place = document.getElementById("done");
    place.hidden = !detector && !isDetectorGone;
    place.classList.toggle("notice-ok", !isDetectorGone);
    place.querySelector("span").hidden = isDetectorGone;
    const text = isDetectorGone
      ? gettext("The detector that this training has made was deleted.")
      : interpolate(gettext("The detector “%s” is ready."), [detector?.name]);
    const words = place.querySelector("p");
    if (words.textContent !== text) words.textContent = text;
    if (!detector) return;
    const use = document.getElementById("use");
    if (use) use.href = `/datasets/${this.dataset.id}/detectors/?use=${detector.id}`;
    document.getElementById("how-good").href = `/datasets/${this.dataset.id}/detectors/${detector.id}/`;
  }
}

/** The log: the last lines, following the newest unless somebody scrolled up. */
export class RunLog {
  constructor(details) {
    this.box = details.querySelector(".log");
    this.list = details.querySelector("ol");
    this.count = details.querySelector(".count");
    this.shown = 0;
  }

  show(lines) {
    if (this.shown === lines.length) return;
    const follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 40;
    const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
    const fresh = lines.slice(Math.max(this.shown, lines.length - MOST_LINES));
    this.list.append(...fresh.map(({ text, time }) => element("li", {}, element("time", {}, clock.format(new Date(time))), " ", text)));
    while (this.list.children.length > MOST_LINES) this.list.firstChild.remove();
    this.shown = lines.length;
    this.count.textContent = number(lines.length);
    if (follows) this.box.scrollTop = this.box.scrollHeight;
  }
}
