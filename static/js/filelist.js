/** Files out of a drop or a file chooser: folders read to the bottom, and each file sorted into what can be done with it. */

const IMAGE = /\.(jpe?g|jpe|jfif|png|webp|tiff?)$/i;
const ARCHIVE = /\.zip$/i;
const JUNK = /^(\.|Thumbs\.db$|desktop\.ini$|__MACOSX$)/i;

/** What systems leave in folders is nobody's artwork and not worth a line in a report. */
function isJunk(path) {
  return path.split("/").some((part) => JUNK.test(part));
}

/** "image", "archive", or "other"; a file without a suffix may be an image: the server looks inside. */
export function kindOf(name) {
  if (ARCHIVE.test(name)) return "archive";
  return IMAGE.test(name) || !/\.[^./]+$/.test(name) ? "image" : "other";
}

/** As a person would count them: scan 2 before scan 10. */
function inOrder(files) {
  return files.sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function entriesOf(directory) {
  const reader = directory.createReader();
  const found = [];
  // A reader gives about a hundred entries per call, and an empty list at the end.
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return found;
    found.push(...batch);
  }
}

async function walk(entry) {
  if (isJunk(entry.name)) return [];
  const path = entry.fullPath.replace(/^\//, "");
  try {
    if (entry.isFile) return [{ file: await fileOf(entry), path }];
    const inside = [];
    for (const child of await entriesOf(entry)) inside.push(...(await walk(child)));
    return inside;
  } catch (error) {
    return [{ file: null, path, error }];
  }
}

/**
 * Files of a drop, those in folders included.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<{file: File|null, path: string, error?: Error}[]>} without a file where it, or a folder, cannot be read
 */
export async function droppedFiles(transfer) {
  // Entries must be taken before the first await: the transfer is emptied after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosenFiles(transfer.files);
  const lists = await Promise.all(entries.map(walk));
  return inOrder(lists.flat());
}

/** Files of an `<input type=file>`; a folder's carry their path below it. */
export function chosenFiles(files) {
  const named = [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return inOrder(named.filter(({ path }) => !isJunk(path)));
}
