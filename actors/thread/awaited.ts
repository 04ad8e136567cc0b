/** What those wait for who have told a thread something: runs, deliveries, compactions. */
import type { RunScope } from '../scope.ts';
import { Compactions } from './compactions.ts';
import { Deliveries } from './deliveries.ts';
import { RunHandles } from './runHandles.ts';
import type { ThreadEvent } from './types.ts';

export class Awaited {
  readonly runs = new RunHandles();
  readonly deliveries = new Deliveries();
  readonly compactions: Compactions;

  /** @param home in whose words a failure of the thread itself is told. */
  constructor(home: () => Pick<RunScope, 'causeOf' | 'agent'>) {
    this.compactions = new Compactions(home);
  }

  heard(event: ThreadEvent, isReplayed: boolean): void {
    if (event.type === 'input.accepted') this.runs.begun(event);
    if (event.type === 'queue.changed') this.runs.queued(event.queue);
    this.deliveries.heard(event);
    if (!isReplayed) this.compactions.heard(event);
  }

  /** Nothing more is heard, for this reason. */
  end(reason: unknown): void {
    this.deliveries.end();
    this.runs.end(reason);
    this.compactions.end();
  }
}
