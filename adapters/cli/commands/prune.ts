/** `loopchart prune`: forgets runs that ended long ago. */
import { isPrunable } from '../../../actors/journal.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { openJournal, tellDamaged } from '../journal/place.ts';
import { runTable } from '../journal/runTable.ts';
import { localTime } from '../journal/times.ts';
import type { PruneOptions } from '../options.ts';

export async function prune({ journal: named, before, dryRun }: PruneOptions): Promise<ExitCode> {
  const opened = await openJournal(named, dryRun ? 'read' : 'write');
  const { journal, where } = opened;
  try {
    if (dryRun) {
      const all = await journal.list();
      tellDamaged(opened);
      const old = all.filter((run) => isPrunable(run, { settledBefore: before }));
      const columns = process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
      const table = old.length > 0 ? runTable(old, { columns, ids: all.map(({ runId }) => runId), now: Date.now() }) : [];
      process.stdout.write([...table, `${counted(old.length)} in ${where} would be removed: ended, and last written to before ${localTime(before)}. ${counted(all.length - old.length)} would stay.`, ''].join('\n'));
      return EXIT.completed;
    }
    const removed = await journal.prune({ settledBefore: before });
    const { length: left } = await journal.list();
    tellDamaged(opened);
    process.stdout.write(`${counted(removed)} removed from ${where}: ended, and last written to before ${localTime(before)}. ${counted(left)} left.\n`);
    return EXIT.completed;
  } finally {
    await journal.close();
  }
}

const counted = (count: number) => `${count} ${count === 1 ? 'run' : 'runs'}`;
