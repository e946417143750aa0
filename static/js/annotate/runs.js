/** Runs of the dataset, live beside the picture: the loss of a training, the progress of automatic annotation. */

import { api } from "../api.js";
import { lossChart } from "../chart.js";
import { duration, element, number, percent } from "../dom.js";
import { listen } from "../live.js";
import { toast } from "../toast.js";

const ENDED = ["done", "failed", "cancelled", "interrupted"];
/** How long the card of an ended run stays. */
const LINGER = 12_000;
/** Of a training that ended with a detector: there is something to do with it. */
const LINGER_WITH_DETECTOR = 120_000;

/**
 * @param place element that the cards of active runs are put into
 * @param data page data
 * @param onArtwork called when boxes of this artwork changed on the server
 * @param onUse (detector id) called when somebody wants to use the detector that a training has made
 * @returns {{add(run)}} for a run that was started here
 */
export function showRuns({ place, data, onArtwork, onUse }) {
  const cards = new Map();

  function cardOf(run) {
    if (!cards.has(run.id)) {
      cards.set(run.id, createCard(run, data, { onGone: () => remove(run.id), onUse }));
      place.append(cards.get(run.id).node);
      place.hidden = false;
    }
    return cards.get(run.id);
  }

  function remove(id) {
    cards.get(id)?.destroy();
    cards.delete(id);
    place.hidden = cards.size === 0;
  }

  function receive(events) {
    for (const event of events) {
      if (event.kind === "artwork" && event.payload.artwork === data.artwork.id) onArtwork();
      const starts = event.kind === "status" && !ENDED.includes(event.payload.state);
      if (cards.has(event.run)) cards.get(event.run).receive(event);
      else if (starts) cardOf({ id: event.run, kind: event.run_kind, state: event.payload.state }).receive(event);
    }
  }

  listen(`/ws/datasets/${data.dataset.id}/`, {
    onState(runs) {
      const active = new Set(runs.map(({ id }) => id));
      // A run that ended while the socket was away is not among the active ones any more.
      [...cards.keys()].filter((id) => !active.has(id)).forEach(remove);
      for (const run of runs) {
        cardOf(run).update(run);
        receive(run.events);
      }
      onArtwork();
    },
    onEvents: receive,
  });
  return { add: (run) => cardOf(run).update(run) };
}

function createCard(run, data, { onGone, onUse }) {
  const training = run.kind === "training";
  const name = element("h3", {}, training ? gettext("Training") : gettext("Finding boxes"));
  const line = element("p", { class: "run-line", role: "status" });
  const bar = element("progress", { max: "1", "aria-label": gettext("Progress") });
  const figure = training ? element("div", { class: "run-chart" }) : null;
  const link = element("a", { href: `/datasets/${data.dataset.id}/runs/${run.id}/` }, gettext("Open"));
  const cancel = element("button", { type: "button", class: "link", onclick: () => cancelRun(run, data) }, gettext("Cancel"));
  const mayCancel = training ? data.can.curate : data.can.draw;
  const foot = element("p", { class: "run-foot" }, link, mayCancel ? cancel : null);
  const node = element("article", { class: "run-card", "data-run": run.id }, name, line, figure, bar, foot);
  const chart = figure ? lossChart(figure, { small: true }) : null;
  const shown = { accuracy: "", text: "", linger: LINGER };

  function show(text, share = null) {
    line.textContent = text;
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  }

  function ended(state, message) {
    bar.hidden = true;
    cancel.hidden = true;
    show(message || stateText(state));
    node.dataset.state = state;
    setTimeout(onGone, shown.linger);
  }

  const handlers = {
    status({ state, message }) {
      if (ENDED.includes(state)) ended(state, message);
      else show(stateText(state));
    },
    stage: ({ message, done, total }) => show(message || shown.text, total ? done / total : null),
    progress: ({ done, total, seconds_left: left }) => show(progressText(done, total, left), total ? done / total : null),
    metrics(payload) {
      shown.text = metricsText(payload, shown);
      show(shown.text, payload.step / payload.total_steps);
    },
    evaluation({ AP50 }) {
      if (AP50 !== null && AP50 !== undefined) shown.accuracy = `AP50 ${percent(AP50)}`;
    },
    detector({ id }) {
      shown.linger = LINGER_WITH_DETECTOR;
      if (!data.can.draw) return;
      foot.prepend(element("button", { type: "button", class: "link", onclick: () => onUse(id) }, gettext("Find boxes with it")));
    },
    error: ({ message }) => show(message),
  };

  return {
    node,
    receive(event) {
      chart?.add(event);
      handlers[event.kind]?.(event.payload);
    },
    update(newer) {
      if (newer.inference) name.textContent = interpolate(gettext("Finding boxes: %s"), [newer.inference.detector_name]);
      if (!line.textContent) show(newer.message || stateText(newer.state));
    },
    destroy() {
      chart?.destroy();
      node.remove();
    },
  };
}

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
  return seconds === null || seconds === undefined ? [] : [interpolate(gettext("%s left"), [duration(seconds)])];
}

function progressText(done, total, left) {
  return [interpolate(gettext("%s of %s artworks"), [number(done), number(total)]), ...timeLeft(left)].join(" · ");
}

function metricsText({ step, total_steps: total, loss, seconds_left: left }, { accuracy }) {
  const parts = [interpolate(gettext("Step %s of %s"), [number(step), number(total)])];
  if (loss !== null && loss !== undefined) parts.push(interpolate(gettext("loss %s"), [number(loss, 2)]));
  if (accuracy) parts.push(accuracy);
  return [...parts, ...timeLeft(left)].join(" · ");
}

async function cancelRun(run, data) {
  try {
    await api("POST", `/api/datasets/${data.dataset.id}/runs/${run.id}/cancel/`, { json: {} });
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}
