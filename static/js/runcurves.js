/** How several trainings learnt, in one picture: accuracy in its upper half, loss in its lower one. */

import { colour } from "./chart.js";
import { axis, columnOf, dashOf, drawLines, smoothPoints } from "./curves.js";
import { number, pageData, percent } from "./dom.js";

const HEIGHT = 460;
// Of the halves' height: what lies between them, and above the highest value.
const GAP = 0.12;
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const { curves, by } = pageData();
const isTimed = by === "minutes";
const table = document.getElementById("curve-key");
const formats = { loss: (value) => number(value, 3), AP50: percent };

const places = [...new Set(curves.flatMap(({ loss, AP50 }) => [...loss, ...AP50].map(([x]) => x)))].sort((a, b) => a - b);
const lines = curves.map(({ loss, AP50 }) => ({ loss: columnOf(smoothPoints(loss), places), AP50: columnOf(AP50, places) }));
const highest = Math.max(0.1, ...lines.flatMap(({ loss }) => loss.map((value) => value ?? 0)));

function line(n, scale, points) {
  return { scale, stroke: () => colour(`curve-${n + 1}`), width: 2, dash: dashOf(n), spanGaps: true, points };
}

/** Round numbers from 0 on, within the lower half. */
function lossTicks(plot, n, low, high, step) {
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

/** What the halves show, and the line between them. */
function nameHalves({ ctx, bbox, valToPos }) {
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${12 * ratio}px ${colour("font")}`;
  ctx.fillStyle = colour("ink-soft");
  ctx.textBaseline = "top";
  ctx.fillText("AP50", bbox.left + 6 * ratio, bbox.top + 4 * ratio);
  ctx.textAlign = "right";
  ctx.fillText(gettext("Loss, smoothed"), bbox.left + bbox.width - 6 * ratio, valToPos(highest, "loss", true));
  ctx.restore();
}

/** Each line's value at the pointer, or what it said last before; at its end where nobody points. */
function showValues({ cursor }) {
  const end = places.length - 1;
  const isPointing = cursor.idx != null && cursor.left >= 0;
  const upTo = (isPointing ? cursor.idx : end) + 1;
  const caption = table.caption;
  const words = isTimed ? gettext("After %s minutes") : gettext("At step %s");
  caption.textContent = isPointing ? interpolate(words, [number(places[cursor.idx], isTimed ? 1 : 0)]) : caption.dataset.at;
  lines.forEach((row, n) => {
    for (const [name, format] of Object.entries(formats)) {
      const value = row[name].slice(0, upTo).findLast((known) => known != null);
      table.tBodies[0].rows[n].querySelector(`[data-value=${name}]`).textContent = value == null ? "–" : format(value);
    }
  });
}

function draw(place) {
  const x = isTimed ? gettext("Minutes") : gettext("Step");
  drawLines(place, {
    columns: [places, ...lines.map(({ loss }) => loss), ...lines.map(({ AP50 }) => AP50)],
    series: [{ label: x }, ...lines.map((_, n) => line(n, "loss", { show: false })), ...lines.map((_, n) => line(n, "ap", { show: true, size: 6 }))],
    axes: [
      axis(x, (value) => number(value, Number.isInteger(value) ? 0 : 1), { size: 32 }),
      axis(null, (value) => number(value, 1), { scale: "loss", splits: lossTicks }),
      axis(null, percent, { scale: "ap", side: 1, splits: () => SHARES }),
    ],
    scales: {
      x: { time: false, range: (_, low, high) => [0, high] },
      loss: { range: () => [0, highest * (2 + 2 * GAP)] },
      ap: { range: () => [-1 - GAP, 1 + GAP] },
    },
    label: interpolate(gettext("Loss and accuracy of the trainings of %s"), [curves.map(({ name }) => name).join(", ")]),
    height: HEIGHT,
    legend: { show: false },
    hooks: { draw: [nameHalves], setCursor: [showValues], ready: [showValues] },
  });
}

draw(document.getElementById("run-curves"));
