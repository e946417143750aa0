/** A picture of a few lines, drawn by uPlot: it follows the width of its place and the scheme of the page. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { colour } from "./chart.js";

const HEIGHT = 300;
// Lines are told apart by more than their colour.
const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [16, 5]];

/** The dashes of the nth line. */
export function dashOf(n) {
  return DASHES[n % DASHES.length];
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
 * @param {{columns: number[][], series: object[], axes: object[], scales: object, label: string}} picture
 *   as uPlot has them, each series but the first with its line; `label` is what the picture shows, in words
 */
export function drawLines(element, { columns, series, axes, scales, label }) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const plot = new uPlot({ width: element.clientWidth, height: HEIGHT, series, axes, scales, cursor: { drag: { x: false, y: false } }, legend: { markers: { dash: (u, n) => (u.series[n].dash?.length ? "dashed" : "solid") } } }, columns, element);
  new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }).observe(element);
  document.addEventListener("themechange", () => plot.redraw(false, true));
}
