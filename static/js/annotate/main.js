/** The annotation page: joins the pure centre (store, undo, outbox) to the picture, the panels and the keys. */

import { api } from "../api.js";
import { pageData } from "../dom.js";
import { toast } from "../toast.js";
import { createActions } from "./actions.js";
import { showConcepts } from "./concepts.js";
import { createDesk } from "./desk.js";
import { openFinder } from "./finder.js";
import { listenToKeys } from "./keyboard.js";
import { editMetadata } from "./metadata.js";
import { createOverlay } from "./overlay.js";
import { showBoxes, showSelected, showSuggestions } from "./panels.js";
import { openPicture } from "./picture.js";
import { listenToPointer } from "./pointer.js";
import { showRuns } from "./runs.js";
import { startSaving } from "./saving.js";
import { createStore } from "./store.js";
import { connectToolbar } from "./toolbar.js";
import { createUndo } from "./undo.js";

/** Going to the next artwork waits this long for the last edits; what is not sent then is sent by the next page. */
const LEAVE_AFTER = 3000;

const data = pageData();
const find = (selector) => document.querySelector(selector);
const bounds = { width: data.artwork.width, height: data.artwork.height };
/** On a phone's width the page is for looking. */
const canDraw = data.can.draw && matchMedia("(min-width: 700px)").matches;
const labels = new Map(data.labels.map((label) => [label.id, label]));
const lastLabel = Number(sessionStorage.getItem(labelKey()));
const store = createStore(data.document, data.username);
const desk = createDesk({
  label: labels.has(lastLabel) ? lastLabel : (data.labels[0]?.id ?? null),
  tool: canDraw && labels.size && !data.document.boxes.length ? "box" : "select",
});
const history = createUndo(store);
const element = find("#picture");
const picture = openPicture(element, { ...bounds, url: data.artwork.urls.display });
const actions = createActions({ store, desk, bounds, visible: picture.visible, tell: (text) => toast(text, { kind: "error" }) });
const shared = { store, desk, labels, actions, picture, bounds, canDraw, data };

function labelKey() {
  return `webnet-label:${data.dataset.id}`;
}

async function go(which) {
  const url = data.neighbours[which];
  if (!url) return toast(which === "next" ? gettext("This is the last artwork.") : gettext("This is the first artwork."));
  actions.commit();
  await outbox.whenSaved(LEAVE_AFTER);
  return location.assign(url);
}

async function refresh() {
  if (outbox.unsent()) return;
  try {
    outbox.receive(await api("GET", `${data.urls.api}boxes/`));
  } catch (error) {
    console.info("The boxes could not be read again:", error.message);
  }
}

const outbox = startSaving({
  store, document: data.document, username: data.username, dataset: data.dataset.id, artwork: data.artwork.id,
  status: find("#save-state"),
});
const overlay = createOverlay(shared);
const concepts = showConcepts({ ...shared, place: find("#concepts"), onLabels: labelsChanged });
const suggestions = showSuggestions({ ...shared, section: find("#suggestions") });
const boxes = showBoxes({ ...shared, section: find("#boxes") });
const selected = showSelected({ ...shared, section: find("#selected") });
const runs = showRuns({ place: find("#runs"), data, onArtwork: refresh, onUse: findBoxes });

function labelsChanged() {
  [concepts, suggestions, boxes, selected].forEach((panel) => panel.render());
  selected.options();
  selected.render();
  overlay.repaint();
}

function findBoxes(detector = null) {
  return openFinder({ data, labels, detector, onLabels: labelsChanged, onRun: runs.add });
}

const pointer = listenToPointer({ ...shared, element });
const page = {
  go,
  undo: () => actions.cancelDraft() || history.undo(),
  redo: history.redo,
  find: () => findBoxes(),
  help: () => find("#help").showModal(),
  setPanning: pointer.setPanning,
};
listenToKeys({ ...shared, element, page });
connectToolbar({ ...shared, history, page });
if (data.can.curate) {
  editMetadata({
    form: find("#metadata"), url: data.urls.api, artwork: data.artwork,
    onSaved: ({ title, file_name: file, creator, date }) => {
      find("#artwork-title").textContent = title || file;
      find("#artwork-line").textContent = [creator, date].filter(Boolean).join(", ");
    },
  });
}

store.subscribe(() => desk.selected && !store.box(desk.selected) && desk.set({ selected: null }));
desk.subscribe((changed) => {
  if (changed.includes("label") && desk.label !== null) sessionStorage.setItem(labelKey(), desk.label);
  if (changed.includes("selected") && desk.selected) picture.show(store.box(desk.selected));
});
picture.ready.then(() => {
  element.dataset.ready = "true";
  overlay.repaint();
  // The next picture is on its way before it is asked for.
  if (data.neighbours.image) new Image().src = data.neighbours.image;
}, (error) => toast(error.message, { kind: "error", seconds: 60 }));
