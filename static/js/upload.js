/** Adding artworks: files, folders and ZIPs become requests of one file each, and a report of what was not added. */

import { api } from "./api.js";
import { counted, element, fileSize, pageData } from "./dom.js";
import { chosenFiles, droppedFiles, kindOf } from "./filelist.js";
import { toast } from "./toast.js";
import { QueueItem, UploadQueue } from "./uploadqueue.js";

const { dataset, max_upload_bytes: limit } = pageData();
const address = `/api/datasets/${dataset.id}/`;
const at = (id) => document.getElementById(id);
const rows = new Map();
const archives = [];
const queue = new UploadQueue(changed);

function refusedHere(name, size, reason) {
  return Object.assign(new QueueItem(name, size, null), { state: "refused", reason });
}

function sendImage(file, path) {
  return async ({ signal, onProgress }) => {
    const body = new FormData();
    body.append("relative_path", path);
    body.append("file", file, file.name);
    await api("POST", `${address}artworks/`, { body, signal, onProgress: (sent, total) => onProgress(sent / total) });
  };
}

function sendMember(archive, name) {
  return async ({ signal }) => {
    await api("POST", `${address}archives/${archive}/members/`, { json: { name }, signal });
  };
}

/** The server keeps a ZIP until it is told that nothing in it is wanted any more (or for a day). */
function closeArchives() {
  if (queue.count("failed", "stopped")) return;
  for (const archive of archives.splice(0)) api("DELETE", `${address}archives/${archive}/`).catch(() => {});
}

/** A ZIP goes up once; then each image in it is a row of its own. */
function sendArchive(file) {
  return async ({ signal, onProgress }) => {
    const body = new FormData();
    body.append("file", file, file.name);
    const answer = await api("POST", `${address}archives/`, { body, signal, onProgress: (sent, total) => onProgress(sent / total) });
    archives.push(answer.id);
    const refused = answer.refused.map(({ name, reason }) => refusedHere(`${file.name}/${name}`, 0, reason));
    const members = answer.members.map(({ name, size }) => new QueueItem(`${file.name}/${name}`, size, sendMember(answer.id, name)));
    queue.add([...refused, ...members]);
    return "opened";
  };
}

function itemFor({ file, path, error }) {
  if (error) return refusedHere(path, 0, gettext("This computer cannot read it: look at its permissions, or copy it elsewhere."));
  const kind = kindOf(path);
  if (kind === "other") return refusedHere(path, file.size, gettext("Not a JPEG, PNG, WebP or TIFF image."));
  if (file.size === 0) return refusedHere(path, 0, gettext("The file is empty."));
  if (file.size > limit) return refusedHere(path, file.size, interpolate(gettext("Larger than %s, the most that this server takes."), [fileSize(limit)]));
  return new QueueItem(path, file.size, kind === "archive" ? sendArchive(file) : sendImage(file, path));
}

function take(files) {
  if (!files.length) return;
  at("upload-work").hidden = false;
  queue.add(files.map(itemFor));
}

const STATES = {
  waiting: () => gettext("waiting"),
  sending: (item) => (item.reason ? gettext("trying again …") : ""),
  done: () => gettext("added"),
  opened: () => gettext("opened"),
  present: () => gettext("already here"),
  refused: () => gettext("not added"),
  failed: () => gettext("failed"),
  stopped: () => gettext("stopped"),
};

function newRow(item) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": item.name });
  const state = element("span", { class: "upload-state" });
  const row = element("li", { class: "upload-row" }, element("span", { class: "upload-name" }, item.name), element("span", { class: "soft small" }, item.size ? fileSize(item.size) : ""), bar, state);
  at("upload-rows").append(row);
  const reason = element("li", { hidden: true }, element("strong", {}, item.name), " ", element("span", {}));
  at("upload-reasons").append(reason);
  return { row, bar, state, reason };
}

function changed(item) {
  if (item) {
    if (!rows.has(item)) rows.set(item, newRow(item));
    showRow(item, rows.get(item));
  } else {
    closeArchives();
    toast(summary(), { kind: queue.count("refused", "failed") ? "error" : "ok" });
  }
  later();
}

function showRow(item, { row, bar, state, reason }) {
  row.dataset.state = item.state;
  bar.value = item.isOver ? 1 : item.progress;
  bar.hidden = item.state !== "sending";
  state.textContent = STATES[item.state](item);
  reason.hidden = !["refused", "failed", "present"].includes(item.state);
  reason.lastChild.textContent = item.reason;
}

let frame = 0;
/** Hundreds of changes per second cost one repaint. */
function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    showSum();
  });
}

function summary() {
  const added = queue.count("done");
  const parts = [counted(ngettext("%(n)s artwork added", "%(n)s artworks added", added), added)];
  const present = queue.count("present");
  const refused = queue.count("refused", "failed");
  const stopped = queue.count("stopped");
  if (present) parts.push(counted(ngettext("%(n)s was here already", "%(n)s were here already", present), present));
  if (refused) parts.push(counted(ngettext("%(n)s not added", "%(n)s not added", refused), refused));
  if (stopped) parts.push(counted(ngettext("%(n)s stopped", "%(n)s stopped", stopped), stopped));
  return `${parts.join(", ")}.`;
}

function showSum() {
  const left = queue.count("waiting", "sending");
  at("upload-sum").textContent = left ? `${counted(ngettext("%(n)s file to go.", "%(n)s files to go.", left), left)} ${summary()}` : summary();
  at("upload-progress").value = queue.progress;
  at("upload-stop").hidden = !left;
  at("upload-show").hidden = left > 0 || !queue.count("done");
  at("upload-retry").hidden = left > 0 || !queue.count("failed", "stopped");
  at("upload-refused").hidden = !queue.count("refused", "failed", "present");
}

function report() {
  const listed = queue.items.filter((item) => ["refused", "failed", "present"].includes(item.state));
  return listed.map((item) => `${item.name}\t${item.reason}`).join("\n");
}

async function copyReport() {
  try {
    await navigator.clipboard.writeText(report());
    toast(gettext("Copied."), { kind: "ok" });
  } catch {
    // Without https there is no clipboard; a file serves as well.
    const link = element("a", { href: URL.createObjectURL(new Blob([report()], { type: "text/plain" })), download: "not-added.txt" });
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

function open(visible = true) {
  at("upload").hidden = !visible;
  at("nothing-yet")?.toggleAttribute("hidden", visible);
  if (visible) at("upload").scrollIntoView({ block: "nearest" });
}

function wireChoosers() {
  document.querySelectorAll("[data-upload]").forEach((button) => {
    button.addEventListener("click", () => {
      open();
      document.querySelector("[data-choose]").focus();
    });
  });
  document.querySelectorAll("[data-choose]").forEach((button) => {
    const input = at(button.dataset.choose);
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      take(chosenFiles(input.files));
      input.value = "";
    });
  });
  at("upload-close").addEventListener("click", () => open(false));
}

/** The whole page takes a drop: nobody should have to aim. */
function wireDrop() {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    open();
    at("drop").classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("drop").classList.remove("is-over");
  });
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    at("drop").classList.remove("is-over");
    take(await droppedFiles(event.dataTransfer));
  });
}

function wireWork() {
  at("upload-stop").addEventListener("click", () => queue.stop());
  at("upload-retry").addEventListener("click", () => queue.retry());
  at("upload-copy").addEventListener("click", copyReport);
  at("upload-show").addEventListener("click", () => location.assign(`${location.pathname}?sort=-added`));
  window.addEventListener("beforeunload", (event) => {
    if (queue.isBusy) event.preventDefault();
  });
}

wireChoosers();
wireDrop();
wireWork();
