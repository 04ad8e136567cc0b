import { assign, emit, sendParent, sendTo, setup, stopChild } from 'xstate';
import type { ActorLogic, DoneActorEvent } from 'xstate';
import { atOf, eventOf, outputOf } from './eventFields.ts';
import { abortedText, resultWithout } from './history.ts';
import { droppedEvent } from './pendingInput.ts';
import type { Call, CallResult } from './protocol/call.ts';
import type { Downward, Steer, Upward } from './protocol/command.ts';
import type { EffectOutcome } from './protocol/failure.ts';
import type { LoopEvent } from './protocol/event.ts';
import type { RunInput, RunOutcome } from './protocol/outcome.ts';
import { type Leaf, slot } from './slot.ts';
import { wayOf } from './steerPath.ts';
import {
  type BodyEffect, type CallEffect, type DecisionOutcome, type FindingOutcome, type PermissionOutcome, type ResultOutcome, type ToolCallContext,
  type ToolCallInput, type ToolCallOutcome, type Wait,
  abandoned, approvalOf, approved, asked, asksPerson, bodyEffect, contextOf, effectOf, finding, guardEffect, guarded, invalidResult, isInDoubt,
  nestedInput, outcomeOf, personEffect, policyText, rejectionText, requestOf, resolutionOf, supplied, suppliesResult, unresolved, whereabouts,
} from './toolCallMemory.ts';

export type { ToolCallContext, ToolCallInput, ToolCallOutcome };

/** No result lets the call go on; a result takes the place of the one it has. */
type VerdictOutcome = EffectOutcome<{ result: CallResult | null }>;

export type ApprovalPolicyLeaf = Leaf<CallEffect, PermissionOutcome>;
/** `uncertain`: the call has begun before, and nobody knows whether it had its effect. `reason` is why its body asks. */
export type PersonLeaf = Leaf<CallEffect & { path: string; uncertain?: true; questions?: Call['questions']; reason?: string }, DecisionOutcome>;
export type ExecuteLeaf = Leaf<BodyEffect & { nested: RunOutcome | null }, ResultOutcome>;
/** Asks the tool what became of its body. */
export type ReconcileLeaf = Leaf<BodyEffect, FindingOutcome>;
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
    reconcile: slot<ReconcileLeaf>('reconcile'),
    run: slot<NestedRunLogic>('run'),
  },
  guards: {
    isInvalid: ({ context }) => context.call.invalid !== undefined,
    isUncertain: ({ context }) => context.uncertain !== undefined,
    isResumed: ({ context }) => context.resumed !== undefined,
    isRecorded: ({ context }) => context.call.recorded !== undefined,
    mustConsult: ({ context }) => context.call.tool.approval === 'ask',
    screensInput: ({ context }) => context.call.tool.approval === 'always' && context.call.tool.screensInput === true,
    needsApproval: ({ context }) => context.call.tool.approval === 'always',
    guardsInput: ({ context }) => context.call.tool.guardsInput === true,
    asksQuestions: ({ context }) => context.call.questions !== undefined,
    guardsOutput: ({ context }) => context.call.tool.guardsOutput === true,
    isDelegated: ({ context }) => context.call.tool.delegates === true,
    nestedAlive: ({ context }) => context.nestedAlive,
    isForNested: ({ context }, { path }: Steer) => context.nestedAlive && wayOf(path, '', `${context.path}/run`) === 'below',
    nestedStopped: (_, nested: RunOutcome) => nested.status === 'stopped',
    hasFailed: (_, outcome: ResultOutcome | EffectOutcome<unknown>) => outcome.status === 'error',
    canReconcile: ({ context }, outcome: ResultOutcome) => outcome.status === 'lost' && context.call.tool.effect === 'reconcilable',
    isLost: (_, outcome: ResultOutcome) => outcome.status === 'lost',
    bodyAsks: (_, outcome: ResultOutcome) => outcome.status === 'asks',
    hasHappenedUnguarded: ({ context }, outcome: FindingOutcome) => finding(outcome).happened === true && context.call.tool.guardsOutput !== true,
    hasHappened: (_, outcome: FindingOutcome) => finding(outcome).happened === true,
    hasNotHappened: (_, outcome: FindingOutcome) => finding(outcome).happened === false,
    runsAgain: (_, decision: DecisionOutcome) => approvalOf(decision) !== undefined,
    resultIsSuppliedUnguarded: ({ context }, decision: DecisionOutcome) => suppliesResult(decision) && context.call.tool.guardsOutput !== true,
    resultIsSupplied: (_, decision: DecisionOutcome) => suppliesResult(decision),
    policyRejects: (_, permission: PermissionOutcome) => permission.status === 'ok' && permission.value.approval === 'rejected',
    policyAsksScreened: ({ context }, permission: PermissionOutcome) => asksPerson(permission) && context.call.tool.screensInput === true,
    policyAsks: (_, permission: PermissionOutcome) => asksPerson(permission),
    isRejected: (_, decision: DecisionOutcome) => approvalOf(decision) === undefined,
    editIsInvalid: (_, decision: DecisionOutcome) => approvalOf(decision)?.invalid !== undefined,
    guardrailRejects: (_, verdict: VerdictOutcome) => verdict.status === 'ok' && verdict.value.result !== null,
  },
  actions: {
    tellWaits: sendParent(({ context }) => ({ type: 'child.waits', id: context.path })),
    tellGoes: sendParent(({ context }) => ({ type: 'child.goes', id: context.path })),
    announceRequest: emit(({ context }, { wait }: { wait: Wait }) => requestOf(context, wait)),
    announceResolution: emit(({ context }, { wait, outcome }: { wait: Wait; outcome?: DecisionOutcome }) => resolutionOf(context, wait, outcome)),
    announceSettled: emit(({ context }) => ({ type: 'call.settled', ...whereabouts(context), result: context.result, failure: context.failure })),
    recordInvalid: assign(({ context }) => ({ result: invalidResult(context.call) })),
    recordRecorded: assign(({ context }) => ({ result: { status: 'completed' as const, item: context.call.recorded! } })),
    recordPolicyRejection: assign(({ context }, permission: PermissionOutcome) => ({ result: resultWithout(context.call, 'rejected', policyText(permission)) })),
    recordRejection: assign(({ context }, decision: DecisionOutcome) => ({ result: resultWithout(context.call, 'rejected', rejectionText(decision)) })),
    recordInvalidEdit: assign(({ context }, decision: DecisionOutcome) => ({ result: resultWithout(context.call, 'failed', approvalOf(decision)?.invalid ?? '') })),
    takeApproval: assign(({ context }, decision: DecisionOutcome) => approved(context, decision)),
    keepRequest: assign(({ context }, outcome: ResultOutcome) => asked(context, outcome)),
    recordResult: assign((_, outcome: ResultOutcome) => (outcome.status === 'ok' ? { result: outcome.value } : {})),
    recordVerdict: assign(({ context }, verdict: VerdictOutcome) => (verdict.status === 'ok' ? { result: guarded(context.result, verdict.value.result) } : {})),
    recordFinding: assign((_, outcome: FindingOutcome) => (outcome.status === 'ok' && outcome.value.happened === true ? { result: outcome.value.result } : {})),
    recordSupplied: assign(({ context }, decision: DecisionOutcome) => ({ result: supplied(context.call, decision) })),
    recordUnresolved: assign(({ context }, decision: DecisionOutcome) => ({ result: unresolved(context.call, decision) })),
    recordAbandoned: assign(({ context }, at: number) => ({ result: abandoned(context, at) })),
    countBody: assign(({ context }) => ({ bodies: context.bodies + 1 })),
    suspend: assign({ suspended: true }),
    recordFailure: assign(({ context }, outcome: ResultOutcome | EffectOutcome<unknown>) => (outcome.status === 'error' ? { failure: outcome.failure, result: null, suspended: isInDoubt(context, outcome.failure) } : {})),
    recordAborted: assign(({ context }, at: number) => ({ result: resultWithout(context.call, 'aborted', abortedText(context.askedAt, at)) })),
    startNested: assign(({ context, spawn }) => {
      spawn('run', { id: 'run', input: nestedInput(context) });
      return { nestedAlive: true };
    }),
    recordNested: assign((_, nested: RunOutcome) => ({ nested, nestedAlive: false })),
    stopNested: stopChild('run'),
    announceAstray: emit(({ context }, { input }: Steer) => droppedEvent(context, input, 'path')),
    passSteer: sendTo('run', ({ event }) => event),
    withdrawNested: sendTo('run', { type: 'withdraw' }),
    suspendNested: sendTo('run', { type: 'softStop' }),
    interruptNested: sendTo('run', ({ event }) => event),
  },
}).createMachine({
  id: 'toolCall',
  version: '3',
  description: 'One call of a tool: can it run, may it run, what did it bring?',
  options: { maxIterations: 100 },
  context: ({ input }) => contextOf(input),
  output: ({ context }) => outcomeOf(context),
  initial: 'running',
  on: {
    withdraw: { guard: 'nestedAlive', actions: 'withdrawNested' },
    steer: [{ guard: { type: 'isForNested', params: eventOf }, actions: 'passSteer' }, { actions: { type: 'announceAstray', params: eventOf } }],
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
            { guard: 'isUncertain', target: '#toolCall.awaitingApproval.uncertain' },
            { guard: 'isResumed', target: 'delegating', actions: 'startNested' },
            { guard: 'mustConsult', target: 'deciding' },
            { guard: 'screensInput', target: 'screening' },
            { guard: 'needsApproval', target: '#toolCall.awaitingApproval.decision' },
            { guard: 'guardsInput', target: 'guardingInput' },
            { guard: 'asksQuestions', target: '#toolCall.awaitingApproval.question' },
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
              { guard: 'asksQuestions', target: '#toolCall.awaitingApproval.question' },
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
            input: ({ context }) => ({ ...guardEffect(context), kind: 'toolInput', result: null }),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: { type: 'guardrailRejects', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordVerdict', params: outputOf } },
              { guard: 'asksQuestions', target: '#toolCall.awaitingApproval.question' },
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
          on: { interrupt: { target: '#toolCall.interrupted', actions: { type: 'recordAbandoned', params: atOf } } },
          invoke: {
            id: 'execute',
            src: 'execute',
            input: ({ context }) => ({ ...bodyEffect(context, 'execute'), nested: context.nested }),
            onDone: [
              { guard: { type: 'canReconcile', params: outputOf }, target: 'reconciling' },
              { guard: { type: 'isLost', params: outputOf }, target: '#toolCall.awaitingApproval.uncertain' },
              { guard: { type: 'bodyAsks', params: outputOf }, target: '#toolCall.awaitingApproval.decision', actions: { type: 'keepRequest', params: outputOf } },
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFailure', params: outputOf } },
              { guard: 'guardsOutput', target: 'guardingOutput', actions: { type: 'recordResult', params: outputOf } },
              { target: '#toolCall.settled', actions: { type: 'recordResult', params: outputOf } },
            ],
          },
        },
        reconciling: {
          description: 'The process ended while the body was at work: the tool looks up what became of it.',
          on: { interrupt: { target: '#toolCall.interrupted', actions: { type: 'recordAbandoned', params: atOf } } },
          invoke: {
            id: 'reconcile',
            src: 'reconcile',
            input: ({ context }) => bodyEffect(context, 'reconcile'),
            onDone: [
              { guard: { type: 'hasHappenedUnguarded', params: outputOf }, target: '#toolCall.settled', actions: { type: 'recordFinding', params: outputOf } },
              { guard: { type: 'hasHappened', params: outputOf }, target: 'guardingOutput', actions: { type: 'recordFinding', params: outputOf } },
              { guard: { type: 'hasNotHappened', params: outputOf }, target: 'executing', actions: 'countBody' },
              { target: '#toolCall.awaitingApproval.uncertain' },
            ],
          },
        },
        guardingOutput: {
          description: 'Output guardrails in order; one that rejects replaces the result.',
          on: { interrupt: { target: '#toolCall.interrupted', actions: { type: 'recordAbandoned', params: atOf } } },
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
          description: 'A person approves, edits or rejects the call: before its body runs, or because its body asked.',
          entry: { type: 'announceRequest', params: { wait: 'person' } },
          on: { withdraw: { actions: { type: 'announceResolution', params: { wait: 'person' } } }, softStop: { target: '#toolCall.settled' } },
          invoke: {
            id: 'person',
            src: 'person',
            input: ({ context }) => personEffect(context, 'person'),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordFailure', params: outputOf }] },
              { guard: { type: 'isRejected', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordRejection', params: outputOf }] },
              { guard: { type: 'editIsInvalid', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordInvalidEdit', params: outputOf }] },
              { guard: 'guardsInput', target: '#toolCall.running.guardingInput', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'takeApproval', params: outputOf }] },
              { guard: 'asksQuestions', target: 'question', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'takeApproval', params: outputOf }] },
              { guard: 'isDelegated', target: '#toolCall.running.delegating', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'takeApproval', params: outputOf }, 'startNested'] },
              { target: '#toolCall.running.executing', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'takeApproval', params: outputOf }] },
            ],
          },
        },
        question: {
          description: 'A person answers what the call asks: that is its result.',
          entry: { type: 'announceRequest', params: { wait: 'question' } },
          on: { withdraw: { actions: { type: 'announceResolution', params: { wait: 'question' } } }, softStop: { target: '#toolCall.settled' } },
          invoke: {
            id: 'question',
            src: 'person',
            input: ({ context }) => personEffect(context, 'question'),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordFailure', params: outputOf }] },
              { guard: { type: 'resultIsSuppliedUnguarded', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordSupplied', params: outputOf }] },
              { guard: { type: 'resultIsSupplied', params: outputOf }, target: '#toolCall.running.guardingOutput', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordSupplied', params: outputOf }] },
              { target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordRejection', params: outputOf }] },
            ],
          },
        },
        uncertain: {
          description: 'The body may have had its effect, and nobody knows: a person says whether it runs again, what it brought, or that it failed.',
          entry: { type: 'announceRequest', params: { wait: 'uncertain' } },
          on: {
            withdraw: { actions: { type: 'announceResolution', params: { wait: 'uncertain' } } },
            softStop: { target: '#toolCall.settled', actions: 'suspend' },
            interrupt: { target: '#toolCall.interrupted', actions: { type: 'recordAbandoned', params: atOf } },
          },
          invoke: {
            id: 'uncertain',
            src: 'person',
            input: ({ context }) => personEffect(context, 'uncertain'),
            onDone: [
              { guard: { type: 'hasFailed', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordFailure', params: outputOf }, 'suspend'] },
              { guard: { type: 'runsAgain', params: outputOf }, target: '#toolCall.running.executing', actions: [{ type: 'announceResolution', params: answerOf }, 'countBody'] },
              { guard: { type: 'resultIsSuppliedUnguarded', params: outputOf }, target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordSupplied', params: outputOf }] },
              { guard: { type: 'resultIsSupplied', params: outputOf }, target: '#toolCall.running.guardingOutput', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordSupplied', params: outputOf }] },
              { target: '#toolCall.settled', actions: [{ type: 'announceResolution', params: answerOf }, { type: 'recordUnresolved', params: outputOf }] },
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

function answerOf({ event }: { event: { actorId: string; output: DecisionOutcome } }): { wait: Wait; outcome: DecisionOutcome } {
  return { wait: event.actorId as Wait, outcome: event.output }; // the leaves that end so are called by what they wait for
}
