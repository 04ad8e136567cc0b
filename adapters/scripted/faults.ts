/**
 * Trouble at a chosen moment, for any model and any tool. A plan counts effects (a request to a model, a run of a tool's
 * body) across everything it was wrapped around, and strikes at the ones named.
 */
import type { Clock, Model, ModelRequest } from '../../actors/ports.ts';
import type { StreamEvent } from '../../machines/protocol/item.ts';
import { ScriptedModelError, ScriptError, untilAborted, type FailureOptions } from './failures.ts';
import { wait } from './waiting.ts';

/**
 * What goes wrong.
 * - `fail`: throws `error`, or a `ScriptedModelError` with `failure`. `when: 'after'` lets the effect happen and loses its
 *   result, as when a process dies between doing and recording; in a stream that is in place of `response_done`.
 * - `delay`: begins `ms` milliseconds later on `clock`.
 * - `hang`: does not begin, and ends only by abort; with `ignoresAbort` never.
 * - `cut`: the stream ends after `after` events; not streaming, the request breaks. Models only.
 */
export type Fault =
  | { kind: 'fail'; error?: unknown; failure?: FailureOptions; when?: 'before' | 'after' }
  | { kind: 'delay'; ms: number; clock: Clock }
  | { kind: 'hang'; ignoresAbort?: boolean }
  | { kind: 'cut'; after: number };
/** `nth` is 1 for the first effect; `'every'` strikes each of them. */
export interface PlannedFault { nth: number | 'every'; fault: Fault }

/** What {@link faultyTool} needs of a tool: a body, `invoke` or `execute`, whose last argument may carry the signal. */
export interface FaultableTool {
  name: string;
  // The bodies of tools differ in their parameters and are only passed through: nothing here may depend on them.
  invoke?: (...parameters: any[]) => unknown; // `any`: tools of any input
  execute?: (...parameters: any[]) => unknown;
}
export interface FaultPlan {
  /** How many effects began so far. */
  readonly effects: number;
  model(model: Model): Model;
  tool<T extends FaultableTool>(tool: T): T;
}

/**
 * One plan for several models and tools, with one count across all of them.
 *
 * @example
 * const plan = withFaults({ nth: 2, fault: { kind: 'fail', error: new Error('disk full') } });
 * const model = plan.model(scriptedModel(calls('save'), says('Sorry.'))); // Effect 1 is the first request,
 * const save = plan.tool({ name: 'save', execute: async () => 'saved' });  // effect 2 the body of the tool.
 */
export function withFaults(...plan: PlannedFault[]): FaultPlan {
  for (const { nth } of plan) {
    if (nth !== 'every' && !(Number.isInteger(nth) && nth >= 1)) throw new ScriptError(`withFaults: nth is ${nth}; effects are counted from 1.`);
  }
  let effects = 0;
  const begin = (): Fault | undefined => {
    effects += 1;
    return plan.find(({ nth }) => nth === 'every' || nth === effects)?.fault;
  };
  return {
    get effects() {
      return effects;
    },
    model: (model) => wrapModel(model, begin),
    tool: (tool) => wrapTool(tool, begin),
  };
}

/**
 * The model with faults of its own count.
 *
 * @example
 * const model = faultyModel(scriptedModel(says('one two three')), { nth: 1, fault: { kind: 'cut', after: 2 } });
 */
export function faultyModel(model: Model, ...plan: PlannedFault[]): Model {
  return withFaults(...plan).model(model);
}

/**
 * A copy of the tool whose body is in trouble at the Nth run.
 *
 * @example
 * const search = { name: 'search', execute: async (query: string) => `About ${query}.` };
 * const flaky = faultyTool(search, { nth: 1, fault: { kind: 'fail', error: new Error('no answer') } });
 */
export function faultyTool<T extends FaultableTool>(tool: T, ...plan: PlannedFault[]): T {
  return withFaults(...plan).tool(tool);
}

function wrapModel(model: Model, begin: () => Fault | undefined): Model {
  return {
    ...(model.supportsPromptModelSelection === undefined ? {} : { supportsPromptModelSelection: model.supportsPromptModelSelection }),
    ...(model.completedItem && { completedItem: (event) => model.completedItem!(event) }),
    async getResponse(request) {
      const fault = begin();
      await strike(fault, request.signal);
      if (fault?.kind === 'cut') throw new ScriptedModelError({ network: true });
      const response = await model.getResponse(request);
      strikeAfter(fault);
      return response;
    },
    getStreamedResponse: (request) => faultyStream(model, request, begin()),
    getRetryAdvice: (asked) => (asked.error instanceof ScriptedModelError ? asked.error.advice : model.getRetryAdvice?.(asked)),
  };
}

async function* faultyStream(model: Model, request: ModelRequest, fault: Fault | undefined): AsyncGenerator<StreamEvent, void, undefined> {
  await strike(fault, request.signal);
  let sent = 0;
  if (fault?.kind === 'cut' && fault.after === 0) return;
  for await (const event of model.getStreamedResponse(request)) {
    if (event.type === 'response_done') strikeAfter(fault);
    yield event;
    sent += 1;
    if (fault?.kind === 'cut' && sent >= fault.after) return;
  }
}

function wrapTool<T extends FaultableTool>(tool: T, begin: () => Fault | undefined): T {
  const wrapped = (body: 'invoke' | 'execute') => {
    const original = tool[body];
    if (!original) return {};
    return {
      [body]: async (...parameters: unknown[]) => {
        const fault = begin();
        if (fault?.kind === 'cut') throw new ScriptError(`The tool ${tool.name} has no stream to cut. Use a fail or hang fault.`);
        await strike(fault, signalIn(parameters));
        const result = await original.apply(tool, parameters);
        strikeAfter(fault);
        return result;
      },
    };
  };
  return { ...tool, ...wrapped('invoke'), ...wrapped('execute') };
}

async function strike(fault: Fault | undefined, signal?: AbortSignal): Promise<void> {
  switch (fault?.kind) {
    case 'delay': return wait(fault.ms, fault.clock, signal);
    case 'hang': return untilAborted(fault.ignoresAbort ? undefined : signal);
    case 'fail': if (fault.when !== 'after') throw errorOf(fault);
  }
}

function strikeAfter(fault: Fault | undefined): void {
  if (fault?.kind === 'fail' && fault.when === 'after') throw errorOf(fault);
}

function errorOf({ error, failure }: Extract<Fault, { kind: 'fail' }>): unknown {
  return error ?? new ScriptedModelError(failure);
}

function signalIn(parameters: unknown[]): AbortSignal | undefined {
  for (const parameter of parameters) {
    if (typeof parameter !== 'object' || parameter === null || !('signal' in parameter)) continue;
    if (parameter.signal instanceof AbortSignal) return parameter.signal;
  }
  return undefined;
}
