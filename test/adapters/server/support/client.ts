/** A client of the protocol that a test leads by hand: over a wire in memory, a process, or a WebSocket. */
import type { Connection } from '../../../../adapters/server/connection.ts';
import type { ThreadServer } from '../../../../adapters/server/index.ts';
import { record } from './recorded.ts';

export interface Message { id?: string | number | null; method?: string; params?: any; result?: any; error?: { code: number; message: string; data?: any } } // `any`: tests look at what they expect
export interface Link { send(text: string): void; close(): void }

export class RpcFailure extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor({ code, message, data }: NonNullable<Message['error']>) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export class Client {
  /** All that came, in order. */
  readonly messages: Message[] = [];
  /** Also what was sent. */
  readonly traffic: { from: 'client' | 'server'; message: Message }[] = [];
  isClosed = false;
  readonly #link: Link;
  readonly #watchers = new Set<() => void>();
  #lastId = 0;

  constructor(link: (client: Client) => Link) {
    this.#link = link(this);
  }

  received(text: string): void {
    const message = JSON.parse(text) as Message;
    record(message, this.#methodOf(message));
    this.messages.push(message);
    this.traffic.push({ from: 'server', message });
    this.#wake();
  }

  closed(): void {
    this.isClosed = true;
    this.#wake();
  }

  /** Text as it is: also what is no message at all. */
  raw(text: string): void {
    this.#link.send(text);
  }

  send(message: Message): void {
    this.traffic.push({ from: 'client', message });
    this.#link.send(JSON.stringify(message));
  }

  /** @throws RpcFailure for an error that is answered. */
  async request<Result = any>(method: string, params: object = {}): Promise<Result> { // `any`: as above
    const id = this.ask(method, params);
    const { result, error } = await this.until((message) => message.id === id && message.method === undefined);
    if (error) throw new RpcFailure(error);
    return result as Result; // what the test expects
  }

  /** Sends a request and does not wait. */
  ask(method: string, params: object = {}): number {
    this.#lastId += 1;
    this.send({ id: this.#lastId, method, params });
    return this.#lastId;
  }

  respond(id: string | number | null | undefined, result: unknown): void {
    this.send({ id: id ?? null, result });
  }

  /** The first message of that kind, from a place in the log on; waits for it. */
  async until(isIt: string | ((message: Message) => boolean), from = 0): Promise<Message> {
    const matches = typeof isIt === 'string' ? ({ method }: Message) => method === isIt : isIt;
    for (;;) {
      const found = this.messages.slice(from).find(matches);
      if (found) return found;
      if (this.isClosed) throw new Error(`The connection is closed. There came: ${this.lines().join(' | ')}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  async initialize(capabilities: object = {}): Promise<any> { // `any`: as above
    const result = await this.request('initialize', { clientInfo: { name: 'test', title: null, version: '0' }, capabilities: { experimentalApi: true, requestAttestation: false, ...capabilities } });
    this.send({ method: 'initialized' });
    return result;
  }

  /** Starts a thread, and says its id. */
  async thread(params: object = {}): Promise<string> {
    return (await this.request('thread/start', params)).thread.id;
  }

  /** Starts a turn, and says its id. */
  async turn(threadId: string, text: string, more: object = {}): Promise<string> {
    return (await this.request('turn/start', { threadId, input: textInput(text), ...more })).turn.id;
  }

  /** Methods of what came, in order, without replies. */
  methods(from = 0): string[] {
    return this.messages.slice(from).flatMap(({ method }) => (method === undefined ? [] : [method]));
  }

  lines(from = 0): string[] {
    return this.messages.slice(from).map((message) => message.method ?? `reply ${String(message.id)}${message.error ? ` ${message.error.message}` : ''}`);
  }

  close(): void {
    this.#link.close();
  }

  #methodOf({ id, method }: Message): string | undefined {
    if (method !== undefined || id === undefined) return undefined;
    return this.traffic.find(({ from, message }) => from === 'client' && message.id === id && message.method !== undefined)?.message.method;
  }

  #wake(): void {
    for (const wake of [...this.#watchers]) {
      this.#watchers.delete(wake);
      wake();
    }
  }
}

export const textInput = (text: string) => [{ type: 'text', text, text_elements: [] }];

/** In this process. Every message takes a turn of the event loop, as over a wire. */
export function connect(server: ThreadServer): Client {
  return new Client((client) => {
    const connection: Connection = server.connect({
      send: (text, written) => {
        client.received(text);
        written();
      },
      close: () => client.closed(),
    });
    return { send: (text) => connection.receive(text), close: () => connection.close('done') };
  });
}
