/**
 * A process that competes for runs and threads: `owner.ts <sqlite|file> <folder> <leaseMs>`. It takes orders as lines of JSON on stdin, and
 * tells what happens to its model and its tools as lines of JSON on stdout. Bodies last until they are told to end.
 */
import { createInterface } from 'node:readline';
import { writeSync } from 'node:fs';
import { type Thread, openThread } from '../../actors/thread/index.ts';
import type { RunState } from '../../index.ts';
import { resume, run } from '../../index.ts';
import { heldAgent, type Tale } from './heldAgent.ts';
import { journalIn } from './store.ts';
import { COMMANDS, type Said, say } from './words.ts';

/** `resume` a run or `open` a thread; `at`: when to begin, in ms since the epoch, so that two begin at the same instant. */
export type Order =
  | { order: 'resume' | 'open'; id: string; at: number }
  /** All bodies end. */
  | { order: 'end' }
  /** Whatever waits for a person. */
  | { order: 'approve' }
  /** To a thread, one word of each kind. */
  | { order: 'say' };

if (process.argv.length < 3) process.exit(); // only loaded

const [kind, folder, leaseMs] = process.argv.slice(2) as ['sqlite' | 'file', string, string];
const journal = journalIn(folder, kind, Number(leaseMs));
const tell = (tale: Tale) => void writeSync(1, `${JSON.stringify(tale)}\n`);
const holding: (() => void)[] = [];
const agent = heldAgent({ tell, hold: () => new Promise((resolve) => holding.push(resolve)) });
/** What can be done with what it has. */
let has: Partial<Record<'approve' | 'say', () => void>> = {};

const goesOn = {
  resume: (id: string) => liveRun(resume(id, { journal, agents: agent })),
  open: async (id: string) => liveThread(await openThread(id, { journal, agents: agent })),
};

async function liveRun(going: Promise<{ state: RunState<any, any>; interruptions: { id: string }[]; finalOutput?: unknown }>): Promise<void> { // `any`: as in the peer's type
  const { state, interruptions, finalOutput } = await going;
  const approve = () => {
    for (const call of state.getInterruptions()) state.approve(call);
    void told(liveRun(run(agent, state)));
  };
  has = { approve };
  tell(interruptions.length > 0 ? { what: 'waits', calls: interruptions.map(({ id }) => id) } : { what: 'ended', output: finalOutput });
}

async function liveThread(thread: Thread): Promise<void> {
  const approve = () => {
    for (const call of thread.interruptions) void told(thread.approve(call));
  };
  has = { approve, say: () => void sayAll(thread) };
  for await (const event of thread.events()) {
    if (event.type === 'run.awaitingApproval') tell({ what: 'waits', calls: thread.interruptions.map(({ id }) => id) });
    if (event.type === 'run.settled') tell({ what: 'ended', output: event.outcome.output });
  }
}

async function sayAll(thread: Thread): Promise<void> {
  const answers: Record<string, string> = {};
  for (const kind of Object.keys(COMMANDS) as Said[]) { // its own keys
    const saying = kind === 'close' ? thread.close() : say(thread, { id: kind, kind, when: 'now' });
    answers[kind] = await saying.then(({ status }) => status, (error: Error) => error.name);
  }
  tell({ what: 'heard', answers });
}

/** That it is refused is what is looked for; whatever else went wrong is told as well. */
const told = (going: Promise<void>): Promise<void> => going.catch((error: Error) => tell({ what: 'refused', error: error.name, message: error.message }));

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order;
  switch (order.order) {
    case 'end':
      return holding.splice(0).forEach((end) => end());
    case 'approve':
    case 'say':
      return has[order.order]!();
    case 'resume':
    case 'open':
      while (Date.now() < order.at); // two processes have nothing in common but the clock
      void told(goesOn[order.order](order.id));
  }
});
tell({ what: 'ready' });
