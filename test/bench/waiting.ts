/** W5: a run that waits for a person: what it weighs, saved and in memory, and what it costs to go on with it. */
import { Agent, RunState, run, tool } from '../../index.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { LOOK, SEND, longRunModel, loopTool, parameters, resultOf } from './fixtures/longRun.ts';
import { ANSWER } from './fixtures/zeroLatencyModel.ts';
import type { Figure } from './figures.ts';
import { loop } from './loop.ts';
import { type MeasureOptions, measure, quantile } from './measure.ts';

export interface WaitingSizes { turns: number; runs: number }
export const WAITING: WaitingSizes = { turns: 20, runs: 10_000 };
const AIMS = { restoreMs: 0.25, state: 1.8 };

export async function measureWaiting({ turns, runs }: WaitingSizes, options: MeasureOptions): Promise<Figure[]> {
  const began = { at: 0 };
  const waiting = new Waiting(turns, () => { began.at = options.now(); });
  const { state, history } = await waiting.run();
  const [saved, kept] = [state.toString(), JSON.stringify(history)]; // a hand-written loop would keep its messages, the last of them a call without an answer
  const toFirst: number[] = []; // of all that are measured; the second half is warm
  const goOn = async () => {
    const start = options.now();
    await waiting.goOn(saved);
    toFirst.push(began.at - start);
  };
  const saving = await measure([{ name: 'loop', run: async () => void JSON.stringify(history) }, { name: 'loopchart', run: async () => void state.toString() }], options);
  const going = await measure([{ name: 'loop', run: () => waiting.loopOn(kept) }, { name: 'loopchart', run: goOn }], options);
  const what = `a run of ${turns} turns that waits for approval`;
  const figures: Figure[] = [
    { workload: 'W5', what: `${what}: its state, to its history`, unit: 'bytes', value: Buffer.byteLength(saved), loop: Buffer.byteLength(kept), ratio: Buffer.byteLength(saved) / Buffer.byteLength(kept), aim: { of: 'ratio', most: AIMS.state } },
    { workload: 'W5', what: 'saving it (toString)', unit: 'ms', value: saving[1]!.median, loop: saving[0]!.median, ratio: saving[1]!.ratio },
    { workload: 'W5', what: 'restoring it, approving, and going on to its end', unit: 'ms', value: going[1]!.median, loop: going[0]!.median, ratio: going[1]!.ratio, aim: { of: 'value', most: AIMS.restoreMs } },
    { workload: 'W5', what: 'of that, until the first effect begins', unit: 'ms', value: quantile(toFirst.slice(toFirst.length / 2), 0.5) },
  ];
  return globalThis.gc ? [...figures, await weigh(waiting, runs)] : figures;
}

class Waiting {
  readonly #agent: Agent;
  readonly #turns: number;

  constructor(turns: number, begins: () => void) {
    const body = ({ at }: { at: number }) => (begins(), resultOf(at));
    const make = (name: string, needsApproval: boolean) => tool({ name, description: name, parameters, execute: body, needsApproval });
    this.#turns = turns;
    this.#agent = new Agent({ name: 'Bench', model: longRunModel(turns, SEND), tools: [make(LOOK, false), make(SEND, true)] });
  }

  async run() {
    const result = await run(this.#agent, 'go', { maxTurns: null });
    if (result.interruptions.length !== 1) throw new Error('The run does not wait.');
    return result;
  }

  async goOn(saved: string): Promise<void> {
    const state = await RunState.fromString(this.#agent, saved);
    for (const call of state.getInterruptions()) state.approve(call);
    const { finalOutput } = await run(this.#agent, state);
    if (finalOutput !== ANSWER) throw new Error(`The run ended with ${JSON.stringify(finalOutput)}.`);
  }

  async loopOn(saved: string): Promise<void> {
    const messages = JSON.parse(saved) as AgentInputItem[]; // as written just before
    const tools = [LOOK, SEND].map((name) => loopTool(name, ({ at }) => resultOf(at)));
    const { output } = await loop({ model: longRunModel(this.#turns, SEND), tools, input: '', messages, maxTurns: 2 });
    if (output !== ANSWER) throw new Error(`The loop ended with ${JSON.stringify(output)}.`);
  }
}

/** Many waiting at once in this process, as their results' states, next to the messages of as many loops. */
async function weigh(waiting: Waiting, runs: number): Promise<Figure> {
  const { history } = await waiting.run();
  const text = JSON.stringify(history);
  const own = await perOne(runs, async () => (await waiting.run()).state);
  const messages = await perOne(runs, async () => JSON.parse(text) as unknown);
  return { workload: 'W5', what: `heap of each of ${runs.toLocaleString('en-US')} that wait in one process`, unit: 'bytes', value: own, loop: messages, ratio: own / messages };
}

async function perOne(count: number, make: () => Promise<unknown>): Promise<number> {
  const kept: unknown[] = [await make()];
  const before = heap();
  while (kept.length <= count) kept.push(await make());
  const after = heap();
  return (after - before) / (kept.length - 1);
}

function heap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc!(); // the caller has seen that it is there
  return process.memoryUsage().heapUsed;
}
