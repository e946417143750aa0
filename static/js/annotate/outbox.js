/**
 * Brings edits to the server, and loses none. Pure: what it sends with, keeps in and waits by is given to it.
 *
 * Every gesture becomes one sealed batch with an id made here, kept in the browser until the server has acknowledged it.
 * The server applies a batch once however often it arrives, so a batch is sent again whenever the answer was lost
 * – after an interruption, after a reload, even from two tabs at once.
 *
 * A batch: {id, revision, edits, before, made}; `before` holds for each edit the box (or null) that it met, or the suggestions
 * that were in sight of who said that there is nothing to mark; `revision` is the last one acknowledged when it was made, `made` orders batches of several visits.
 */

import { disputes } from "./disputes.js";
import { applyEdit, sameBox, stateOf, targetOf } from "./document.js";

/** The server takes no larger batch. */
const EDITS_AT_ONCE = 500;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

export class Outbox {
  #batches = [];
  #revision;
  #running = null;
  #status = { state: "saved", unsent: 0, message: "" };

  /**
   * @param store the store whose local changes are to be saved
   * @param document the document that the store was made from
   * @param means.send (batch) → Promise of a document; rejects with {status, message, data}
   * @param means.reload () → Promise of the current document
   * @param means.keep {put(batch), remove(id)}: where unsent batches survive the page
   * @param means.newId () → uuid
   * @param means.pause (milliseconds) → Promise
   * @param means.username author of what is edited here
   * @param means.onStatus ({state: saved | saving | retrying | gone, unsent, message})
   * @param means.onConflict (edits, disputes) edits given up because somebody else had changed the same boxes, and these boxes
   *   as both see them (see `disputes`)
   * @param means.onRefused (message, edits) edits that the server will not take
   */
  constructor(store, document, means) {
    this.store = store;
    this.means = means;
    this.#revision = document.revision;
    store.subscribe((change) => change.origin === "local" && this.#take(change));
  }

  /** How many batches the server has not acknowledged. */
  get unsent() {
    return this.#batches.length;
  }

  /** The last revision that the server has told. */
  get revision() {
    return this.#revision;
  }

  get status() {
    return this.#status;
  }

  /** Resolves when everything is sent or given up. */
  settled() {
    return this.#running ?? Promise.resolve();
  }

  /**
   * Take up batches that an earlier visit could not send. The first goes out with the revision that it was made on: if it
   * did arrive then, the server recognises it; if others have edited since, the answer is 409 and it is rebased.
   */
  resume(kept, document) {
    if (!kept.length) return Promise.resolve();
    this.#batches.push(...kept.sort((a, b) => a.made - b.made));
    this.#revision = this.#batches[0].revision;
    this.store.receive(document, this.#unsentEdits());
    return this.#deliver();
  }

  /** Take over a newer document of the server, unless unsent edits are about to bring one anyway. */
  receive(document) {
    if (this.unsent || document.revision < this.#revision) return;
    this.#revision = document.revision;
    this.store.receive(document);
  }

  #take(change) {
    for (let start = 0; start < change.edits.length; start += EDITS_AT_ONCE) this.#seal(change, start);
    this.#deliver();
  }

  #seal(change, start) {
    const edits = change.edits.slice(start, start + EDITS_AT_ONCE);
    const before = edits.map((edit, i) => metBy(edit, change.before[start + i]));
    const made = Date.now() + this.unsent / 1000;
    const batch = { id: this.means.newId(), revision: this.#revision, edits, before, made };
    this.#batches.push(batch);
    this.means.keep.put(batch);
  }

  /** Send batch after batch until none is left; one delivery runs at a time. */
  #deliver() {
    this.#running ??= this.#deliverAll().finally(() => {
      this.#running = null;
      if (this.unsent) this.#deliver();
    });
    return this.#running;
  }

  async #deliverAll() {
    let failures = 0;
    while (this.unsent) {
      if (!failures) this.#report("saving");
      const outcome = await this.#deliverOne(this.#batches[0]);
      failures = ["later", "gone"].includes(outcome) ? failures + 1 : 0;
      // Who has deleted the artwork may restore it, but hardly within seconds.
      if (outcome === "gone") await this.means.pause(LONGEST_PAUSE);
      else if (failures) await this.means.pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
    }
    this.#report("saved");
  }

  async #deliverOne(batch) {
    try {
      this.#acknowledge(batch, await this.means.send({ id: batch.id, revision: this.#revision, edits: batch.edits }));
      return "sent";
    } catch (error) {
      const meaning = verdict(error);
      if (meaning === "stale") this.#rebase(error.data.current);
      else if (meaning === "refused") await this.#giveUp(batch, error.message);
      else this.#report(meaning === "gone" ? "gone" : "retrying", error.message);
      return meaning;
    }
  }

  #acknowledge(batch, document) {
    this.#drop(batch);
    // The server counts one revision per batch. If it is further on, this batch had arrived before and others have edited
    // since: what is still unsent must be held against their changes.
    if (document.revision > this.#revision + 1) return this.#rebase(document);
    this.#revision = document.revision;
    return this.store.receive(document, this.#unsentEdits());
  }

  /** Put the unsent edits on top of a newer document; where both touched the same box, the server's stays. */
  #rebase(document) {
    const lost = [];
    const mine = this.store.state;
    let state = stateOf(document);
    for (const batch of [...this.#batches]) {
      const kept = batch.edits.map((edit, i) => {
        const met = meet(state, edit, batch.before[i], this.means.username);
        // Of a box that is gone here too there is nothing to tell.
        if (met.lost && (state.boxes.has(targetOf(edit)) || mine.boxes.has(targetOf(edit)) || !targetOf(edit))) lost.push(edit);
        state = met.state;
        return met.fits;
      });
      this.#shrink(batch, kept);
    }
    this.#revision = document.revision;
    this.store.receive(document, this.#unsentEdits());
    if (lost.length) this.means.onConflict(lost, disputes(lost, mine, state));
  }

  #shrink(batch, kept) {
    if (kept.every(Boolean)) return;
    batch.edits = batch.edits.filter((_, i) => kept[i]);
    batch.before = batch.before.filter((_, i) => kept[i]);
    if (batch.edits.length) this.means.keep.put(batch);
    else this.#drop(batch);
  }

  async #giveUp(batch, message) {
    this.#drop(batch);
    // What was done to a box that the server did not take goes with it.
    const never = new Set(batch.edits.filter(({ op }) => op === "create").map(targetOf));
    for (const later of [...this.#batches]) this.#shrink(later, later.edits.map((edit) => !never.has(targetOf(edit))));
    this.means.onRefused(message, batch.edits);
    try {
      this.#rebase(await this.means.reload());
    } catch {
      // Without the network the page keeps what it shows; the next acknowledged batch brings the true document.
    }
  }

  #drop(batch) {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
    this.means.keep.remove(batch.id);
  }

  #unsentEdits() {
    return this.#batches.flatMap((batch) => batch.edits);
  }

  #report(state, message = "") {
    this.#status = { state, unsent: this.unsent, message };
    this.means.onStatus(this.#status);
  }
}

/**
 * Whether somebody else has changed what unsent batches are about, so that only a person can decide.
 *
 * @param batches as they were kept
 * @param document of the server, as it is now
 */
export function isDisputed(batches, document, username) {
  let state = stateOf(document);
  let lost = false;
  for (const { edits, before } of [...batches].sort((a, b) => a.made - b.made)) {
    edits.forEach((edit, i) => {
      const met = meet(state, edit, before[i], username);
      state = met.state;
      lost ||= met.lost;
    });
  }
  return lost;
}

/** What becomes of a state by an edit that was made on the box `before`; what is already so needs no sending and is not lost. */
function meet(state, edit, before, username) {
  const after = applyEdit(state, edit, username);
  if (fits(state, edit, before)) return { state: after, fits: true, lost: false };
  return { state, fits: false, lost: !sameOutcome(state, after, edit) };
}

/** What an answer means for the batch that was sent. */
function verdict(error) {
  if (error.status === 409 && error.data?.current) return "stale";
  if ([400, 409, 413, 422].includes(error.status)) return "refused";
  if (error.status === 404) return "gone";
  // No network, server down, logged out, too many requests: none of these is about the edit itself.
  return "later";
}

/** Whether an edit still meets what it was made on. */
function fits(state, edit, before) {
  const id = targetOf(edit);
  if (id) return sameBox(state.boxes.get(id) ?? null, before);
  return !edit.value || [...state.boxes.values()].every((box) => box.state !== "confirmed" && (before?.seen.includes(box.id) ?? true));
}

/** What an edit meets in a state: its box, or the suggestions that it rejects (batches of earlier versions do not say which). */
function metBy(edit, { boxes }) {
  const id = targetOf(edit);
  if (id) return boxes.get(id) ?? null;
  return edit.value ? { seen: [...boxes.keys()] } : null;
}

/** Whether what an edit was to bring about is so already. A box that is gone is so only for who wanted it gone. */
function sameOutcome(state, after, edit) {
  const id = targetOf(edit);
  if (!id) return state.nothing === after.nothing;
  if (!state.boxes.has(id)) return ["delete", "reject"].includes(edit.op);
  return sameBox(state.boxes.get(id), after.boxes.get(id));
}
