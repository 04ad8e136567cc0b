/** A process of its own with a journal, which does what it is told and answers. Started by `journalProcess`. */
import type { Journal } from '../../../../actors/journal.ts';
import { FileJournal } from '../../../../adapters/journals/file.ts';
import { SqliteJournal } from '../../../../adapters/journals/sqlite.ts';
import type { Fought, Order } from './journalProcess.ts';
import { entry } from './entries.ts';

const [kind, path, leaseMs] = process.argv.slice(2);
const options = { leaseMs: Number(leaseMs), onRepair: () => undefined };
const journal: Journal = kind === 'file' ? new FileJournal(path!, options) : new SqliteJournal(path!, options);

process.on('message', (order: Order) => void answer(order));
process.send!('ready');

async function answer(order: Order): Promise<void> {
  try {
    process.send!({ value: await obey(order) });
  } catch (error) {
    process.send!({ error: (error as Error).name, message: (error as Error).message }); // Told to whoever asked.
  }
}

async function obey(order: Order): Promise<unknown> {
  switch (order.type) {
    case 'open':
      while (Date.now() < order.at) continue; // all begin in the same millisecond
      return journal.open(order.runId);
    case 'append': return journal.append(order.runId, order, order.names.map((name, index) => entry(order.runId, order.position + index, name)));
    case 'release': return journal.release(order.runId, order.epoch);
    case 'fight': return fight(order.runId, order.forMs);
    case 'appendForEver': return appendForEver(order.runId);
  }
}

/** One entry after another, each told when it is written. */
async function appendForEver(runId: string): Promise<never> {
  const { epoch, length } = await journal.open(runId);
  for (let position = length; ; position += 1) {
    await journal.append(runId, { epoch, position }, [entry(runId, position, `entry ${position} ${'x'.repeat(position % 5_000)}`)]);
    await new Promise<void>((resolve) => process.send!({ written: position }, () => resolve()));
  }
}

/** Takes the run from whoever has it, whenever that can be done, and writes as long as it is let. */
async function fight(runId: string, forMs: number): Promise<Fought> {
  const fought: Fought = { written: {}, refused: [], claims: 0 };
  let count = 0;
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    try {
      const { epoch, length } = await journal.open(runId);
      fought.claims += 1;
      for (let position = length; ; position += 2) await attempt({ epoch, position });
    } catch (error) {
      if ((error as Error).name !== 'JournalConflict') throw error; // Expected of a run that others fight for.
    }
  }
  return fought;

  async function attempt(at: { epoch: number; position: number }): Promise<void> {
    const names = [0, 1].map((part) => `${process.pid}.${count}.${part}`);
    count += 1;
    fought.refused.push(...names);
    await journal.append(runId, at, names.map((name, index) => entry(runId, at.position + index, name)));
    fought.refused.splice(-2);
    names.forEach((name, index) => { fought.written[at.position + index] = name; });
    if (count % 5 === 0) await journal.release(runId, at.epoch);
  }
}
