/** One process, as far as a run can see: it writes, has a clock, begins effects; and after its death none of that any more. */
import { JournalConflict, type Clock, type Journal, type JournalEntry, type MemoryJournal } from 'loopchart';
import type { Fortune } from './fate.ts';

const NEVER = new Promise<never>(() => undefined);

export interface LifeOptions {
  store: MemoryJournal;
  clock: Clock;
  fate: Fortune;
  /** How long the journal takes for a write, as one on a disk. */
  delay?: () => Promise<unknown>;
  opened?: (runId: string) => void;
}

export class Life {
  readonly journal: Journal;
  readonly clock: Clock & { readonly armed: number };
  /** Resolves when the process dies, or stands still. */
  readonly gone: Promise<void>;
  /** Dead. */
  isOver = false;
  /** Stands still, or has stood still so long that others may have the run. */
  isSuperseded = false;
  /** Has lost the run and goes on: it finds out that the run is not its own any more. */
  isThawed = false;
  /** The run that was opened last. */
  runId: string | undefined;
  readonly #timers = new Set<unknown>();
  readonly #claims = new Map<string, number>();
  readonly #with: LifeOptions;
  readonly #thawed: Promise<void>;
  #thaw: () => void = () => undefined;
  #go: () => void = () => undefined;

  constructor(options: LifeOptions) {
    this.#with = options;
    this.gone = new Promise((resolve) => (this.#go = resolve));
    this.#thawed = new Promise((resolve) => (this.#thaw = resolve));
    this.clock = this.#mortalClock(options.clock);
    this.journal = this.#mortalJournal(options.store);
    lives.set(this.clock, this);
  }

  /** Others may have what it had. */
  get isGone(): boolean {
    return this.isOver || this.isSuperseded;
  }

  /** What a process held is free when it is gone; its timers never fire. */
  end(): void {
    this.isOver = true;
    for (const timer of this.#timers) this.#with.clock.clearTimeout(timer);
    this.#letGo();
  }

  /** Its lease is over, and it does not know. */
  lapse(): void {
    [this.isSuperseded, this.isThawed] = [true, true];
    this.#thaw();
    this.#letGo();
  }

  /** It goes on as if nothing had happened; its lease was over long ago. */
  thaw(): void {
    this.isThawed = this.isSuperseded;
    this.#thaw();
  }

  #letGo(): void {
    for (const [runId, epoch] of this.#claims) this.#with.store.release(runId, epoch);
    this.#go();
  }

  #mortalJournal(store: MemoryJournal): Journal {
    const open: Journal['open'] = (runId) => {
      if (this.isOver) return NEVER;
      const claim = store.open(runId);
      this.runId = runId;
      this.#with.opened?.(runId);
      this.#claims.set(runId, claim.epoch);
      return claim;
    };
    return {
      open,
      append: (runId, at, entries) => this.#append(entries, () => store.append(runId, at, entries)),
      release: (runId, epoch) => (this.isOver ? undefined : store.release(runId, epoch)),
      read: (runId, from) => store.read(runId, from),
      keepCheckpoint: (runId, at, text) => (this.isOver ? undefined : store.keepCheckpoint(runId, at, text)),
      readCheckpoint: (runId) => store.readCheckpoint(runId),
      list: (filter) => store.list(filter),
      tail: (runId, from, signal) => store.tail(runId, from, signal),
      remove: (runId) => store.remove(runId),
      prune: (retention) => store.prune(retention),
      close: () => undefined,
    };
  }

  #append(entries: readonly JournalEntry[], write: () => void): Promise<void> | void {
    if (this.isOver) return NEVER;
    const blow = this.#with.fate.next(entries.map(kindOf).join(' + '));
    switch (blow) {
      case undefined:
        return this.#with.delay ? this.#with.delay().then(() => (this.isOver ? NEVER : write())) : write();
      case 'refused':
        throw new Error('The disk is full.');
      case 'torn':
        write();
        throw new Error('The disk is gone.');
      case 'frozen':
        this.isSuperseded = true;
        this.#letGo();
        return this.#thawed.then(write);
      case 'before':
      case 'after':
        if (blow === 'after') write();
        this.end();
        return NEVER;
    }
  }

  #mortalClock(world: Clock): Life['clock'] {
    const timers = this.#timers;
    return {
      now: () => world.now(),
      setTimeout: (callback, ms) => {
        if (this.isOver) return undefined;
        const timer = world.setTimeout(() => {
          timers.delete(timer);
          if (this.isSuperseded) void this.#thawed.then(callback);
          else callback();
        }, ms);
        timers.add(timer);
        return timer;
      },
      clearTimeout(timer) {
        timers.delete(timer);
        world.clearTimeout(timer);
      },
      get armed() {
        return timers.size;
      },
    };
  }
}

const lives = new WeakMap<Clock, Life>();
/** The process in which an effect runs is known by its clock. */
export const lifeOf = (clock: Clock): Life | undefined => lives.get(clock);

export const kindOf = (entry: JournalEntry): string =>
  entry.type === 'command' ? entry.command.type : 'id' in entry ? `${entry.type} ${entry.id.slice(entry.id.lastIndexOf('/') + 1)}` : entry.type;

/** The journal failed, or others have the run: nothing is lost, it is looked up again. */
export const isJournalTrouble = (error: unknown): boolean => error instanceof JournalConflict || (error instanceof Error && /^The disk is/.test(error.message));
