/** Finding concepts by what somebody types. Pure: no DOM. */

/**
 * The concepts whose names hold `text`, those that begin with it first, each in the order of the names.
 *
 * @param labels iterable of {id, name}
 */
export function matching(labels, text) {
  const wanted = text.trim().toLowerCase();
  const rank = ({ name }) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
  const found = [...labels].filter(({ name }) => name.toLowerCase().includes(wanted));
  return found.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}
