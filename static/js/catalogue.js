/** Detectors from elsewhere: fetching one of the catalogue, watching and cancelling that, and adding one as a file. */

import { api } from "./api.js";
import { fileSize, number, pageData } from "./dom.js";
import { submitForm } from "./forms.js";
import { leaveWithNotice } from "./notice.js";
import { renew } from "./renew.js";
import { toast } from "./toast.js";

const { dataset, catalogue } = pageData();
const address = `/api/datasets/${dataset.id}/catalogue/`;
const POLL_MS = 1000;
const MEGABYTE = 1e6;
let timer = null;

const megabytes = (bytes) => number(bytes / MEGABYTE, bytes < 10 * MEGABYTE ? 1 : 0);

function progressText({ state, checking, done, total }) {
  if (state === "queued") return gettext("Waiting for its turn");
  if (checking) return gettext("Unpacking it and trying it on a picture. This takes a minute.");
  if (!done) return gettext("Connecting …");
  if (!total) return fileSize(done);
  return interpolate(gettext("%s of %s MB"), [megabytes(done), megabytes(total)]);
}

function noteText({ state, message, done, total }) {
  if (message) return message;
  if (state === "interrupted") return gettext("It was interrupted. What has arrived is kept.");
  if (state === "cancelled" && done) return interpolate(gettext("Stopped at %s of %s MB. What has arrived is kept."), [megabytes(done), megabytes(total)]);
  return "";
}

function showProgress(card, row) {
  const bar = card.querySelector("progress");
  card.querySelector(".offer-progress").hidden = !row.active;
  // Without a value the bar moves to and fro: nobody knows how long this takes.
  if (row.checking || !row.total || row.state === "queued") bar.removeAttribute("value");
  else bar.value = row.done / row.total;
  card.querySelector(".offer-progress p").textContent = progressText(row);
}

function showNote(card, row) {
  const note = card.querySelector(".offer-note");
  const text = row.active ? "" : noteText(row);
  note.hidden = !text;
  note.classList.toggle("notice-danger", row.state === "failed");
  // Said again, a screen reader would read it again.
  if (note.textContent !== text) note.textContent = text;
}

function showButtons(card, row) {
  const fetchButton = card.querySelector("[data-fetch]");
  if (!fetchButton) return;
  const cancel = card.querySelector("[data-cancel]");
  const had = card.contains(document.activeElement);
  fetchButton.hidden = row.active;
  cancel.hidden = !row.active;
  const label = row.state === "failed" ? gettext("Try again") : gettext("Go on");
  fetchButton.querySelector("span").textContent = row.state && row.state !== "done" ? label : gettext("Fetch");
  // The button that was pressed has gone; whoever works with the keyboard goes on at the other one.
  if (had && document.activeElement === document.body) (row.active ? cancel : fetchButton).focus();
}

const told = new Set();

/** Somebody, perhaps somebody else, has fetched it: its place is among the detectors now. */
function tellArrival({ key, title }) {
  if (told.has(key)) return;
  told.add(key);
  const text = interpolate(gettext("“%s” is here and can be used."), [title]);
  renew(text, () => leaveWithNotice(location.href, text));
}

function show(rows) {
  for (const row of rows) {
    const card = document.querySelector(`[data-key="${row.key}"]`);
    if (!card) continue;
    if (row.detector) {
      card.querySelectorAll(".offer-progress, [data-fetch], [data-cancel]").forEach((part) => (part.hidden = true));
      tellArrival(row);
      continue;
    }
    showProgress(card, row);
    showNote(card, row);
    showButtons(card, row);
  }
  clearTimeout(timer);
  if (rows.some((row) => row.active)) timer = setTimeout(poll, POLL_MS);
}

async function poll() {
  try {
    show(await api("GET", address));
  } catch {
    // The server is away for a moment: the page keeps what it shows and asks again.
    timer = setTimeout(poll, 5 * POLL_MS);
  }
}

async function act(button, path) {
  button.disabled = true;
  try {
    show(await api("POST", `${address}${path}/`));
  } catch (error) {
    toast(error.message, { kind: "error" });
  } finally {
    button.disabled = false;
  }
}

document.querySelectorAll("[data-key]").forEach((card) => {
  const { key } = card.dataset;
  card.querySelector("[data-fetch]")?.addEventListener("click", (event) => act(event.currentTarget, `${key}/fetch`));
  card.querySelector("[data-cancel]")?.addEventListener("click", (event) => act(event.currentTarget, `${key}/cancel`));
});
show(catalogue);

const form = document.getElementById("add-detector");

function tellUpload(sent, total) {
  const text = interpolate(gettext("Sending: %s of %s MB"), [megabytes(sent), megabytes(total)]);
  document.getElementById("add-status").textContent = sent < total ? text : gettext("Trying it on a picture. This takes a minute.");
}

if (form) {
  submitForm(form, async ({ name }) => {
    try {
      await api("POST", `/api/datasets/${dataset.id}/detectors/`, { body: new FormData(form), onProgress: tellUpload });
      leaveWithNotice(location.href, interpolate(gettext("“%s” is here and can be used."), [name]));
    } finally {
      document.getElementById("add-status").textContent = "";
    }
  });
}
