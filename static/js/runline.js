/** Where a run is, in one line: beside the picture, and above the list of runs. */

import { duration, number, percent } from "./dom.js";
import { stateName } from "./runstate.js";
import { simulatedWord } from "./simulated.js";

/** @param {import("./runstate.js").RunState} run */
export function runLine(run) {
  if (run.isOver) return run.message || run.error?.message || stateName(run.state);
  // An interrupted run waits too, with all that it has told before.
  if (run.state === "queued") return stateName(run.state);
  if (run.stage && run.stage !== "train") return run.stageText();
  const { metrics, progress } = run;
  if (!metrics && !progress) return run.stageText();
  const parts = progress ? artworks(progress) : steps(metrics, run.evaluation);
  const left = (progress ?? metrics).seconds_left;
  if (left != null) parts.push(interpolate(gettext("%s left"), [duration(left)]));
  return parts.join(" · ");
}

function artworks({ done, total }) {
  return [interpolate(gettext("%s of %s artworks"), [number(done), number(total)])];
}

function steps({ step, total_steps: total, loss }, evaluation) {
  const parts = [interpolate(gettext("Step %s of %s"), [number(step), number(total)])];
  if (loss != null) parts.push(interpolate(gettext("loss %s"), [number(loss, 2)]));
  if (evaluation?.AP50 != null) {
    const word = simulatedWord(evaluation.simulated_concepts, evaluation.per_label?.length);
    parts.push([`AP50 ${percent(evaluation.AP50)}`, word && `(${word})`].filter(Boolean).join(" "));
  }
  return parts;
}
