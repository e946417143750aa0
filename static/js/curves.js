/** A picture of a few lines, drawn by uPlot: it follows the width of its place and the scheme of the page. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { colour } from "./chart.js";
import { smoothed } from "./losscurve.js";

const HEIGHT = 300;
// Lines are told apart by more than their colour.
const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [16, 5], [5, 2], [16, 4, 4, 4], [9, 3, 2, 3, 2, 3]];
const LEGEND = { markers: { dash: (plot, n) => (plot.series[n].dash?.length ? "dashed" : "solid") } };

/** The dashes of the nth line. */
export function dashOf(n) {
  return DASHES[n % DASHES.length];
}

/** The values of [x, value] points, in the order of `places` on the x axis; null where a place has none. */
export function columnOf(points, places) {
  const values = new Map(points);
  return places.map((x) => values.get(x) ?? null);
}

/** Points with each value averaged with its neighbours. */
export function smoothPoints(points) {
  const values = smoothed(points.map(([, value]) => value));
  return points.map(([x], i) => [x, values[i]]);
}

/** An axis in the page's colours; `format` writes its numbers. */
export function axis(label, format, more = {}) {
  const font = () => `12px ${colour("font")}`;
  return {
    label,
    labelFont: font(),
    font: font(),
    size: 52,
    labelSize: 22,
    stroke: () => colour("ink-soft"),
    grid: { stroke: () => colour("line"), width: 1 },
    ticks: { show: false },
    values: (_, all) => all.map((value) => (value == null ? "" : format(value))),
    ...more,
  };
}

/**
 * Draw lines into an element.
 *
 * @param {HTMLElement} element
 * @param {{columns: number[][], series: object[], axes: object[], scales: object, label: string,
 *   height?: number, legend?: object, hooks?: object}} picture
 *   as uPlot has them, each series but the first with its line; `label` is what the picture shows, in words
 */
export function drawLines(element, { columns, series, axes, scales, label, height = HEIGHT, legend = LEGEND, hooks = {} }) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const cursor = { drag: { x: false, y: false } };
  const plot = new uPlot({ width: element.clientWidth, height, series, axes, scales, cursor, legend, hooks }, columns, element);
  new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width && width !== plot.width) plot.setSize({ width, height });
  }).observe(element);
  document.addEventListener("themechange", () => plot.redraw(false, true));
}
