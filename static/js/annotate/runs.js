/** Runs of the dataset, live beside the picture. */

import { listen } from "../live.js";
import { hasEnded } from "../runstate.js";
import { RunCard } from "./runcard.js";

export class Runs {
  #cards = new Map();

  /**
   * @param place element that the cards of active runs are put into
   * @param data page data
   * @param told.onUse (detector id) called when somebody wants to use the detector that a training has made
   */
  constructor(place, data, { onUse }) {
    Object.assign(this, { place, data, onUse });
    listen(`/ws/datasets/${data.dataset.id}/`, {
      onState: (runs) => this.#takeState(runs),
      onEvents: (events) => this.#take(events),
    });
  }

  /** Show a run that was started here. */
  add(run) {
    this.#cardOf(run).update(run);
  }

  #takeState(runs) {
    const active = new Set(runs.map(({ id }) => id));
    // A run that ended while the socket was away is not among the active ones any more.
    [...this.#cards.keys()].filter((id) => !active.has(id)).forEach((id) => this.#remove(id));
    for (const run of runs) {
      this.add(run);
      this.#take(run.events);
    }
  }

  #take(events) {
    for (const event of events) {
      const starts = event.kind === "status" && !hasEnded(event.payload.state);
      if (starts) this.#cardOf({ id: event.run, kind: event.run_kind });
      this.#cards.get(event.run)?.take(event);
    }
  }

  #cardOf(run) {
    if (!this.#cards.has(run.id)) {
      const card = new RunCard(run, this.data, { onGone: () => this.#remove(run.id), onUse: this.onUse });
      this.#cards.set(run.id, card);
      this.place.append(card.node);
      this.place.hidden = false;
    }
    return this.#cards.get(run.id);
  }

  #remove(id) {
    this.#cards.get(id)?.destroy();
    this.#cards.delete(id);
    this.place.hidden = this.#cards.size === 0;
  }
}
