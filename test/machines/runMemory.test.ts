import { describe, expect, test } from 'vitest';
import { compactionItem, sizeOf } from '../../machines/compaction.ts';
import { recordsOfTurn } from '../../machines/history.ts';
import type { AgentOutcome, PreparedRun, RunInput } from '../../machines/protocol/outcome.ts';
import {
  type RunContext,
  agentInput,
  closeHandoff,
  contextOf,
  guardrailInputs,
  outcomeOf,
  prepare,
  recordAgent,
  recordGuardrail,
  recordHandoff,
  tripOf,
} from '../../machines/runMemory.ts';
import { asked, callOf, failureOf, handoffTo, ok, preparedFor, responseOf, resultItem, resultOf, said, steerOf, trouble } from './samples.ts';

const startOf = (prepared: Partial<PreparedRun> = {}, input: Partial<RunInput> = {}): RunContext =>
  contextOf({ path: 'run', agent: 'first', prepared: preparedFor('first', prepared), ...input });

const after = (context: RunContext, ...steps: ((context: RunContext) => Partial<RunContext>)[]): RunContext =>
  steps.reduce((reached, step) => ({ ...reached, ...step(reached) }), context);

const verdict = (index: number, tripwireTriggered: boolean) => ok({ index, name: `g${index}`, tripwireTriggered, outputInfo: 'why' });

const records = recordsOfTurn('first', responseOf([callOf(0)]), { 0: resultOf(callOf(0)) });
const agentOutcome = (more: Partial<AgentOutcome> = {}): AgentOutcome => ({
  status: 'completed', how: 'answered', output: 'done', history: [asked('hello'), ...records.map(({ rawItem }) => rawItem)], generated: records, lastTurn: 2,
  unsaved: [], turns: 1, emptyStreak: 0, softStop: false, undelivered: [], ...more,
});
const leaving = agentOutcome({ status: 'handoff', how: undefined, output: undefined, handoff: handoffTo('second'), emptyStreak: 1 });
const transferred = { type: 'handoff_output_item' as const, rawItem: resultItem('to_second', 'transfer_to_second'), agent: 'first' };

describe('what a run starts from', () => {
  test('is nothing until it is prepared', () => {
    const context = contextOf({ path: 'run', agent: 'first', given: [asked('hello')] });
    expect([context.prepared, outcomeOf(context).history]).toEqual([null, []]);
    expect(outcomeOf(after(context, (one) => prepare(one, preparedFor('first')))).history).toEqual([asked('hello')]);
  });

  test('L3: input that came while it was prepared waits behind what the earlier run had left', () => {
    const carried = { generated: [], turns: 2, unsaved: [], pendingInput: steerOf('old').input };
    const context = after({ ...contextOf({ path: 'run', agent: 'first', given: [] }), pendingInput: steerOf('new').input }, (one) => prepare(one, preparedFor('first', { carried })));
    expect(agentInput(context).pendingInput.map(({ id }) => id)).toEqual(['old', 'new']);
  });

  test('K5: is the count, the records and the unfinished turn of an earlier run', () => {
    const turn = { response: responseOf([callOf(0)]), results: {} };
    const context = startOf({ carried: { generated: records, turns: 3, turn, unsaved: [asked('owed')], pendingInput: [] }, session: true });
    expect(agentInput(context)).toMatchObject({ turns: 3, carried: turn, unsaved: [asked('owed')] });
    expect(outcomeOf(context).generated).toEqual(records);
  });
});

describe('N1: what a run knows of a conversation that was summed up', () => {
  const item = compactionItem('so far', [asked('hello')]);
  const short: AgentOutcome = { ...leaving, history: [item, asked('more'), said('ok')], generated: [...records, { type: 'compaction_item', rawItem: item, agent: 'first' }, ...records], compacted: { items: 2, generated: 3 }, size: 50 };

  test('F2: a filter is shown what the compaction left, and what came after it', () => {
    const { visible, generated } = after(startOf({ compaction: { limit: 100 } }), (one) => recordAgent(one, short)).conversation;
    expect(visible).toEqual({ base: [item, asked('more')], records });
    expect(generated).toEqual(short.generated);
  });

  test('is its size, given to the next agent with what the handoff added, or measured where that was shaped', () => {
    const left = after(startOf({ compaction: { limit: 100 } }), (one) => recordAgent(one, short));
    const plain = after(left, (one) => recordHandoff(one, ok({ target: 'second', records: [transferred] })));
    const shaped = after(left, (one) => recordHandoff(one, ok({ target: 'second', records: [transferred], shaped: { base: [asked('x')], records: [] } })));
    expect(agentInput(plain).compaction).toEqual({ limit: 100, size: 50 + sizeOf([transferred.rawItem]) });
    expect(agentInput(shaped).compaction).toEqual({ limit: 100, size: sizeOf([asked('x')]) });
    expect(outcomeOf(plain).size).toBe(50 + sizeOf([transferred.rawItem]));
  });

  test('is that one was asked for, until it comes about', () => {
    const asking = after(startOf(), (one) => recordAgent(one, { ...leaving, compactionAsked: true }), (one) => recordHandoff(one, ok({ target: 'second', records: [] })));
    expect([agentInput(asking).compactionAsked, outcomeOf(asking).compactionAsked]).toEqual([true, true]);
    expect(outcomeOf(after(asking, (one) => recordAgent(one, leaving))).compactionAsked).toBeUndefined();
  });
});

describe('what an agent is given', () => {
  test('is a path of its own, and the whole conversation', () => {
    expect(agentInput({ ...startOf({ maxTurns: 5, errorHandlers: ['maxTurns'] }), activation: 1 })).toMatchObject({
      path: 'run/agent.2', agent: 'first', history: [asked('hello')], turns: 0, maxTurns: 5, errorHandlers: ['maxTurns'], gateOpen: true,
    });
  });

  test('G1: is nothing to save where there is no session', () => {
    expect([agentInput(startOf()).unsaved, agentInput(startOf({ session: true })).unsaved]).toEqual([[], [asked('hello')]]);
  });

  test('E1: is a shut gate while guardrails look', () => {
    expect(agentInput({ ...startOf(), guardrails: { pending: 1, results: {} } }).gateOpen).toBe(false);
  });
});

describe('E1: guardrails', () => {
  test('blocking ones are counted first, parallel ones after them', () => {
    const context = startOf({ blocking: ['b0', 'b1'], parallel: ['p0'] });
    const named = (kind: 'blocking' | 'parallel') => guardrailInputs(context, kind).map(({ id, input }) => [id, input.effectId, input.index, input.name]);
    expect(named('blocking')).toEqual([['guardrail.0', 'run/guardrail.0#1', 0, 'b0'], ['guardrail.1', 'run/guardrail.1#1', 1, 'b1']]);
    expect(named('parallel')).toEqual([['guardrail.2', 'run/guardrail.2#1', 2, 'p0']]);
  });

  test('results are kept by place, and the first trip is the failure', () => {
    const context = after({ ...startOf(), guardrails: { pending: 3, results: {} } }, (one) => recordGuardrail(one, verdict(2, true)), (one) => recordGuardrail(one, verdict(0, false)), (one) => recordGuardrail(one, verdict(1, true)));
    expect(context.guardrails.pending).toBe(0);
    expect(outcomeOf(context).inputGuardrails.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(context.failure).toEqual({ code: 'inputGuardrail', message: 'Input guardrail triggered: "why"', detail: { name: 'g2', outputInfo: 'why' } });
  });

  test('E5: one that breaks is a failure and has no result', () => {
    const context = after({ ...startOf(), guardrails: { pending: 1, results: {} } }, (one) => recordGuardrail(one, trouble('guardrailExecution')));
    expect([context.failure, context.guardrails]).toEqual([failureOf('guardrailExecution'), { pending: 0, results: {} }]);
  });

  test('one that passes is no trip', () => {
    expect(tripOf(verdict(0, false))).toBeNull();
  });
});

describe('an agent that has ended', () => {
  test('P1: gives the run its outcome', () => {
    expect(outcomeOf(after(startOf(), (one) => recordAgent(one, agentOutcome())))).toMatchObject({ status: 'completed', how: 'answered', output: 'done', turns: 1, generated: records });
  });

  test('P2: gives back what was not delivered', () => {
    expect(outcomeOf(after(startOf(), (one) => recordAgent(one, agentOutcome({ undelivered: steerOf('s1').input })))).undelivered).toEqual(steerOf('s1').input);
  });

  test('E1: was interrupted by a trip: the run has failed, and with the trip', () => {
    const tripped = after({ ...startOf(), guardrails: { pending: 1, results: {} } }, (one) => recordGuardrail(one, verdict(0, true)), (one) => recordAgent(one, agentOutcome({ status: 'interrupted' })));
    expect(outcomeOf(tripped)).toMatchObject({ status: 'failed', failure: { code: 'inputGuardrail' } });
  });

  test('G2: keeps the state of the provider when the agent says nothing of it', () => {
    const context = startOf({ server: { conversationId: 'c', known: 1 } });
    expect(outcomeOf(after(context, (one) => recordAgent(one, agentOutcome()))).server).toEqual({ conversationId: 'c', known: 1 });
    expect(outcomeOf(after(context, (one) => recordAgent(one, agentOutcome({ server: { conversationId: 'c', known: 4 } })))).server).toEqual({ conversationId: 'c', known: 4 });
  });
});

describe('a handoff', () => {
  const handing = (prepared: Partial<PreparedRun> = {}) => after(startOf(prepared), (one) => recordAgent(one, leaving));

  test('F2: names the next agent and adds its record to all that is kept', () => {
    const context = after(handing({ session: true }), (one) => recordHandoff(one, ok({ target: 'second', records: [transferred] })));
    expect(agentInput(context)).toMatchObject({ agent: 'second', emptyStreak: 0, unsaved: [transferred.rawItem], history: [...leaving.history, transferred.rawItem] });
    expect([context.handoff, outcomeOf(context).generated]).toEqual([null, [...records, transferred]]);
  });

  test('F2: what a filter shaped is what the next agent reads; what is kept stays whole', () => {
    const shaped = { base: [asked('short')], records: [{ type: 'message_output_item' as const, rawItem: said('so far'), agent: 'first' }] };
    const context = after(handing(), (one) => recordHandoff(one, ok({ target: 'second', records: [transferred], shaped })));
    expect(agentInput(context).history).toEqual([asked('short'), said('so far')]);
    expect(outcomeOf(context).generated).toEqual([...records, transferred]);
  });

  test('that fails is the failure of the run', () => {
    expect(outcomeOf(after(handing(), (one) => recordHandoff(one, trouble())))).toMatchObject({ status: 'failed', failure: failureOf('user') });
  });

  test('G3: that does not come about leaves a call with a result, once', () => {
    const context = after(handing({ session: true }), closeHandoff, closeHandoff);
    const answer = { type: 'function_call_result', callId: 'to_second', name: 'transfer_to_second', status: 'incomplete', output: 'aborted' };
    expect(outcomeOf(context)).toMatchObject({ history: [...leaving.history, answer], unsaved: [answer] });
    expect(outcomeOf(context).generated).toHaveLength(records.length + 1);
    expect(closeHandoff(startOf())).toEqual({});
  });
});

test('P1: an outcome that nobody has decided is a failure', () => {
  expect(outcomeOf({ ...startOf(), failure: failureOf('user') })).toMatchObject({ status: 'failed', failure: failureOf('user') });
});
