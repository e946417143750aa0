/**
 * The loss falling: loss on the left axis, accuracy on the test part on the right one, over training steps.
 *
 * Drawn by uPlot, at most once per frame however many events arrive.
 */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { element as makeElement, number, percent } from "./dom.js";
import { Curve } from "./losscurve.js";

const SMALL_HEIGHT = 132;
// At least.
const LARGE_HEIGHT = 340;

/** A colour or a font of the page, as canvas needs it: static/css/tokens.css. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function series(small) {
  const loss = (v) => (v == null ? "–" : number(v, 3));
  const share = (v) => (v == null ? "–" : percent(v));
  const points = { show: true, size: small ? 5 : 7 };
  return [
    { label: gettext("Step"), value: (_, v) => (v == null ? "–" : number(v)) },
    { label: gettext("Loss"), scale: "loss", stroke: () => colour("line-strong"), width: 1, alpha: 0.55, spanGaps: true, value: (_, v) => loss(v), points: { show: false } },
    { label: gettext("Loss, smoothed"), scale: "loss", stroke: () => colour("accent"), width: 2, spanGaps: true, value: (_, v) => loss(v), points: { show: false } },
    { label: "AP50", scale: "ap", stroke: () => colour("ok"), width: 2, spanGaps: true, points, value: (_, v) => share(v) },
    { label: "AP", scale: "ap", stroke: () => colour("warn"), width: 2, dash: [6, 4], spanGaps: true, points, value: (_, v) => share(v) },
  ];
}

function axes(small) {
  const font = `${small ? 11 : 12}px ${colour("font")}`;
  const shared = { stroke: () => colour("ink-soft"), font, ticks: { show: false } };
  const grid = { stroke: () => colour("line"), width: 1 };
  return [
    { ...shared, grid: { show: false }, size: small ? 26 : 36, values: (_, all) => all.map((v) => (Number.isInteger(v) ? number(v) : "")) },
    { ...shared, scale: "loss", grid, size: small ? 38 : 52 },
    { ...shared, scale: "ap", side: 1, grid: { show: false }, size: small ? 42 : 56, values: (_, all) => all.map((v) => percent(v)) },
  ];
}

function options(width, small, total) {
  return {
    width,
    height: small ? SMALL_HEIGHT : LARGE_HEIGHT,
    legend: { show: !small },
    cursor: { show: !small, drag: { x: !small, y: false } },
    // All the steps to come have their place from the start: the curve grows into it.
    scales: { x: { time: false, range: (_, low, high) => [0, Math.max(high, total())] }, loss: { range: (_, low, high) => [0, Math.max(high, 0.1) * 1.05] }, ap: { range: [0, 1] } },
    series: series(small),
    axes: axes(small),
  };
}

/** What the picture says, for those who do not see it. */
function describe(element, columns) {
  const last = (column) => column.findLast((value) => value != null);
  const [steps, , smooth, ap50] = columns;
  if (!steps.length) return;
  const parts = [interpolate(gettext("Step %s"), [number(last(steps))])];
  if (last(smooth) != null) parts.push(interpolate(gettext("loss %s"), [number(last(smooth), 3)]));
  if (last(ap50) != null) parts.push(`AP50 ${percent(last(ap50))}`);
  element.setAttribute("aria-label", `${gettext("Curve of the training")}: ${parts.join(", ")}`);
}

class LossChart {
  constructor(element, small) {
    Object.assign(this, { element, small, curve: new Curve(), frame: 0, plot: null });
    this.waiting = makeElement("p", { class: "chart-waiting soft" }, gettext("The curve begins with the first steps of the training."));
    element.classList.add("chart");
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", gettext("Curve of the training"));
    element.append(this.waiting);
    this.resized = new ResizeObserver(() => this.fit());
    this.resized.observe(element);
    this.recolour = () => this.plot?.redraw(false, true);
    document.addEventListener("themechange", this.recolour);
  }

  later() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const columns = this.curve.columns();
    const { clientWidth: width } = this.element;
    if (!columns[0].length && !this.plot) return;
    this.waiting.remove();
    if (this.plot) this.plot.setData(columns);
    else if (width) {
      this.plot = new uPlot(options(width, this.small, () => this.curve.total), columns, this.element);
      if (!this.small) this.resized.observe(this.legend()); // values that it shows may need another line
      this.fit();
    }
    describe(this.element, columns);
  }

  fit() {
    if (!this.plot) {
      this.later();
      return;
    }
    const { clientWidth: width } = this.element;
    const height = this.height();
    if (width && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  legend() {
    return this.element.querySelector(".u-legend");
  }

  /** Pixels for the curve itself: a large one fills the room that the page has for it, less that of its legend. */
  height() {
    if (this.small) return SMALL_HEIGHT;
    const legend = this.legend().offsetHeight;
    this.element.style.minHeight = `${LARGE_HEIGHT + legend}px`;
    return Math.max(LARGE_HEIGHT, this.element.clientHeight - legend);
  }

  add(event) {
    this.curve.add(event);
    this.later();
  }

  destroy() {
    cancelAnimationFrame(this.frame);
    this.resized.disconnect();
    document.removeEventListener("themechange", this.recolour);
    this.plot?.destroy();
  }
}

/**
 * Draw the curve of a training into an element.
 *
 * @param {HTMLElement} element
 * @param {{small?: boolean}} options small: no legend and no cursor, for the margin of another page
 * @returns {{add: (event: object) => void, destroy: () => void}}
 *   Events of the kinds metrics and evaluation count, others are passed over; in the order in which they were told.
 */
export function lossChart(element, { small = false } = {}) {
  return new LossChart(element, small);
}
