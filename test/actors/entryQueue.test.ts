import { expect, test } from 'vitest';
import { EntryQueue, type QueueSteps } from '../../actors/entryQueue.ts';
import type { Incoming, JournalEntry } from '../../machines/protocol/journal.ts';

const started = (id: string): Incoming => ({ type: 'effect.started', id });
const done = (id: string): Incoming => ({ type: 'effect.done', id, outcome: { status: 'ok', value: null } });

/** A queue whose steps are written down; writes end when the test says so, or at once. */
function queueOf(steps: Partial<QueueSteps> = {}) {
  const log: string[] = [];
  const writes: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const names = (entries: JournalEntry[]) => entries.map((entry) => ('id' in entry ? entry.id : entry.type)).join('+');
  const queue = new EntryQueue({
    admit: (batch) => batch.map((incoming) => ({ ...incoming, at: 0 })),
    write: (entries) => {
      log.push(`write ${names(entries)}`);
      return new Promise((resolve, reject) => writes.push({ resolve, reject }));
    },
    apply: (entries) => void log.push(`apply ${names(entries)}`),
    broke: (error) => void log.push(`broke: ${String(error)}`),
    rested: () => void log.push('rested'),
    ...steps,
  });
  return { queue, log, writes };
}

const turn = async () => { for (let nth = 0; nth < 5; nth += 1) await Promise.resolve(); };

test('what comes in while another batch is written waits until that is applied', async () => {
  const { queue, log, writes } = queueOf();
  queue.push([done('a')]);
  queue.push([done('b')]);
  expect(log).toEqual(['write a']);
  writes[0]!.resolve();
  await turn();
  expect(log).toEqual(['write a', 'apply a', 'write b']);
  writes[1]!.resolve();
  await turn();
  expect(log).toEqual(['write a', 'apply a', 'write b', 'apply b', 'rested']);
});

test('bodies that begin one after the other are written together, with nothing else between or beside them', async () => {
  const { queue, log, writes } = queueOf();
  queue.push([done('a')]);
  for (const incoming of [started('b'), started('c'), done('d'), started('e')]) queue.push([incoming]);
  for (let nth = 0; nth < 4; nth += 1) {
    writes[nth]!.resolve();
    await turn();
  }
  expect(log.filter((line) => line.startsWith('write'))).toEqual(['write a', 'write b+c', 'write d', 'write e']);
});

test('a journal that answers at once applies in the same step, and what an application brings comes after it', () => {
  const { queue, log } = queueOf({
    write: () => undefined,
    apply: ([entry]) => {
      log.push(`apply ${(entry as { id: string }).id}`);
      if ((entry as { id: string }).id === 'a') queue.push([done('b')]);
      log.push('applied');
    },
  });
  queue.push([done('a')]);
  expect(log).toEqual(['apply a', 'applied', 'apply b', 'applied', 'rested']);
});

test('what nobody wants is not written', () => {
  const { queue, log } = queueOf({ admit: () => [] });
  queue.push([done('a')]);
  expect(log).toEqual(['rested']);
});

test('what could not be written is not applied; what comes after it is asked about anew', async () => {
  let isBroken = false;
  const { queue, log, writes } = queueOf({
    admit: (batch) => (isBroken ? [] : batch.map((incoming) => ({ ...incoming, at: 0 }))),
    broke: (error) => {
      isBroken = true;
      log.push(String(error));
    },
  });
  queue.push([done('a')]);
  queue.push([done('b')]);
  writes[0]!.reject(new Error('disk full'));
  await turn();
  expect(log).toEqual(['write a', 'Error: disk full', 'rested']);
});
