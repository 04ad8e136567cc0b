import { describe, expect, test } from 'vitest';
import { type AgentInput, canGoOn, contextOf, nextTurn, recordTurn, turnInput } from '../../machines/agentMemory.ts';
import { deliverInput } from '../../machines/pendingInput.ts';
import type { AgentContext } from '../../machines/agent.ts';
import { compactionItem, sizeOf } from '../../machines/compaction.ts';
import type { TurnOutcome } from '../../machines/protocol/outcome.ts';
import { recordsOfTurn } from '../../machines/history.ts';
import { compacted, compactorInput, needsCompaction, newestUnsaved, overflowed, shorteningLeft, tryAgain, withFiltered } from '../../machines/shortening.ts';
import { asked, callOf, failureOf, ok, responseOf, resultItem, resultOf, said, steerOf } from './samples.ts';

const contextFor = (more: Partial<AgentInput> = {}): AgentContext =>
  contextOf({
    path: 'run/agent.1', agent: 'asker', history: [asked('hello'), said('yes?'), asked('go')], unsaved: [], turns: 0, maxTurns: null, emptyStreak: 0, softStop: false,
    gateOpen: true, pendingInput: [], session: false, errorHandlers: [], carried: null, ...more,
  });
const after = (context: AgentContext, ...steps: ((context: AgentContext) => Partial<AgentContext>)[]): AgentContext => steps.reduce((reached, step) => ({ ...reached, ...step(reached) }), context);
const usage = (totalTokens: number) => ({ inputTokens: totalTokens - 10, outputTokens: 10, totalTokens });
const response = responseOf([callOf(0)], { usage: usage(500) });
const results = { 0: resultOf(callOf(0)) };
const turn = (more: Partial<TurnOutcome> = {}): TurnOutcome => ({ next: 'again', response, results, records: recordsOfTurn('asker', response, results), ...more });
const item = compactionItem('so far', []);
const sumUp = (context: AgentContext) => compacted(context, ok({ item, dropped: 0, usage: usage(20) }));

describe('N1: the size of a conversation', () => {
  test('is not looked at where no limit is set', () => expect(contextFor().conversation.shortening).toBeUndefined());
  test('is measured when nobody knows it', () => expect(contextFor({ compaction: { limit: 9 } }).conversation.shortening?.size).toBe(sizeOf(contextFor().conversation.history.toArray())));
  test('is what is known of it', () => expect(contextFor({ compaction: { limit: 9, size: 7 } }).conversation.shortening?.size).toBe(7));

  test('is what the provider counted, and what came since', () => {
    const context = after(contextFor({ compaction: { limit: 9_999 } }), (one) => recordTurn(one, turn()), (one) => deliverInput({ ...one, pendingInput: steerOf('s1').input }));
    expect(context.conversation.shortening?.size).toBe(500 + sizeOf([resultItem('call_0')]) + sizeOf([asked('s1')]));
  });

  test('grows by what a turn brings of which nothing is counted', () => {
    const carried = turn({ response: responseOf([callOf(0)]) });
    const before = contextFor({ compaction: { limit: 9_999, size: 7 } });
    expect(after(before, (one) => recordTurn(one, carried)).conversation.shortening?.size).toBe(7 + sizeOf([...carried.response!.items, resultItem('call_0')]));
  });

  test('counts with the input that waits for the next request', () => {
    const near = contextFor({ compaction: { limit: 100, size: 95 } });
    expect([needsCompaction(near), needsCompaction({ ...near, pendingInput: steerOf('a steer').input })]).toEqual([false, true]);
  });

  test('leads to nothing where there is nothing to sum up, or the provider keeps it', () => {
    const full = { compaction: { limit: 1, size: 5 } };
    const states = [contextFor(full), contextFor({ ...full, history: [asked('go')] }), contextFor({ ...full, history: [item, asked('go')] }), contextFor({ ...full, server: { known: 0 } })];
    expect(states.map(needsCompaction)).toEqual([true, false, false, false]);
  });
});

describe('what is summed up', () => {
  test('is all but what nobody has answered yet', () => {
    const context = contextFor({ compaction: { limit: 1 } });
    expect(compactorInput(context)).toEqual({ effectId: 'run/agent.1/compactor.1#1', agent: 'asker', items: [asked('hello'), said('yes?')] });
    expect(after(context, sumUp).conversation.history.toArray()).toEqual([item, asked('go')]);
  });

  test('with a session, also what that holds already; the item is stored before what it lacks', () => {
    const context = contextFor({ compaction: { limit: 1 }, session: true, history: [said('yes?'), asked('stored'), asked('new')], unsaved: [asked('new')] });
    const { conversation } = after(context, sumUp);
    expect([conversation.history.toArray(), conversation.unsaved, newestUnsaved(conversation)]).toEqual([[item, asked('new')], [item, asked('new')], 1]);
    expect(withFiltered(conversation.unsaved, [asked('new!')])).toEqual([item, asked('new!')]);
  });

  test('is told to whoever comes after', () => {
    expect(shorteningLeft(after(contextFor({ compaction: { limit: 1 } }), sumUp).conversation)).toEqual({ size: sizeOf([item, asked('go')]), compacted: { items: 2, generated: 1 } });
    expect(shorteningLeft(contextFor({ compactionAsked: true }).conversation)).toEqual({ compactionAsked: true });
    expect(shorteningLeft(contextFor().conversation)).toEqual({});
  });

  test('H1: leaves the first turn the first', () => expect(turnInput(after(contextFor({ compaction: { limit: 1 } }), sumUp))).toMatchObject({ first: true, isShort: true }));
});

describe('N2: a request that did not fit', () => {
  const failure = failureOf('contextWindow', { effectId: 'run/agent.1/turn.1/model#2' });
  const failed = { ...contextFor({ compaction: { limit: 9_999 }, maxTurns: 1 }), turns: 1, last: turn({ next: 'failed', response: null, failure }) };

  test('B1: is tried again under the number of its turn, as the next attempt, and lets nothing beyond the limit', () => {
    const again = after(failed, tryAgain, sumUp);
    expect([overflowed(failed), nextTurn(again), turnInput(again).attempt, canGoOn(again)]).toEqual([true, 1, 3, true]);
    const answered = after(again, (one) => recordTurn(one, turn({ next: 'final' })));
    expect([nextTurn(answered), canGoOn(answered)]).toEqual([2, false]);
  });

  test('is tried again once', () => expect(overflowed({ ...after(failed, tryAgain, sumUp), last: failed.last })).toBe(false));
  test('is not tried again without a limit', () => expect(overflowed({ ...failed, facts: contextFor().facts })).toBe(false));
});
