/**
 * One thread with hundreds of runs that end in every way, and writes to stdout what is left of them as JSON. Its history goes back at the
 * end of each round, so that what grows is nothing that it is meant to keep. Run it with `--expose-gc` and `--no-flush-bytecode`.
 */
import { Agent, type Clock, type JournalEntry, MemoryJournal, type Model, Usage, tool, type AssistantMessageItem, type FunctionCallItem, type ModelRequest } from '../../index.ts';
import { createThread } from '../../actors/thread/index.ts';

const ROUNDS = 120;
const WARM_UP = 40;

/** Forgets what it is told, but for how the thread began: what grows is not its own. */
class NoJournal extends MemoryJournal {
  #length = 0;
  #first: readonly JournalEntry[] = [];
  override open() { return { epoch: 1, length: this.#length }; }
  override append(_threadId: string, _at: object, entries: readonly JournalEntry[]) {
    if (this.#length === 0) this.#first = entries.slice(0, 1);
    this.#length += entries.length;
  }
  override read() { return this.#first; }
  override release() {}
}

const model: Model = {
  async getResponse(request) {
    return { usage: new Usage({ inputTokens: 1, outputTokens: 1, totalTokens: 2 }), output: [answerTo(request)], responseId: 'resp' };
  },
  async *getStreamedResponse(request) {
    yield { type: 'output_text_delta', delta: 'Done.' };
    yield { type: 'response_done', response: { id: 'resp', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, output: [answerTo(request)] } };
  },
};

function answerTo({ input }: ModelRequest): AssistantMessageItem | FunctionCallItem {
  const last = Array.isArray(input) ? input.at(-1) : undefined;
  const wanted = last && 'role' in last && last.role === 'user' ? String(last.content) : '';
  if (wanted === 'fail') throw new Error('The provider is down.');
  const inner = wanted.endsWith('inner') || wanted.endsWith('beside');
  if (wanted.startsWith('call ')) return { type: 'function_call', callId: 'call_1', name: wanted.slice(5), arguments: inner ? '{"input":"call quick"}' : '{}', status: 'completed' };
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Done.' }] };
}

const body = (name: string, execute: (signal: AbortSignal) => unknown, more: object = {}) =>
  tool({ name, description: name, parameters: { type: 'object', properties: {}, required: [], additionalProperties: false }, execute: (_, __, details) => execute(details!.signal!), ...more });
const untilTold = (signal: AbortSignal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
const tools = [body('quick', () => 'quick'), body('endless', untilTold), body('throws', () => { throw new Error('No.'); }), body('asks', () => 'asked', { needsApproval: true })];
const inner = new Agent({ name: 'inner', model, tools });
const agent = new Agent({ name: 'Agent', model, tools: [...tools, inner.asTool({}), inner.asTool({ toolName: 'beside', background: true })] });

const timers = new Set<unknown>();
const clock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(() => (timers.delete(timer), callback()), ms);
    timers.add(timer);
    return timer;
  },
  clearTimeout: (timer) => (timers.delete(timer), clearTimeout(timer as NodeJS.Timeout)),
};

let runs = 0;
const handles: unknown[] = [];
const thread = createThread(agent, { journal: new NoJournal(), clock, graceMs: 1, checkpointEvery: Infinity, budget: { wallTimeMs: 60_000, hardDeadline: true }, onEvent: ({ type }) => void (type === 'run.settled' && (runs += 1)) });
const until = (type: string) => new Promise<void>((resolve) => { const seen = thread.events$.subscribe((event) => { if (event.type === type) { seen.unsubscribe(); resolve(); } }); });
const idle = async () => { while (thread.state === 'active' || thread.look.background.length > 0) await new Promise((resolve) => setImmediate(resolve)); };

/** A run that is begun, told something when it is that far, and ends. */
async function told(input: string, when: string, tell: () => Promise<unknown>): Promise<void> {
  const there = until(when);
  const run = thread.run(input);
  await there;
  await tell();
  await run.result.catch(() => undefined);
}

async function round(): Promise<void> {
  if (handles.length === 0) handles.push(thread.run('hello')); // somebody holds on to one that is over
  for (const input of ['hello', 'call quick', 'call throws', 'call inner']) await thread.run(input);
  await thread.run('fail').result.catch(() => undefined);
  await told('call endless', 'tool.started', () => thread.interrupt());
  await told('call asks', 'run.awaitingApproval', () => thread.approve(thread.interruptions[0]!));
  await told('call asks', 'run.awaitingApproval', () => thread.stopAfterTurn());
  await told('', 'run.awaitingApproval', () => thread.reject(thread.interruptions[0]!));
  await thread.run('call beside');
  await idle();
  const queued = thread.run('hello');
  void thread.run('more').result.catch(() => undefined);
  await thread.steer('Hurry.');
  await queued;
  await thread.mail({ from: 'host', content: 'News.', triggerTurn: true });
  await idle();
  await thread.compact();
  await idle();
  await thread.revert({ runId: null });
}

/** What is only weakly referred to goes between two turns of the event loop. */
async function weigh(): Promise<number> {
  await thread.run('hello');
  await thread.revert({ runId: null });
  for (let time = 0; time < 12; time += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis as unknown as { gc(): void }).gc();
  }
  return process.memoryUsage().heapUsed;
}
for (let at = 0; at < WARM_UP; at += 1) await round();
const [before, runsBefore] = [await weigh(), runs];
for (let at = 0; at < ROUNDS; at += 1) await round();
const counted = runs - runsBefore;
console.log(JSON.stringify({ runs: counted, bytesPerRun: Math.round(((await weigh()) - before) / counted), timers: timers.size, history: thread.look.history.length, queue: thread.look.queue.length, mailbox: thread.look.mailbox.length }));
await thread.close();
