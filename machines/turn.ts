import { assign, emit, enqueueActions, sendParent, setup } from 'xstate';
import type { DoneActorEvent } from 'xstate';
import { type TurnDecision, decideNext, skipAfterTerminal } from './decide.ts';
import { atOf, outputOf } from './eventFields.ts';
import { partialMessage, recordsOfTurn, resultWithout } from './history.ts';
import { type CallResult, type Response, NO_USAGE } from './protocol/call.ts';
import type { Downward, Upward } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentInputItem } from './protocol/item.ts';
import type { CarriedTurn, ServerState, TurnOutcome } from './protocol/outcome.ts';
import { type Leaf, slot } from './slot.ts';
import { type ToolCallOutcome, toolCallMachine } from './toolCall.ts';

export interface TurnInput {
  path: string;
  agent: string;
  /** Counts the turns of the run, from 1. */
  turn: number;
  /** The first turn of this activation: the hooks that open it run here. */
  first: boolean;
  /** What the model reads. Never changed in place. */
  history: AgentInputItem[];
  server?: ServerState;
  /** How many of the newest items the session does not hold yet. */
  unsaved: number;
  /** False while input guardrails still look at the input. */
  gateOpen: boolean;
  /** This agent has used a tool before: `toolChoice` goes back to auto (A7). */
  usedTools: boolean;
  carried?: CarriedTurn;
}
export interface TurnContext extends TurnInput {
  attempt: number;
  response: Response | null;
  respondedAt: number;
  results: Record<string, CallResult>;
  unsettled: number;
  waiting: number;
  /** What a `toolUseBehavior` function chose. */
  chosen: { finalOutput: unknown } | null;
  failure: Failure | null;
  retryInMs: number;
  softStop: boolean;
  decision: TurnDecision | null;
}

export interface ModelInput {
  effectId: string;
  agent: string;
  turn: number;
  first: boolean;
  attempt: number;
  history: AgentInputItem[];
  unsaved: number;
  server?: ServerState;
  usedTools: boolean;
  carried?: Response;
}
type ModelOutcome = EffectOutcome<Response>;
type Interrupt = Extract<Downward, { type: 'interrupt' }>;
type ConcludeOutcome = EffectOutcome<{ finalOutput: unknown } | null>;
export type ModelLeaf = Leaf<ModelInput, ModelOutcome>;
export type TimerLeaf = Leaf<{ effectId: string; ms: number }, EffectOutcome<null>>;
/** What the agent does with the results of its tools, and the hook that closes the turn. */
export type ConcludeLeaf = Leaf<{ effectId: string; agent: string; turn: number; response: Response; results: CallResult[] }, ConcludeOutcome>;

/** One model response and the calls it asked for (A1). */
export const turnMachine = setup({
  types: {} as {
    context: TurnContext;
    events: Downward | Upward | DoneActorEvent<ToolCallOutcome, `toolCall.${string}`>;
    input: TurnInput;
    output: TurnOutcome;
    emitted: LoopEvent;
  },
  actors: {
    model: slot<ModelLeaf>('model'),
    timer: slot<TimerLeaf>('timer'),
    conclude: slot<ConcludeLeaf>('conclude'),
    toolCall: toolCallMachine,
  },
  guards: {
    hasFailed: (_, outcome: EffectOutcome<unknown>) => outcome.status === 'error',
    retryIsStopped: ({ context }, outcome: ModelOutcome) => context.softStop && outcome.status === 'error' && outcome.retryInMs !== undefined,
    canRetry: (_, outcome: ModelOutcome) => outcome.status === 'error' && outcome.retryInMs !== undefined,
    gateClosed: ({ context }) => !context.gateOpen,
    responseHasCalls: ({ context }, outcome: ModelOutcome) => outcome.status === 'ok' && openCalls(outcome.value, context.results) > 0,
    responseMustConclude: (_, outcome: ModelOutcome) => outcome.status === 'ok' && outcome.value.concludesTurn === true,
    responseHandsOff: (_, outcome: ModelOutcome) => outcome.status === 'ok' && outcome.value.handoff !== undefined,
    hasCalls: ({ context }) => openCalls(context.response!, context.results) > 0,
    mustConclude: ({ context }) => context.response!.concludesTurn === true,
    isHandoff: ({ context }) => context.response!.handoff !== undefined,
    lastCallAfterFailure: ({ context }, call: ToolCallOutcome) => context.unsettled === 1 && (context.failure ?? call.failure) !== null,
    lastCallMustConclude: ({ context }) => context.unsettled === 1 && context.response!.concludesTurn === true,
    lastCallHandsOff: ({ context }) => context.unsettled === 1 && context.response!.handoff !== undefined,
    lastCall: ({ context }) => context.unsettled === 1,
    hasLiveCalls: ({ context }) => context.unsettled > 0,
    restWaitsAfterFailure: ({ context }) => context.failure !== null && context.waiting === context.unsettled,
    restWaitsAfterSoftStop: ({ context }) => context.softStop && context.waiting === context.unsettled,
    restWaits: ({ context }) => context.waiting === context.unsettled,
  },
  actions: {
    tellWaits: sendParent(({ context }) => ({ type: 'child.waits', id: context.path })),
    tellGoes: sendParent(({ context }) => ({ type: 'child.goes', id: context.path })),
    announceStart: emit(({ context }) => ({ type: 'turn.started', path: context.path, agent: context.agent, turn: context.turn })),
    announceRetry: emit(({ context }, outcome: ModelOutcome) => ({ type: 'turn.retrying', path: context.path, agent: context.agent, attempt: context.attempt, ...retryOf(outcome) })),
    announceResponse: emit(({ context }, outcome: ModelOutcome) => ({
      type: 'turn.responded',
      path: context.path,
      agent: context.agent,
      attempt: context.attempt,
      response: outcome.status === 'ok' ? outcome.value : noResponse([]),
      carried: context.carried !== undefined,
    })),
    announceSettled: emit(({ context }) => ({ type: 'turn.settled', path: context.path, agent: context.agent, turn: context.turn, next: nextOf(context), guard: context.decision?.guard ?? '' })),
    keepResponse: assign((_, outcome: ModelOutcome) =>
      outcome.status === 'ok' ? { response: { ...outcome.value, calls: skipAfterTerminal(outcome.value.calls) }, respondedAt: outcome.at } : {}),
    keepFailure: assign((_, outcome: EffectOutcome<unknown>) => (outcome.status === 'error' ? { failure: outcome.failure } : {})),
    armRetry: assign((_, outcome: ModelOutcome) => ({ retryInMs: retryOf(outcome).delayMs })),
    countAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    keepChoice: assign((_, outcome: ConcludeOutcome) => ({ chosen: outcome.status === 'ok' ? outcome.value : null })),
    openGate: assign({ gateOpen: true }),
    askSoftStop: assign({ softStop: true }),
    spawnCalls: assign(({ context, spawn }) => {
      const open = context.response!.calls.filter((call) => !context.results[call.index]);
      for (const call of open) {
        const id = callActorId(context, call.index);
        spawn('toolCall', { id, input: { path: `${context.path}/${id}`, agent: context.agent, call, askedAt: context.respondedAt } });
      }
      return { unsettled: open.length };
    }),
    collect: assign(({ context }, call: ToolCallOutcome) => ({
      unsettled: context.unsettled - 1,
      results: call.result ? { ...context.results, [call.index]: call.result } : context.results,
      failure: context.failure ?? call.failure,
    })),
    noteWaits: assign(({ context }) => ({ waiting: context.waiting + 1 })),
    noteGoes: assign(({ context }) => ({ waiting: context.waiting - 1 })),
    withdrawCalls: enqueueActions(({ context, enqueue }) => {
      for (const id of liveCalls(context)) enqueue.sendTo(id, { type: 'withdraw' });
    }),
    interruptCalls: enqueueActions(({ context, enqueue }, interrupt: Interrupt) => {
      for (const id of liveCalls(context)) enqueue.sendTo(id, interrupt);
    }),
    keepPartial: assign(({ context }, interrupt: Interrupt) => partialOf(context, interrupt)),
    abortHeldCalls: assign(({ context }, interrupt: Interrupt) => ({ results: abortedResults(context, interrupt.at) })),
    decide: assign(({ context }) => ({ decision: decisionOf(context) })),
    decideSuspended: assign({ decision: { next: 'suspended', guard: 'softStopRequested' } as TurnDecision }),
    decideInterrupted: assign({ decision: { next: 'interrupted', guard: 'interrupt' } as TurnDecision }),
  },
}).createMachine({
  id: 'turn',
  version: '1',
  description: 'One model response and the calls it asked for.',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    ...input, attempt: 1, response: null, respondedAt: 0, results: input.carried?.results ?? {}, unsettled: 0, waiting: 0,
    chosen: null, failure: null, retryInMs: 0, softStop: false, decision: null,
  }),
  output: ({ context }) => outcomeOf(context),
  initial: 'running',
  entry: 'announceStart',
  on: {
    'gate.open': { actions: 'openGate' },
    softStop: { actions: 'askSoftStop' },
    withdraw: { guard: 'hasLiveCalls', actions: 'withdrawCalls' },
    'child.waits': { actions: 'noteWaits' },
    'child.goes': { actions: 'noteGoes' },
    interrupt: [
      { guard: 'hasLiveCalls', target: '.running.stopping', actions: ['decideInterrupted', { type: 'interruptCalls', params: interruptOf }] },
      { target: '.interrupted', actions: ['decideInterrupted', { type: 'keepPartial', params: interruptOf }, { type: 'abortHeldCalls', params: interruptOf }] },
    ],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'sampling',
      states: {
        sampling: {
          description: 'Tools, instructions and filters are resolved and the model answers.',
          invoke: {
            id: 'model',
            src: 'model',
            input: ({ context }) => modelInput(context),
            onDone: [
              { guard: { type: 'retryIsStopped', params: outputOf }, target: '#turn.settled', actions: 'decideSuspended' },
              { guard: { type: 'canRetry', params: outputOf }, target: 'backingOff', actions: [{ type: 'armRetry', params: outputOf }, { type: 'announceRetry', params: outputOf }] },
              { guard: { type: 'hasFailed', params: outputOf }, target: '#turn.settled', actions: [{ type: 'keepFailure', params: outputOf }, 'decide'] },
              { guard: 'gateClosed', target: 'holding', actions: [{ type: 'keepResponse', params: outputOf }, { type: 'announceResponse', params: outputOf }] },
              { guard: { type: 'responseHasCalls', params: outputOf }, target: 'acting', actions: [{ type: 'keepResponse', params: outputOf }, { type: 'announceResponse', params: outputOf }, 'spawnCalls'] },
              { guard: { type: 'responseMustConclude', params: outputOf }, target: 'concluding', actions: [{ type: 'keepResponse', params: outputOf }, { type: 'announceResponse', params: outputOf }] },
              { guard: { type: 'responseHandsOff', params: outputOf }, target: '#turn.handoff', actions: [{ type: 'keepResponse', params: outputOf }, { type: 'announceResponse', params: outputOf }, 'decide'] },
              { target: '#turn.settled', actions: [{ type: 'keepResponse', params: outputOf }, { type: 'announceResponse', params: outputOf }, 'decide'] },
            ],
          },
        },
        backingOff: {
          description: 'The provider failed in a way that may pass; the request is sent again after a pause.',
          on: { softStop: { target: '#turn.settled', actions: ['askSoftStop', 'decideSuspended'] } },
          invoke: {
            id: 'backoff',
            src: 'timer',
            input: ({ context }) => ({ effectId: `${context.path}/backoff#${context.attempt}`, ms: context.retryInMs }),
            onDone: { target: 'sampling', actions: 'countAttempt' },
          },
        },
        holding: {
          description: 'The response is there, but input guardrails still look at the input: nothing is done with it yet.',
          on: {
            'gate.open': [
              { guard: 'hasCalls', target: 'acting', actions: ['openGate', 'spawnCalls'] },
              { guard: 'mustConclude', target: 'concluding', actions: 'openGate' },
              { guard: 'isHandoff', target: '#turn.handoff', actions: ['openGate', 'decide'] },
              { target: '#turn.settled', actions: ['openGate', 'decide'] },
            ],
          },
        },
        acting: {
          description: 'The calls of the response are at work, side by side.',
          meta: { spawns: ['toolCall'] },
          always: [
            { guard: 'restWaitsAfterFailure', target: '#turn.settled', actions: 'decide' },
            { guard: 'restWaitsAfterSoftStop', target: '#turn.settled', actions: 'decideSuspended' },
            { guard: 'restWaits', target: '#turn.awaitingApproval' },
          ],
          on: {
            'xstate.done.actor.toolCall.*': [
              { guard: { type: 'lastCallAfterFailure', params: outputOf }, target: '#turn.settled', actions: [{ type: 'collect', params: outputOf }, 'decide'] },
              { guard: 'lastCallMustConclude', target: 'concluding', actions: { type: 'collect', params: outputOf } },
              { guard: 'lastCallHandsOff', target: '#turn.handoff', actions: [{ type: 'collect', params: outputOf }, 'decide'] },
              { guard: 'lastCall', target: '#turn.settled', actions: [{ type: 'collect', params: outputOf }, 'decide'] },
              { actions: { type: 'collect', params: outputOf } },
            ],
          },
        },
        concluding: {
          description: 'The agent says what the results mean; hooks that close the turn are called.',
          invoke: {
            id: 'conclude',
            src: 'conclude',
            input: ({ context }) => ({
              effectId: `${context.path}/conclude#1`,
              agent: context.agent,
              turn: context.turn,
              response: context.response!,
              results: Object.values(context.results),
            }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#turn.settled', actions: [{ type: 'keepFailure', params: outputOf }, 'decide'] },
              { guard: 'isHandoff', target: '#turn.handoff', actions: 'decide' },
              { target: '#turn.settled', actions: [{ type: 'keepChoice', params: outputOf }, 'decide'] },
            ],
          },
        },
        stopping: {
          description: 'Calls are winding down.',
          on: {
            'xstate.done.actor.toolCall.*': [
              { guard: 'lastCall', target: '#turn.interrupted', actions: { type: 'collect', params: outputOf } },
              { actions: { type: 'collect', params: outputOf } },
            ],
          },
        },
      },
    },
    awaitingApproval: {
      description: 'Nothing is left to do until a person decides.',
      tags: ['waitingForHuman'],
      entry: 'tellWaits',
      exit: 'tellGoes',
      on: {
        'child.goes': { target: '#turn.running.acting', actions: 'noteGoes' },
        softStop: { target: '#turn.settled', actions: ['askSoftStop', 'decideSuspended'] },
      },
    },
    handoff: { type: 'final', description: 'Another agent takes over.', entry: 'announceSettled' },
    interrupted: { type: 'final', description: 'Cut short; every call has a result that says so.', entry: 'announceSettled' },
    settled: { type: 'final', description: 'Every call has its result; the agent decides what comes next.', entry: 'announceSettled' },
  },
});

export const noResponse = (items: Response['items']): Response => ({ items, usage: NO_USAGE, calls: [], toolUse: 'run_llm_again' });

const openCalls = (response: Response, results: Record<string, CallResult>) =>
  response.calls.length === 0 ? 0 : response.calls.filter((call) => !results[call.index]).length;

const callActorId = (context: TurnContext, index: number) => `toolCall.${context.attempt}.${index}`;

const liveCalls = (context: TurnContext) =>
  (context.response?.calls ?? []).filter((call) => !context.results[call.index]).map((call) => callActorId(context, call.index));

function retryOf(outcome: ModelOutcome): { delayMs: number; failure: Failure } {
  if (outcome.status !== 'error') throw new Error('A turn that succeeded is not retried.');
  return { delayMs: outcome.retryInMs ?? 0, failure: outcome.failure };
}

function interruptOf({ event }: { event: Interrupt }): Interrupt {
  return event;
}

function modelInput(context: TurnContext): ModelInput {
  const { agent, turn, first, attempt, history, unsaved, server, usedTools, carried } = context;
  return { effectId: modelEffectId(context), agent, turn, first, attempt, history, unsaved, server, usedTools, carried: carried?.response };
}

const modelEffectId = ({ path, attempt }: TurnContext) => `${path}/model#${attempt}`;

/** What streamed before the interrupt is kept, unless there is a whole response already. */
function partialOf(context: TurnContext, interrupt: Interrupt): Partial<TurnContext> {
  const text = interrupt.partials?.[modelEffectId(context)];
  return context.response || !text ? {} : { response: noResponse([partialMessage(text)]) };
}

function abortedResults(context: TurnContext, at: number): Record<string, CallResult> {
  const results = { ...context.results };
  for (const call of context.response?.calls ?? []) results[call.index] ??= resultWithout(call, 'aborted', `aborted by user after ${((at - context.respondedAt) / 1000).toFixed(1)}s`);
  return results;
}

function decisionOf(context: TurnContext): TurnDecision {
  if (context.failure) return { next: 'failed', guard: 'hasFailed' };
  return decideNext(context.response!, context.results, context.chosen ?? undefined);
}

const nextOf = ({ decision }: TurnContext) => decision?.next ?? 'failed';

function outcomeOf(context: TurnContext): TurnOutcome {
  const { response, results, decision, failure, agent } = context;
  const outcome: TurnOutcome = { next: nextOf(context), response, results, records: recordsOfTurn(agent, response, results) };
  if (decision?.finalOutput !== undefined) outcome.finalOutput = decision.finalOutput;
  if (decision?.finalFromTool) outcome.finalFromTool = true;
  if (failure) outcome.failure = failure;
  return outcome;
}
