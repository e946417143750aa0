/** The history of the artwork as a list: who did what and when. An entry is chosen to look at the state after it. */

import { api } from "../api.js";
import { oneAtATime, showDialog } from "../dialogs.js";
import { element, icon, language, moment } from "../dom.js";
import { toast } from "../toast.js";
import { entriesOf, whatOf, whoOf } from "./changes.js";
import { Past } from "./past.js";

const PAGE = 50;
const DAY = 24 * 60 * 60 * 1000;
/** Whoever opens the list waits this long, in milliseconds, for what is just being saved. */
const PATIENCE = 1500;

export class Timeline {
  #changes = [];
  #pages = 0;
  #more = false;

  /**
   * @param banner element that says that the past is shown (see `Past`)
   * @param context {desk, store, data, actions, outbox, history, element, picture, bounds, canDraw}
   */
  constructor(banner, context) {
    const { data, actions, outbox } = context;
    Object.assign(this, { actions, outbox, url: `${data.urls.api}history/` });
    this.past = new Past(banner, context, { onStep: (direction) => this.#step(direction), onLost: () => this.open() });
  }

  /** Open the list of what has happened. */
  open = oneAtATime(() => this.#open());

  async #open() {
    if (this.dialog?.open) return;
    this.actions.commit();
    await Promise.race([this.outbox.settled(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    Object.assign(this, { list: element("div", { class: "timeline" }), moreButton: this.#moreButton() });
    this.#changes = [];
    this.#pages = 0;
    if (!(await this.#load())) return;
    this.#render();
    this.dialog = showDialog({ title: gettext("History"), content: [this.list, this.moreButton], kind: "side" });
  }

  #moreButton() {
    const onclick = async () => {
      const last = this.list.querySelectorAll(".timeline-entry").length;
      if (!(await this.#load())) return;
      this.#render();
      this.list.querySelectorAll(".timeline-entry")[last]?.focus();
    };
    return element("button", { type: "button", class: "button button-small", onclick }, gettext("Earlier ones"));
  }

  /** Read the next page; whether that worked. */
  async #load() {
    try {
      const answer = await api("GET", `${this.url}?page=${this.#pages + 1}&page_size=${PAGE}`);
      // What was done since the first page was read has moved some changes onto this one.
      const known = new Set(this.#changes.map(({ revision }) => revision));
      this.#changes.push(...answer.results.filter(({ revision }) => !known.has(revision)));
      this.#pages += 1;
      this.#more = Boolean(answer.next);
      return true;
    } catch (error) {
      toast(error.message, { kind: "error" });
      return false;
    }
  }

  /** The entries, and at their end the state before the oldest of them, if it can be told. */
  #entries() {
    const oldest = this.#changes.at(-1);
    const entries = entriesOf(this.#changes);
    if (!oldest || this.#more || !oldest.known_before) return entries;
    return [...entries, { revision: oldest.revision - 1, kind: "start", time: oldest.time, known: true, steps: [] }];
  }

  #render() {
    const days = new Map();
    for (const entry of this.#entries()) days.set(dayText(entry.time), [...(days.get(dayText(entry.time)) ?? []), entry]);
    const parts = [...days].map(([day, entries]) => this.#day(day, entries));
    this.list.replaceChildren(...(parts.length ? parts : [nothingYet()]));
    this.moreButton.hidden = !this.#more;
  }

  #day(day, entries) {
    const rows = entries.map((entry) => element("li", {}, this.#row(entry), this.#steps(entry)));
    return element("section", { class: "timeline-day" }, element("h3", {}, day), element("ol", {}, ...rows));
  }

  #row(entry) {
    const isStart = entry.kind === "start";
    const now = entry.revision === this.outbox.revision && element("span", { class: "chip chip-plain timeline-now" }, gettext("now"));
    return this.#button(
      "timeline-entry",
      entry,
      element("span", { class: isStart ? "timeline-mark" : "person", "aria-hidden": "true" }, markOf(entry)),
      element("strong", { class: "timeline-who" }, isStart ? gettext("The beginning") : whoOf(entry), now),
      isStart ? null : element("time", { class: "timeline-time", datetime: entry.time }, spanText(entry)),
      element("span", { class: "timeline-what" }, isStart ? gettext("before the first of these changes") : whatOf(entry, moment)),
    );
  }

  #button(name, { revision, known }, ...content) {
    const shown = revision === (this.past.shown?.revision ?? this.outbox.revision);
    const attributes = { type: "button", class: name, disabled: !known, "aria-current": shown && "true", onclick: () => this.#choose(revision) };
    if (!known) attributes.title = gettext("What it looked like then was not recorded.");
    return element("button", attributes, ...content);
  }

  /** The single steps of an entry, each of which can be chosen as well. */
  #steps({ steps }) {
    if (steps.length < 2) return null;
    const summary = interpolate(ngettext("%s step", "%s steps", steps.length), [steps.length]);
    const rows = steps.map((step) => element("li", {}, this.#button("timeline-step", step, element("time", {}, timeText(step.time, "medium")), whatOf(step))));
    return element("details", { class: "timeline-steps" }, element("summary", {}, summary), element("ol", {}, ...rows));
  }

  async #choose(revision) {
    if (revision === this.outbox.revision) this.past.leave();
    else await this.past.look(revision);
    this.dialog.close();
    this.#limit();
  }

  /** Look at the entry before (-1) or after (1) the state that is shown. */
  async #step(direction) {
    const here = this.past.shown.revision;
    if (direction < 0 && !this.#before(here) && this.#more) await this.#load();
    const entry = direction < 0 ? this.#before(here) : this.#after(here);
    if (!entry || entry.revision === this.outbox.revision) this.past.leave();
    else await this.past.look(entry.revision);
    this.#limit();
  }

  #before(revision) {
    return this.#entries().find((entry) => entry.known && entry.revision < revision);
  }

  #after(revision) {
    return this.#entries().findLast((entry) => entry.revision > revision);
  }

  #limit() {
    const here = this.past.shown?.revision;
    if (here !== undefined) this.past.limit({ earlier: this.#more || this.#before(here), later: this.#after(here) });
  }
}

/** The initial of a person, or an icon for what is none. */
function markOf({ kind, author, detector_name: detector }) {
  if (author) return [...author][0].toUpperCase();
  return icon(kind === "start" ? "picture" : detector ? "spark" : "user");
}

function nothingYet() {
  const text = gettext("Every change will be listed here with who made it, and each state can be brought back.");
  return element("div", { class: "empty" }, element("h3", {}, gettext("Nothing has happened to this artwork's boxes yet.")), element("p", {}, text));
}

/** "today", "yesterday" or the date, as the page's language has it. */
function dayText(iso) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((start(new Date(iso)) - start(new Date())) / DAY);
  if (days < -1) return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(new Date(iso));
  const text = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
  return text[0].toUpperCase() + text.slice(1);
}

function timeText(iso, timeStyle) {
  return new Intl.DateTimeFormat(language, { timeStyle }).format(new Date(iso));
}

/** The time of an entry, or from when to when its steps were made. */
function spanText({ since, time }) {
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).formatRange(new Date(since), new Date(time));
}
