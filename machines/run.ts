import { assign, emit, enqueueActions, sendTo, setup, stopChild } from 'xstate';
import type { DoneActorEvent } from 'xstate';
import { agentMachine } from './agent.ts';
import { actorIdOf, eventOf, outputOf } from './eventFields.ts';
import { accepted, acceptedEvent, droppedEvent } from './pendingInput.ts';
import type { Configuration, Downward, Posted, Steer, Upward } from './protocol/command.ts';
import type { EffectOutcome, Failure } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { AgentOutcome, PreparedRun, RunInput, RunOutcome } from './protocol/outcome.ts';
import type { ThreadBase } from './protocol/thread.ts';
import {
  type GuardrailInput,
  type GuardrailOutcome,
  type HandoffOutcome,
  type RunContext,
  type Visible,
  agentInput,
  configure,
  closeHandoff,
  dropReason,
  droppedInput,
  contextOf,
  guardrailInputs,
  outcomeOf,
  prepare,
  recordAgent,
  recordGuardrail,
  recordHandoff,
  tripOf,
} from './runMemory.ts';
import { type Leaf, slot } from './slot.ts';
import { wayOf } from './steerPath.ts';

type PrepareOutcome = EffectOutcome<PreparedRun>;
/** Reads the session, shapes the input, names the guardrails. */
export type PrepareLeaf = Leaf<{ effectId: string; input: RunInput }, PrepareOutcome>;
export type InputGuardrailLeaf = Leaf<GuardrailInput, GuardrailOutcome>;
export interface HandoffFilterInput {
  effectId: string;
  agent: string;
  handoff: NonNullable<AgentOutcome['handoff']>;
  visible: Visible;
  /** How many of the visible records the turn brought that hands off. */
  lastTurn: number;
}
export type HandoffFilterLeaf = Leaf<HandoffFilterInput, HandoffOutcome>;
export type RunErrorLeaf = Leaf<{ effectId: string; agent: string; failure: Failure }, EffectOutcome<null>>;
export type { RunContext };

/** From one input to one settled outcome: one or more agents, with guardrails beside them. */
export const runMachine = setup({
  types: {} as {
    context: RunContext;
    events: Downward | Upward | DoneActorEvent<AgentOutcome, `agent.${string}`> | DoneActorEvent<GuardrailOutcome, `guardrail.${string}`>;
    input: RunInput;
    output: RunOutcome;
    emitted: LoopEvent;
  },
  actors: {
    prepare: slot<PrepareLeaf>('prepare'),
    inputGuardrail: slot<InputGuardrailLeaf>('inputGuardrail'),
    handoffFilter: slot<HandoffFilterLeaf>('handoffFilter'),
    runError: slot<RunErrorLeaf>('runError'),
    agent: agentMachine,
  },
  guards: {
    hasFailed: (_, outcome: EffectOutcome<unknown>) => outcome.status === 'error',
    isUnprepared: ({ context }) => context.prepared === null,
    guardsFirst: ({ context }) => context.prepared!.blocking.length > 0,
    tripwireTriggered: (_, outcome: GuardrailOutcome) => tripOf(outcome) !== null,
    tripwireBesideAgent: ({ context }, outcome: GuardrailOutcome) => tripOf(outcome) !== null && context.agentAlive,
    lastGuardrail: ({ context }) => context.guardrails.pending === 1,
    agentAlive: ({ context }) => context.agentAlive,
    isAstray: ({ context }, { path }: Steer) => wayOf(path, context.facts.path, context.agentAlive ? agentPath(context) : undefined) === 'astray',
    agentHandsOff: (_, agent: AgentOutcome) => agent.status === 'handoff',
    isDrained: ({ context }) => !context.agentAlive && context.guardrails.pending === 0,
    softStopRequested: ({ context }) => context.softStop,
    errorIsHeard: ({ context }) => context.failure !== null && context.prepared?.tellsErrors === true,
    wasInterrupted: ({ context }) => context.outcome?.status === 'interrupted',
  },
  actions: {
    announceStart: emit(({ context }) => ({ type: 'run.started', path: context.facts.path, agent: context.agent })),
    announceTrip: emit(({ context }, outcome: GuardrailOutcome) => ({ type: 'guardrail.tripped', path: context.facts.path, agent: context.agent, failure: tripOf(outcome)! })),
    announceWaiting: emit(({ context }) => ({ type: 'run.awaitingApproval', path: context.facts.path, agent: context.agent })),
    announceGoing: emit(({ context }) => ({ type: 'run.resumed', path: context.facts.path, agent: context.agent })),
    announceRequest: emit(({ context }, agent: AgentOutcome) => ({ type: 'handoff.requested', path: context.facts.path, agent: context.agent, target: agent.handoff!.target })),
    announceHandoff: emit(({ context }, outcome: HandoffOutcome) => ({ type: 'handoff.occurred', path: context.facts.path, agent: context.agent, ...handoffOf(outcome) })),
    announceSettled: emit(({ context }) => ({ type: 'run.settled', path: context.facts.path, agent: context.agent, outcome: outcomeOf(context) })),
    tellWaits: enqueueActions(({ context, enqueue, self }) => {
      if (isInner(context) && self._parent) enqueue.sendTo(self._parent, { type: 'child.waits', id: context.facts.path });
    }),
    tellGoes: enqueueActions(({ context, enqueue, self }) => {
      if (isInner(context) && self._parent) enqueue.sendTo(self._parent, { type: 'child.goes', id: context.facts.path });
    }),
    keepPrepared: assign(({ context }, outcome: PrepareOutcome) => (outcome.status === 'ok' ? prepare(context, outcome.value) : {})),
    keepFailure: assign(({ context }, outcome: EffectOutcome<unknown>) => (outcome.status === 'error' ? { ...closeHandoff(context), failure: outcome.failure, outcome: { status: 'failed' } as const } : {})),
    /** What is for a nested run was accepted by the run around it. */
    announceAccepted: enqueueActions(({ context, enqueue }, event: Steer | Posted) => {
      if (!context.facts.delegatedBy) enqueue.emit(acceptedEvent(placeOf(context), event.input));
    }),
    announceAstray: emit(({ context }, { input }: Steer) => droppedEvent(placeOf(context), input, 'path')),
    announceDropped: enqueueActions(({ context, enqueue }) => {
      const dropped = droppedInput(context);
      if (dropped.length > 0) enqueue.emit(droppedEvent(placeOf(context), dropped, dropReason(context)));
    }),
    keepInput: assign(({ context }, event: Steer | Posted) => ({ pendingInput: [...context.pendingInput, ...accepted(event)] })),
    keepSoftStop: assign({ softStop: true }),
    keepCompaction: assign(({ context }) => ({ conversation: { ...context.conversation, compactionAsked: true as const } })),
    configure: assign(({ context }, configuration: Configuration) => configure(context, configuration)),
    spawnBlocking: assign(({ context, spawn }) => {
      const inputs = guardrailInputs(context, 'blocking');
      for (const { id, input } of inputs) spawn('inputGuardrail', { id, input });
      return { guardrails: { ...context.guardrails, pending: inputs.length } };
    }),
    spawnParallel: assign(({ context, spawn }) => {
      const inputs = guardrailInputs(context, 'parallel');
      for (const { id, input } of inputs) spawn('inputGuardrail', { id, input });
      return { guardrails: { ...context.guardrails, pending: inputs.length } };
    }),
    startAgent: assign(({ context, spawn }) => {
      spawn('agent', { id: `agent.${context.activation + 1}`, input: agentInput(context) });
      return { activation: context.activation + 1, agentAlive: true, pendingInput: [], conversation: { ...context.conversation, carried: null } };
    }),
    recordGuardrail: assign(({ context }, outcome: GuardrailOutcome) => recordGuardrail(context, outcome)),
    recordAgent: assign(({ context }, agent: AgentOutcome) => recordAgent(context, agent)),
    recordHandoff: assign(({ context }, outcome: HandoffOutcome) => recordHandoff(context, outcome)),
    stopThat: stopChild((_, id: string) => id),
    stopGuardrails: enqueueActions(({ context, enqueue }) => {
      for (let index = 0; index < guardrailCount(context); index += 1) if (!context.guardrails.results[index]) enqueue.stopChild(`guardrail.${index}`);
      enqueue.assign({ guardrails: { ...context.guardrails, pending: 0 } });
    }),
    passGate: sendTo(({ context }) => agentActorId(context), { type: 'gate.open' }),
    passDown: sendTo(({ context }) => agentActorId(context), ({ event }) => event),
    withdrawAgent: sendTo(({ context }) => agentActorId(context), { type: 'withdraw' }),
    /** A nested run was told by the run around it already: what waits is taken back once. */
    withdrawFirst: enqueueActions(({ context, enqueue }) => {
      if (!context.facts.delegatedBy) enqueue.sendTo(agentActorId(context), { type: 'withdraw' });
    }),
    tripAgent: sendTo(({ context }) => agentActorId(context), (_, outcome: GuardrailOutcome) => ({ type: 'interrupt', reason: 'tripwire', at: outcome.at })),
    concludeTripped: assign({ outcome: { status: 'failed' } as const }),
    concludeStopped: assign({ outcome: { status: 'stopped' } as const }),
    concludeInterrupted: assign(({ context }) => ({ ...closeHandoff(context), outcome: { status: context.failure ? ('failed' as const) : ('interrupted' as const) } })),
  },
}).createMachine({
  id: 'run',
  version: '2',
  description: 'From one input to one outcome: one or more agents, with guardrails beside them.',
  options: { maxIterations: 1000 },
  context: ({ input }) => contextOf(input),
  output: ({ context }) => outcomeOf(context),
  entry: 'announceStart',
  initial: 'running',
  on: {
    steer: [
      { guard: { type: 'isAstray', params: eventOf }, actions: [{ type: 'announceAccepted', params: eventOf }, { type: 'announceAstray', params: eventOf }] },
      { guard: 'agentAlive', actions: [{ type: 'announceAccepted', params: eventOf }, 'passDown'] },
      { actions: [{ type: 'announceAccepted', params: eventOf }, { type: 'keepInput', params: eventOf }] },
    ],
    mail: [
      { guard: 'agentAlive', actions: [{ type: 'announceAccepted', params: eventOf }, 'passDown'] },
      { actions: [{ type: 'announceAccepted', params: eventOf }, { type: 'keepInput', params: eventOf }] },
    ],
    compact: [{ guard: 'agentAlive', actions: 'passDown' }, { actions: 'keepCompaction' }],
    configure: [
      { guard: 'agentAlive', actions: [{ type: 'configure', params: ({ event }) => event }, 'passDown'] },
      { actions: { type: 'configure', params: ({ event }) => event } },
    ],
    softStop: [{ guard: 'agentAlive', actions: ['keepSoftStop', 'passDown'] }, { actions: 'keepSoftStop' }],
    withdraw: { guard: 'agentAlive', actions: 'withdrawAgent' },
    interrupt: [
      { guard: 'agentAlive', target: '.running.stopping', actions: ['stopGuardrails', 'withdrawFirst', 'passDown'] },
      { target: '.running.concluding', actions: ['stopGuardrails', 'concludeInterrupted'] },
    ],
    'xstate.done.actor.guardrail.*': [
      {
        guard: { type: 'tripwireBesideAgent', params: outputOf },
        target: '.running.stopping',
        actions: [
          { type: 'recordGuardrail', params: outputOf },
          { type: 'announceTrip', params: outputOf },
          { type: 'stopThat', params: actorIdOf },
          'withdrawAgent',
          { type: 'tripAgent', params: outputOf },
        ],
      },
      {
        guard: 'lastGuardrail',
        actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'stopThat', params: actorIdOf }, 'passGate'],
      },
      { actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
    ],
    'xstate.done.actor.agent.*': [
      {
        guard: { type: 'agentHandsOff', params: outputOf },
        target: '.handoff',
        actions: [{ type: 'recordAgent', params: outputOf }, { type: 'stopThat', params: actorIdOf }, { type: 'announceRequest', params: outputOf }],
      },
      { target: '.running.concluding', actions: [{ type: 'recordAgent', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
    ],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'preparing',
      states: {
        preparing: {
          description: 'What does the first request show, and who looks at it?',
          always: [
            { guard: 'isUnprepared', target: 'loading' },
            { guard: 'guardsFirst', target: 'guarding', actions: 'spawnBlocking' },
            { target: 'active', actions: ['spawnParallel', 'startAgent'] },
          ],
        },
        loading: {
          description: 'The session is read and the input shaped.',
          invoke: {
            id: 'prepare',
            src: 'prepare',
            input: ({ context }) => ({ effectId: `${context.facts.path}/prepare#1`, input: { path: context.facts.path, agent: context.agent, delegatedBy: context.facts.delegatedBy, given: context.facts.given, resumed: context.facts.resumed, ...(context.facts.base && { base: shared(context.facts.base) }) } }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: 'concluding', actions: { type: 'keepFailure', params: outputOf } },
              { target: 'preparing', actions: { type: 'keepPrepared', params: outputOf } },
            ],
          },
        },
        guarding: {
          description: 'Blocking input guardrails look before anything is sent.',
          meta: { spawns: ['inputGuardrail'] },
          on: {
            'xstate.done.actor.guardrail.*': [
              {
                guard: { type: 'tripwireTriggered', params: outputOf },
                target: 'stopping',
                actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'announceTrip', params: outputOf }, { type: 'stopThat', params: actorIdOf }],
              },
              {
                guard: 'lastGuardrail',
                target: 'active',
                actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'stopThat', params: actorIdOf }, 'spawnParallel', 'startAgent'],
              },
              { actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
            ],
          },
        },
        active: {
          description: 'An agent is at work; parallel guardrails look at the input beside it.',
          meta: { spawns: ['agent', 'inputGuardrail'] },
          on: { 'child.waits': { target: '#run.awaitingApproval' } },
        },
        stopping: {
          description: 'The end is decided; the agent and the guardrails wind down.',
          always: { guard: 'isDrained', target: 'concluding' },
          on: {
            interrupt: [{ guard: 'agentAlive', actions: ['stopGuardrails', 'passDown'] }, { actions: 'stopGuardrails' }],
            'xstate.done.actor.guardrail.*': { actions: [{ type: 'recordGuardrail', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
            'xstate.done.actor.agent.*': { actions: [{ type: 'recordAgent', params: outputOf }, { type: 'stopThat', params: actorIdOf }] },
          },
        },
        concluding: {
          meta: { ends: true },
          always: [
            { guard: 'errorIsHeard', target: 'telling' },
            { guard: 'wasInterrupted', target: '#run.interrupted' },
            { target: '#run.settled' },
          ],
        },
        telling: {
          description: 'Hooks hear of the error.',
          on: { interrupt: { target: '#run.settled' } },
          invoke: {
            id: 'runError',
            src: 'runError',
            input: ({ context }) => ({ effectId: `${context.facts.path}/error#1`, agent: context.agent, failure: context.failure! }),
            onDone: { target: '#run.settled' },
          },
        },
      },
    },
    awaitingApproval: {
      tags: ['waitingForHuman'],
      description: 'Nothing is left to do until a person decides.',
      entry: ['announceWaiting', 'tellWaits'],
      exit: ['tellGoes', 'announceGoing'],
      on: { 'child.goes': { target: '#run.running.active' } },
    },
    handoff: {
      tags: ['busy'],
      description: 'Another agent takes over: its filter shapes what it will read.',
      invoke: {
        id: 'handoffFilter',
        src: 'handoffFilter',
        input: ({ context }) => ({
          effectId: `${context.facts.path}/handoff.${context.activation}#1`,
          agent: context.agent,
          handoff: context.handoff!,
          visible: context.conversation.visible,
          lastTurn: context.conversation.lastTurn,
        }),
        onDone: [
          { guard: { type: 'hasFailed', params: outputOf }, target: '#run.running.concluding', actions: { type: 'keepFailure', params: outputOf } },
          {
            guard: 'softStopRequested',
            target: '#run.running.concluding',
            actions: [{ type: 'announceHandoff', params: outputOf }, { type: 'recordHandoff', params: outputOf }, 'concludeStopped'],
          },
          { target: '#run.running.active', actions: [{ type: 'announceHandoff', params: outputOf }, { type: 'recordHandoff', params: outputOf }, 'startAgent'] },
        ],
      },
    },
    interrupted: { type: 'final', description: 'Ended on request, at once.', entry: ['announceDropped', 'announceSettled'] },
    settled: { type: 'final', description: 'Completed, failed or stopped: the outcome says which.', entry: ['announceDropped', 'announceSettled'] },
  },
});

/** A chart around it mirrors it: that of a tool call, or of a thread. */
const isInner = ({ facts }: RunContext) => facts.delegatedBy !== undefined || facts.base !== undefined;
const placeOf = ({ facts, agent }: RunContext) => ({ path: facts.path, agent });
const agentPath = (context: RunContext) => `${context.facts.path}/${agentActorId(context)}`;
const agentActorId = (context: RunContext) => `agent.${context.activation}`;
const guardrailCount = ({ prepared }: RunContext) => (prepared ? prepared.blocking.length + prepared.parallel.length : 0);

/** What the effect has to know of the thread; its history it has not. */
function shared({ overrides, rules, background }: ThreadBase): ThreadBase {
  return { history: [], pendingInput: [], ...(overrides && { overrides }), ...(rules && { rules }), ...(background && { background }) };
}

function handoffOf(outcome: HandoffOutcome) {
  if (outcome.status !== 'ok') throw new Error('A handoff that failed did not occur.');
  return { target: outcome.value.target, records: outcome.value.records };
}
