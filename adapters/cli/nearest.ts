/** The known word that was most likely meant; undefined when none is close: at most a third of the letters differ, and two at least may. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const ranked = known.map((word) => ({ word, distance: distanceOf(given.toLowerCase(), word.toLowerCase()) })).sort((one, other) => one.distance - other.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(best.word.length / 3)) && best.distance < best.word.length ? best.word : undefined;
}

/** Insertions, deletions and replacements of letters that turn one word into the other, counted row by row. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = row[column - 1]! + (other[column - 1] === letter ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
