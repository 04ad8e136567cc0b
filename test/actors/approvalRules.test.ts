import { describe, expect, test } from 'vitest';
import { Agent, type ApprovalPolicy, type ApprovalRule, ApprovalRules, RunToolApprovalItem, UserError } from 'loopchart';
import type { Call } from '../../machines/protocol/call.ts';

const call = (name: string, given: unknown): Call => ({ index: 0, name, callId: 'c', tool: { effect: 'pure', approval: 'ask' }, item: { type: 'function_call', callId: 'c', name, arguments: JSON.stringify(given), status: 'completed' } });
const ask = (rules: ApprovalRules, name: string, given: unknown = {}, agent = 'Desk') => rules.verdictOn({ agent, call: call(name, given) });
const denies = (rule: Omit<ApprovalRule, 'decision'>, name: string, given?: unknown) => ask(new ApprovalRules({ rules: [{ ...rule, decision: 'deny' }] }), name, given) !== undefined;

describe('M8: patterns', () => {
  test('a star stands for any characters, none and new lines included; the rest is taken as it is', () => {
    const fits = (pattern: string, text: string) => denies({ tool: 'f', arguments: { a: pattern } }, 'f', { a: text });
    for (const [pattern, text] of [['*', ''], ['a*', 'a'], ['*b', 'b'], ['a*b', 'ab'], ['a*b', 'a\nb'], ['a*b*c', 'aXbYc'], ['*a*', 'xax'], ['a**b', 'ab'], ['a.b', 'a.b'], ['(x)', '(x)'], ['', '']] as const) expect([pattern, text, fits(pattern, text)]).toEqual([pattern, text, true]);
    for (const [pattern, text] of [['a*', 'ba'], ['*b', 'bc'], ['a*b', 'a'], ['ab*ba', 'aba'], ['a*b*c', 'acb'], ['a.b', 'axb'], ['a', 'A'], ['', 'a'], ['a', 'aa']] as const) expect([pattern, text, fits(pattern, text)]).toEqual([pattern, text, false]);
  });

  test('many stars in a long text take no time', () => {
    const began = performance.now();
    expect(denies({ tool: 'f', arguments: { a: `${'*a'.repeat(30)}*b` } }, 'f', { a: 'a'.repeat(50_000) })).toBe(false);
    expect(performance.now() - began).toBeLessThan(200);
  });

  test('paths lead through objects and lists; to allow, all that they lead to has to fit', () => {
    const given = { files: [{ name: 'a.ts' }, { name: 'b.md' }], at: { city: 'Oslo' }, no: null, on: true };
    const decided = (decision: ApprovalRule['decision'], given_: ApprovalRule['arguments']) => ask(new ApprovalRules({ rules: [{ tool: 'f', arguments: given_, decision }] }), 'f', given)?.decision;
    expect(decided('deny', { 'files.name': '*.md' })).toBe('deny');
    expect(decided('allow', { 'files.name': '*.md' })).toBeUndefined();
    expect(decided('allow', { 'files.name': '*.*' })).toBe('allow');
    expect(decided('allow', { 'files.size': '*' })).toBeUndefined();
    expect(decided('ask', { 'at.city': 'Oslo', no: null, on: true })).toBe('ask');
    expect(decided('ask', { 'at.city': 'Oslo', on: false })).toBeUndefined();
    expect(decided('ask', { at: '{"city":"Oslo"}' })).toBe('ask');
    expect(decided('deny', { __proto__: '*', constructor: '*' } as never)).toBeUndefined();
  });

  test('what cannot be read has no paths', () => {
    const broken: Call = { ...call('f', {}), item: { type: 'function_call', callId: 'c', name: 'f', arguments: '{', status: 'completed' } };
    expect(new ApprovalRules({ rules: [{ tool: 'f', arguments: { a: '*' }, decision: 'deny' }] }).verdictOn({ agent: 'Desk', call: broken })).toBeUndefined();
  });
});

test('M8: the first rule that fits decides, added ones before the others and the newest first; what the policy denies stays denied', () => {
  const rules = new ApprovalRules({ rules: [{ tool: 'delete', decision: 'deny', reason: 'Never.' }, { id: 'writes', tool: 'write', decision: 'ask' }], otherwise: 'ask' });
  expect([ask(rules, 'delete'), ask(rules, 'write'), ask(rules, 'read')]).toEqual([
    { decision: 'deny', rule: 'rule.1', reason: 'Never.' }, { decision: 'ask', rule: 'writes' }, { decision: 'ask', rule: 'otherwise' },
  ]);
  const first = rules.add({ tool: '*', decision: 'allow' });
  expect([ask(rules, 'delete')?.decision, ask(rules, 'write')?.rule, ask(rules, 'read')?.rule]).toEqual(['deny', first, first]);
  const second = rules.add({ tool: 'write', decision: 'deny' });
  expect(ask(rules, 'write')).toEqual({ decision: 'deny', rule: second });
  expect(rules.list.map(({ id }) => id)).toEqual([second, first, 'rule.1', 'writes']);
  expect([rules.remove(second), rules.remove(second), rules.remove('writes')]).toEqual([true, false, false]);
  expect([ask(rules, 'write')?.rule, rules.session.map(({ id }) => id)]).toEqual([first, [first]]);
});

test('M8: rules survive JSON, and those that are added later have ids of their own', () => {
  const rules = new ApprovalRules({ rules: [{ tool: { regex: '^a' }, agent: 'D*', arguments: { n: 1 }, decision: 'ask' }] });
  rules.add({ tool: 'b', decision: 'allow' });
  rules.add({ tool: 'c', decision: 'deny', reason: 'no' });
  const again = new ApprovalRules(JSON.parse(JSON.stringify(rules)) as ApprovalPolicy);
  expect(again.toJSON()).toEqual(rules.toJSON());
  expect(again.list).toEqual(rules.list);
  expect(again.add({ tool: 'd', decision: 'allow' })).toBe('session.3');
  expect(new ApprovalRules().isSilent).toBe(true);
  expect([rules.isSilent, new ApprovalRules({ rules: [], otherwise: 'ask' }).isSilent]).toEqual([false, false]);
});

test('D2: always is this agent, this tool and this server, whatever their names hold', () => {
  const item = (agent: string, name: string) => new RunToolApprovalItem({ type: 'function_call', callId: 'c', name, arguments: '{}', status: 'completed' }, new Agent({ name: agent }));
  expect(ApprovalRules.ruleFor(item('Desk', 'pay'))).toEqual({ tool: 'pay', agent: 'Desk', decision: 'allow' });
  expect(ApprovalRules.ruleFor(item('Desk', 'pay'), 'deny', 'No.')).toEqual({ tool: 'pay', agent: 'Desk', decision: 'deny', reason: 'No.' });
  const starry = new ApprovalRules({ rules: [ApprovalRules.ruleFor(item('A*(b)', 'pay'))] });
  expect([ask(starry, 'pay', {}, 'A*(b)')?.decision, ask(starry, 'pay', {}, 'Axx(b)')]).toEqual(['allow', undefined]);
  const hosted = new RunToolApprovalItem({ type: 'hosted_tool_call', id: 'h', name: 'mcp_approval_request', providerData: { server_label: 'shop' } }, new Agent({ name: 'Desk' }), 'buy');
  expect(ApprovalRules.ruleFor(hosted)).toEqual({ tool: 'buy', agent: 'Desk', server: 'shop', decision: 'allow' });
});

test('M8: what cannot be understood is refused where it is given, with the rule that is meant', () => {
  const complaint = (policy: unknown) => {
    try {
      new ApprovalRules(policy as ApprovalPolicy);
      return 'accepted';
    } catch (error) {
      return error instanceof UserError ? error.message : error;
    }
  };
  const rule = (more: object) => ({ rules: [{ tool: 'f', decision: 'ask', ...more }] });
  expect(complaint([])).toBe('An approval policy is an object with a list of `rules`.');
  expect(complaint({ rules: [], otherwise: 'never' })).toBe('`otherwise` of an approval policy must be tool, allow, ask, deny; got "never".');
  expect(complaint({ rules: ['f'] })).toBe('The approval rule rule.1 is no object.');
  expect(complaint(rule({ decision: 'yes' }))).toBe('The decision of the approval rule "rule.1" must be allow, ask, deny; got "yes".');
  expect(complaint(rule({ tool: 7 }))).toBe("`tool` of the approval rule \"rule.1\" must be a text, in which * stands for any characters, or { regex: '…' }; got 7.");
  expect(complaint(rule({ id: 'x', agent: { regex: '(' } }))).toMatch(/^`agent` of the approval rule "x" is no regular expression: Invalid regular expression/);
  expect(complaint(rule({ arguments: { a: ['b'] } }))).toBe("`arguments.a` of the approval rule \"rule.1\" must be a text, in which * stands for any characters, or { regex: '…' }, or a number, true, false or null; got [\"b\"].");
  expect(complaint(rule({ arguments: 'a' }))).toBe('`arguments` of the approval rule "rule.1" must be an object of patterns by path.');
  expect(complaint(rule({ reason: 7 }))).toBe('The reason of the approval rule "rule.1" must be a text.');
  expect(complaint(rule({ id: 'otherwise' }))).toBe('The id of the approval rule "otherwise" must be a text of its own.');
  expect(complaint({ rules: [{ id: 'a', tool: 'f', decision: 'ask' }, { id: 'a', tool: 'g', decision: 'ask' }] })).toBe('Two approval rules have the id "a". Give each one its own, or none.');
  const rules = new ApprovalRules({ rules: [{ id: 'a', tool: 'f', decision: 'ask' }] });
  expect(() => rules.add({ id: 'a', tool: 'f', decision: 'allow' })).toThrow(new UserError('There is an approval rule "a" already. Remove it first, or give the new one another id.'));
});
