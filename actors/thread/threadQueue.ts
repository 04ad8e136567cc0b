/** Input that waits, each entry to be a run of its own. */
import { inputOf, placeOf } from './inputs.ts';
import type { RunHandle } from './runHandle.ts';
import type { QueueEntry, Receipt, RunOverrides, ThreadQueue, ThreadRun, ThreadText } from './types.ts';
import type { ThreadCommand } from '../../machines/protocol/thread.ts';

/** A command without what every command has. */
export type Saying = ThreadCommand extends infer Command ? (Command extends ThreadCommand ? Omit<Command, 'id' | 'at'> : never) : never;
/** What a queue needs of its thread. */
export interface QueueHome {
  entries(): readonly QueueEntry[];
  tell(command: Saying, id?: string): Promise<Receipt>;
  /** @throws UserError for what a run cannot be told. */
  overrides(options: RunOverrides): RunOverrides | undefined;
  handle(id: string | undefined, ask: (handle: RunHandle) => Promise<Receipt>): ThreadRun;
}

export class InputQueue implements ThreadQueue {
  readonly #home: QueueHome;

  constructor(home: QueueHome) {
    this.#home = home;
  }

  list(): readonly QueueEntry[] {
    return this.#home.entries();
  }

  add(input: ThreadText, { id: given, ...options }: RunOverrides & { id?: string } = {}): ThreadRun {
    return this.#home.handle(given, async ({ id }) => {
      const overrides = this.#home.overrides(options);
      return this.#home.tell({ type: 'queue.add', entry: { id, input: inputOf(input), ...(overrides && { overrides }) } }, id);
    });
  }

  async edit(id: string, { input, ...options }: { input?: ThreadText } & RunOverrides): Promise<Receipt> {
    const overrides = this.#home.overrides(options);
    return this.#home.tell({ type: 'queue.edit', entry: { id, ...(input !== undefined && { input: inputOf(input) }), ...(overrides && { overrides }) } });
  }

  async move(id: string, to: number): Promise<Receipt> {
    return this.#home.tell({ type: 'queue.move', entryId: id, to: placeOf(to) });
  }

  remove(id: string): Promise<Receipt> {
    return this.#home.tell({ type: 'queue.remove', entryId: id });
  }

  resume(): Promise<Receipt> {
    return this.#home.tell({ type: 'queue.resume' });
  }
}
