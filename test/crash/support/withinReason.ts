/** A script that waits for what never comes is told so. */
import type { VirtualClock } from 'loopchart/testing';

/** How long a script may go on without coming to its end, in turns of all promises and in ms. */
const MOST_TURNS = 300;
const MOST_MS = 300;

export async function withinReason<Value>({ clock }: { clock: Pick<VirtualClock, 'settle'> }, play: Promise<Value>): Promise<Value> {
  let isOver = false;
  const over = () => { isOver = true; };
  play.then(over, over);
  const began = performance.now();
  for (let turns = 0; !isOver; turns += 1) {
    await clock.settle();
    if (turns > MOST_TURNS && performance.now() - began > MOST_MS) throw new Error('The script waits for what never comes.');
  }
  return play;
}
