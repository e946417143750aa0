/** The annotation page: joins the pure centre (store, history, outbox) to the picture, the panels and the keys. */

import { api } from "../api.js";
import { oneAtATime } from "../dialogs.js";
import { pageData } from "../dom.js";
import { openFinder } from "../finder.js";
import { toast } from "../toast.js";
import { Actions } from "./actions.js";
import { Bindings } from "./bindings.js";
import { BoxFilter } from "./boxfilter.js";
import { takeAlong, wasTakenAlong } from "./clipboard.js";
import { Concepts } from "./concepts.js";
import { Conflicts } from "./conflicts.js";
import { Desk } from "./desk.js";
import { Keyboard } from "./keyboard.js";
import { KeyHelp } from "./keyhelp.js";
import { Lens } from "./lens.js";
import { MetadataForm } from "./metadata.js";
import { Overlay } from "./overlay.js";
import { openPalette } from "./palette.js";
import { BoxPanel, SuggestionPanel } from "./panels.js";
import { Picture } from "./picture.js";
import { Pointer } from "./pointer.js";
import { Progress } from "./progress.js";
import { Runs } from "./runs.js";
import { startSaving } from "./saving.js";
import { SelectedPanel } from "./selected.js";
import { Store } from "./store.js";
import { Timeline } from "./timeline.js";
import { startTogether } from "./together.js";
import { connectToolbar } from "./toolbar.js";
import { History } from "./undo.js";
import { ViewPanel } from "./viewpanel.js";

/** Going to the next artwork waits this long for the last edits; what is not sent then is sent by the next page. */
const LEAVE_AFTER = 3000;
/** On a phone's width the page is for looking. A common laptop at 200 % is wider. */
const WIDE_ENOUGH = "(min-width: 600px)";

const find = (selector) => document.querySelector(selector);
const data = pageData();
const canDraw = data.can.draw && matchMedia(WIDE_ENOUGH).matches;
const { width, height } = data.artwork;
const bounds = { width, height };
const labels = new Map(data.labels.map((label) => [label.id, label]));
const labelKey = `webnet-label:${data.dataset.id}`;
const element = find("#picture");

const store = new Store(data.document, data.username);
const history = new History(store);
const desk = new Desk(firstState());
const picture = new Picture(element, { ...bounds, source: data.source });
const tell = (text) => toast(text, { kind: "error" });
const reveal = (rect) => picture.show(rect);
const place = { dataset: data.dataset.id, artwork: data.artwork.id };
const actions = new Actions({ store, desk, bounds, visible: () => picture.visible(), reveal, tell, place });
const bindings = new Bindings(localStorage);
const keyHelp = new KeyHelp(find("#help"), bindings);
const page = {
  go,
  toNext,
  undo: () => actions.cancelDraft() || (desk.past === null && history.undo()),
  redo: () => desk.past === null && history.redo(),
  history: () => timeline.open(),
  find: () => findBoxes(),
  help: () => keyHelp.show(),
  finish: () => progress?.finish(),
  palette: () => openPalette({ labels, choose: (label) => actions.chooseLabel(label) }),
  setPanning: (on) => pointer.setPanning(on),
};
const context = { store, desk, labels, actions, picture, bounds, canDraw, data, element, history, bindings, page };

const where = { username: data.username, ...place };
const conflicts = new Conflicts(find("#conflicts"), context);
// What is refused was drawn, as a rule, with a concept that somebody has deleted.
const told = { onDisputes: (found) => conflicts.add(found), onRefused: () => readLabels() };
const outbox = startSaving(store, data.document, where, find("#save-state"), told);
const overlay = new Overlay(context);
const concepts = new Concepts(find("#concepts"), context, labelsChanged);
const panels = [
  new SuggestionPanel(find("#suggestions"), context),
  new BoxPanel(find("#boxes"), context),
  new SelectedPanel(find("#selected"), find("#announcer"), context),
];
const filter = new BoxFilter(find("#box-filter"), context);
const runs = new Runs(find("#runs"), data, { onUse: (detector) => findBoxes(detector) });
startTogether(find("#people"), data, { onRevision: (revision) => revision > outbox.revision && refresh() });
const pointer = new Pointer(context);
const timeline = new Timeline(find("#past"), { ...context, outbox });
const progress = data.can.draw ? new Progress(find("#progress"), data, { leave }) : null;
store.subscribe(({ origin }) => origin === "local" && progress?.begun());
new Keyboard(context);
new Lens({ ...context, overlay });
new ViewPanel(find("#view-panel"), find("[data-view]"), context);
connectToolbar(context);
if (data.can.curate) new MetadataForm(find("#metadata"), { url: data.urls.api, artwork: data.artwork, onSaved: showName });

store.subscribe(() => store.boxes().some(({ label }) => !labels.has(label)) && readLabels());
window.addEventListener("pagehide", () => actions.commit()); // which is kept in the browser at once
store.subscribe(() => desk.selected && !store.box(desk.selected) && desk.set({ selected: null }));
desk.subscribe(() => desk.label !== null && sessionStorage.setItem(labelKey, desk.label), "label");
picture.ready.then(shown, (error) => toast(error.message, { kind: "error", seconds: 60 }));

/** The concept used last; an artwork without boxes is opened to draw on, one with boxes to look at. */
function firstState() {
  const last = Number(sessionStorage.getItem(labelKey));
  const label = labels.has(last) ? last : (data.labels[0]?.id ?? null);
  return { label, tool: canDraw && labels.size && !data.document.boxes.length ? "box" : "select" };
}

function shown() {
  element.dataset.ready = "true";
  overlay.repaint();
  if (canDraw && wasTakenAlong()) actions.paste();
  // The next picture is on its way before it is asked for.
  if (data.neighbours.image) new Image().src = data.neighbours.image;
}

function labelsChanged() {
  concepts.render();
  panels.forEach((panel) => panel.render());
  filter.render();
  overlay.repaint();
}

let reading = false;
let readAgain = false;

/** Learn of the concepts that others have made or deleted since the page was opened. */
async function readLabels() {
  readAgain = reading;
  if (reading) return;
  reading = true;
  try {
    const before = [...labels.keys()];
    const known = await allLabels();
    const ids = new Set(known.map(({ id }) => id));
    // What was made here meanwhile stays.
    before.filter((id) => !ids.has(id)).forEach((id) => labels.delete(id));
    known.forEach((label) => labels.set(label.id, label));
    // Nobody should go on drawing with a concept that they did not choose.
    if (!labels.has(desk.label)) desk.set({ label: null });
    labelsChanged();
  } catch (error) {
    console.info("The concepts could not be read again:", error.message);
  }
  reading = false;
  if (readAgain) readLabels();
}

async function allLabels() {
  const address = `/api/datasets/${data.dataset.id}/labels/?page_size=200&page=`;
  const found = [];
  for (let page = 1, more = true; more; page += 1) {
    const answer = await api("GET", `${address}${page}`);
    found.push(...answer.results);
    more = Boolean(answer.next);
  }
  return found;
}

const findBoxes = oneAtATime(async (first = null) => {
  const { dataset, artwork, can } = data;
  try {
    const detectors = (await api("GET", `/api/datasets/${dataset.id}/detectors/?page_size=200`)).results;
    const onRun = (run) => runs.add(run);
    openFinder({ dataset, detectors, first, labels, mayCreate: can.curate, artwork: artwork.id, onLabels: labelsChanged, onRun });
  } catch (error) {
    tell(error.message);
  }
});

function showName({ title, file_name: file, creator, date }) {
  find("#artwork-title").textContent = title || file;
  find("#artwork-line").textContent = [creator, date].filter(Boolean).join(", ");
}

/** Copy the selected box to the next artwork, and go there. */
function toNext() {
  if (!desk.selected) return tell(gettext("Select the box that is to be copied to the next artwork."));
  if (data.neighbours.next && actions.copy()) takeAlong();
  return go("next");
}

async function go(which) {
  const url = data.neighbours[which];
  if (!url) return toast(which === "next" ? gettext("This is the last artwork.") : gettext("This is the first artwork."));
  return leave(url);
}

/** Go to another page once everything is saved. */
async function leave(url) {
  actions.commit();
  await Promise.race([outbox.settled(), new Promise((resolve) => setTimeout(resolve, LEAVE_AFTER))]);
  return location.assign(url);
}

/** Read the boxes again: somebody else, or a detector, may have changed them. */
async function refresh() {
  if (outbox.unsent) return;
  try {
    outbox.receive(await api("GET", `${data.urls.api}boxes/`));
  } catch (error) {
    console.info("The boxes could not be read again:", error.message);
  }
}
