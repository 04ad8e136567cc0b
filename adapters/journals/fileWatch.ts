/** The system's word that a file has changed: a hint, which comes sooner than the next look, or not at all. */
import { type FSWatcher, watch } from 'node:fs';

/** @returns how to stop. Keeps no process alive. */
export function watched(path: string, onChange: () => void): () => void {
  let watcher: FSWatcher | undefined;
  const stop = () => watcher?.close();
  try {
    watcher = watch(path, { persistent: false }, onChange);
    watcher.on('error', stop); // Expected where watching is not supported to the end: looking now and then remains.
  } catch {
    // Expected where there is no watching, or too much of it already: looking now and then remains.
  }
  return stop;
}
