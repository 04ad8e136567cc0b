import type { StatelyActorEvent, StatelyEventEvent, StatelySnapshotEvent } from '@statelyai/inspect';
import type { InspectedEventEvent, InspectedSnapshotEvent } from 'xstate';
import type { InspectedPart, Redact } from './redact.ts';
import { safeText } from './secrets.ts';
import type { RegisteredActor } from './register.ts';

/** Version of the inspector's protocol that is spoken here; receivers recognise messages by having one. */
const PROTOCOL_VERSION = '0.7.2';

/** Writes the three messages of the inspector's protocol. All that they show has been through `redact`. */
export class MessageWriter {
  readonly #redact: Redact;
  readonly #definitions = new WeakMap<object, string>();

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  actor(actor: RegisteredActor): string {
    const base: Omit<StatelyActorEvent, 'definition' | 'snapshot'> = {
      ...baseOf(actor, actor.createdAt),
      type: '@xstate.actor',
      name: safeText(actor.name, 200),
      parentId: actor.parentId,
    };
    const snapshot = this.#show({ kind: 'snapshot', value: actor.snapshot() ?? { status: 'active' }, actor });
    return join(base, { definition: this.#definition(actor), snapshot });
  }

  event(actor: RegisteredActor, { event, sourceRef }: InspectedEventEvent): string {
    const base: Omit<StatelyEventEvent, 'event'> = { ...baseOf(actor), type: '@xstate.event', sourceId: sourceRef?.sessionId };
    return join(base, { event: this.#show({ kind: 'event', value: event, actor }) });
  }

  snapshot(actor: RegisteredActor, { event, snapshot }: InspectedSnapshotEvent): string {
    const base: Omit<StatelySnapshotEvent, 'event' | 'snapshot'> = { ...baseOf(actor), type: '@xstate.snapshot' };
    return join(base, { event: this.#show({ kind: 'event', value: event, actor }), snapshot: this.#show({ kind: 'snapshot', value: snapshot, actor }) });
  }

  /**
   * JSON in a JSON string, as the protocol has it. A chart is written once, however many actors run it. Logic that is no chart
   * is drawn as a box with the name of its slot.
   */
  #definition(actor: RegisteredActor): string {
    const { config } = actor;
    if (typeof config !== 'object' || config === null) return JSON.stringify(JSON.stringify({ id: safeText(actor.src ?? actor.name, 200) }));
    const known = this.#definitions.get(config);
    if (known !== undefined) return known;
    const definition = JSON.stringify(this.#show({ kind: 'definition', value: config, actor }));
    this.#definitions.set(config, definition);
    return definition;
  }

  /** The part as JSON. A redaction that fails shows nothing: no secret may slip out by it, and the inspected system goes on. */
  #show(part: InspectedPart): string {
    try {
      // undefined, for a redaction that returns nothing: the declared type of `stringify` forgets that.
      const shown = JSON.stringify(this.#redact(part)) as string | undefined;
      return shown ?? withheld(part, 'nothing');
    } catch (error) {
      return withheld(part, error instanceof Error ? `a ${error.name}` : 'an error');
    }
  }
}

function baseOf({ sessionId, rootId }: RegisteredActor, createdAt = Date.now()): Omit<StatelyEventEvent, 'type' | 'event' | 'sourceId'> {
  // The protocol declares `id` a text; the package itself always sends null, which its viewer expects.
  return { sessionId, rootId, createdAt: String(createdAt), id: null as unknown as string, _version: PROTOCOL_VERSION };
}

/** Puts parts that are JSON already into a message, without parsing and writing them again. */
function join(base: object, parts: Record<string, string>): string {
  const members = Object.entries(parts).map(([key, json]) => `,${JSON.stringify(key)}:${json}`);
  return `${JSON.stringify(base).slice(0, -1)}${members.join('')}}`;
}

function withheld({ kind, value }: InspectedPart, reason: string): string {
  const why = `[withheld: sanitize gave ${reason}]`;
  const { type, status } = value as { type?: unknown; status?: unknown };
  switch (kind) {
    case 'event':
      return JSON.stringify({ type: safeText(String(type), 200), withheld: why });
    case 'snapshot':
      return JSON.stringify({ status: String(status), withheld: why });
    case 'definition':
      return JSON.stringify({ id: why });
  }
}
