/**
 * One thread with two thousand runs of every kind, and two thousand threads of a few runs each; writes to stdout what is left of them as
 * JSON. A process of its own, because only an empty heap can be weighed: `--expose-gc`, `--no-flush-bytecode`.
 */
import type { InspectionEvent } from 'xstate';
import { createThread } from '../../actors/thread/createThread.ts';
import type { Thread } from '../../actors/thread/types.ts';
import { Agent, type Journal, type JournalEntry, type Model, type ModelRequest, Usage, tool } from '../../index.ts';
import { clock, platformTimers, sharedSignal, timers, weigh } from './counting.ts';

const RUNS = 2_000;
const THREADS = 2_000;
const WARM_UP = 600;

/** Answers by what it is told; remembers nothing, so that what grows is not its own. */
const model: Model = {
  async getResponse() {
    throw new Error('Threads stream.');
  },
  async *getStreamedResponse({ input }: ModelRequest) {
    yield { type: 'output_text_delta', delta: 'Do' };
    const last = Array.isArray(input) ? input.at(-1) : undefined;
    const wanted = last && 'role' in last && last.role === 'user' ? String(last.content) : '';
    if (wanted === 'fail') throw new Error('The provider is down.');
    const item = wanted.startsWith('call ')
      ? { type: 'function_call' as const, callId: 'call_1', name: wanted.slice(5), arguments: /inner|beside/.test(wanted) ? '{"input":"call quick"}' : '{}', status: 'completed' as const }
      : { type: 'message' as const, role: 'assistant' as const, status: 'completed' as const, content: [{ type: 'output_text' as const, text: 'Done.' }] };
    yield { type: 'response_done', response: { id: 'resp', usage: new Usage({ inputTokens: 1, outputTokens: 1, totalTokens: 2 }), output: [item] } };
  },
};

const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;
const body = (name: string, execute: (signal: AbortSignal) => unknown, more: object = {}) =>
  tool({ name, description: name, parameters: { ...parameters, required: [] }, execute: (_, __, details) => execute(details!.signal!), ...more });
const untilTold = (signal: AbortSignal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
const tools = [body('quick', () => 'quick'), body('endless', untilTold), body('throws', () => { throw new Error('No.'); }), body('asks', () => 'asked', { needsApproval: true })];
const inner = new Agent({ name: 'inner', model, tools });
const agent = new Agent({ name: 'Agent', model, tools: [...tools, inner.asTool({}), inner.asTool({ toolName: 'beside', background: true })] });

/** How a thread began and where it stands is all that it remembers: what a thread writes is not what is weighed here. */
class ForgetfulJournal implements Journal {
  #epoch = 0;
  readonly #lengths = new Map<string, number>();
  readonly #first = new Map<string, JournalEntry[]>();
  open(runId: string) {
    return { epoch: (this.#epoch += 1), length: this.#lengths.get(runId) ?? 0 };
  }
  append(runId: string, { position }: { position: number }, entries: readonly JournalEntry[]) {
    this.#lengths.set(runId, position + entries.length);
    if (position === 0) this.#first.set(runId, entries.slice(0, 1));
  }
  release(runId: string) {
    this.#lengths.delete(runId);
    this.#first.delete(runId);
  }
  read(runId: string): JournalEntry[] {
    return this.#first.get(runId) ?? [];
  }
  list() {
    return [];
  }
  async *tail(): AsyncGenerator<JournalEntry> {}
  remove() {}
  prune() {
    return 0;
  }
  close() {}
}

const { signal, listeners } = sharedSignal();
let born = 0;
const actors = new Set<WeakRef<{ getSnapshot(): { status?: string } }>>();
const inspect = (event: InspectionEvent) => {
  if (event.type !== '@xstate.actor') return;
  born += 1;
  actors.add(new WeakRef(event.actorRef as { getSnapshot(): { status?: string } })); // every actor of ours has a snapshot with a status
};
function alive(): number {
  for (const actor of actors) if (actor.deref()?.getSnapshot().status !== 'active') actors.delete(actor);
  return actors.size;
}

const journal = new ForgetfulJournal();
const made = () => createThread(agent, { journal, clock, inspect, graceMs: 1, budget: { wallTimeMs: 60_000, hardDeadline: true } });
const quiet = async (running: PromiseLike<unknown>) => running.then(() => undefined, () => undefined);

async function atRest(thread: Thread): Promise<void> {
  while (thread.state === 'active' || thread.look.background.length > 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Ways in which a run of a thread begins, is spoken to, and ends. */
const WAYS: ((thread: Thread) => Promise<unknown>)[] = [
  (thread) => quiet(thread.run('hello', { signal })),
  (thread) => quiet(thread.run('call quick', { signal })),
  (thread) => quiet(thread.run('call inner')),
  (thread) => quiet(thread.run('fail')),
  (thread) => quiet(thread.run('call throws')),
  async (thread) => {
    await quiet(thread.run('call beside'));
    await atRest(thread);
  },
  (thread) => quiet(thread.queue.add('hello')),
  async (thread) => {
    const run = thread.run('call quick');
    await run.started;
    await thread.steer('hello');
    await quiet(run);
  },
  async (thread) => {
    const run = thread.run('call endless');
    await run.started;
    await new Promise((resolve) => setImmediate(resolve));
    await thread.interrupt();
    await quiet(run);
  },
  async (thread) => {
    const run = thread.run('call asks');
    for await (const event of run) {
      if (event.type === 'run.awaitingApproval') await thread.approve(thread.interruptions[0]!);
    }
    await quiet(run);
  },
  async (thread) => {
    for await (const event of thread.stream('call quick')) void event;
  },
  async (thread) => {
    for await (const event of thread.stream('call endless')) if (event.type === 'tool.started') break;
  },
  async (thread) => {
    await thread.mail({ from: 'host', content: 'hello', triggerTurn: true });
    await thread.activeRun?.result.catch(() => undefined);
  },
  async (thread) => {
    const receipt = await thread.compact();
    if (receipt.status === 'accepted') await receipt.compaction;
    await atRest(thread);
  },
  async (thread) => {
    const run = thread.run('call quick');
    await run.started;
    await thread.stopAfterTurn();
    await quiet(run);
  },
];

async function playRuns(thread: Thread, runs: number): Promise<void> {
  for (let done = 0; done < runs; done += 1) {
    if (thread.state === 'paused') await thread.queue.resume();
    await WAYS[done % WAYS.length]!(thread);
    if (done % 60 === 59) await thread.revert({ runId: null }); // what was said is not what is weighed here
  }
  await thread.revert({ runId: null });
}

async function playThreads(threads: number): Promise<void> {
  for (let done = 0; done < threads; done += 1) {
    const thread = made();
    await WAYS[done % WAYS.length]!(thread);
    if (done % 3 === 0) await thread.release();
    else await thread.close();
  }
}

/** Bytes that one more of it leaves. */
async function left(play: (count: number) => Promise<void>, count: number): Promise<number> {
  await play(WARM_UP);
  alive(); // counts, and keeps count no more
  const before = await weigh();
  await play(count - WARM_UP);
  alive();
  return ((await weigh()) - before) / (count - WARM_UP);
}

const thread = made();
await thread.run('hello');
await thread.revert({ runId: null });
const baseline = alive();
const bytesPerRun = await left((runs) => playRuns(thread, runs), RUNS);
const more = alive() - baseline;
const { history, queue, mailbox } = thread.look;
await thread.close();
const bytesPerThread = await left(playThreads, THREADS);
process.stdout.write(JSON.stringify({ born, bytesPerRun, bytesPerThread, history: history.length, queue: queue.length, mailbox: mailbox.length, more, alive: alive(), timers: timers.size, listeners: listeners(), platformTimers: platformTimers() }));
