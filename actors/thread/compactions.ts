/** What became of compactions that were asked for. */
import { errorOf } from '../toError.ts';
import type { RunScope } from '../scope.ts';
import type { Compaction, ThreadEvent } from './types.ts';

type Waiting = (compaction: Compaction) => void;

export class Compactions {
  #waiting: Waiting[] = [];
  readonly #home: () => Pick<RunScope, 'causeOf' | 'agent'>;

  /** @param home in whose words a failure is told. */
  constructor(home: () => Pick<RunScope, 'causeOf' | 'agent'>) {
    this.#home = home;
  }

  /** Resolves when the next one has ended that is of the thread or of its run, or when there will be none. */
  next(): Promise<Compaction> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  heard(event: ThreadEvent): void {
    if (event.type === 'compaction.completed' && !isBeside(event.path)) this.#tell({ status: 'completed', before: event.before, after: event.after, dropped: event.dropped });
    else if (event.type === 'compaction.failed') this.#tell({ status: 'failed', error: errorOf(this.#home(), event.failure) });
    else if (event.type === 'run.settled' && event.outcome.failure?.code === 'compaction' && !isBeside(event.path)) this.#tell({ status: 'failed', error: errorOf(this.#home(), event.outcome.failure) });
    else if (event.type === 'thread.changed' && event.state !== 'active') this.end();
  }

  /** There will be none. */
  end(): void {
    this.#tell({ status: 'dropped' });
  }

  #tell(compaction: Compaction): void {
    for (const tell of this.#waiting.splice(0)) tell(compaction);
  }
}

/** Of an agent that is used as a tool, or works beside the runs: it has a conversation of its own. */
const isBeside = (path: string) => path.includes('/background.') || path.includes('/toolCall.');
