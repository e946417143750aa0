/** The history of the artwork: who did what and when; an earlier state is looked at, and brought back. */

import { api } from "../api.js";
import { showDialog } from "../dialogs.js";
import { element, moment } from "../dom.js";
import { toast } from "../toast.js";
import { entriesOf, whatOf, whoOf } from "./changes.js";
import { newId } from "./ids.js";
import { Store } from "./store.js";

const PAGE = 50;

export class Timeline {
  /**
   * @param banner element that says that the past is shown, with the buttons [data-restore] and [data-now]
   * @param context {desk, data, actions, outbox, canDraw}
   */
  constructor(banner, { desk, data, actions, outbox, canDraw }) {
    Object.assign(this, { banner, desk, data, actions, outbox });
    this.url = `${data.urls.api}history/`;
    const restore = banner.querySelector("[data-restore]");
    restore.hidden = !canDraw;
    restore.addEventListener("click", () => this.#restore());
    banner.querySelector("[data-now]").addEventListener("click", () => this.#show(null));
  }

  /** Open the list of what has happened. */
  async open() {
    this.actions.commit();
    await this.outbox.settled();
    this.changes = [];
    this.list = element("ol", { class: "timeline" });
    this.more = element("button", { type: "button", class: "button button-small", hidden: true, onclick: () => this.#load() }, gettext("Earlier ones"));
    this.dialog = showDialog({ title: gettext("History"), content: [this.list, this.more], kind: "side" });
    await this.#load();
  }

  async #load() {
    try {
      const page = 1 + this.changes.length / PAGE;
      const answer = await api("GET", `${this.url}?page=${page}&page_size=${PAGE}`);
      this.changes.push(...answer.results);
      this.more.hidden = !answer.next;
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
    const rows = entriesOf(this.changes).map((entry) => this.#row(entry));
    this.list.replaceChildren(...rows);
    if (!rows.length) this.list.append(element("li", { class: "soft" }, gettext("Nothing has happened to this artwork's boxes yet.")));
  }

  #row(entry) {
    const lines = [
      element("strong", {}, whoOf(entry)),
      element("span", {}, whatOf(entry)),
      element("time", { class: "small soft", datetime: entry.time }, moment(entry.time)),
    ];
    const attributes = { type: "button", class: "timeline-entry", disabled: !entry.known, onclick: () => this.#look(entry) };
    if (!entry.known) attributes.title = gettext("What it looked like then was not recorded.");
    return element("li", {}, element("button", attributes, ...lines));
  }

  async #look({ revision, time }) {
    try {
      this.#show(await api("GET", `${this.url}${revision}/`), time);
      this.dialog.close();
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
  }

  /** Show a past document, or with null the present again. */
  #show(past, time = null) {
    this.past = past;
    const gone = new Map((past?.gone_labels ?? []).map((label) => [label.id, { ...label, name: label.name || "?" }]));
    this.desk.set({ past: past && Object.assign(new Store(past, ""), { gone }), selected: null, draft: null });
    this.banner.hidden = past === null;
    if (past === null) return;
    this.banner.querySelector("span").textContent = interpolate(gettext("This is how it was on %s."), [moment(time)]);
    this.banner.querySelector("[data-now]").focus();
  }

  async #restore() {
    const json = { id: newId(), revision: this.outbox.revision };
    try {
      const document = await api("POST", `${this.url}${this.past.revision}/restore/`, { json });
      this.#show(null);
      this.outbox.receive(document);
      const lost = document.left_out.reduce((total, { boxes }) => total + boxes, 0);
      if (lost) toast(interpolate(ngettext("%s box was left out: its concept has been deleted.", "%s boxes were left out: their concepts have been deleted.", lost), [lost]));
      else toast(gettext("Brought back. The history shows it as a new change."));
    } catch (error) {
      if (error.data?.current) this.outbox.receive(error.data.current);
      toast(error.message, { kind: "error" });
    }
  }
}
