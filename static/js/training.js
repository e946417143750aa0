/** Starting a training, and the one that is on. */

import { api } from "./api.js";
import { lossChart } from "./chart.js";
import { counted, number, pageData } from "./dom.js";
import { Examples } from "./examples.js";
import { showErrors } from "./forms.js";
import { listen } from "./live.js";
import { renew } from "./renew.js";
import { runLine } from "./runline.js";
import { RunState, stateName } from "./runstate.js";

// Milliseconds without another key after which a number counts as typed.
const PAUSE = 300;
const { dataset, options, ...page } = pageData();
let { active } = page;
const form = document.getElementById("start");
/** From when their place is first in sight. */
let examples = null;

/** What a training of an architecture costs, and what it sees; one that begins with a detector sees what that one saw. */
function costsOf(key) {
  const begun = options.starts.find(({ id }) => String(id) === form.elements.start?.value);
  return begun?.architecture === key ? begun : options.architectures.find((choice) => choice.key === key);
}

/** The time that each budget takes with the chosen detector, and where it is too short for all artworks. */
function showTimes() {
  const chosen = costsOf(form.elements.architecture.value);
  // Of one's own time nothing is known while another number is typed than the server was asked about.
  const isKnown = (budget) => budget !== "own" || Number(form.elements.minutes.value) === options.own_minutes;
  document.querySelectorAll("[data-budget]").forEach((place) => {
    const { budget } = place.dataset;
    const minutes = Math.round((chosen?.seconds[budget] ?? 0) / 60);
    // It stands beside it already, and is worth a word only where it is not enough.
    const said = budget === "own" ? Math.ceil(options.own_minutes) : 0;
    place.textContent = isKnown(budget) && minutes > said ? `≈ ${number(minutes)} min` : "";
  });
  document.querySelectorAll("[data-reads]").forEach((place) => {
    const reads = isKnown(place.dataset.reads) && chosen?.reads[place.dataset.reads];
    const text = gettext("There is time to learn from %(n)s of the artworks; each concept is on some of them.");
    place.textContent = reads ? counted(text, reads) : "";
  });
}

/** Whether changed copies would be made with the chosen variation: with many artworks for the time, there are none. */
function isVaried() {
  const { architecture, budget, augmentation } = form.elements;
  return costsOf(architecture.value).varied[budget.value].includes(augmentation.value);
}

/** Examples of the chosen variation, and that it needs more time for so many artworks, where it does. */
function showVariation() {
  const { value } = form.elements.augmentation;
  const { all, ids } = chosenLabels();
  if (ids.length) examples?.show(value, isVaried(), all ? null : ids);
  const notice = document.getElementById("not-varied");
  if (notice) notice.hidden = value === "none" || isVaried();
}

function showCosts() {
  showTimes();
  showSizes();
  showVariation();
}

/** The square that each architecture would see in the chosen time. */
function showSizes() {
  document.querySelectorAll("[data-size]").forEach((place) => {
    const side = costsOf(place.dataset.size).sizes[form.elements.budget.value];
    place.textContent = `${side} × ${side}`;
  });
}

function chosenLabels() {
  const boxes = [...form.querySelectorAll("input[name=labels]")];
  return { all: boxes.every((box) => box.checked), ids: boxes.filter((box) => box.checked).map((box) => Number(box.value)) };
}

/** Whether there is enough to train on with the chosen variation: for one particular thing, one picture is. */
function isReady() {
  return options.augmentations.find(({ key }) => key === form.elements.augmentation.value).ready;
}

function showReadiness() {
  const { all, ids } = chosenLabels();
  const button = document.getElementById("start-button");
  const [refused, lonely] = ["not-ready", "lonely"].map((id) => document.getElementById(id));
  if (refused) refused.hidden = isReady();
  if (lonely) lonely.hidden = options.ready || !isReady();
  if (active) return;
  // Leaving a concept out may be what a dataset needs to be ready; the server judges the choice again.
  button.disabled = ids.length === 0 || (all && !isReady());
}

async function begin(event) {
  event.preventDefault();
  const { all, ids } = chosenLabels();
  const { architecture, budget, augmentation, name, minutes, start } = Object.fromEntries(new FormData(form));
  const button = document.getElementById("start-button");
  button.disabled = true;
  try {
    const json = { architecture, budget, augmentation, name, labels: all ? null : ids };
    if (budget === "own") json.minutes = Number(minutes);
    if (start) json.start = Number(start);
    const run = await api("POST", `/api/datasets/${dataset.id}/training-runs/`, { json });
    location.assign(run.urls.page);
  } catch (error) {
    showErrors(form, error);
    form.querySelector(".form-error")?.scrollIntoView({ block: "center" });
    button.disabled = false;
  }
}

let isTold = false;

function showActive(state) {
  document.getElementById("active-progress").value = state.share;
  document.getElementById("active-text").textContent = runLine(state);
  const chip = document.getElementById("active-state");
  chip.className = `chip chip-${state.state}`;
  chip.textContent = stateName(state.state);
  if (!state.isOver || isTold) return;
  isTold = true;
  active = null;
  if (form) {
    document.getElementById("start-why").textContent = "";
    showReadiness();
  }
  renew(gettext("The training has ended."));
}

function watch(run) {
  const chart = lossChart(document.getElementById("active-chart"), { small: true });
  const state = new RunState(run);
  const take = (events) => {
    events.filter((event) => event.run === run.id).forEach((event) => {
      state.apply(event);
      chart.add(event);
    });
    showActive(state);
  };
  listen(`/ws/datasets/${dataset.id}/runs/${run.id}/`, {
    onState: (runs) => runs.forEach((known) => take(known.events)),
    onEvents: take,
  });
}

/** Only a detector of the same architecture can be gone on from; one that knows nothing by itself had better. */
function showStarts(event) {
  const chosen = options.architectures.find((choice) => choice.key === form.elements.architecture.value);
  const select = form.elements.start;
  if (select) {
    const [own, ...others] = select.options;
    others.forEach((option) => (option.hidden = option.disabled = option.dataset.architecture !== chosen.key));
    const fitting = others.filter((option) => !option.disabled);
    own.textContent = chosen.knows_nothing ? gettext("Nothing") : gettext("What it comes with");
    if (select.selectedOptions[0].disabled) select.value = "";
    if (chosen.knows_nothing && event?.target.name === "architecture") select.value = fitting[0]?.value ?? "";
    document.getElementById("start-from").hidden = !fitting.length;
  }
  document.getElementById("knows-nothing").hidden = !chosen.knows_nothing || Boolean(select?.value);
}

let typing;

/** Whoever types a number of minutes means it, and learns what it is enough for. */
function chooseOwnTime() {
  form.querySelector("input[name=budget][value=own]").checked = true;
  clearTimeout(typing);
  typing = setTimeout(askTimes, PAUSE);
}

/** The minutes and concepts that are chosen, as a query; "" where they make no sense. */
function wish() {
  const { minutes } = form.elements;
  const { all, ids } = chosenLabels();
  if (!minutes.value || !minutes.validity.valid || (!all && !ids.length)) return "";
  return String(new URLSearchParams([["minutes", minutes.value], ...(all ? [] : ids.map((id) => ["labels", id]))]));
}

/** What the server says of what is chosen, unless something else has been chosen by then; nothing where it cannot. */
async function askTimes() {
  const asked = wish();
  showCosts();
  if (!asked) return;
  const told = await api("GET", `/api/datasets/${dataset.id}/training-options/?${asked}`).catch(() => null);
  if (!told || asked !== wish()) return;
  // Whether there is enough to train on is kept as it is of all concepts.
  const { ready, augmentations } = options;
  Object.assign(options, told, { ready, augmentations });
  showCosts();
}

/** Examples follow the choice of augmentation, from when their place is first in sight: each costs the server seconds. */
function awaitExamples(section) {
  const sight = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    sight.disconnect();
    examples = new Examples(section, dataset);
    showVariation();
  });
  sight.observe(section);
}

if (form) {
  const place = document.getElementById("examples");
  if (place) awaitExamples(place);
  form.elements.minutes.addEventListener("input", chooseOwnTime);
  form.addEventListener("change", (event) => {
    showReadiness();
    showStarts(event);
    showCosts();
    // A concept of small things decides how closely the detector looks.
    if (event.target.name === "labels") askTimes();
  });
  form.addEventListener("submit", begin);
  showReadiness();
  showStarts();
  showCosts();
  if (form.elements.minutes.value !== String(options.own_minutes)) askTimes(); // typed before a reload
}
if (active) watch(active);
