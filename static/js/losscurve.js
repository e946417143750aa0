/** The points of a training's curve, put together from its events: no page, no network. */

// Neighbours on each side that the smooth line averages over, weighted by nearness: no lag, unlike a running mean.
const REACH = 6;

/** Each value averaged with its neighbours; gaps stay gaps. */
export function smoothed(values) {
  return values.map((value, i) => {
    if (value == null) return null;
    let sum = 0;
    let weight = 0;
    for (let j = Math.max(0, i - REACH); j <= Math.min(values.length - 1, i + REACH); j += 1) {
      if (values[j] == null) continue;
      const nearness = REACH + 1 - Math.abs(i - j);
      sum += nearness * values[j];
      weight += nearness;
    }
    return sum / weight;
  });
}

/** Drop the points at the end that lie at `step` or later. */
function takeBack(points, step) {
  while (points.length && points.at(-1).step >= step) points.pop();
}

/**
 * The curve, from events in the order in which they were told.
 *
 * A training that was killed goes on from its last checkpoint and tells of steps again: with the first loss of them, all
 * that was said of later ones is taken back, as training/curves.py does it for several trainings in one picture.
 */
export class Curve {
  constructor() {
    this.losses = [];
    this.scores = [];
    this.total = 0;
  }

  add({ kind, payload }) {
    const { step } = payload;
    if (kind === "metrics" && payload.loss != null) {
      takeBack(this.losses, step);
      takeBack(this.scores, step + 1); // scores are told after the loss of the same step
      this.losses.push({ step, loss: payload.loss });
      this.total = payload.total_steps ?? 0;
    }
    if (kind === "evaluation" && payload.split !== "train") {
      takeBack(this.scores, step);
      this.scores.push({ step, AP: payload.AP ?? null, AP50: payload.AP50 ?? null });
    }
  }

  /** The columns that uPlot wants: steps, losses, these smoothed, AP50 and AP. */
  columns() {
    const rows = new Map([...this.losses, ...this.scores].map(({ step }) => [step, {}]));
    for (const point of [...this.losses, ...this.scores]) Object.assign(rows.get(point.step), point);
    const steps = [...rows.keys()].sort((a, b) => a - b);
    const column = (name) => steps.map((step) => rows.get(step)[name] ?? null);
    const loss = column("loss");
    return [steps, loss, smoothed(loss), column("AP50"), column("AP")];
  }
}
