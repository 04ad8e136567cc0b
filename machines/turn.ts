import { assign, emit, enqueueActions, sendParent, setup } from 'xstate';
import type { DoneActorEvent } from 'xstate';
import type { TurnDecision } from './decide.ts';
import { eventOf, outputOf } from './eventFields.ts';
import { asksForWork } from './history.ts';
import { droppedEvent } from './pendingInput.ts';
import type { CallResult, Response } from './protocol/call.ts';
import type { Cut, Downward, Interrupt, ItemReady, Steer, Upward } from './protocol/command.ts';
import type { EffectOutcome } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { TurnOutcome } from './protocol/outcome.ts';
import { type Leaf, slot } from './slot.ts';
import { type ToolCallOutcome, toolCallMachine } from './toolCall.ts';
import {
  type ModelInput,
  type ModelOutcome,
  type TurnContext,
  type TurnInput,
  abortedResults,
  callOnWay,
  collected,
  decisionOf,
  heldText,
  isBudget,
  liveCalls,
  modelInput,
  nextOf,
  openCalls,
  outcomeOf,
  responded,
  retryOf,
  spawnCalls,
} from './turnMemory.ts';
import { asCut, beginReady, cutItems, failed, hasReadyCalls, isAsked, isWhole, keepCut, keepItem, leavesWork, partialOf, readyEvent } from './turnStream.ts';

export type { ModelInput, TurnContext, TurnInput };

type ConcludeOutcome = EffectOutcome<{ finalOutput: unknown } | null>;
export type ModelLeaf = Leaf<ModelInput, ModelOutcome>;
export type TimerLeaf = Leaf<{ effectId: string; ms: number }, EffectOutcome<null>>;
/** What the agent does with the results of its tools, and the hook that closes the turn. */
export type ConcludeLeaf = Leaf<{ effectId: string; agent: string; turn: number; response: Response; results: CallResult[] }, ConcludeOutcome>;

/** One model response and the calls it asked for (A1). */
export const turnMachine = setup({
  types: {} as {
    context: TurnContext;
    events: Downward | Upward | ItemReady | DoneActorEvent<ToolCallOutcome, `toolCall.${string}`>;
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
    budgetSpent: (_, outcome: ModelOutcome) => outcome.status === 'error' && isBudget(outcome.failure),
    failsBesideCalls: ({ context }, outcome: ModelOutcome) => context.unsettled > 0 && isFailure(context, outcome),
    fails: ({ context }, outcome: ModelOutcome) => isFailure(context, outcome),
    callsAreReady: ({ context }, outcome: ModelOutcome) => outcome.status === 'error' && hasReadyCalls(context),
    stopsWithAnswer: ({ context }, outcome: ModelOutcome) => context.softStop && outcome.status === 'error' && isWhole(retryOf(outcome).kept ?? context.kept),
    retryIsStopped: ({ context }, outcome: ModelOutcome) => context.softStop && outcome.status === 'error',
    canRetry: (_, outcome: ModelOutcome) => outcome.status === 'error',
    callMayBegin: ({ context }, { call }: ItemReady) => call !== undefined && context.gateOpen && context.failure === null,
    isReadyCall: (_, { call }: ItemReady) => call !== undefined,
    callsWait: ({ context }) => context.failure === null && Object.values(context.ready).some(({ begun }) => !begun),
    cutLeavesWork: ({ context }, cut: Cut) => isAsked(context, cut) && leavesWork(context, cut),
    steeredAtOnce: ({ context }, cut: Cut) => isAsked(context, cut),
    keptIsWhole: ({ context }) => isWhole(context.kept),
    keptLeavesWork: ({ context }) => context.kept.some(asksForWork),
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
    isAstray: ({ context }, steer: Steer) => callOnWay(context, steer.path) === undefined,
    restWaitsAfterFailure: ({ context }) => context.failure !== null && context.waiting === context.unsettled,
    restWaitsAfterSoftStop: ({ context }) => context.softStop && context.waiting === context.unsettled,
    restWaits: ({ context }) => context.waiting === context.unsettled,
  },
  actions: {
    tellWaits: sendParent(({ context }) => ({ type: 'child.waits', id: context.facts.path })),
    tellGoes: sendParent(({ context }) => ({ type: 'child.goes', id: context.facts.path })),
    announceRetry: emit(({ context }, outcome: ModelOutcome) => ({ type: 'turn.retrying', path: context.facts.path, agent: context.facts.agent, attempt: context.attempt, ...retryOf(outcome) })),
    announceCut: enqueueActions(({ context, enqueue }, interrupt: Interrupt) => {
      const { path, agent } = context.facts;
      for (const [at, item] of cutItems(context, partialOf(context, interrupt).response?.items).entries()) enqueue.emit({ type: 'turn.cut', path, agent, item, at });
    }),
    announceKept: enqueueActions(({ context, enqueue }) => {
      const { path, agent } = context.facts;
      for (const [at, item] of context.kept.entries()) enqueue.emit({ type: 'turn.cut', path, agent, item, at });
    }),
    announceRetracted: emit(({ context }) => ({ type: 'turn.retracted', path: context.facts.path, agent: context.facts.agent, kept: context.kept })),
    announceGivenUp: emit(({ context }) => ({ type: 'turn.retracted', path: context.facts.path, agent: context.facts.agent, kept: [] })),
    announceReady: emit(({ context }, { call }: ItemReady) => readyEvent(context, call!)),
    announceSettled: emit(({ context }) => ({ type: 'turn.settled', path: context.facts.path, agent: context.facts.agent, turn: context.facts.turn, next: nextOf(context), guard: context.decision?.guard ?? '' })),
    keepResponse: assign((_, outcome: ModelOutcome) => responded(outcome)),
    keepAnswer: assign(({ context }, outcome: ModelOutcome) => {
      const changes = responded(outcome);
      return { ...changes, decision: decisionOf({ ...context, ...changes }) };
    }),
    startCalls: assign(({ context, spawn }, outcome: ModelOutcome) => {
      const changes = responded(outcome);
      return { ...changes, unsettled: spawnCalls({ ...context, ...changes }, spawn) };
    }),
    keepFailure: assign((_, outcome: EffectOutcome<unknown>) => (outcome.status === 'error' ? { failure: outcome.failure } : {})),
    keepItem: assign(({ context }, ready: ItemReady) => keepItem(context, ready)),
    beginReady: assign(({ context, spawn }) => beginReady(context, spawn)),
    keepCut: assign(({ context }, cut: Cut) => keepCut(context, cut)),
    takeCut: assign(({ context }) => ({ ...asCut(context), decision: { next: 'cut', guard: context.softStop ? 'softStopRequested' : 'steeredAtOnce' } as TurnDecision })),
    fail: assign(({ context }, outcome: ModelOutcome) => failed(context, outcome)),
    armRetry: assign(({ context }, outcome: ModelOutcome) => ({ retryInMs: retryOf(outcome).delayMs, kept: retryOf(outcome).kept ?? context.kept })),
    countAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
    keepChoice: assign((_, outcome: ConcludeOutcome) => ({ chosen: outcome.status === 'ok' ? outcome.value : null })),
    openGate: assign({ gateOpen: true }),
    askSoftStop: assign({ softStop: true }),
    announceAstray: emit(({ context }, { input }: Steer) => droppedEvent(context.facts, input, 'path')),
    passSteer: enqueueActions(({ context, enqueue }, steer: Steer) => enqueue.sendTo(callOnWay(context, steer.path)!, steer)),
    spawnCalls: assign(({ context, spawn }) => ({ unsettled: spawnCalls(context, spawn) })),
    collect: assign(({ context }, call: ToolCallOutcome) => collected(context, call)),
    collectLast: assign(({ context }, call: ToolCallOutcome) => {
      const changes = collected(context, call);
      return { ...changes, decision: decisionOf({ ...context, ...changes }) };
    }),
    noteWaits: assign(({ context }) => ({ waiting: context.waiting + 1 })),
    noteGoes: assign(({ context }) => ({ waiting: context.waiting - 1 })),
    withdrawCalls: enqueueActions(({ context, enqueue }) => {
      for (const id of liveCalls(context)) enqueue.sendTo(id, { type: 'withdraw' });
    }),
    suspendCalls: enqueueActions(({ context, enqueue }) => {
      for (const id of liveCalls(context)) enqueue.sendTo(id, { type: 'softStop' });
    }),
    interruptCalls: enqueueActions(({ context, enqueue }, interrupt: Interrupt) => {
      for (const id of liveCalls(context)) enqueue.sendTo(id, interrupt);
    }),
    keepPartial: assign(({ context }, interrupt: Interrupt) => partialOf(context, interrupt)),
    abortHeldCalls: assign(({ context }, interrupt: Interrupt) => ({ results: abortedResults(context, heldText(context, interrupt.at)) })),
    closeFailedCalls: assign(({ context }) => ({ results: abortedResults(context, 'aborted') })),
    decide: assign(({ context }) => ({ decision: decisionOf(context) })),
    decideSuspended: assign({ decision: { next: 'suspended', guard: 'softStopRequested' } as TurnDecision }),
    decideInterrupted: assign({ decision: { next: 'interrupted', guard: 'interrupt' } as TurnDecision }),
  },
}).createMachine({
  id: 'turn',
  version: '3',
  description: 'One model response and the calls it asked for.',
  options: { maxIterations: 1000 },
  context: ({ input }) => ({
    facts: input, gateOpen: input.gateOpen, attempt: input.attempt ?? 1, response: input.carried?.response ?? null, respondedAt: 0, results: input.carried?.results ?? {}, unsettled: 0, waiting: 0, broken: [], nested: {}, uncertain: {},
    chosen: null, failure: null, retryInMs: 0, kept: [], ready: {}, softStop: false, decision: null,
  }),
  output: ({ context }) => outcomeOf(context),
  initial: 'running',
  on: {
    'gate.open': { actions: 'openGate' },
    'xstate.done.actor.toolCall.*': { actions: { type: 'collect', params: outputOf } },
    softStop: { actions: 'askSoftStop' },
    steer: [{ guard: { type: 'isAstray', params: eventOf }, actions: { type: 'announceAstray', params: eventOf } }, { actions: { type: 'passSteer', params: eventOf } }],
    withdraw: { guard: 'hasLiveCalls', actions: 'withdrawCalls' },
    'child.waits': { actions: 'noteWaits' },
    'child.goes': { actions: 'noteGoes' },
    interrupt: [
      {
        guard: 'hasLiveCalls',
        target: '.running.stopping',
        actions: ['decideInterrupted', { type: 'interruptCalls', params: interruptOf }, { type: 'announceCut', params: interruptOf }, { type: 'keepPartial', params: interruptOf }],
      },
      { target: '.interrupted', actions: ['decideInterrupted', { type: 'announceCut', params: interruptOf }, { type: 'keepPartial', params: interruptOf }, { type: 'abortHeldCalls', params: interruptOf }] },
    ],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'sampling',
      states: {
        sampling: {
          description: 'Tools, instructions and filters are resolved and the model answers. Calls that are complete may begin before all of the answer is.',
          meta: { spawns: ['toolCall'] },
          on: {
            'item.ready': [
              { guard: { type: 'callMayBegin', params: eventOf }, actions: [{ type: 'keepItem', params: eventOf }, { type: 'announceReady', params: eventOf }, 'beginReady'] },
              { guard: { type: 'isReadyCall', params: eventOf }, actions: [{ type: 'keepItem', params: eventOf }, { type: 'announceReady', params: eventOf }] },
              { actions: { type: 'keepItem', params: eventOf } },
            ],
            'gate.open': { guard: 'callsWait', actions: ['openGate', 'beginReady'] },
            cut: [
              {
                guard: { type: 'cutLeavesWork', params: eventOf },
                target: 'sampling',
                reenter: true,
                actions: [{ type: 'keepCut', params: eventOf }, 'announceRetracted', 'countAttempt'],
              },
              { guard: { type: 'steeredAtOnce', params: eventOf }, target: '#turn.settled', actions: [{ type: 'keepCut', params: eventOf }, 'announceRetracted', 'announceKept', 'takeCut'] },
            ],
          },
          invoke: {
            id: 'model',
            src: 'model',
            input: ({ context }) => modelInput(context),
            onDone: [
              { guard: { type: 'failsBesideCalls', params: outputOf }, target: 'acting', actions: { type: 'fail', params: outputOf } },
              { guard: { type: 'budgetSpent', params: outputOf }, target: '#turn.settled', actions: [{ type: 'fail', params: outputOf }, 'decide'] },
              { guard: { type: 'fails', params: outputOf }, target: '#turn.settled', actions: [{ type: 'fail', params: outputOf }, 'decide'] },
              {
                guard: { type: 'callsAreReady', params: outputOf },
                target: 'sampling',
                reenter: true,
                actions: [{ type: 'armRetry', params: outputOf }, { type: 'announceRetry', params: outputOf }, 'countAttempt'],
              },
              { guard: { type: 'stopsWithAnswer', params: outputOf }, target: '#turn.settled', actions: [{ type: 'armRetry', params: outputOf }, 'announceRetracted', 'announceKept', 'takeCut'] },
              { guard: { type: 'retryIsStopped', params: outputOf }, target: '#turn.settled', actions: ['announceGivenUp', 'decideSuspended'] },
              { guard: { type: 'canRetry', params: outputOf }, target: 'backingOff', actions: [{ type: 'armRetry', params: outputOf }, { type: 'announceRetry', params: outputOf }] },
              { guard: 'gateClosed', target: 'holding', actions: { type: 'keepResponse', params: outputOf } },
              { guard: { type: 'responseHasCalls', params: outputOf }, target: 'acting', actions: { type: 'startCalls', params: outputOf } },
              { guard: { type: 'responseMustConclude', params: outputOf }, target: 'concluding', actions: { type: 'keepResponse', params: outputOf } },
              { guard: { type: 'responseHandsOff', params: outputOf }, target: '#turn.handoff', actions: { type: 'keepAnswer', params: outputOf } },
              { target: '#turn.settled', actions: { type: 'keepAnswer', params: outputOf } },
            ],
          },
        },
        backingOff: {
          description: 'The provider failed in a way that may pass; the request is sent again after a pause.',
          on: {
            softStop: [
              { guard: 'keptIsWhole', target: '#turn.settled', actions: ['askSoftStop', 'announceKept', 'takeCut'] },
              { guard: 'keptLeavesWork', target: '#turn.settled', actions: ['askSoftStop', 'announceGivenUp', 'decideSuspended'] },
              { target: '#turn.settled', actions: ['askSoftStop', 'decideSuspended'] },
            ],
            cut: [
              { guard: 'keptLeavesWork', target: 'sampling', actions: 'countAttempt' },
              { target: '#turn.settled', actions: ['announceKept', 'takeCut'] },
            ],
          },
          invoke: {
            id: 'backoff',
            src: 'timer',
            input: ({ context }) => ({ effectId: `${context.facts.path}/backoff#${context.attempt}`, ms: context.retryInMs }),
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
            { guard: 'restWaitsAfterFailure', target: 'suspending', actions: ['decide', 'withdrawCalls', 'suspendCalls'] },
            { guard: 'restWaitsAfterSoftStop', target: 'suspending', actions: ['decideSuspended', 'suspendCalls'] },
            { guard: 'restWaits', target: '#turn.awaitingApproval' },
          ],
          on: {
            'xstate.done.actor.toolCall.*': [
              { guard: { type: 'lastCallAfterFailure', params: outputOf }, target: '#turn.settled', actions: { type: 'collectLast', params: outputOf } },
              { guard: 'lastCallMustConclude', target: 'concluding', actions: { type: 'collect', params: outputOf } },
              { guard: 'lastCallHandsOff', target: '#turn.handoff', actions: { type: 'collectLast', params: outputOf } },
              { guard: 'lastCall', target: '#turn.settled', actions: { type: 'collectLast', params: outputOf } },
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
              effectId: `${context.facts.path}/conclude#1`,
              agent: context.facts.agent,
              turn: context.facts.turn,
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
        suspending: {
          description: 'Only calls that wait are left, and nobody is waited for: each is kept as it stands, to be gone on with.',
          on: {
            'xstate.done.actor.toolCall.*': [
              { guard: 'lastCall', target: '#turn.settled', actions: { type: 'collect', params: outputOf } },
              { actions: { type: 'collect', params: outputOf } },
            ],
          },
        },
        stopping: {
          description: 'Calls are winding down.',
          on: {
            'xstate.done.actor.toolCall.*': [
              { guard: 'lastCall', target: '#turn.interrupted', actions: [{ type: 'collect', params: outputOf }, 'closeFailedCalls'] },
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
        softStop: { target: '#turn.running.suspending', actions: ['askSoftStop', 'decideSuspended', 'suspendCalls'] },
      },
    },
    handoff: { type: 'final', description: 'Another agent takes over.', entry: 'announceSettled' },
    interrupted: { type: 'final', description: 'Cut short; every call has a result that says so.', entry: 'announceSettled' },
    settled: { type: 'final', description: 'Every call has its result; the agent decides what comes next.', entry: 'announceSettled' },
  },
});

/** The model has no answer and will have none, or a call has failed while it answered. */
const isFailure = ({ failure }: TurnContext, outcome: ModelOutcome) => failure !== null || (outcome.status === 'error' && outcome.retryInMs === undefined);

function interruptOf({ event }: { event: Interrupt }): Interrupt {
  return event;
}
