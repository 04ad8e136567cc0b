/** A journal that tells the ledger when an append begins and when it is acknowledged. */
import type { Journal } from '../../index.ts';
import type { Ledger } from './ledger.ts';

export function watched(journal: Journal, ledger: Ledger): Journal {
  return {
    open: (runId) => journal.open(runId),
    append(runId, at, entries) {
      const told = { run: runId, position: at.position, count: entries.length };
      void ledger.note({ what: 'writes', ...told }); // written when it returns
      const written = journal.append(runId, at, entries);
      if (written instanceof Promise) return written.then(() => void ledger.note({ what: 'wrote', ...told }));
      void ledger.note({ what: 'wrote', ...told });
    },
    release: (runId, epoch) => journal.release(runId, epoch),
    read: (runId, from) => journal.read(runId, from),
    list: (filter) => journal.list(filter),
    tail: (runId, from, signal) => journal.tail(runId, from, signal),
    keepCheckpoint: (runId, at, text) => journal.keepCheckpoint?.(runId, at, text),
    readCheckpoint: (runId) => journal.readCheckpoint?.(runId),
    remove: (runId) => journal.remove(runId),
    prune: (retention) => journal.prune(retention),
    close: () => journal.close(),
  };
}
