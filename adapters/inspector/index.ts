import type { InspectionEvent, Snapshot } from 'xstate';
import { connectTo } from './client.ts';
import { Link, type Wire } from './link.ts';
import { MessageWriter } from './messages.ts';
import { defaultLimits, redaction, type InspectedPart, type InspectorLimits, type Redact } from './redact.ts';
import { ActorRegister, type RegisteredActor } from './register.ts';
import { openRelay, randomToken, type Relay } from './relay.ts';
import { loadWebSockets } from './sockets.ts';

export type { InspectedActor, InspectedPart, InspectorLimits, Redact } from './redact.ts';

export interface StatelyInspectorOptions {
  /**
   * `ws://` or `wss://` address of a relay that is running already, such as the one of `@statelyai/inspect/server`. It is connected to
   * again whenever it was lost. Without it, a relay is opened here: that one announces every actor to whoever connects late.
   */
  url?: string;
  /** Port of our own relay on 127.0.0.1. Default 0: a free one. */
  port?: number;
  /**
   * What a watcher of our own relay must have in the address: a text of your choice, `true` (the default) for a random one,
   * `false` to let in everything on this machine, every web page that is open on it included.
   */
  token?: string | boolean;
  /** Viewer that the page of our own relay embeds. Default `https://stately.ai/inspect`. */
  viewer?: string;
  /**
   * Decides what is shown of each snapshot, event and definition. `redact` is what is shown without it; call it to change only a part.
   * When it throws or returns nothing, the part is withheld.
   */
  sanitize?: (part: InspectedPart, redact: Redact) => unknown;
  limits?: Partial<InspectorLimits>;
  /** Told, in words, of what does not stop anything: a relay that cannot be reached, a message that could not be written. */
  onProblem?: (problem: string) => void;
}

export interface StatelyInspector {
  /** For XState's `inspect` option; several systems may share it. Never throws. */
  inspect: (event: InspectionEvent) => void;
  /** Where receivers connect, token included. */
  url: string;
  /** What to open in a browser; `undefined` with somebody else's relay, which has a page of its own. */
  page: string | undefined;
  /** Disconnects everybody and stops listening. Resolves when no socket and no timer is left. */
  close(): Promise<void>;
}

/**
 * Shows running charts in the Stately inspector: every actor by name, whole nested charts, states and events as they happen,
 * and no more of the conversation than `sanitize` and `limits` let out. Costs next to nothing while nobody watches, and does
 * not keep the process alive. Needs the package `@statelyai/inspect`.
 *
 * @throws Error when the package is missing, the port is taken or `url` is no WebSocket address.
 * @example
 * import { createActor, createMachine } from 'xstate';
 * import { statelyInspector } from 'loopchart/inspector';
 *
 * const inspector = await statelyInspector();
 * console.log(`Open ${inspector.page}`);
 * createActor(createMachine({ id: 'door', initial: 'open', states: { open: {} } }), { inspect: inspector.inspect }).start();
 * await inspector.close();
 */
export async function statelyInspector(options: StatelyInspectorOptions = {}): Promise<StatelyInspector> {
  const { url, port = 0, token = true, viewer = 'https://stately.ai/inspect', onProblem = () => {} } = options;
  const sockets = loadWebSockets();
  const broadcast = new Broadcast(options, onProblem);
  const opened = (wire: Wire): (() => void) => broadcast.open(wire);
  const relay: Pick<Relay, 'close'> & Partial<Relay> =
    url === undefined
      ? await openRelay(sockets, { port, token: tokenOf(token), viewer: checkedAddress('viewer', viewer, ['http:', 'https:']), opened, onProblem })
      : connectTo(sockets, { url: checkedAddress('url', url, ['ws:', 'wss:']), opened, onProblem });
  return {
    inspect: (event) => broadcast.inspect(event),
    url: relay.url ?? url ?? '',
    page: relay.page,
    close: async () => {
      broadcast.close();
      await relay.close();
    },
  };
}

/** Passes what happens in the inspected systems on to all who watch; does hardly anything while nobody does. */
class Broadcast {
  readonly #links = new Set<Link>();
  readonly #register: ActorRegister;
  readonly #writer: MessageWriter;
  readonly #mostWaiting: number;
  readonly #onProblem: (problem: string) => void;
  #isClosed = false;

  constructor({ sanitize, limits: given }: StatelyInspectorOptions, onProblem: (problem: string) => void) {
    const limits = { ...defaultLimits, ...given };
    const redact = redaction(limits);
    this.#writer = new MessageWriter(sanitize ? (part) => sanitize(part, redact) : redact);
    this.#register = new ActorRegister(limits.actors, (sessionId) => {
      for (const link of this.#links) link.forget(sessionId);
    });
    this.#mostWaiting = limits.waitingBytes;
    this.#onProblem = onProblem;
  }

  open(wire: Wire): () => void {
    const link = new Link(wire, {
      actors: () => this.#register.values(),
      announcement: (actor) => this.#writer.actor(actor),
      mostWaiting: this.#mostWaiting,
    });
    this.#links.add(link);
    return () => {
      link.end();
      this.#links.delete(link);
    };
  }

  /** A fault of the inspector is told and does not reach the inspected system, which calls this in the middle of a step. */
  inspect(event: InspectionEvent): void {
    if (this.#isClosed) return;
    try {
      this.#pass(event);
    } catch (error) {
      this.#onProblem(`The inspector could not show a ${event.type}: ${String(error)}`);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.#links) link.end();
    this.#links.clear();
    this.#register.clear();
  }

  #pass(event: InspectionEvent): void {
    const { sessionId } = event.actorRef;
    switch (event.type) {
      case '@xstate.actor': {
        const actor = this.#register.add(event);
        for (const link of this.#links) link.announce(actor);
        return;
      }
      case '@xstate.event':
        return this.#tell(sessionId, (actor) => this.#writer.event(actor, event));
      case '@xstate.snapshot':
        this.#tell(sessionId, (actor) => this.#writer.snapshot(actor, event));
        if (hasEnded(event.snapshot, event.event.type)) this.#register.finish(sessionId, event.snapshot);
        return;
      case '@xstate.action':
      case '@xstate.microstep':
      case '@xstate.transition':
        return; // The inspector's protocol has no word for these.
    }
  }

  /** The message is written when there is somebody to read it, and once for all of them. */
  #tell(sessionId: string, write: (actor: RegisteredActor) => string): void {
    if (this.#links.size === 0) return;
    const actor = this.#register.get(sessionId);
    if (!actor) return;
    let message: string | undefined;
    for (const link of this.#links) {
      if (link.knows(sessionId)) link.tell((message ??= write(actor)));
    }
  }
}

function hasEnded(snapshot: Snapshot<unknown>, event: string): boolean {
  return snapshot.status !== 'active' || event === 'xstate.stop';
}

function tokenOf(token: string | boolean): string | undefined {
  if (token === false) return undefined;
  if (token === '') throw new Error('The `token` of the inspector is empty. Give a text, true for a random one, or false for none.');
  return token === true ? randomToken() : token;
}

function checkedAddress(option: string, address: string, protocols: readonly string[]): string {
  const protocol = URL.canParse(address) ? new URL(address).protocol : undefined;
  if (protocol !== undefined && protocols.includes(protocol)) return address;
  throw new Error(`The \`${option}\` of the inspector must begin with ${protocols.map((one) => `${one}//`).join(' or ')}, got "${address}".`);
}
