/** Who runs the workloads. Each one does the same work on the same model and is checked to have done it. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { Model } from '../../actors/ports.ts';
import { ANSWER, DELTA, zeroLatencyModel } from './fixtures/zeroLatencyModel.ts';
import type { Workload } from './fixtures/workloads.ts';
import { loop, type LoopTool } from './loop.ts';

/** What one run did. */
export interface Done { output: unknown; toolRuns: number; deltas: number }
/** `prepare` does what an application does once (agent, tools); what it gives is run and measured. */
export interface Contestant { name: string; prepare: (workload: Workload) => Promise<() => Promise<void>> }

export const LOOP = 'loop';
/** Loaded when asked for, so that the others are measured without them in memory. */
export const CONTESTANTS: Record<string, () => Promise<Contestant>> = {
  [LOOP]: async () => checked(LOOP, prepareLoop),
  loopchart: async () => checked('loopchart', await frontDoor('loopchart')),
  'agents-sdk': async () => checked('agents-sdk', await frontDoor('agents-sdk')),
};

const INSTRUCTIONS = 'Add the numbers.';
const description = 'Adds two numbers.';
const parameters = z.object({ a: z.number(), b: z.number() });

/** Counts what a run does; the body of the tool and the listener of deltas are the same for everyone. */
class Tally implements Done {
  output: unknown;
  toolRuns = 0;
  deltas = 0;
  readonly add = ({ a, b }: z.output<typeof parameters>): number => {
    this.toolRuns += 1;
    return a + b;
  };
  readonly onDelta = (delta: string): void => {
    this.deltas += delta.length > 0 ? 1 : 0;
  };
}

type Prepare = (workload: Workload, tally: Tally) => Promise<() => Promise<unknown>>;

/** @throws Error when a run gave another answer, or ran another number of tools or deltas, than the workload holds. */
export function checked(name: string, prepare: Prepare): Contestant {
  return {
    name,
    async prepare(workload) {
      const tally = new Tally();
      const runOnce = await prepare(workload, tally);
      const { concurrentRuns, toolTurns, callsPerTurn, deltas } = workload;
      const expected = { toolRuns: concurrentRuns * toolTurns * callsPerTurn, deltas: concurrentRuns * deltas };
      const answer = deltas > 0 ? DELTA.repeat(deltas) : ANSWER;
      return async () => {
        tally.toolRuns = 0;
        tally.deltas = 0;
        const runs = Array.from({ length: concurrentRuns }, runOnce);
        const outputs = runs.length === 1 ? [await runs[0]] : await Promise.all(runs);
        if (tally.toolRuns === expected.toolRuns && tally.deltas === expected.deltas && outputs.every((output) => output === answer)) return;
        throw new Error(
          `${name} did not do ${workload.id}: ${tally.toolRuns} of ${expected.toolRuns} tool runs, ${tally.deltas} of ${expected.deltas} deltas, last answer ${JSON.stringify(outputs.at(-1))?.slice(0, 60)}.`,
        );
      };
    },
  };
}

const prepareLoop: Prepare = async (workload, tally) => {
  const add: LoopTool = {
    name: 'add', description, parameters, body: tally.add,
    serialized: { type: 'function', name: 'add', description, parameters: z.toJSONSchema(parameters), strict: true },
  };
  const options = {
    model: zeroLatencyModel(workload), tools: [add], input: 'go', instructions: INSTRUCTIONS, maxTurns: workload.toolTurns + 1,
    ...(workload.deltas > 0 && { onDelta: tally.onDelta }),
  };
  return async () => (await loop(options)).output;
};

/** What the bench uses of a front door in the peer's shape; both `loopchart` and the peer have it. */
interface FrontDoor {
  Agent: new (options: { name: string; instructions: string; model: Model; tools: unknown[] }) => object;
  tool: (options: { name: string; description: string; parameters: typeof parameters; execute: Tally['add'] }) => unknown;
  run: (agent: object, input: string, options: { maxTurns: number; stream?: boolean }) => Promise<RunResult>;
}
interface RunResult extends AsyncIterable<{ type: string; data?: { type: string; delta?: string } }> { finalOutput?: unknown; completed?: Promise<unknown> }

async function frontDoor(name: 'loopchart' | 'agents-sdk'): Promise<Prepare> {
  const { Agent, tool, run } = name === 'loopchart' ? await loadLoopchart() : await loadPeer();
  return async (workload, tally) => {
    const add = tool({ name: 'add', description, parameters, execute: tally.add });
    const agent = new Agent({ name: 'Bench', instructions: INSTRUCTIONS, model: zeroLatencyModel(workload), tools: [add] });
    const maxTurns = workload.toolTurns + 1;
    if (workload.deltas === 0) return async () => (await run(agent, 'go', { maxTurns })).finalOutput;
    return async () => {
      const result = await run(agent, 'go', { maxTurns, stream: true });
      for await (const { type, data } of result) {
        if (type === 'raw_model_stream_event' && data?.type === 'output_text_delta') tally.onDelta(data.delta ?? '');
      }
      await result.completed;
      return result.finalOutput;
    };
  };
}

async function loadLoopchart(): Promise<FrontDoor> {
  const entry = new URL('../../index.ts', import.meta.url);
  if (!existsSync(entry)) throw new Error('loopchart has no index.ts to measure. Name other contestants: --contestants loop,agents-sdk');
  return (await import(entry.href)) as FrontDoor; // Three names out of many, in the shape that the peer gave them.
}

async function loadPeer(): Promise<FrontDoor> {
  const { Agent, Runner, tool } = await import('@openai/agents-core');
  const runner = new Runner({ tracingDisabled: true });
  return { Agent, tool, run: runner.run.bind(runner) } as unknown as FrontDoor; // Its overloads are narrower than what the bench passes.
}
