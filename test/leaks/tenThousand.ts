/**
 * Runs agents in every way that a run can end, ten thousand times over, and writes to stdout what is left of them as JSON.
 * A process of its own, because only an empty heap can be weighed: run it with `--expose-gc`, and with `--no-flush-bytecode`,
 * or the engine throws away megabytes of its own in between.
 */
import type { InspectionEvent } from 'xstate';
import { Agent, MemorySession, RunState, type AssistantMessageItem, type FunctionCallItem, type Model, type ModelRequest, run, tool, Usage } from '../../index.ts';
import { clock, platformTimers, sharedSignal, timers, weigh } from './counting.ts';

const RUNS = 10_000;
const WARM_UP = 4_000;
/** Of each way. */
const SIDE_BY_SIDE = 5;

/** Answers by what the conversation ends with; remembers nothing, so that what grows is not its own. */
const model: Model = {
  async getResponse(request) {
    return { usage: new Usage({ inputTokens: 1, outputTokens: 1, totalTokens: 2 }), output: [answerTo(request)], responseId: 'resp' };
  },
  async *getStreamedResponse(request) {
    yield { type: 'output_text_delta', delta: 'Done.' };
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
    yield { type: 'response_done', response: { id: 'resp', usage, output: [answerTo(request)] } };
  },
};

function answerTo({ input, systemInstructions }: ModelRequest): AssistantMessageItem | FunctionCallItem {
  if (systemInstructions === 'fail') throw new Error('The provider is down.');
  const last = Array.isArray(input) ? input.at(-1) : undefined;
  const wanted = last && 'role' in last && last.role === 'user' ? String(last.content) : '';
  if (wanted.startsWith('call ')) return { type: 'function_call', callId: 'call_1', name: wanted.slice(5), arguments: wanted.endsWith('inner') ? '{"input":"call quick"}' : '{}', status: 'completed' };
  return { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Done.' }] };
}

const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;
const body = (name: string, execute: (signal: AbortSignal) => unknown, more: object = {}) =>
  tool({ name, description: name, parameters: { ...parameters, required: [] }, execute: (_, __, details) => execute(details!.signal!), ...more });
const untilTold = (signal: AbortSignal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const tools = [
  body('quick', () => 'quick', { timeoutMs: 60_000 }),
  body('endless', untilTold, { timeoutMs: 60_000 }),
  body('deaf', () => new Promise(() => undefined), { timeoutMs: 60_000 }),
  body('late', untilTold, { timeoutMs: 1 }),
  body('asks', () => 'asked', { needsApproval: true }),
];
const other = new Agent({ name: 'Other', model });
const inner = new Agent({ name: 'inner', model, tools });
const agent = new Agent({ name: 'Agent', model, tools: [...tools, inner.asTool({})], handoffs: [other] });
const failing = new Agent({ name: 'Failing', model, instructions: 'fail' });
const patient = new Agent({ name: 'Patient', model, instructions: 'fail', modelSettings: { retry: { maxRetries: 2, policy: () => ({ retry: true, delayMs: 1 }) } } });
const tripped = new Agent({ name: 'Tripped', model, inputGuardrails: [{ name: 'no', execute: async () => ({ tripwireTriggered: true, outputInfo: null }) }] });

// -- counting ---------------------------------------------------------------------------------------------------------

const shared = sharedSignal();
const stop = sharedSignal();
let born = 0;
let alive = 0;
let actors: { getSnapshot(): { status?: string } }[] = [];
const inspect = (event: InspectionEvent) => {
  if (event.type === '@xstate.actor') actors.push(event.actorRef as (typeof actors)[number]); // every actor of ours has a snapshot with a status
};

function countActors(): void {
  born += actors.length;
  alive += actors.filter((actor) => actor.getSnapshot().status === 'active').length;
  actors = [];
}

// -- ways to end ------------------------------------------------------------------------------------------------------

const common = { clock, inspect, stopSignal: stop.signal, graceMs: 1 };
const going = { ...common, signal: shared.signal };
const thrown = (running: Promise<unknown>) => running.then(() => { throw new Error('The run was meant to fail.'); }, () => undefined);

async function interrupted(input: string): Promise<unknown> {
  const controller = new AbortController();
  const running = thrown(run(agent, input, { ...common, signal: controller.signal }));
  setImmediate(() => controller.abort());
  return running;
}

const WAYS: (() => Promise<unknown>)[] = [
  () => run(agent, 'hello', going),
  () => run(agent, 'call quick', going),
  () => run(agent, 'call transfer_to_Other', { ...going, session: new MemorySession() }),
  () => run(agent, 'call inner', going),
  () => run(agent, 'call late', going),
  async () => {
    for await (const event of await run(agent, 'call quick', { ...going, stream: true })) void event;
  },
  async () => {
    for await (const event of await run(agent, 'call endless', { ...going, stream: true })) if (event.type === 'run_item_stream_event') break;
  },
  () => thrown(run(failing, 'hello', going)),
  () => thrown(run(patient, 'hello', going)),
  () => thrown(run(tripped, 'hello', going)),
  () => thrown(run(agent, 'call quick', { ...going, maxTurns: 1 })),
  () => interrupted('call endless'),
  () => interrupted('call deaf'),
  () => thrown(run(agent, 'hello', { ...common, signal: AbortSignal.abort() })),
  () => run(agent, 'call quick', { ...common, signal: shared.signal, stopSignal: AbortSignal.abort() }),
  () => run(agent, 'call asks', going),
  async () => {
    const { state } = await run(agent, 'call asks', going);
    state.approve(state.getInterruptions()[0]!);
    return run(agent, state, going);
  },
  async () => {
    const { state } = await run(agent, 'call asks', going);
    return RunState.fromString(agent, state.toString());
  },
];

async function play(runs: number): Promise<void> {
  for (let done = 0; done < runs; done += SIDE_BY_SIDE * WAYS.length) {
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => WAYS.map((way) => way())).flat());
    countActors();
  }
}

await play(WARM_UP);
const before = await weigh();
await play(RUNS - WARM_UP);
const after = await weigh();
process.stdout.write(JSON.stringify({
  born,
  alive,
  timers: timers.size,
  listeners: shared.listeners() + stop.listeners(),
  platformTimers: platformTimers(),
  bytesPerRun: (after - before) / (RUNS - WARM_UP),
}));
