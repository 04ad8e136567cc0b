/** One client: the handshake, its requests under way, and what it is still to be sent. Nothing that it sends is fatal. */
import { CODE, OVERLOADED, RequestFault, faultOf } from './fault.ts';
import { Outbox, type OutboxLimits, type Weight, type Wire } from './outbox.ts';
import { type ParamsOf, type RequestMethod, envelope, isMethod, paramsIn } from './requestSchemas.ts';
import { type Notification, type RequestId, type RpcFault, type ServerAsk, isDelta } from './shapes.ts';

export interface ConnectionLimits extends OutboxLimits {
  /** Requests that may be under way. */
  requests: number;
  /** Characters of one message. */
  messageCharacters: number;
}
export const DEFAULT_LIMITS: ConnectionLimits = { requests: 128, messageCharacters: 16 * 2 ** 20, messages: 8_192, characters: 32 * 2 ** 20 };

/** What a client answered to what it was asked. */
export type Answer = { result: unknown } | { error: unknown };

/** Who carries out what a client wants. */
export interface Service {
  initialize(connection: Connection, params: ParamsOf<'initialize'>): unknown;
  request<Method extends RequestMethod>(connection: Connection, method: Method, params: ParamsOf<Method>): Promise<Reply>;
  answered(connection: Connection, id: RequestId, answer: Answer): void;
  closed(connection: Connection): void;
}
/** `after` happens when the reply is on its way, and before anything else. */
export interface Reply { result: unknown; after?: () => void }

type Incoming = { [Key in 'id' | 'method' | 'params' | 'result' | 'error']?: unknown };

export class Connection {
  readonly #service: Service;
  readonly #limits: ConnectionLimits;
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  #phase: 'fresh' | 'introduced' | 'ready' | 'closed' = 'fresh';
  #underWay = 0;
  #unwanted: ReadonlySet<string> = new Set();
  /** Of a thread that has just been asked for a turn: its reply comes first. */
  readonly #held = new Map<string, { holders: number; sends: (() => void)[] }>();

  constructor(wire: Wire, service: Service, limits: Partial<ConnectionLimits> = {}) {
    this.#service = service;
    this.#wire = wire;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#outbox = new Outbox(wire, this.#limits, () => this.close('The client does not read what it is sent.'));
  }

  get isReady(): boolean {
    return this.#phase === 'ready';
  }

  /** Longest message that is read at all. */
  get mostCharacters(): number {
    return this.#limits.messageCharacters;
  }

  /** One message, whatever it holds. */
  receive(text: string): void {
    if (this.#phase === 'closed' || text.trim() === '') return;
    if (text.length > this.#limits.messageCharacters) return this.refuse(CODE.invalidRequest, `Invalid request: a message may have ${this.#limits.messageCharacters} characters`);
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      return this.refuse(CODE.parse, `Parse error: ${(error as Error).message}`); // as JSON.parse throws
    }
    const parsed = envelope.safeParse(message);
    if (!parsed.success) return this.refuse(CODE.invalidRequest, 'Invalid request: a message is an object with a method, a result or an error', idIn(message));
    this.#take(parsed.data);
  }

  /** Answers a message that could not be read. */
  refuse(code: number, message: string, id: RequestId | null = null): void {
    this.#send({ id, error: { code, message } });
  }

  notify(notification: Notification): void {
    if (this.#phase !== 'ready' || this.#unwanted.has(notification.method)) return;
    this.#inTurn(threadOf(notification), () => this.#send(notification, weightOf(notification)));
  }

  ask(id: RequestId, { method, params }: ServerAsk): void {
    if (this.#phase === 'ready') this.#inTurn(params.threadId, () => this.#send({ id, method, params }));
  }

  /** What is told of the thread waits until the reply is on its way. */
  async holding<Value>(threadId: string, work: () => Promise<Value>): Promise<{ value: Value; release: () => void }> {
    const held = this.#held.get(threadId) ?? { holders: 0, sends: [] };
    held.holders += 1;
    this.#held.set(threadId, held);
    const release = () => {
      held.holders -= 1;
      if (held.holders > 0) return;
      this.#held.delete(threadId);
      for (const send of held.sends) send();
    };
    try {
      return { value: await work(), release };
    } catch (error) {
      queueMicrotask(release); // behind the answer that says so
      throw error;
    }
  }

  /** As the transport closes, or to close it. */
  close(reason: string): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#outbox.close();
    this.#held.clear();
    this.#service.closed(this);
    this.#wire.close(reason);
  }

  #take({ id, method, params, result, error }: Incoming): void {
    const requestId = id as RequestId | undefined; // checked by the envelope
    if (typeof method === 'string') {
      if (requestId === undefined) this.#noted(method);
      else void this.#request(requestId, method, params);
      return;
    }
    if (requestId !== undefined && (result !== undefined || error !== undefined)) {
      if (this.#phase === 'ready') this.#service.answered(this, requestId, error === undefined ? { result } : { error });
      return;
    }
    this.refuse(CODE.invalidRequest, 'Invalid request: a message has a method, a result or an error', requestId ?? null);
  }

  /** Notifications of clients; others than this one mean nothing here, and nobody waits for an answer. */
  #noted(method: string): void {
    if (method === 'initialized' && this.#phase === 'introduced') this.#phase = 'ready';
  }

  async #request(id: RequestId, method: string, params: unknown): Promise<void> {
    if (this.#underWay >= this.#limits.requests || this.#outbox.isCrowded) return this.#fail(id, { code: CODE.overloaded, message: OVERLOADED });
    this.#underWay += 1;
    try {
      const { result, after } = await this.#carryOut(method, params);
      this.#send({ id, result });
      after?.();
    } catch (error) {
      this.#fail(id, faultOf(error)); // also a bug is answered, and ends nothing else
    } finally {
      this.#underWay -= 1;
    }
  }

  async #carryOut(method: string, params: unknown): Promise<Reply> {
    if (!isMethod(method)) throw new RequestFault(this.#phase === 'fresh' ? 'Not initialized' : `Invalid request: unknown method \`${method.slice(0, 200)}\``);
    if (method === 'initialize') return { result: this.#initialize(paramsIn(method, params)) };
    if (this.#phase !== 'ready') throw new RequestFault('Not initialized');
    return this.#service.request(this, method, paramsIn(method, params));
  }

  #initialize(params: ParamsOf<'initialize'>): unknown {
    if (this.#phase !== 'fresh') throw new RequestFault('Already initialized');
    this.#phase = 'introduced';
    this.#unwanted = new Set(params.capabilities?.optOutNotificationMethods ?? []);
    return this.#service.initialize(this, params);
  }

  #fail(id: RequestId, error: RpcFault): void {
    this.#send({ id, error });
  }

  #inTurn(threadId: string | undefined, send: () => void): void {
    const held = threadId === undefined ? undefined : this.#held.get(threadId);
    if (held) held.sends.push(send);
    else send();
  }

  #send(message: object, weight: Weight = { kind: 'whole' }): void {
    this.#outbox.put(JSON.stringify(message), weight);
  }
}

function idIn(message: unknown): RequestId | null {
  if (typeof message !== 'object' || message === null || !('id' in message)) return null;
  return typeof message.id === 'string' || Number.isSafeInteger(message.id) ? (message.id as RequestId) : null; // as just seen
}

function threadOf({ params }: Notification): string | undefined {
  return 'threadId' in params ? (params.threadId ?? undefined) : undefined;
}

function weightOf({ method, params }: Notification): Weight {
  if (method === 'item/completed') return { kind: 'end', of: params.item.id };
  return isDelta(method) && 'itemId' in params ? { kind: 'part', of: params.itemId } : { kind: 'whole' };
}
