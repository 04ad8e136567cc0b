/** A process of its own with a journal, which does what it is told by messages. */
import { PostgresJournal, type PostgresJournalOptions } from '../../../adapters/journals/postgres.ts';
import type { JournalEntry } from '../../../machines/protocol/journal.ts';

export type Order =
  | { act: 'open'; runId: string }
  | { act: 'append'; runId: string; at: { epoch: number; position: number }; entries: JournalEntry[] }
  | { act: 'list' }
  | { act: 'close' };
export type Answer = { value: unknown } | { error: { name: string; message: string } };

const [connection = '', options = '{}'] = process.argv.slice(2);
const journal = new PostgresJournal(connection, JSON.parse(options) as PostgresJournalOptions); // what the test gave

process.on('message', (order: Order) => {
  const answer = (said: Answer) => process.send!(said);
  obey(order).then((value) => answer({ value }), ({ name, message }: Error) => answer({ error: { name, message } }));
});

async function obey(order: Order): Promise<unknown> {
  switch (order.act) {
    case 'open': return journal.open(order.runId);
    case 'append': return journal.append(order.runId, order.at, order.entries);
    case 'list': return journal.list();
    case 'close': return journal.close();
  }
}
