/** The examples that the README shows print what the README says. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { calls, responds, says } from 'loopchart/testing';
import { printed } from './support/printed.ts';

const tested: string[] = [];
const example = (name: string, body: () => Promise<void>) => {
  tested.push(`${name}.ts`);
  test(name, body);
};

example('hello', async () => {
  const lines = await printed(() => import('./hello.ts'), [calls('weather', { city: 'Lisbon' }), says('No, it is sunny.')]);
  expect(lines).toEqual(['No, it is sunny.']);
});

example('approvals', async () => {
  const lines = await printed(() => import('./approvals.ts'), [calls('refund', { order: 7, amount: 120 }), says('I refunded 100.')]);
  expect(lines).toEqual(['May I? refund {"order":7,"amount":120}', 'I refunded 100.']);
});

example('guardrails', async () => {
  expect(await printed(() => import('./guardrails.ts'))).toEqual(['Stopped by "no card numbers": a card number']);
});

example('handoffs', async () => {
  const lines = await printed(() => import('./handoffs.ts'), [calls('transfer_to_Shipping', { reason: 'parcel' }), says('{"parcel":"A1","days":2}')]);
  expect(lines).toEqual(['Why: parcel', "Shipping { parcel: 'A1', days: 2 }"]);
});

example('nested', async () => {
  const lines = await printed(() => import('./nested.ts'), [calls('translate', { input: 'The sea is calm.' }), says('La mer est calme.'), says('The sea is calm. La mer est calme.')]);
  expect(lines).toEqual(['The sea is calm. La mer est calme. (3 requests)']);
});

example('sessions', async () => {
  expect(await printed(() => import('./sessions.ts'), [says('Hello Ada.'), says('Ada.')])).toEqual(['Ada. (4 items kept)']);
});

example('streaming', async () => {
  const lines = await printed(() => import('./streaming.ts'), [says('It shone.')]);
  expect(lines).toEqual(['It ', 'shone.', '[message_output_created]', 'It shone.']);
});

example('stopping', async () => {
  const lines = await printed(() => import('./stopping.ts'), [calls('read', { page: 1 }), says('It is about whales.'), calls('read', { page: 9 }), says('More whales.')]);
  expect(lines).toEqual(['undefined 2', 'It is about whales.', 'More whales.']);
});

example('durable', async () => {
  const lines = await inFolder(() => printed(() => import('./durable.ts'), [calls('parcel', { id: 'A1' }), says('It is in Lisbon.')]));
  expect(lines).toEqual(['It is in Lisbon.']);
});

example('threads', async () => {
  const lines = await inFolder(() => printed(() => import('./threads.ts'), [calls('book', { to: 'Porto', day: 'Friday' }), says('You go to Porto on Friday.'), says('The Station Hotel.')]));
  expect(lines).toEqual(['accepted', 'You go to Porto on Friday.', 'The Station Hotel.']);
});

example('asking', async () => {
  const lines = await printed(() => import('./asking.ts'), [calls(['choose_seat', { free: ['12A', '12B'] }], ['pay', { sum: 120 }], ['pay', { sum: 0 }]), says('You sit on 12A.')]);
  expect(lines).toEqual(['You sit on 12A.']);
});

example('limits', async () => {
  const lines = await printed(() => import('./limits.ts'), [says('On Monday.'), says('On Tuesday.')]);
  expect(lines[0]).toBe('On Tuesday.');
  expect(lines[1]).toMatch(/budget/i);
});

example('effects', async () => {
  const lines = await printed(() => import('./effects.ts'), [responds(calls('pay', { invoice: '7', amount: 30 }), calls('letter', { to: 'Ada' })), says('Paid, and Ada knows.')]);
  expect(lines).toEqual(['Paid, and Ada knows.']);
});

example('events', async () => {
  const lines = await printed(() => import('./events.ts'), [calls('add', { a: 1, b: 2 }), says('It is 3.')]);
  expect(lines).toEqual([
    '1 run.started', '2 agent.started', '3 turn.started', '4 item.started', '5 tool.started', '6 item.completed',
    '7 turn.settled again because callsNeedAnswer', '8 turn.started', '9 item.started', '10 item.completed',
    '11 turn.settled final because isFinalOutput', '12 run.settled',
  ]);
});

example('embedding', async () => {
  const lines = await printed(() => import('./embedding.ts'));
  expect(lines).toEqual(['run.started', 'run.settled', 'completed greeter read 1 item']);
});

example('testing', async () => {
  expect(await printed(() => import('./testing.ts'))).toEqual([]);
});

example('inspector', async () => {
  const [opened, answer] = await printed(() => import('./inspector.ts'), [says('Hello.')]);
  expect(opened).toMatch(/^Open http:\/\/127\.0\.0\.1:\d+\//);
  expect(answer).toBe('Hello.');
});

example('drawing', async () => {
  const [mermaid] = await printed(() => import('./drawing.ts'));
  expect(mermaid).toMatch(/stateDiagram-v2[^]*tripwireBesideAgent/);
});

/** What an example keeps, it keeps where it is run. */
async function inFolder<Value>(body: () => Promise<Value>): Promise<Value> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'loopchart-example-'));
  process.chdir(folder);
  try {
    return await body();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}

test('every example is tested', () => {
  const examples = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  expect(tested.toSorted()).toEqual(examples.toSorted());
});
