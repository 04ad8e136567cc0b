/**
 * A process that competes for runs: `owner.ts <sqlite|file> <folder> <leaseMs>`. It takes orders as lines of JSON on stdin, and tells what
 * happens to its model and its tools as lines of JSON on stdout. Bodies last until they are told to end.
 */
import { createInterface } from 'node:readline';
import { writeSync } from 'node:fs';
import type { RunState } from '../../index.ts';
import { resume, run } from '../../index.ts';
import { heldAgent, type Tale } from './heldAgent.ts';
import { journalIn } from './store.ts';

/** `at`: when to begin, in ms since the epoch, so that two begin at the same instant. */
export type Order = { order: 'resume'; run: string; at: number } | { order: 'end' } | { order: 'approve' };

if (process.argv.length < 3) process.exit(); // only loaded

const [kind, folder, leaseMs] = process.argv.slice(2) as ['sqlite' | 'file', string, string];
const journal = journalIn(folder, kind, Number(leaseMs));
const tell = (tale: Tale) => void writeSync(1, `${JSON.stringify(tale)}\n`);
const holding: (() => void)[] = [];
const agent = heldAgent({ tell, hold: () => new Promise((resolve) => holding.push(resolve)) });
let waiting: RunState<any, any> | undefined; // `any`: as in the peer's type

async function settle(going: () => Promise<{ state: RunState<any, any>; interruptions: { id: string }[]; finalOutput?: unknown }>): Promise<void> {
  try {
    const { state, interruptions, finalOutput } = await going();
    waiting = state;
    tell(interruptions.length > 0 ? { what: 'waits', calls: interruptions.map(({ id }) => id) } : { what: 'ended', output: finalOutput });
  } catch (error) { // That it is refused is what is looked for; whatever else went wrong is told as well.
    tell({ what: 'refused', error: (error as Error).name, message: (error as Error).message });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order;
  if (order.order === 'end') for (const end of holding.splice(0)) end();
  if (order.order === 'approve') {
    for (const call of waiting!.getInterruptions()) waiting!.approve(call);
    void settle(() => run(agent, waiting!));
  }
  if (order.order !== 'resume') return;
  while (Date.now() < order.at); // two processes have nothing in common but the clock
  void settle(() => resume(order.run, { journal, agents: agent }));
});
tell({ what: 'ready' });
