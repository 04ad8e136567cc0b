import { describe, expect, test } from 'vitest';
import { Ledger, costOf } from '../../actors/budget.ts';
import { budgetProblem } from '../../actors/limits.ts';
import { BudgetExceededError } from '../../actors/limitErrors.ts';
import { CommandSchema } from '../../machines/protocol/journalSchemas.ts';
import { Log } from '../../machines/log.ts';
import type { Budget } from '../../machines/protocol/budget.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { callOf, responseOf } from '../machines/samples.ts';

const usage = (totalTokens: number) => ({ inputTokens: totalTokens - 10, outputTokens: 10, totalTokens });
const history = Log.of<AgentInputItem>([{ role: 'user', content: 'go' }]);

function ledgerOf(limits: Budget): Ledger {
  const ledger = new Ledger();
  ledger.hear({ type: 'run.start', at: 1_000, format: 1, runId: 'run', charts: {}, input: { path: 'run', agent: 'a', budget: limits } });
  return ledger;
}

const lackOf = (reserve: () => void) => {
  try {
    reserve();
    return undefined;
  } catch (error) {
    if (!(error instanceof BudgetExceededError)) throw error;
    return [error.kind, error.limit, error.spent];
  }
};
const ask = (ledger: Ledger, effectId: string, inputTokens: number, maxTokens?: number) => lackOf(() => ledger.reserve({ effectId, inputTokens, maxTokens, now: 1_000 }));

describe('B2: what is set aside', () => {
  test('stands until the answer is counted, under each effect once', () => {
    const ledger = ledgerOf({ tokens: 1_000 });
    expect([ask(ledger, 'a', 400, 100), ask(ledger, 'a', 400, 100), ask(ledger, 'b', 400, 100), ask(ledger, 'c', 1, 0)]).toEqual([undefined, undefined, undefined, ['tokens', 1_000, 0]]);
    ledger.count('run/agent.1/turn.1/b', responseOf([], { usage: usage(50) }), history);
    ledger.release('b');
    expect([ask(ledger, 'c', 450, 0), ask(ledger, 'd', 1, 0)]).toEqual([undefined, ['tokens', 1_000, 50]]);
  });

  test('without limits nothing is', () => expect(ask(new Ledger(), 'a', 1e9)).toBeUndefined());

  test('calls that were admitted and are not counted yet are taken', () => {
    const ledger = ledgerOf({ toolCalls: 3 });
    ask(ledger, 'a', 0);
    ask(ledger, 'b', 0);
    const reasons = (effectId: string) => ledger.admit(effectId, [callOf(0), callOf(1)], String).map(({ invalid }) => invalid?.text);
    expect([reasons('a'), reasons('b')]).toEqual([[undefined, undefined], [undefined, '3']]);
  });
});

describe('what is spent', () => {
  test('is the same when it is added up again, or recalled', () => {
    const count = (ledger: Ledger) => ledger.count('run/agent.1/turn.1/model#1', responseOf([callOf(0), callOf(1, {}, { invalid: { reason: 'json', text: '' } })], { usage: usage(100), cost: 0.5 }), history);
    const [first, second, third] = [ledgerOf({ tokens: 200 }), ledgerOf({ tokens: 200 }), new Ledger()];
    count(first);
    count(second);
    third.recall(JSON.parse(JSON.stringify(first.memory)) as Ledger['memory']);
    expect(second.memory).toEqual(first.memory);
    expect(third.memory).toEqual(first.memory);
    expect(first.memory.spent).toEqual({ tokens: 100, costUsd: 0.5, toolCalls: 1, ms: 0, largestOutput: 10, isTold: false });
  });

  test('is taken over by a run that goes on, with the time that the first one took', () => {
    const ledger = ledgerOf({ wallTimeMs: 5_000, hardDeadline: true });
    const next = new Ledger();
    next.open(ledger.limits, ledger.leaves(2_000));
    expect([next.untilDeadline(9_000), ledger.untilDeadline(4_000)]).toEqual([3_000, 2_000]);
  });

  test('with room again the model is told again', () => {
    const ledger = ledgerOf({ tokens: 100 });
    const told = responseOf([], { usage: usage(90), notices: [{ type: 'input_item', rawItem: { role: 'user', content: 'end' }, agent: 'a', origin: { runtime: 'budget' } }] });
    ledger.count('run/agent.1/turn.1/model#1', told, history);
    expect(ledger.isDueToTell(1_000)).toBe(false);
    ledger.hear({ type: 'command', at: 1_000, command: { type: 'configure', budget: { tokens: 110 } } });
    expect(ledger.isDueToTell(1_000)).toBe(false);
    ledger.hear({ type: 'command', at: 1_000, command: { type: 'configure', budget: { tokens: 1_000 } } });
    ledger.add('x', usage(800));
    expect(ledger.isDueToTell(1_000)).toBe(true);
  });
});

test('a request is measured by what the provider counted and what came since; else by its bytes', () => {
  const ledger = ledgerOf({ tokens: 1 });
  const id = 'run/agent.1/turn.2/model#1';
  expect(ledger.estimate(id, history, () => ({ text: 'x'.repeat(400 - 11) }))).toBe(100);
  const response = responseOf([], { usage: usage(70) });
  ledger.count('run/agent.1/turn.1/model#1', response, history);
  const later = history.append(response.items).append([{ role: 'user', content: 'x'.repeat(100) }]);
  expect(ledger.estimate(id, later, () => ({}))).toBe(70 + Math.ceil(JSON.stringify({ role: 'user', content: 'x'.repeat(100) }).length / 4));
  expect(ledger.estimate(id, Log.of<AgentInputItem>([]), () => ({}))).toBe(1); // it was made shorter since
});

test('cached input has a price of its own, where one is given', () => {
  const tokens = { inputTokens: 1_000_000, outputTokens: 100_000, inputTokensDetails: { cached_tokens: 400_000 } };
  expect(costOf(tokens, { inputPerMillion: 10, outputPerMillion: 100, cachedInputPerMillion: 1 })).toBeCloseTo(6 + 0.4 + 10);
  expect(costOf(tokens, { inputPerMillion: 10, outputPerMillion: 100 })).toBeCloseTo(20);
});

test.each<[unknown, boolean]>([
  [{}, true], [{ tokens: 1, costUsd: 0.5, wallTimeMs: 0, toolCalls: 3, softRatio: 1, prices: { a: { inputPerMillion: 1, outputPerMillion: 2 } } }, true], [{ wallTimeMs: 1, hardDeadline: true }, true],
  [{ tokens: -1 }, false], [{ tokens: Infinity }, false], [{ softRatio: 0 }, false], [{ softRatio: 1.1 }, false], [{ hardDeadline: 1 }, false], [{ prices: { a: { inputPerMillion: 1 } } }, false],
])('what comes in and what is read back are held to the same: %o', (budget, isFine) => {
  expect(budgetProblem(budget as Budget) === undefined).toBe(isFine);
  expect(CommandSchema.safeParse({ type: 'configure', budget }).success).toBe(isFine);
});
