/** Do the same with many things, a few at a time. */

/**
 * @template T
 * @param {Iterable<T>} things
 * @param {number} width how many at once
 * @param {(thing: T) => Promise<void>} work when it throws, no further thing is begun and the error is thrown on
 */
export async function inParallel(things, width, work) {
  const waiting = [...things];
  let failed = null;
  async function lane() {
    while (waiting.length && !failed) {
      try {
        await work(waiting.shift());
      } catch (error) {
        failed ??= error;
      }
    }
  }
  await Promise.all(Array.from({ length: width }, lane));
  if (failed) throw failed;
}
