import { describe, expect, test } from 'vitest';
import { type AgentContext, type AgentInput, contextOf } from '../../machines/agentMemory.ts';
import {
  type ScreenVerdict, accepted, afterScreening, answerStands, deliverInput, deliveredEvent, finalTurnDue, isObjected, keepsRepeating, nudge, reopens, repeatsItself,
  screenInput, stagedTrip, takeFinalTurn, takeObjections, trippedEvents, withNotice,
} from '../../machines/pendingInput.ts';
import type { PendingInput } from '../../machines/protocol/command.ts';
import { wayOf } from '../../machines/steerPath.ts';
import { NOTHING_REPEATED } from '../../machines/stuck.ts';
import { asked, ok, steerOf, trouble } from './samples.ts';

const input = (id: string, more: Partial<PendingInput> = {}): PendingInput => ({ ...steerOf(id).input[0]!, ...more });
const startOf = (more: Partial<AgentInput> = {}): AgentContext =>
  contextOf({
    path: 'run/agent.1', agent: 'asker', history: [asked('hello')], unsaved: [], turns: 1, maxTurns: 4, emptyStreak: 0, softStop: false,
    gateOpen: true, pendingInput: [], session: false, errorHandlers: [], carried: null, ...more,
  });
const answered: AgentContext['final'] = { output: 'done', how: 'answered', fromTool: false, endsAgent: false };
const verdicts = (ids: string[], ...tripped: string[]) =>
  ok({ ids, verdicts: ids.map((id): ScreenVerdict => ({ id, name: 'polite', tripwireTriggered: tripped.includes(id), outputInfo: 'rude' })) });

test('P4, M4: mail is marked as such, whatever it says; a steer is of the user', () => {
  expect(accepted({ type: 'mail', input: [input('m', { origin: 'user' })] })).toEqual([input('m', { origin: 'mail' })]);
  expect(accepted({ type: 'steer', input: [input('s')] })).toEqual([input('s')]);
});

describe('L3, M4: a final answer is reopened', () => {
  const withAnswer = (pendingInput: PendingInput[], more: Partial<AgentInput> = {}): AgentContext => ({ ...startOf({ pendingInput, ...more }), final: answered });

  test('by a steer and by a notice, not by mail', () => {
    const origins: PendingInput['origin'][] = [undefined, 'user', { runtime: 'goal' }, 'mail'];
    expect(origins.map((origin) => reopens(withAnswer([input('i', { origin })])))).toEqual([true, true, true, false]);
  });

  test('only when a turn may follow', () => {
    expect([reopens(withAnswer([input('s')], { maxTurns: 1 })), reopens(withAnswer([input('s')], { softStop: true }))]).toEqual([false, false]);
  });
});

describe('E6: screening', () => {
  const pendingInput = [input('a'), input('n', { origin: { runtime: 'goal' } }), input('b')];

  test('asks about what is new, notices left out, under an id of its own', () => {
    const context = startOf({ screensInput: true, pendingInput });
    expect(screenInput(context)).toEqual({ effectId: 'run/agent.1/inputScreen.1#1', agent: 'asker', inputs: [input('a'), input('b')] });
    const later = { ...context, ...afterScreening(context, verdicts(['a', 'b'])) };
    expect(screenInput({ ...later, pendingInput: [...later.pendingInput, input('c')] })).toEqual({ effectId: 'run/agent.1/inputScreen.2#1', agent: 'asker', inputs: [input('c')] });
  });

  test('takes out what trips, and tells which guardrail it was', () => {
    const context = startOf({ screensInput: true, pendingInput });
    expect(afterScreening(context, verdicts(['a', 'b'], 'b')).pendingInput.map(({ id }) => id)).toEqual(['a', 'n']);
    expect(trippedEvents(context, verdicts(['a', 'b'], 'b'))).toEqual([{ type: 'input.dropped', path: 'run/agent.1', agent: 'asker', ids: ['b'], items: [asked('b')], reason: 'guardrail', guardrail: 'polite' }]);
  });

  test('fails for what was staged, and for nothing else', () => {
    const staged = startOf({ screensInput: true, pendingInput: [input('a', { staged: true }), input('b')] });
    expect(stagedTrip(staged, verdicts(['a', 'b'], 'a'))).toEqual({ code: 'inputGuardrail', message: 'Input guardrail triggered: "rude"', detail: { name: 'polite', outputInfo: 'rude' } });
    expect([stagedTrip(staged, verdicts(['a', 'b'], 'b')), stagedTrip(staged, trouble())]).toEqual([null, null]);
  });

  test('leaves the answer as it is when nothing is left that reopens it', () => {
    const context: AgentContext = { ...startOf({ screensInput: true, pendingInput: [input('a'), input('m', { origin: 'mail' })] }), final: answered };
    expect([answerStands(context, verdicts(['a'], 'a')), answerStands(context, verdicts(['a'])), answerStands({ ...context, final: null }, verdicts(['a'], 'a'))]).toEqual([true, false, false]);
  });
});

describe('input that joins', () => {
  test('L4, P4: is a message each, with its origin where that is not the user', () => {
    const context = { ...startOf({ pendingInput: [input('s'), input('m', { origin: 'mail' })] }) };
    const delivered = { ...context, ...deliverInput(context) };
    expect(delivered.conversation.generated.toArray()).toEqual([
      { type: 'input_item', rawItem: asked('s'), agent: 'asker', inputId: 's' }, { type: 'input_item', rawItem: asked('m'), agent: 'asker', inputId: 'm', origin: 'mail' },
    ]);
    expect(deliveredEvent(context)).toMatchObject({ turn: 2, ids: ['s', 'm'], origins: ['user', 'mail'] });
    expect(deliveredEvent(startOf({ pendingInput: [input('s')] }))).not.toHaveProperty('origins');
  });

  test('B3: of the user begins a new streak; mail and notices do not', () => {
    const repeats = { ...NOTHING_REPEATED, messages: ['x'], nudged: true };
    const afterOrigin = (origin: PendingInput['origin']) => {
      const context = startOf({ pendingInput: [input('i', { origin })] });
      return deliverInput({ ...context, steering: { ...context.steering, repeats } }).steering!.repeats;
    };
    expect([afterOrigin(undefined), afterOrigin('mail'), afterOrigin({ runtime: 'nudge' })]).toEqual([NOTHING_REPEATED, repeats, repeats]);
  });

  test('P4: a notice waits behind what is there', () => {
    expect(withNotice(startOf({ pendingInput: [input('s')] }), { id: 'n', kind: 'goal', text: 'Go on.' })).toEqual([input('s'), { id: 'n', item: asked('Go on.'), origin: { runtime: 'goal' } }]);
  });
});

describe('limits that speak before they end', () => {
  test('B1: the last turn is due once, when all others are used up; one that was cut is still to come', () => {
    const due = startOf({ finalTurn: true, turns: 4 });
    const cut = { ...due, ...takeFinalTurn(due) };
    expect([due, startOf({ turns: 4 }), startOf({ finalTurn: true }), startOf({ finalTurn: true, turns: 4, softStop: true }), cut, { ...cut, turns: 5 }].map(finalTurnDue)).toEqual([true, false, false, false, true, false]);
  });

  test('B3: a streak is told, then it is the end; what the user has to say comes first', () => {
    const stuck = (nudged: boolean, pendingInput: PendingInput[] = []): AgentContext => {
      const context = startOf({ pendingInput });
      return { ...context, steering: { ...context.steering, repeats: { ...NOTHING_REPEATED, found: 'repetition', nudged } } };
    };
    const wordsOf = (context: AgentContext) => [repeatsItself(context), keepsRepeating(context)];
    expect([wordsOf(stuck(false)), wordsOf(stuck(true)), wordsOf(stuck(false, [input('s')])), wordsOf(stuck(true, [input('s')]))]).toEqual([[true, false], [false, true], [false, false], [false, false]]);
    expect(wordsOf(stuck(true, [input('m', { origin: 'mail' })]))).toEqual([false, true]);
    expect(wordsOf({ ...stuck(false), ...nudge(stuck(false)) })).toEqual([false, false]);
  });

  test('M5, A3: an objection holds while a turn may follow', () => {
    const objection = ok({ objections: [{ hook: 'h', text: 'no' }] });
    const stuckAgain = startOf();
    const contexts = [startOf(), startOf({ turns: 4 }), startOf({ softStop: true }), { ...stuckAgain, steering: { ...stuckAgain.steering, repeats: { ...NOTHING_REPEATED, found: 'monologue' as const, nudged: true } } }];
    expect(contexts.map((context) => isObjected(context, objection))).toEqual([true, false, false, false]);
    expect(isObjected(startOf(), ok({ objections: [] }))).toBe(false);
    expect(takeObjections(startOf(), objection)).toEqual({ final: null, last: null, pendingInput: [{ id: 'run/agent.1/stopHook.1.0', item: asked('no'), origin: { runtime: 'stopHook' } }] });
  });
});

test('L7: a path leads here, below or nowhere', () => {
  const own = 'run/agent.1';
  const ways = (child?: string) => [undefined, own, `${own}/turn.1`, `${own}/turn.1/x`, `${own}/turn.10`, 'run'].map((path) => wayOf(path, own, child));
  expect(ways(`${own}/turn.1`)).toEqual(['here', 'here', 'below', 'below', 'astray', 'astray']);
  expect(ways()).toEqual(['here', 'here', 'astray', 'astray', 'astray', 'astray']);
});
