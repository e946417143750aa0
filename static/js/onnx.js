/** The ONNX file of a detector: asking for it, and waiting until it is made. */

import { api } from "./api.js";
import { pageData } from "./dom.js";
import { leaveWithNotice } from "./notice.js";
import { renew } from "./renew.js";
import { toast } from "./toast.js";

const POLL_MS = 1000;
const place = document.getElementById("onnx");

function statusText({ active, state, message }) {
  if (state === "queued") return gettext("Waiting for its turn");
  if (active) return gettext("Being made and compared. This takes half a minute, some minutes for a large detector; you need not wait here.");
  if (state === "interrupted") return gettext("It was interrupted. Ask for it again.");
  return message;
}

function tellArrival() {
  const text = gettext("The ONNX file is here.");
  renew(text, () => leaveWithNotice(location.href, text));
}

function show(row) {
  if (row.there) {
    tellArrival();
    return;
  }
  const [button, bar, status] = ["button", "progress", "[role=status]"].map((name) => place.querySelector(name));
  // The button that was pressed goes; whoever works with the keyboard stays here.
  if (row.active && button === document.activeElement) place.focus();
  button.hidden = row.active;
  bar.hidden = !row.active;
  if (row.state && !row.active) button.textContent = gettext("Try again");
  const text = statusText(row);
  status.hidden = !text;
  status.classList.toggle("notice-danger", row.state === "failed");
  // Said again, a screen reader would read it again.
  if (status.textContent !== text) status.textContent = text;
  if (row.active) setTimeout(poll, POLL_MS);
}

async function poll() {
  try {
    show(await api("GET", place.dataset.address));
  } catch {
    // The server is away for a moment: the page keeps what it shows and asks again.
    setTimeout(poll, 5 * POLL_MS);
  }
}

async function ask(button) {
  button.disabled = true;
  try {
    show(await api("POST", place.dataset.address));
  } catch (error) {
    if (error.code === "there") tellArrival();
    else toast(error.message, { kind: "error" });
  } finally {
    button.disabled = false;
  }
}

if (place) {
  place.querySelector("button").addEventListener("click", (event) => ask(event.currentTarget));
  show(pageData("onnx-data"));
}
