import type { ActorRefLike, InspectionEvent, Snapshot } from 'xstate';
import type { InspectedActor } from './redact.ts';

/** An actor that has been announced, kept so that it can be announced again to whoever connects late. */
export interface RegisteredActor extends InspectedActor {
  rootId: string;
  parentId: string | undefined;
  /** Milliseconds since the epoch, at which the actor was created. */
  createdAt: number;
  /** The `config` of its logic; the same object for all actors of one chart. */
  config: unknown;
  /** The latest snapshot: as it is while the actor lives, its status and value only once it has finished. */
  snapshot(): unknown;
}

/** All actors of all inspected systems, oldest first. Bounded, and holds on to no context of an actor that has finished. */
export class ActorRegister {
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;
  readonly #forgotten: (sessionId: string) => void;

  /** `forgotten` is told of every actor that had to go for lack of room. */
  constructor(most: number, forgotten: (sessionId: string) => void) {
    this.#most = most;
    this.#forgotten = forgotten;
  }

  add({ actorRef, rootId }: InspectionEvent): RegisteredActor {
    const entry = new Entry(actorRef as InspectableRef, rootId);
    this.#entries.set(entry.sessionId, entry);
    if (this.#entries.size > this.#most) this.#makeRoom();
    return entry;
  }

  get(sessionId: string): RegisteredActor | undefined {
    return this.#entries.get(sessionId);
  }

  values(): IterableIterator<RegisteredActor> {
    return this.#entries.values();
  }

  finish(sessionId: string, snapshot: Snapshot<unknown>): void {
    this.#entries.get(sessionId)?.finish(snapshot);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** A tenth at a time, so that making room costs next to nothing per actor. */
  #makeRoom(): void {
    const target = Math.floor(this.#most * 0.9);
    const oldestFirst = [...this.#entries.values()];
    for (const entry of [...oldestFirst.filter((one) => one.finished), ...oldestFirst.filter((one) => !one.finished)]) {
      if (this.#entries.size <= target) return;
      this.#entries.delete(entry.sessionId);
      this.#forgotten(entry.sessionId);
    }
  }
}

/** What XState's references have beyond their declared type, and the inspector's own protocol is built from. */
interface InspectableRef extends ActorRefLike {
  id: string;
  src?: unknown;
  logic?: { config?: unknown; id?: unknown; root?: unknown };
  _parent?: { sessionId: string };
}

class Entry implements RegisteredActor {
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly src: string | undefined;
  readonly isMachine: boolean;
  readonly createdAt = Date.now();
  readonly config: unknown;
  finished = false;
  /** Weak, so that a system that was dropped without being stopped can be collected. */
  readonly #ref: WeakRef<InspectableRef>;
  #last: unknown = { status: 'stopped' };

  constructor(ref: InspectableRef, rootId: string) {
    this.sessionId = ref.sessionId;
    this.rootId = rootId;
    this.parentId = ref._parent?.sessionId;
    this.src = typeof ref.src === 'string' ? ref.src : undefined;
    this.isMachine = ref.logic?.root !== undefined;
    this.config = this.isMachine ? ref.logic?.config : undefined;
    this.name = nameOf(ref, this.src);
    this.#ref = new WeakRef(ref);
  }

  snapshot(): unknown {
    if (this.finished) return this.#last;
    try {
      return this.#ref.deref()?.getSnapshot() ?? this.#last;
    } catch {
      // An actor is announced before it has its first snapshot, and then refuses to be asked.
      return { status: 'active' };
    }
  }

  finish(snapshot: Snapshot<unknown>): void {
    const { status, value } = snapshot as { status: string; value?: unknown };
    this.#last = value === undefined ? { status } : { status, value };
    this.finished = true;
  }
}

/** XState gives an actor without an id its session id, which says nothing. */
function nameOf(ref: InspectableRef, src: string | undefined): string {
  const given = ref.id === ref.sessionId ? undefined : ref.id;
  const own = given ?? (typeof ref.logic?.id === 'string' ? ref.logic.id : undefined);
  if (own === undefined) return src ?? ref.sessionId;
  return src === undefined || own.includes(src) ? own : `${own} (${src})`;
}
