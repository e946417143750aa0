/**
 * Unsent edits in the browser's storage, one entry per batch, so that two tabs never overwrite each other's.
 *
 * localStorage is written before the call returns: a tab that is killed a moment later has lost nothing.
 */

const PREFIX = "webnet-unsent:";

/** The store of one artwork for one user: {put(batch), remove(id), all()}. */
export function keptEdits(username, dataset, artwork) {
  const prefix = `${PREFIX}${username}:${dataset}:${artwork}:`;
  return {
    put: (batch) => {
      try {
        localStorage.setItem(prefix + batch.id, JSON.stringify(batch));
      } catch (error) {
        // A full storage must not stop the edit: it stays in memory, is sent as usual, and leaving the page warns.
        console.warn("Unsent edits cannot be kept in this browser:", error.message);
      }
    },
    remove: (id) => localStorage.removeItem(prefix + id),
    all: () => keysFrom(prefix).map((key) => JSON.parse(localStorage.getItem(key))),
  };
}

/** The artworks, other than the given one, that this user has unsent edits of: [{dataset, artwork}]. */
export function artworksWithKeptEdits(username, except) {
  const prefix = `${PREFIX}${username}:`;
  const pairs = keysFrom(prefix).map((key) => key.slice(prefix.length).split(":").slice(0, 2).join(":"));
  return [...new Set(pairs)]
    .map((pair) => pair.split(":").map(Number))
    .filter(([, artwork]) => artwork !== except)
    .map(([dataset, artwork]) => ({ dataset, artwork }));
}

function keysFrom(prefix) {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}
