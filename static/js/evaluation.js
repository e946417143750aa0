/** How good a detector is: the curves of its concepts, and how it learnt beside another one. */

import { colour } from "./chart.js";
import { axis, columnOf, dashOf, drawLines, smoothPoints } from "./curves.js";
import { number, pageData, percent } from "./dom.js";

const STEPS = 101;
const { concepts, curves } = pageData();

/** A concept's colour, moved towards the ink so that it stands out on the page's ground, light or dark. */
function inked(own) {
  return own ? `color-mix(in srgb, ${own} 70%, ${colour("ink")})` : colour("ink");
}

function conceptLine({ name, colour: own, curve }, n) {
  const value = (_, precision, __, at) => (precision == null ? "–" : interpolate(gettext("%(right)s right, from a score of %(score)s"), { right: percent(precision), score: percent(curve[at][2]) }, true));
  return { label: name, stroke: () => inked(own), width: 2, dash: dashOf(n), points: { show: false }, value };
}

/** Precision over recall, a line for each concept. */
function showConcepts(place) {
  if (!concepts.length) {
    place.textContent = gettext("There is nothing to draw: it found no box.");
    return;
  }
  const recall = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));
  const found = { label: gettext("Boxes found"), value: (_, v) => (v == null ? "–" : percent(v)) };
  drawLines(place, {
    columns: [recall, ...concepts.map(({ curve }) => recall.map((_, i) => curve[i]?.[1] ?? null))],
    series: [found, ...concepts.map(conceptLine)],
    axes: [axis(gettext("Boxes found"), percent, { size: 32 }), axis(gettext("Of its own, right"), percent)],
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1.02] } },
    label: interpolate(
      ngettext("The curve of %s concept; the table says the same in numbers", "The curves of %s concepts; the table says the same in numbers", concepts.length),
      [number(concepts.length)],
    ),
  });
}

/** Loss and AP50 over the steps of two trainings. */
function showTrainings(place) {
  const known = curves.filter(({ loss, AP50 }) => loss.length || AP50.length);
  if (!known.length) {
    place.textContent = gettext("What these trainings reported is not there any more.");
    return;
  }
  const steps = [...new Set(known.flatMap(({ loss, AP50 }) => [...loss, ...AP50].map(([step]) => step)))].sort((a, b) => a - b);
  const loss = ({ name }, n) => ({ label: `${gettext("Loss, smoothed")}: ${name}`, scale: "loss", stroke: () => colour("accent"), width: 2, dash: dashOf(n), spanGaps: true, points: { show: false }, value: (_, v) => (v == null ? "–" : number(v, 3)) });
  const score = ({ name }, n) => ({ label: `AP50: ${name}`, scale: "ap", stroke: () => colour("ok"), width: 2, dash: dashOf(n), spanGaps: true, points: { show: true, size: 7 }, value: (_, v) => (v == null ? "–" : percent(v)) });
  drawLines(place, {
    columns: [steps, ...known.map((row) => columnOf(smoothPoints(row.loss), steps)), ...known.map((row) => columnOf(row.AP50, steps))],
    series: [{ label: gettext("Step"), value: (_, v) => (v == null ? "–" : number(v)) }, ...known.map(loss), ...known.map(score)],
    axes: [axis(gettext("Step"), number, { size: 32 }), axis(gettext("Loss"), (v) => number(v, 1), { scale: "loss" }), axis("AP50", percent, { scale: "ap", side: 1, grid: { show: false } })],
    scales: { x: { time: false }, loss: { range: (_, low, high) => [0, Math.max(high, 0.1) * 1.05] }, ap: { range: [0, 1] } },
    label: interpolate(gettext("Loss and accuracy of the trainings of %s"), [known.map(({ name }) => name).join(", ")]),
  });
}

showConcepts(document.getElementById("curves"));
const learnt = document.getElementById("learnt");
if (learnt) showTrainings(learnt);
