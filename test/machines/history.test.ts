import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemsOfTurn, partialMessage, recordsOfTurn, resultWithout, textOf, wellFormed } from '../../machines/history.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import type { CallStatus } from '../../machines/protocol/call.ts';
import { asked, callItem, callOf, handoffTo, responseOf, resultItem, resultOf, said } from './samples.ts';

const RESULT_OF: Record<string, string> = {
  function_call: 'function_call_result',
  computer_call: 'computer_call_result',
  shell_call: 'shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
};

const isCall = (item: AgentInputItem) => (item.type ?? 'message') in RESULT_OF;
const isResult = (item: AgentInputItem) => Object.values(RESULT_OF).includes(item.type ?? 'message');
const identityOf = (item: AgentInputItem) => `${RESULT_OF[item.type!] ?? item.type} ${(item as { callId: string }).callId}`;

/** G3 by counting and not by pairing: between two messages, results answer the calls before them, each once. */
function flawIn(items: readonly AgentInputItem[]): string | undefined {
  const owed = new Map<string, number>();
  for (const [at, item] of items.entries()) {
    if (isCall(item)) owed.set(identityOf(item), (owed.get(identityOf(item)) ?? 0) + 1);
    else if (isResult(item)) {
      const count = owed.get(identityOf(item)) ?? 0;
      if (count === 0) return `result ${at} answers no call`;
      owed.set(identityOf(item), count - 1);
    } else if ('role' in item && [...owed.values()].some((count) => count > 0)) return `message ${at} comes before a result`;
  }
  return [...owed.values()].some((count) => count > 0) ? 'a call has no result at the end' : undefined;
}

/** Few ids, so that calls and results meet, repeat and miss each other. */
const callId = fc.constantFrom('a', 'b', 'c');
const item: fc.Arbitrary<AgentInputItem> = fc.oneof(
  fc.string({ maxLength: 3 }).map(asked),
  fc.string({ maxLength: 3 }).map(said),
  fc.constant<AgentInputItem>({ type: 'reasoning', content: [] }),
  fc.constant<AgentInputItem>({ type: 'hosted_tool_call', name: 'web_search' }),
  callId.map((id): AgentInputItem => callItem(id)),
  callId.map((id): AgentInputItem => resultItem(id)),
  callId.map((id): AgentInputItem => ({ type: 'shell_call', callId: id, action: { commands: ['ls'] } })),
  callId.map((id): AgentInputItem => ({ type: 'shell_call_output', callId: id, output: [] })),
  callId.map((id): AgentInputItem => ({ type: 'computer_call', callId: id, status: 'completed', action: { type: 'screenshot' } })),
  callId.map((id): AgentInputItem => ({ type: 'computer_call_result', callId: id, output: { type: 'computer_screenshot', data: '' } })),
  callId.map((id): AgentInputItem => ({ type: 'apply_patch_call', callId: id, status: 'completed', operation: { type: 'delete_file', path: 'x' } })),
  callId.map((id): AgentInputItem => ({ type: 'apply_patch_call_output', callId: id, status: 'completed' })),
);
const history = fc.array(item, { maxLength: 14 });

describe('G3: a history made fit for a model, whatever it was', () => {
  test('is well formed, by a checker that knows nothing of how it was made', () => {
    fc.assert(fc.property(history, (items) => void expect(flawIn(wellFormed(items))).toBeUndefined()), { numRuns: 2_000 });
  });

  test('stays as it is when it is made fit again', () => {
    fc.assert(fc.property(history, (items) => void expect(wellFormed(wellFormed(items))).toEqual(wellFormed(items))));
  });

  test('keeps everything that is neither call nor result, and every call, in order', () => {
    const kept = (items: readonly AgentInputItem[]) => items.filter((one) => !isResult(one));
    fc.assert(fc.property(history, (items) => void expect(kept(wellFormed(items))).toEqual(kept(items))));
  });

  test('is the same objects where nothing was wrong, and the argument is not changed', () => {
    fc.assert(
      fc.property(history, (items) => {
        const before = structuredClone(items);
        const fit = wellFormed(items);
        expect(items).toEqual(before);
        if (flawIn(items) === undefined) expect(new Set(fit)).toEqual(new Set(items));
      }),
    );
  });

  test('a result that came is never replaced by one that says `aborted`', () => {
    const answered = [callItem('a'), asked('hello'), resultItem('a')];
    expect(wellFormed(answered)).toEqual([callItem('a'), resultItem('a'), asked('hello')]);
  });

  test('results of calls with the same id stand in the order of those calls; those of an earlier part stay without', () => {
    const twice = (id: string, text: string): AgentInputItem => ({ ...resultItem(id), output: { type: 'text' as const, text } });
    const sideBySide = [callItem('a', 'one'), callItem('a', 'two'), twice('a', 'first'), twice('a', 'second')];
    expect(wellFormed([...sideBySide, asked('next'), callItem('a'), twice('a', 'third')])).toEqual([...sideBySide, asked('next'), callItem('a'), twice('a', 'third')]);
    expect(wellFormed([callItem('a', 'one'), callItem('a', 'two'), twice('a', 'only')])).toEqual([
      callItem('a', 'one'), callItem('a', 'two'), twice('a', 'only'), { type: 'function_call_result', name: 'two', callId: 'a', status: 'incomplete', output: 'aborted' },
    ]);
  });

  test('missing results read `aborted`, each of the kind that its call asks for', () => {
    const calls: AgentInputItem[] = [
      { ...callItem('a'), namespace: 'shop' },
      { type: 'shell_call', callId: 'b', action: { commands: ['ls'] } },
      { type: 'apply_patch_call', callId: 'c', status: 'completed', operation: { type: 'delete_file', path: 'x' } },
      { type: 'computer_call', callId: 'd', status: 'completed', action: { type: 'screenshot' } },
    ];
    expect(wellFormed(calls).slice(4)).toEqual([
      { type: 'function_call_result', name: 'look', namespace: 'shop', callId: 'a', status: 'incomplete', output: 'aborted' },
      { type: 'shell_call_output', callId: 'b', output: [{ stdout: '', stderr: 'aborted', outcome: { type: 'exit', exitCode: null } }] },
      { type: 'apply_patch_call_output', callId: 'c', status: 'failed', output: 'aborted' },
      { type: 'computer_call_result', callId: 'd', output: { type: 'computer_screenshot', data: expect.stringMatching(/^data:image\/png;base64,/) } },
    ]);
  });
});

describe('C3: what a turn adds to the history', () => {
  const response = responseOf([callOf(0), callOf(1)]);
  const results = { 1: resultOf(callOf(1)), 0: resultOf(callOf(0)) };

  test('is all calls, then all results in the order of the calls', () => {
    expect(itemsOfTurn(response, results)).toEqual([callItem('call_0'), callItem('call_1'), resultItem('call_0'), resultItem('call_1')]);
  });

  test('leaves out results that are not there, and is nothing without a response', () => {
    expect(itemsOfTurn(response, { 1: results[1] })).toEqual([callItem('call_0'), callItem('call_1'), resultItem('call_1')]);
    expect(itemsOfTurn(null, results)).toEqual([]);
    expect(recordsOfTurn('asker', null, results)).toEqual([]);
  });

  test('has records that stand beside the items one by one', () => {
    const withHandoff = { ...response, items: [...response.items, handoffTo('other').item, said('text')], handoff: handoffTo('other') };
    const records = recordsOfTurn('asker', withHandoff, results);
    expect(records.map(({ rawItem }) => rawItem)).toEqual(itemsOfTurn(withHandoff, results));
    expect(records.map(({ type }) => type)).toEqual([
      'tool_call_item', 'tool_call_item', 'handoff_call_item', 'message_output_item', 'tool_call_output_item', 'tool_call_output_item',
    ]);
    expect(new Set(records.map(({ agent }) => agent))).toEqual(new Set(['asker']));
  });
});

describe('the result of a call that no body produced', () => {
  test.each<[CallStatus, string]>([['aborted', 'incomplete'], ['rejected', 'completed'], ['failed', 'completed'], ['skipped', 'completed']])('%s: the item of a function call reads %s', (status, expected) => {
    expect(resultWithout(callOf(0), status, 'why')).toEqual({
      status,
      output: 'why',
      item: { type: 'function_call_result', name: 'look', callId: 'call_0', status: expected, output: { type: 'text', text: 'why' } },
    });
  });

  test('D2: a hosted call that was rejected is answered with an approval response', () => {
    const call = { ...callOf(0), item: { type: 'hosted_tool_call' as const, name: 'mcp_approval_request', providerData: { id: 'approval_1' } } };
    expect(resultWithout(call, 'rejected', 'no').item).toMatchObject({ type: 'hosted_tool_call', name: 'mcp_approval_response', providerData: { approve: false, approval_request_id: 'approval_1', reason: 'no' } });
  });

  test('makes a history with its call well formed, for every kind of call', () => {
    const items: AgentInputItem[] = [callItem('a'), { type: 'shell_call', callId: 'a', action: { commands: [] } }, { type: 'apply_patch_call', callId: 'a', status: 'completed', operation: { type: 'delete_file', path: 'x' } }, { type: 'computer_call', callId: 'a', status: 'completed', action: { type: 'screenshot' } }];
    for (const one of items) {
      const { item: result } = resultWithout({ ...callOf(0), item: one as ReturnType<typeof callItem> }, 'aborted', 'why'); // any call item will do
      expect(flawIn([one, result])).toBeUndefined();
    }
  });
});

test('A4: the text of a response is that of its assistant messages, in order', () => {
  expect(textOf([asked('question'), said('one '), callItem('a'), said('two')])).toBe('one two');
  expect(textOf([])).toBe('');
});

test('J2: text that was cut is a message marked incomplete', () => {
  expect(partialMessage('half')).toEqual({ type: 'message', role: 'assistant', status: 'incomplete', content: [{ type: 'output_text', text: 'half' }] });
});
