import { assign, emit, sendParent, sendTo, setup, stopChild } from 'xstate';
import type { ActorLogic, DoneActorEvent } from 'xstate';
import { atOf, outputOf } from './eventFields.ts';
import { abortedText, resultWithout } from './history.ts';
import type { CallResult } from './protocol/call.ts';
import type { Downward, Upward } from './protocol/command.ts';
import type { EffectOutcome } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { RunInput, RunOutcome } from './protocol/outcome.ts';
import { type Leaf, slot } from './slot.ts';
import {
  type CallEffect,
  type DecisionOutcome,
  type PermissionOutcome,
  type ToolCallContext,
  type ToolCallInput,
  type ToolCallOutcome,
  approvalOf,
  asksPerson,
  effectOf,
  invalidResult,
  nestedInput,
  outcomeOf,
  personIdOf,
  policyText,
  rejectionText,
  whereabouts,
  withEdit,
} from './toolCallMemory.ts';

export type { ToolCallContext, ToolCallInput, ToolCallOutcome };

type ResultOutcome = EffectOutcome<CallResult>;
/** No result lets the call go on; a result takes the place of the one it has. */
type VerdictOutcome = EffectOutcome<{ result: CallResult | null }>;

export type ApprovalPolicyLeaf = Leaf<CallEffect, PermissionOutcome>;
export type PersonLeaf = Leaf<CallEffect & { path: string }, DecisionOutcome>;
export type ExecuteLeaf = Leaf<CallEffect & { nested: RunOutcome | null }, ResultOutcome>;
export type ToolGuardrailLeaf = Leaf<CallEffect & { kind: 'toolInput' | 'toolOutput'; result: CallResult | null }, VerdictOutcome>;
/** The run of an agent that is used as a tool; the slot is filled when the charts are composed. */
export type NestedRunLogic = ActorLogic<any, any, RunInput, any, any>;

/**
 * One call that the model asked for, from its arguments to its result (C1). Whatever happens to it, it ends with a result
 * that the model can read, or with a failure that ends the run.
 */
export const toolCallMachine = setup({
  types: {} as {
    context: ToolCallContext;
    events: Downward | Upward | DoneActorEvent<RunOutcome, 'run'>;
    input: ToolCallInput;
    output: ToolCallOutcome;
    emitted: LoopEvent;
  },
  actors: {
    approvalPolicy: slot<ApprovalPolicyLeaf>('approvalPolicy'),
    person: slot<PersonLeaf>('person'),
    toolGuardrail: slot<ToolGuardrailLeaf>('toolGuardrail'),
    execute: slot<ExecuteLeaf>('execute'),
    run: slot<NestedRunLogic>('run'),
  },
  guards: {
    isInvalid: ({ context }) => context.call.invalid !== undefined,
    isResumed: ({ context }) => context.resumed !== undefined,
    isRecorded: ({ context }) => context.call.recorded !== undefined,
    mustConsult: ({ context }) => context.call.tool.approval === 'ask',
    screensInput: ({ context }) => context.call.tool.approval === 'always' && context.call.tool.screensInput === true,
    needsApproval: ({ context }) => context.call.tool.approval === 'always',
    guardsInput: ({ context }) => context.call.tool.guardsInput === true,
    guardsOutput: ({ context }) => context.call.tool.guardsOutput === true,
    isDelegated: ({ context }) => context.call.tool.delegates === true,
    nestedAlive: ({ context }) => context.nestedAlive,
    nestedStopped: (_, nested: RunOutcome) => nested.status === 'stopped',
    hasFailed: (_, outcome: EffectOutcome<unknown>) => outcome.status === 'error',
    policyRejects: (_, permission: PermissionOutcome) => permission.status === 'ok' && permission.value.approval === 'rejected',
    policyAsksScreened: ({ context }, permission: PermissionOutcome) => asksPerson(permission) && context.call.tool.screensInput === true,
    policyAsks: (_, permission: PermissionOutcome) => asksPerson(permission),
    isRejected: (_, decision: DecisionOutcome) => decision.status === 'ok' && decision.value.decision === 'reject',
    editIsInvalid: (_, decision: DecisionOutcome) => approvalOf(decision)?.invalid !== undefined,
    guardrailRejects: (_, verdict: VerdictOutcome) => verdict.status === 'ok' && verdict.value.result !== null,
  },
  actions: {
    tellWaits: sendParent(({ context }) => ({ type: 'child.waits', id: context.path })),
    tellGoes: sendParent(({ context }) => ({ type: 'child.goes', id: context.path })),
    announceRequest: emit(({ context }) => ({ type: 'approval.requested', ...whereabouts(context), id: personIdOf(context) })),
    announceDecision: emit(({ context }, outcome: DecisionOutcome) => ({
      type: 'approval.resolved',
      ...whereabouts(context),
      id: personIdOf(context),
      decision: outcome.status === 'ok' ? outcome.value.decision : 'withdrawn',
    })),
    announceWithdrawal: emit(({ context }) => ({ type: 'approval.resolved', ...whereabouts(context), id: personIdOf(context), decision: 'withdrawn' })),
    announceSettled: emit(({ context }) => ({ type: 'call.settled', ...whereabouts(context), result: context.result, failure: context.failure })),
    recordInvalid: assign(({ context }) => ({ result: invalidResult(context.call) })),
    recordRecorded: assign(({ context }) => ({ result: { status: 'completed' as const, item: context.call.recorded! } })),
    recordPolicyRejection: assign(({ context }, permission: PermissionOutcome) => ({ result: resultWithout(context.call, 'rejected', policyText(permission)) })),
    recordRejection: assign(({ context }, decision: DecisionOutcome) => ({ result: resultWithout(context.call, 'rejected', rejectionText(decision)) })),
    recordInvalidEdit: assign(({ context }, decision: DecisionOutcome) => ({ result: resultWithout(context.call, 'failed', approvalOf(decision)?.invalid ?? '') })),
    takeEdit: assign(({ context }, decision: DecisionOutcome) => ({ call: withEdit(context.call, approvalOf(decision)?.arguments) })),
    recordResult: assign((_, outcome: ResultOutcome) => (outcome.status === 'ok' ? { result: outcome.value } : {})),
    recordVerdict: assign(({ context }, verdict: VerdictOutcome) => (verdict.status === 'ok' ? { result: verdict.value.result ?? context.result } : {})),
    recordFailure: assign((_, outcome: EffectOutcome<unknown>) => (outcome.status === 'error' ? { failure: outcome.failure, result: null } : {})),
    recordAborted: assign(({ context }, at: number) => ({ result: resultWithout(context.call, 'aborted', abortedText(context.askedAt, at)) })),
    startNested: assign(({ context, spawn }) => {
      spawn('run', { id: 'run', input: nestedInput(context) });
      return { nestedAlive: true };
    }),
    recordNested: assign((_, nested: RunOutcome) => ({ nested, nestedAlive: false })),
    stopNested: stopChild('run'),
    withdrawNested: sendTo('run', { type: 'withdraw' }),
    suspendNested: sendTo('run', { type: 'softStop' }),
    interruptNested: sendTo('run', ({ event }) => event),
  },
}).createMachine({
  id: 'toolCall',
  version: '1',
  description: 'One call of a tool: can it run, may it run, what did it bring?',
  options: { maxIterations: 100 },
  context: ({ input }) => ({ ...input, result: null, failure: null, nested: null, nestedAlive: false }),
  output: ({ context }) => outcomeOf(context),
  initial: 'running',
  on: {
    withdraw: { guard: 'nestedAlive', actions: 'withdrawNested' },
    interrupt: [
      { guard: 'nestedAlive', target: '.running.stopping', actions: [{ type: 'recordAborted', params: atOf }, 'interruptNested'] },
      { target: '.interrupted', actions: { type: 'recordAborted', params: atOf } },
    ],
    'xstate.done.actor.run': [
      { guard: { type: 'nestedStopped', params: outputOf }, target: '.settled', actions: [{ type: 'recordNested', params: outputOf }, 'stopNested'] },
      { target: '.running.executing', actions: [{ type: 'recordNested', params: outputOf }, 'stopNested'] },
    ],
  },
  states: {
    running: {
      tags: ['busy'],
      initial: 'validating',
      states: {
        validating: {
          description: 'The arguments were parsed when the response came in. A call that cannot run ends here.',
          always: [
            { guard: 'isInvalid', target: '#toolCall.settled', actions: 'recordInvalid' },
            { guard: 'isRecorded', target: '#toolCall.settled', actions: 'recordRecorded' },
            { guard: 'isResumed', target: 'delegating', actions: 'startNested' },
            { guard: 'mustConsult', target: 'deciding' },
            { guard: 'screensInput', target: 'screening' },
            { guard: 'needsApproval', target: '#toolCall.awaitingApproval.decision' },
            { guard: 'guardsInput', target: 'guardingInput' },
            { guard: 'isDelegated', target: 'delegating', actions: 'startNested' },
            { target: 'executing' },
          ],
        },
        deciding: {
          description: 'The tool itself says, call by call, whether a person has to be asked.',
          invoke: {
            id: 'approvalPolicy',
            src: 'approvalPolicy',
            input: ({ context }) => effectOf(context, 'approvalPolicy'),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: { type: 'policyRejects', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordPolicyRejection', params: outputOf } },
              { guard: { type: 'policyAsksScreened', params: outputOf }, target: 'screening' },
              { guard: { type: 'policyAsks', params: outputOf }, target: '#toolCall.awaitingApproval.decision' },
              { guard: 'guardsInput', target: 'guardingInput' },
              { guard: 'isDelegated', target: 'delegating', actions: 'startNested' },
              { target: 'executing' },
            ],
          },
        },
        screening: {
          description: 'Input guardrails look before a person is troubled.',
          invoke: {
            id: 'screen',
            src: 'toolGuardrail',
            input: ({ context }) => ({ ...effectOf(context, 'screen'), kind: 'toolInput', result: null }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: { type: 'guardrailRejects', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordVerdict', params: outputOf } },
              { target: '#toolCall.awaitingApproval.decision' },
            ],
          },
        },
        guardingInput: {
          description: 'Input guardrails in order; one that rejects writes the result in place of the body.',
          invoke: {
            id: 'inputGuardrail',
            src: 'toolGuardrail',
            input: ({ context }) => ({ ...effectOf(context, 'inputGuardrail'), kind: 'toolInput', result: null }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: { type: 'guardrailRejects', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordVerdict', params: outputOf } },
              { guard: 'isDelegated', target: 'delegating', actions: 'startNested' },
              { target: 'executing' },
            ],
          },
        },
        delegating: {
          description: 'The tool is an agent: a run of its own does the work.',
          meta: { spawns: ['run'] },
          on: { 'child.waits': { target: '#toolCall.awaitingApproval.nested' } },
        },
        executing: {
          description: 'The body runs, with a signal and a time limit.',
          invoke: {
            id: 'execute',
            src: 'execute',
            input: ({ context }) => ({ ...effectOf(context, 'execute'), nested: context.nested }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: 'guardsOutput', target: 'guardingOutput', actions: { type: 'recordResult', params: outputOf } },
              { target: '#toolCall.settled', actions: { type: 'recordResult', params: outputOf } },
            ],
          },
        },
        guardingOutput: {
          description: 'Output guardrails in order; one that rejects replaces the result.',
          invoke: {
            id: 'outputGuardrail',
            src: 'toolGuardrail',
            input: ({ context }) => ({ ...effectOf(context, 'outputGuardrail'), kind: 'toolOutput', result: context.result }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { target: '#toolCall.settled', actions: { type: 'recordVerdict', params: outputOf } },
            ],
          },
        },
        stopping: {
          description: 'Interrupted while a nested run was at work: it winds down first.',
          on: { interrupt: {}, 'xstate.done.actor.run': { target: '#toolCall.interrupted', actions: 'stopNested' } },
        },
      },
    },
    awaitingApproval: {
      tags: ['waitingForHuman'],
      entry: 'tellWaits',
      exit: 'tellGoes',
      initial: 'decision',
      states: {
        decision: {
          description: 'A person approves, edits or rejects the call.',
          entry: 'announceRequest',
          on: { withdraw: { actions: 'announceWithdrawal' }, softStop: { target: '#toolCall.settled' } },
          invoke: {
            id: 'person',
            src: 'person',
            input: ({ context }) => ({ ...effectOf(context, 'approval'), path: context.path }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'recordFailure', params: outputOf }] },
              { guard: { type: 'isRejected', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'recordRejection', params: outputOf }] },
              { guard: { type: 'editIsInvalid', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'recordInvalidEdit', params: outputOf }] },
              { guard: 'guardsInput', target: '#toolCall.running.guardingInput', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'takeEdit', params: outputOf }] },
              { guard: 'isDelegated', target: '#toolCall.running.delegating', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'takeEdit', params: outputOf }, 'startNested'] },
              { target: '#toolCall.running.executing', actions: [{ type: 'announceDecision', params: outputOf }, { type: 'takeEdit', params: outputOf }] },
            ],
          },
        },
        nested: {
          description: 'A call inside the nested run waits for a person.',
          on: { 'child.goes': { target: '#toolCall.running.delegating' }, softStop: { actions: 'suspendNested' } },
        },
      },
    },
    interrupted: { type: 'final', description: 'Cut short; the model reads that it was.', entry: 'announceSettled' },
    settled: { type: 'final', description: 'There is a result, a failure that ends the run, or, after a soft stop, the call as it waited.', entry: 'announceSettled' },
  },
});
