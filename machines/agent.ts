import { type DoneActorEvent, assign, emit, enqueueActions, sendParent, sendTo, setup, stopChild } from 'xstate';
import {
  type AgentContext, type AgentInput, conclude, concludeInterrupted, configure, contextOf, exhausted, finalOf, goesOn, handled, keepSaved, outcomeOf,
  recordTurn, turnActorId, turnInput,
} from './agentMemory.ts';
import { type AgentEndLeaf, type CompactorLeaf, type ErrorHandlerLeaf, type HandlerOutcome, type InputScreenLeaf, type OutputGuardrailLeaf, type OutputVerdict, type SaveOutcome, type SessionLeaf, type StopHookLeaf, effectOf, saveInput } from './agentLeaves.ts';
import { EMPTY_RESPONSES_MAX, failureOf, kindOf, stuck, tripOf, troubleOf } from './agentTrouble.ts';
import * as pending from './pendingInput.ts';
import { actorIdOf, eventOf, outputOf } from './eventFields.ts';
import type { Configuration, Downward, Interrupt, Posted, Steer, Upward } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentOutcome, TurnOutcome } from './protocol/outcome.ts';
import { slot } from './slot.ts';
import type { CompactorOutcome } from './compaction.ts';
import { askCompaction, compacted, compactionCompleted, compactionStarted, compactorInput, needsCompaction, overflowed, tryAgain } from './shortening.ts';
import { turnMachine } from './turn.ts';
import { withholdOutput } from './withheld.ts';

export type * from './agentLeaves.ts';
export type { AgentContext, AgentInput };

/** One activation of an agent: its turns, until it answers, hands off or stops. Owns the input that waits for it. */
export const agentMachine = setup({
  types: {} as {
    context: AgentContext;
    events: Downward | Upward | DoneActorEvent<TurnOutcome, `turn.${string}`>;
    input: AgentInput;
    output: AgentOutcome;
    emitted: LoopEvent;
  },
  actors: {
    session: slot<SessionLeaf>('session'),
    errorHandler: slot<ErrorHandlerLeaf>('errorHandler'),
    outputGuardrail: slot<OutputGuardrailLeaf>('outputGuardrail'),
    agentEnd: slot<AgentEndLeaf>('agentEnd'),
    inputScreen: slot<InputScreenLeaf>('inputScreen'),
    stopHook: slot<StopHookLeaf>('stopHook'),
    compactor: slot<CompactorLeaf>('compactor'),
    turn: turnMachine,
  },
  guards: {
    hasFailed: (_, outcome: EffectOutcome<unknown>) => outcome.status === 'error',
    turnAlive: ({ context }) => context.turnAlive,
    goesOn: ({ context }, turn: TurnOutcome) => goesOn(context, turn),
    turnFailed: ({ context }) => context.last?.next === 'failed',
    turnSuspended: ({ context }) => context.last?.next === 'suspended',
    isHandoff: ({ context }) => context.last?.next === 'handoff',
    cutsTurn: ({ context }, { mode }: Steer) => mode === 'instant' && context.turnAlive && !context.softStop,
    isStuck: ({ context }) => context.emptyStreak >= EMPTY_RESPONSES_MAX,
    refusalIsHandled: ({ context }) => context.last?.next === 'refusal' && context.facts.errorHandlers.includes('modelRefusal'),
    isRefusal: ({ context }) => context.last?.next === 'refusal',
    invalidOutputIsHandled: ({ context }) => context.last?.next === 'invalid' && context.facts.errorHandlers.includes('invalidFinalOutput'),
    isInvalidOutput: ({ context }) => context.last?.next === 'invalid',
    finalOutputIsGuarded: ({ context }) => pending.isFinal(context) && context.last?.response?.guardsOutput === true,
    isFinalOutput: ({ context }) => pending.isFinal(context),
    softStopRequested: ({ context }) => context.softStop,
    exhaustionIsHandled: ({ context }) => exhausted(context) && context.facts.errorHandlers.includes('maxTurns'),
    turnsExhausted: ({ context }) => exhausted(context),
    isCarried: ({ context }) => context.carried !== null,
    contextOverflowed: ({ context }) => overflowed(context),
    needsCompaction: ({ context }) => needsCompaction(context) && pending.turnFollows(context),
    turnUnsaved: ({ context }) => context.facts.session && context.last !== null && context.last.next !== 'cut' && context.conversation.unsaved.length > 0,
    suppliesOutput: (_, outcome: HandlerOutcome) => outcome.status === 'ok' && outcome.value !== null && outcome.value.guardsOutput !== true,
    suppliesGuardedOutput: (_, outcome: HandlerOutcome) => outcome.status === 'ok' && outcome.value?.guardsOutput === true,
    tripwireTriggered: (_, verdict: OutputVerdict) => verdict.status === 'ok' && verdict.value.failure !== null,
    hasPendingInput: ({ context }) => pending.reopens(context),
    isForTurn: ({ context }, steer: Steer) => pending.wayTo(context, steer.path) === 'below',
    isAstray: ({ context }, steer: Steer) => pending.wayTo(context, steer.path) === 'astray',
    consultsStopHooks: ({ context }) => pending.isFinal(context) && context.facts.stopHooks === true,
    stopHookObjects: ({ context }, outcome: pending.StopHookOutcome) => pending.isObjected(context, outcome),
    inputIsUnscreened: ({ context }) => pending.needsScreening(context),
    stagedInputTrips: ({ context }, outcome: pending.ScreenOutcome) => pending.stagedTrip(context, outcome) !== null,
    moreIsUnscreened: ({ context }, outcome: pending.ScreenOutcome) => pending.needsScreening({ ...context, ...pending.afterScreening(context, outcome) }),
    unguardedAnswerStands: ({ context }, outcome: pending.ScreenOutcome) => pending.answerStands(context, outcome) && context.final?.guardsOutput === true,
    answerStands: ({ context }, outcome: pending.ScreenOutcome) => pending.answerStands(context, outcome),
    answerIsGuarded: ({ context }) => context.final?.guardsOutput === true,
    finalTurnIsDue: ({ context }) => pending.finalTurnDue(context),
    keepsRepeating: ({ context }) => pending.keepsRepeating(context),
    repeatsItself: ({ context }) => pending.repeatsItself(context),
    gateClosed: ({ context }) => !context.gateOpen && context.conclusion?.status !== 'interrupted',
    isUnsaved: ({ context }) => context.facts.session && context.conversation.unsaved.length > 0,
    endIsHeard: ({ context }) => context.conclusion?.status === 'completed' && context.final?.endsAgent === true,
    handsOff: ({ context }) => context.conclusion?.status === 'handoff',
    wasInterrupted: ({ context }) => context.conclusion?.status === 'interrupted',
    isConcluded: ({ context }) => context.conclusion !== null,
  },
  actions: {
    tellWaits: sendParent(({ context }) => ({ type: 'child.waits', id: context.facts.path })),
    tellGoes: sendParent(({ context }) => ({ type: 'child.goes', id: context.facts.path })),
    announceStart: emit(({ context }) => ({ type: 'agent.started', path: context.facts.path, agent: context.facts.agent })),
    announceInput: enqueueActions(({ context, enqueue }) => void (context.pendingInput.length > 0 && enqueue.emit(pending.deliveredEvent(context)))),
    announceAstray: emit(({ context }, { input }: Steer) => pending.droppedEvent(context.facts, input, 'path')),
    announceTripped: enqueueActions(({ context, enqueue }, outcome: pending.ScreenOutcome) => {
      for (const event of pending.trippedEvents(context, outcome)) enqueue.emit(event);
    }),
    announceObjections: enqueueActions(({ context, enqueue }, outcome: pending.StopHookOutcome) => {
      for (const event of pending.objectionEvents(context, outcome)) enqueue.emit(event);
    }),
    acceptInput: assign(({ context }, event: Steer | Posted) => ({ pendingInput: [...context.pendingInput, ...pending.accepted(event)] })),
    passSteer: sendTo(({ context }) => turnActorId(context), ({ event }) => event),
    keepScreened: assign(({ context }, outcome: pending.ScreenOutcome) => pending.afterScreening(context, outcome)),
    passAnswer: assign(({ context }) => ({ final: { ...context.final!, guardsOutput: false } })),
    takeObjections: assign(({ context }, outcome: pending.StopHookOutcome) => pending.takeObjections(context, outcome)),
    takeFinalTurn: assign(({ context }) => pending.takeFinalTurn(context)),
    nudge: assign(({ context }) => pending.nudge(context)),
    cutTurn: sendTo(({ context }) => turnActorId(context), (_, { cut = {} }: Steer) => ({ type: 'cut', cut })),
    openGate: assign({ gateOpen: true }),
    passGate: sendTo(({ context }) => turnActorId(context), { type: 'gate.open' }),
    askSoftStop: assign({ softStop: true }),
    passSoftStop: sendTo(({ context }) => turnActorId(context), { type: 'softStop' }),
    configure: assign(({ context }, configuration: Configuration) => configure(context, configuration)),
    withdrawTurn: sendTo(({ context }) => turnActorId(context), { type: 'withdraw' }),
    interruptTurn: sendTo(({ context }) => turnActorId(context), ({ event }) => event),
    noteInterrupt: assign((_, interrupt: Interrupt) => ({ interrupt: { reason: interrupt.reason, notice: interrupt.notice !== false } })),
    deliverInput: assign(({ context }) => pending.deliverInput(context)),
    askCompaction: assign(({ context }) => askCompaction(context)),
    leaveAnswer: assign(({ context }) => pending.leaveAnswer(context)),
    tryAgain: assign(({ context }) => tryAgain(context)),
    announceCompaction: emit(({ context }) => compactionStarted(context)),
    announceCompacted: emit(({ context }, outcome: CompactorOutcome) => compactionCompleted(context, outcome)),
    keepCompacted: assign(({ context }, outcome: CompactorOutcome) => compacted(context, outcome)),
    startTurn: assign(({ context, spawn }) => {
      const input = turnInput(context);
      spawn('turn', { id: `turn.${input.turn}`, input });
      return { turns: input.turn, turnAlive: true, last: null, carried: null };
    }),
    goOn: assign(({ context, spawn }, turn: TurnOutcome) => {
      const changes = recordTurn(context, turn);
      const input = turnInput({ ...context, ...changes });
      spawn('turn', { id: `turn.${input.turn}`, input });
      return { ...changes, turns: input.turn, turnAlive: true, last: null };
    }),
    recordTurn: assign(({ context }, turn: TurnOutcome) => recordTurn(context, turn)),
    stopTurn: stopChild((_, id: string) => id),
    takeAnswer: assign(({ context }) => ({ final: finalOf(context) })),
    takeHandled: assign(({ context }, outcome: HandlerOutcome) => (outcome.status === 'ok' && outcome.value ? handled(context, outcome.value) : {})),
    reopen: assign(({ context }) => (context.final ? { final: null, last: null } : {})),
    withholdOutput: assign(({ context }, verdict: OutputVerdict) => withholdOutput(context, verdict.status === 'ok' ? verdict.value.withheld : undefined)),
    keepSaved: assign(({ context }, outcome: SaveOutcome) => keepSaved(context, outcome.status === 'ok' ? outcome.value.saved : 0)),
    concludeCompleted: assign({ conclusion: { status: 'completed' } as const }),
    concludeHandoff: assign({ conclusion: { status: 'handoff' } as const }),
    concludeStopped: assign({ conclusion: { status: 'stopped' } as const }),
    concludeInterrupted: assign(({ context }) => concludeInterrupted(context)),
    concludeFailed: assign(({ context }, failure: Failure) => conclude(context, failure)),
  },
}).createMachine({
  id: 'agent',
  version: '2',
  description: 'One activation of an agent: its turns, until it answers, hands off or stops.',
  options: { maxIterations: 1000 },
  context: ({ input }) => contextOf(input),
  output: ({ context }) => outcomeOf(context),
  entry: 'announceStart',
  initial: 'running',
  on: {
    steer: [
      { guard: { type: 'isForTurn', params: eventOf }, actions: 'passSteer' },
      { guard: { type: 'isAstray', params: eventOf }, actions: { type: 'announceAstray', params: eventOf } },
      { guard: { type: 'cutsTurn', params: eventOf }, actions: [{ type: 'acceptInput', params: eventOf }, { type: 'cutTurn', params: eventOf }] },
      { actions: { type: 'acceptInput', params: eventOf } },
    ],
    mail: { actions: { type: 'acceptInput', params: eventOf } },
    compact: { actions: 'askCompaction' },
    configure: { actions: { type: 'configure', params: ({ event }) => event } },
    'gate.open': [{ guard: 'turnAlive', actions: ['openGate', 'passGate'] }, { actions: 'openGate' }],
    softStop: [{ guard: 'turnAlive', actions: ['askSoftStop', 'passSoftStop'] }, { actions: 'askSoftStop' }],
    withdraw: { guard: 'turnAlive', actions: 'withdrawTurn' },
    interrupt: [
      { guard: 'turnAlive', target: '.running.stopping', actions: [{ type: 'noteInterrupt', params: eventOf }, 'interruptTurn'] },
      { target: '.running.concluding', actions: [{ type: 'noteInterrupt', params: eventOf }, 'concludeInterrupted'] },
    ],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'checking',
      states: {
        checking: {
          description: 'Between two turns: is this the end, and why?',
          always: [
            { guard: 'contextOverflowed', target: 'compacting', actions: 'tryAgain' },
            { guard: 'turnFailed', target: 'concluding', actions: { type: 'concludeFailed', params: ({ context }) => context.last!.failure! } },
            { guard: 'turnSuspended', target: 'concluding', actions: 'concludeStopped' },
            { guard: 'isCarried', target: 'turning', actions: 'startTurn' },
            { guard: 'isHandoff', target: 'concluding', actions: 'concludeHandoff' },
            { guard: 'isStuck', target: 'concluding', actions: { type: 'concludeFailed', params: stuck } },
            { guard: 'refusalIsHandled', target: 'recovering' },
            { guard: 'isRefusal', target: 'concluding', actions: { type: 'concludeFailed', params: troubleOf } },
            { guard: 'invalidOutputIsHandled', target: 'recovering' },
            { guard: 'isInvalidOutput', target: 'concluding', actions: { type: 'concludeFailed', params: troubleOf } },
            { guard: 'consultsStopHooks', target: 'consultingStopHooks', actions: 'takeAnswer' },
            { guard: 'finalOutputIsGuarded', target: 'guardingOutput', actions: 'takeAnswer' },
            { guard: 'isFinalOutput', target: 'concluding', actions: ['takeAnswer', 'concludeCompleted'] },
            { guard: 'softStopRequested', target: 'concluding', actions: 'concludeStopped' },
            { guard: 'turnUnsaved', target: 'saving' },
            { guard: 'inputIsUnscreened', target: 'screeningInput' },
            { guard: 'needsCompaction', target: 'compacting', actions: 'leaveAnswer' },
            { guard: 'finalTurnIsDue', target: 'turning', actions: ['takeFinalTurn', 'announceInput', 'deliverInput', 'startTurn'] },
            { guard: 'exhaustionIsHandled', target: 'recovering' },
            { guard: 'turnsExhausted', target: 'concluding', actions: { type: 'concludeFailed', params: troubleOf } },
            { guard: 'keepsRepeating', target: 'concluding', actions: { type: 'concludeFailed', params: pending.stuckAgain } },
            { guard: 'repeatsItself', target: 'turning', actions: ['nudge', 'announceInput', 'deliverInput', 'startTurn'] },
            { guard: 'hasPendingInput', target: 'turning', actions: ['announceInput', 'deliverInput', 'startTurn'] },
            { target: 'turning', actions: 'startTurn' },
          ],
        },
        turning: {
          description: 'A turn is at work.',
          meta: { spawns: ['turn'] },
          on: {
            'child.waits': { target: '#agent.awaitingApproval' },
            'xstate.done.actor.turn.*': [
              { guard: { type: 'goesOn', params: outputOf }, actions: [{ type: 'goOn', params: outputOf }, { type: 'stopTurn', params: actorIdOf }] },
              { target: 'checking', actions: [{ type: 'recordTurn', params: outputOf }, { type: 'stopTurn', params: actorIdOf }] },
            ],
          },
        },
        compacting: {
          description: 'The conversation no longer fits, or somebody asked: a model sums it up. Input waits.',
          entry: 'announceCompaction',
          invoke: {
            id: 'compactor',
            src: 'compactor',
            input: ({ context }) => compactorInput(context),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: { type: 'concludeFailed', params: failureOf } },
              { target: 'checking', actions: [{ type: 'announceCompacted', params: outputOf }, { type: 'keepCompacted', params: outputOf }] },
            ],
          },
        },
        recovering: {
          description: 'The app may supply a final output instead of an error.',
          invoke: {
            id: 'errorHandler',
            src: 'errorHandler',
            input: ({ context }) => ({ ...effectOf(context, 'errorHandler'), kind: kindOf(context), failure: troubleOf({ context }) }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: { type: 'concludeFailed', params: failureOf } },
              { guard: { type: 'suppliesGuardedOutput', params: outputOf }, target: 'guardingOutput', actions: { type: 'takeHandled', params: outputOf } },
              { guard: { type: 'suppliesOutput', params: outputOf }, target: 'concluding', actions: [{ type: 'takeHandled', params: outputOf }, 'concludeCompleted'] },
              { target: 'concluding', actions: { type: 'concludeFailed', params: troubleOf } },
            ],
          },
        },
        screeningInput: {
          description: 'Input guardrails look at what wants to join the conversation; what they trip on stays out.',
          invoke: {
            id: 'inputScreen',
            src: 'inputScreen',
            input: ({ context }) => pending.screenInput(context),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: { type: 'concludeFailed', params: failureOf } },
              { guard: { type: 'stagedInputTrips', params: outputOf }, target: 'concluding', actions: [{ type: 'announceTripped', params: outputOf }, { type: 'concludeFailed', params: pending.stagedTripOf }, { type: 'keepScreened', params: outputOf }] },
              { guard: { type: 'moreIsUnscreened', params: outputOf }, target: 'screeningInput', reenter: true, actions: [{ type: 'announceTripped', params: outputOf }, { type: 'keepScreened', params: outputOf }] },
              { guard: { type: 'unguardedAnswerStands', params: outputOf }, target: 'guardingOutput', actions: [{ type: 'announceTripped', params: outputOf }, { type: 'keepScreened', params: outputOf }] },
              { guard: { type: 'answerStands', params: outputOf }, target: 'concluding', actions: [{ type: 'announceTripped', params: outputOf }, { type: 'keepScreened', params: outputOf }, 'concludeCompleted'] },
              { target: 'checking', actions: [{ type: 'announceTripped', params: outputOf }, { type: 'keepScreened', params: outputOf }, 'reopen'] },
            ],
          },
        },
        consultingStopHooks: {
          description: 'The app may object to the final output: then the agent reads why, and goes on.',
          invoke: {
            id: 'stopHook',
            src: 'stopHook',
            input: ({ context }) => ({ ...effectOf(context, 'stopHook'), turn: context.turns, output: context.final!.output, history: context.conversation.history }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: { type: 'concludeFailed', params: failureOf } },
              { guard: { type: 'stopHookObjects', params: outputOf }, target: 'checking', actions: [{ type: 'announceObjections', params: outputOf }, { type: 'takeObjections', params: outputOf }] },
              { guard: 'inputIsUnscreened', target: 'screeningInput', actions: { type: 'announceObjections', params: outputOf } },
              { guard: 'hasPendingInput', target: 'checking', actions: [{ type: 'announceObjections', params: outputOf }, 'reopen'] },
              { guard: 'answerIsGuarded', target: 'guardingOutput', actions: { type: 'announceObjections', params: outputOf } },
              { target: 'concluding', actions: [{ type: 'announceObjections', params: outputOf }, 'concludeCompleted'] },
            ],
          },
        },
        guardingOutput: {
          description: 'Output guardrails look at the final output, all at once.',
          invoke: {
            id: 'outputGuardrail',
            src: 'outputGuardrail',
            input: ({ context }) => ({ ...effectOf(context, 'outputGuardrail'), output: context.final!.output, response: context.last?.response ?? null }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: [{ type: 'withholdOutput', params: outputOf }, { type: 'concludeFailed', params: failureOf }] },
              { guard: { type: 'tripwireTriggered', params: outputOf }, target: 'concluding', actions: [{ type: 'withholdOutput', params: outputOf }, { type: 'concludeFailed', params: tripOf }] },
              { guard: 'inputIsUnscreened', target: 'screeningInput', actions: 'passAnswer' },
              { guard: 'hasPendingInput', target: 'checking', actions: 'reopen' },
              { target: 'concluding', actions: 'concludeCompleted' },
            ],
          },
        },
        saving: {
          description: 'The session keeps what the turn brought.',
          on: { interrupt: { actions: [{ type: 'noteInterrupt', params: eventOf }, 'concludeInterrupted'] } },
          invoke: {
            id: 'session',
            src: 'session',
            input: ({ context }) => saveInput(context),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#agent.settled', actions: { type: 'concludeFailed', params: failureOf } },
              { guard: 'isConcluded', target: 'concluding', actions: { type: 'keepSaved', params: outputOf } },
              { target: 'checking', actions: { type: 'keepSaved', params: outputOf } },
            ],
          },
        },
        holding: {
          description: 'It is over, but input guardrails still look at the input: nothing is saved yet.',
          on: { 'gate.open': { target: 'concluding', actions: 'openGate' } },
        },
        concluding: {
          description: 'The end is decided. Save, tell, leave.',
          meta: { ends: true },
          always: [
            { guard: 'gateClosed', target: 'holding' },
            { guard: 'isUnsaved', target: 'saving' },
            { guard: 'endIsHeard', target: 'ending' },
            { guard: 'handsOff', target: '#agent.handoff' },
            { guard: 'wasInterrupted', target: '#agent.interrupted' },
            { target: '#agent.settled' },
          ],
        },
        ending: {
          description: 'Hooks hear that the agent has ended.',
          on: { interrupt: { target: '#agent.settled' } },
          invoke: {
            id: 'agentEnd',
            src: 'agentEnd',
            input: ({ context }) => ({ ...effectOf(context, 'agentEnd'), output: context.final!.output }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#agent.settled', actions: { type: 'concludeFailed', params: failureOf } },
              { target: '#agent.settled' },
            ],
          },
        },
        stopping: {
          description: 'Interrupted: the turn winds down first.',
          on: {
            interrupt: {},
            'xstate.done.actor.turn.*': {
              target: 'concluding',
              actions: [{ type: 'recordTurn', params: outputOf }, { type: 'stopTurn', params: actorIdOf }, 'concludeInterrupted'],
            },
          },
        },
      },
    },
    awaitingApproval: {
      tags: ['waitingForHuman'],
      description: 'The turn can only go on when a person decides.',
      entry: 'tellWaits',
      exit: 'tellGoes',
      on: { 'child.goes': { target: '#agent.running.turning' } },
    },
    handoff: { type: 'final', description: 'Another agent takes over.' },
    interrupted: { type: 'final', description: 'Ended on request, at once.' },
    settled: { type: 'final', description: 'Completed, failed or stopped: the outcome says which.' },
  },
});
