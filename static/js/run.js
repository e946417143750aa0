/** The page of one run: complete from its events when it opens, then live. */

import { api } from "./api.js";
import { confirmLoss } from "./confirm.js";
import { duration, number, pageData, percent } from "./dom.js";
import { listen } from "./live.js";
import { RunState, stateName } from "./runstate.js";
import { RunLog, TrainingView } from "./runviews.js";
import { toast } from "./toast.js";

const { dataset, may, run } = pageData();
const at = (id) => document.getElementById(id);
const isTraining = run.kind === "training";
const mayChange = isTraining ? may.curate : may.annotate;
const state = new RunState(run);
const view = isTraining ? new TrainingView(dataset) : null;
const log = new RunLog(at("log"));
const title = document.title;

function setNumber(name, text) {
  const place = document.querySelector(`[data-number="${name}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}

function showInference() {
  const { done = 0, total = 0, images_per_second: speed, seconds_left: left } = state.progress ?? {};
  setNumber("done", total ? `${number(done)} / ${number(total)}` : "–");
  setNumber("suggestions", number(state.suggestions));
  setNumber("speed", speed == null ? "–" : number(speed, 1));
  setNumber("left", left == null || state.isOver ? "–" : duration(left));
  at("bar").value = state.share;
  at("review").hidden = state.suggestions === 0;
}

function showState() {
  const chip = at("state");
  chip.className = `chip chip-${state.state}`;
  if (chip.textContent !== stateName(state.state)) chip.textContent = stateName(state.state);
  at("cancel").hidden = !mayChange || !["queued", "running", "interrupted"].includes(state.state);
  at("resume").hidden = !mayChange || !["cancelled", "interrupted", "failed"].includes(state.state);
  const text = state.message || state.error?.message || (state.state === "queued" ? gettext("Waiting for a free worker …") : "");
  const message = at("message");
  message.textContent = text;
  message.hidden = !text;
  message.className = `notice ${{ failed: "notice-danger", interrupted: "notice-warn", done: "notice-ok" }[state.state] ?? ""}`;
  document.title = state.state === "running" && state.share ? `${percent(Math.floor(state.share * 100) / 100)} · ${title}` : title;
}

let frame = 0;
/** However many events come, the page is drawn once per frame. */
function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    showState();
    if (view) view.show(state, setNumber);
    else showInference();
    log.show(state.log);
  });
}

// While a detector is tested and saved, only the clock tells how long it will still take.
if (view) setInterval(() => state.state === "running" && later(), 1000);

function take(events) {
  for (const event of events) {
    state.apply(event);
    view?.chart.add(event);
  }
  later();
}

function showLive(status) {
  const words = { connecting: gettext("Connecting …"), open: gettext("Live"), waiting: gettext("Connection lost, trying again …"), denied: gettext("You may not watch this run any more.") };
  at("live").textContent = status === "open" && state.isOver ? "" : words[status];
}

async function change(what, button) {
  button.disabled = true;
  try {
    await api("POST", `${run.urls.api}${what}/`, { json: {} });
    if (what === "cancel") toast(gettext("Stopping …"));
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
  button.disabled = false;
}

async function cancel() {
  const sure = await confirmLoss({
    title: isTraining ? gettext("Cancel this training?") : gettext("Cancel this run?"),
    text: isTraining
      ? gettext("It stops at its last checkpoint and can go on from there later.")
      : gettext("It stops within seconds. The suggestions made so far stay."),
    action: gettext("Cancel it"),
  });
  if (sure) change("cancel", at("cancel"));
}

/** Without https there is no clipboard: then the command is selected, for the keyboard to copy it. */
async function copyCommand(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    toast(gettext("Copied."), { kind: "ok" });
  } catch {
    getSelection().selectAllChildren(source);
  }
}

at("copy")?.addEventListener("click", (event) => copyCommand(at(event.currentTarget.dataset.copy)));
at("cancel").addEventListener("click", cancel);
at("resume").addEventListener("click", () => change("resume", at("resume")));
listen(`/ws/datasets/${dataset.id}/runs/${run.id}/`, {
  onState: (runs) => {
    for (const known of runs) {
      state.update(known);
      known.events.forEach((event) => view?.chart.add(event));
    }
    later();
    showLive("open");
  },
  onEvents: (events) => {
    take(events);
    // This browser's clock may be another than the server's.
    if (events.some(({ kind }) => kind === "metrics")) state.heard = Date.now();
  },
  onStatus: showLive,
});
later();
