import { describe, expect, test } from 'vitest';
import {
  type AgentContext,
  type AgentInput,
  conclude,
  concludeInterrupted,
  contextOf,
  finalOf,
  handled,
  keepSaved,
  nextTurn,
  outcomeOf,
  recordTurn,
  turnInput,
} from '../../machines/agentMemory.ts';
import { deliverInput } from '../../machines/pendingInput.ts';
import { withholdOutput } from '../../machines/withheld.ts';
import { recordsOfTurn } from '../../machines/history.ts';
import type { AgentOutcome, CarriedTurn, TurnNext, TurnOutcome } from '../../machines/protocol/outcome.ts';
import { asked, callItem, callOf, failureOf, handoffTo, responseOf, resultItem, resultOf, said, steerOf } from './samples.ts';

const call = callOf(0);
const response = responseOf([call]);
const results = { 0: resultOf(call) };
const carried: CarriedTurn = { response, results };

const startOf = (more: Partial<AgentInput> = {}): AgentContext =>
  contextOf({
    path: 'run/agent.1', agent: 'asker', history: [asked('hello')], unsaved: [], turns: 0, maxTurns: null, emptyStreak: 0, softStop: false,
    gateOpen: true, pendingInput: [], session: false, errorHandlers: [], carried: null, ...more,
  });

const turnOf = (next: TurnNext, more: Partial<TurnOutcome> = {}): TurnOutcome => {
  const outcome = { next, response, results, ...more };
  return { ...outcome, records: recordsOfTurn('asker', outcome.response, outcome.results) };
};

/** The context after one step, and what it would come back with. */
const after = (context: AgentContext, ...steps: ((context: AgentContext) => Partial<AgentContext>)[]): AgentContext =>
  steps.reduce((reached, step) => ({ ...reached, ...step(reached) }), context);
const outcomeAfter = (...given: Parameters<typeof after>): AgentOutcome => outcomeOf(after(...given));
const withTurn = (turn: TurnOutcome) => (context: AgentContext) => recordTurn({ ...context, turns: context.turns + 1 }, turn);

describe('a turn that is recorded', () => {
  test('A1: brings its items into the history and its records into what was generated', () => {
    expect(outcomeAfter(startOf(), withTurn(turnOf('again')))).toMatchObject({
      history: [asked('hello'), callItem('call_0'), resultItem('call_0')],
      generated: [{ type: 'tool_call_item' }, { type: 'tool_call_output_item' }],
      lastTurn: 2,
      unsaved: [],
      turns: 1,
    });
  });

  test('G1: is owed to the session, after the input', () => {
    expect(outcomeAfter(startOf({ session: true, unsaved: [asked('hello')] }), withTurn(turnOf('again'))).unsaved).toEqual([asked('hello'), callItem('call_0'), resultItem('call_0')]);
  });

  test('A1: is owed with the input as a filter shaped it', () => {
    const shaped = { ...response, filteredInput: [asked('HELLO')] };
    expect(outcomeAfter(startOf({ session: true, unsaved: [asked('hello')] }), withTurn(turnOf('again', { response: shaped }))).unsaved[0]).toEqual(asked('HELLO'));
  });

  test('K5: is carried on and not part of the history when it did not end', () => {
    for (const next of ['failed', 'suspended'] as const) {
      const outcome = outcomeAfter(startOf(), withTurn(turnOf(next)));
      expect([outcome.history, outcome.generated, outcome.carried]).toEqual([[asked('hello')], [], carried]);
    }
  });

  test('B1: does not count when its request was never sent', () => {
    const turnsAfter = (turn: TurnOutcome) => outcomeAfter(startOf(), withTurn(turn)).turns;
    expect(turnsAfter(turnOf('failed', { response: null, results: {}, failure: failureOf('user', { sent: false }) }))).toBe(0);
    expect(turnsAfter(turnOf('suspended', { response: null, results: {} }))).toBe(0);
    expect(turnsAfter(turnOf('failed', { response: null, results: {}, failure: failureOf('model') }))).toBe(1);
  });

  test('A5: counts towards the streak of empty ones, which any other ends', () => {
    const empty = turnOf('empty', { response: responseOf([], { items: [], final: undefined }), results: {} });
    expect(outcomeAfter(startOf(), withTurn(empty), withTurn(empty)).emptyStreak).toBe(2);
    expect(outcomeAfter(startOf({ emptyStreak: 2 }), withTurn(turnOf('again'))).emptyStreak).toBe(0);
  });

  test('A7: makes known that this agent has used a tool', () => {
    expect(turnInput(after(startOf(), withTurn(turnOf('again')))).usedTools).toBe(true);
    expect(turnInput(after(startOf(), withTurn(turnOf('final', { response: responseOf(), results: {} })))).usedTools).toBe(false);
  });

  test('G2: tells the provider-kept state how much the provider knows, results still being ours to send', () => {
    const chained = turnOf('again', { response: { ...response, responseId: 'r1' } });
    expect(outcomeAfter(startOf({ server: { auto: true, known: 0 } }), withTurn(chained)).server).toEqual({ auto: true, known: 2, previousResponseId: 'r1' });
    expect(outcomeAfter(startOf({ server: { conversationId: 'c', known: 0 } }), withTurn(chained)).server).toEqual({ conversationId: 'c', known: 2 });
    expect(outcomeAfter(startOf({ server: { previousResponseId: 'r0', known: 0 } }), withTurn(turnOf('again'))).server).toEqual({ previousResponseId: 'r0', known: 2 });
  });
});

describe('the next turn', () => {
  test('B1: is a new one, or the carried one, which was counted when its request was sent', () => {
    expect(nextTurn(startOf({ turns: 3 }))).toBe(4);
    expect(turnInput(startOf({ turns: 3, carried }))).toMatchObject({ path: 'run/agent.1/turn.3', turn: 3, first: true, carried });
  });

  test('H2: is the first of the activation only until something came of it', () => {
    expect(turnInput(startOf()).first).toBe(true);
    expect(turnInput(after(startOf(), withTurn(turnOf('again')))).first).toBe(false);
  });

  test('L4: brings steers as messages of their own, in order', () => {
    const pendingInput = [...steerOf('s1').input, ...steerOf('s2').input];
    const outcome = outcomeAfter(startOf({ pendingInput, session: true }), deliverInput);
    expect(outcome).toMatchObject({ history: [asked('hello'), asked('s1'), asked('s2')], unsaved: [asked('s1'), asked('s2')], undelivered: [] });
    expect(outcome.generated.map(({ type }) => type)).toEqual(['input_item', 'input_item']);
  });
});

test('G1: what was saved is no longer owed; what came meanwhile still is', () => {
  expect(outcomeAfter(startOf({ session: true, unsaved: [asked('a'), asked('b'), asked('c')] }), (context) => keepSaved(context, 2)).unsaved).toEqual([asked('c')]);
});

test('G1: a carried turn that a session holds is not written twice when it goes on', () => {
  const twoCalls = responseOf([callOf(0), callOf(1)]);
  const saved: CarriedTurn = { response: twoCalls, results: { 0: resultOf(callOf(0)) }, saved: true };
  const finished = turnOf('again', { response: twoCalls, results: { 0: resultOf(callOf(0)), 1: resultOf(callOf(1)) }, carried: saved });
  expect(outcomeAfter(startOf({ session: true, turns: 1, carried: saved }), withTurn(finished)).unsaved).toEqual([resultItem('call_1')]);
});

describe('an interrupt', () => {
  const interrupted = (reason: 'user' | 'tripwire', notice: boolean) => (context: AgentContext) =>
    concludeInterrupted({ ...context, interrupt: { reason, notice } });

  test('J2: ends with a notice for the model, unless that is turned off', () => {
    const told = outcomeAfter(startOf({ session: true }), interrupted('user', true));
    expect(told).toMatchObject({ status: 'interrupted', generated: [{ type: 'input_item', origin: { runtime: 'interrupted' } }] });
    expect(told.unsaved).toEqual([told.history.at(-1)]);
    expect(outcomeAfter(startOf(), interrupted('user', false))).toMatchObject({ status: 'interrupted', history: [asked('hello')], generated: [] });
  });

  test('E2: by a trip leaves nothing for the session', () => {
    expect(outcomeAfter(startOf({ session: true, unsaved: [asked('hello')] }), interrupted('tripwire', true))).toMatchObject({ status: 'interrupted', unsaved: [], generated: [] });
  });

  test('G1: before input guardrails have passed leaves nothing for the session, whatever had been concluded', () => {
    const failed = (context: AgentContext) => conclude(context, failureOf('model'));
    expect(outcomeAfter(startOf({ session: true, unsaved: [asked('hello')], gateOpen: false }), failed, interrupted('user', true))).toMatchObject({ status: 'interrupted', unsaved: [] });
  });

  test('B4: does not undo an end that was reached before', () => {
    const ended = after(startOf(), withTurn(turnOf('final', { response: responseOf(), results: {}, finalOutput: 'done' })));
    const completed: AgentContext = { ...ended, final: finalOf(ended), conclusion: { status: 'completed' } };
    expect(outcomeAfter(completed, interrupted('user', true))).toMatchObject({ status: 'completed', how: 'answered', output: 'done' });
  });

  test('G3: gives a handoff that was decided, and will not be, its result', () => {
    const handoff = handoffTo('other');
    const decided = after(startOf(), withTurn(turnOf('handoff', { response: responseOf([], { items: [handoff.item], final: undefined, handoff }), results: {} })));
    const leaving: AgentContext = { ...decided, conclusion: { status: 'handoff' } };
    const answer = { type: 'function_call_result', callId: 'to_other', name: 'transfer_to_other', status: 'incomplete', output: 'aborted' };
    expect(outcomeAfter(leaving, interrupted('user', false)).history).toEqual([asked('hello'), handoff.item, answer]);
    expect(outcomeAfter(leaving, (context) => conclude(context, failureOf('session'))).history).toEqual([asked('hello'), handoff.item, answer]);
  });
});

describe('a failure', () => {
  test('the first one stands', () => {
    const twice = outcomeAfter(startOf(), (context) => conclude(context, failureOf('model')), (context) => conclude(context, failureOf('session')));
    expect(twice.failure!.code).toBe('model');
  });

  test('G1: of the last save has the output with it', () => {
    const final: AgentContext['final'] = { output: 42, how: 'answered', fromTool: false, endsAgent: false };
    expect(outcomeAfter({ ...startOf(), final }, (context) => conclude(context, failureOf('session', { detail: { tries: 1 } }))).failure!.detail).toEqual({ tries: 1, output: 42 });
  });
});

describe('E3: an output that is withheld', () => {
  const secret = responseOf([], { items: [said('secret')], final: { output: 'secret' } });
  const finished = (turn: TurnOutcome) => (context: AgentContext) => ({ ...after(context, withTurn(turn)), final: finalOf(after(context, withTurn(turn))) });

  test('as a message is gone from history, records and session', () => {
    const outcome = outcomeAfter(startOf({ session: true, unsaved: [asked('hello')] }), finished(turnOf('final', { response: secret, results: {} })), withholdOutput);
    expect([outcome.history, outcome.generated, outcome.unsaved]).toEqual([[asked('hello')], [], [asked('hello')]]);
  });

  test('as the result of a tool keeps its place and loses its text', () => {
    const outcome = outcomeAfter(startOf({ session: true }), finished(turnOf('final', { finalFromTool: true })), (context) => withholdOutput(context, 'hidden'));
    const hidden = { ...resultItem('call_0'), output: { type: 'text', text: 'hidden' } };
    expect(outcome.history).toEqual([asked('hello'), callItem('call_0'), hidden]);
    expect(outcome.unsaved).toEqual([callItem('call_0'), hidden]);
    expect(outcome.generated.at(-1)).toMatchObject({ rawItem: hidden, output: 'hidden' });
  });

  test('leaves what earlier turns brought', () => {
    const outcome = outcomeAfter(startOf(), withTurn(turnOf('again')), finished(turnOf('final', { response: secret, results: {} })), (context) => withholdOutput(context));
    expect(outcome.history).toEqual([asked('hello'), callItem('call_0'), resultItem('call_0')]);
  });
});

describe('an output that the app supplied in place of an error', () => {
  test('is a message of the agent where that is wanted', () => {
    const outcome = outcomeAfter(startOf({ session: true }), (context) => handled(context, { finalOutput: { a: 1 }, includeInHistory: true }));
    expect(outcome.history.at(-1)).toEqual(said('{"a":1}'));
    expect(outcome.unsaved).toEqual([said('{"a":1}')]);
  });

  test('is only the output where it is not', () => {
    const context = after(startOf(), (one) => handled(one, { finalOutput: 'instead', includeInHistory: false }));
    expect(outcomeOf({ ...context, conclusion: { status: 'completed' } })).toMatchObject({ how: 'handler', output: 'instead', history: [asked('hello')] });
  });
});
