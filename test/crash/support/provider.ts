/** A provider of models beside all processes. What a process had asked for when it died is answered to the next one that asks for the same. */
import type { ScriptedModel } from 'loopchart/testing';
import type { Model, ModelRequest, ModelResponse } from '../../../actors/ports.ts';
import type { ModelTally } from '../../scenarios/support/modelTally.ts';
import { type Deed, presentDeed } from './ledger.ts';

/** A request as the provider sees it, and its answer on its way. */
type StreamEvent = ReturnType<Model['getStreamedResponse']> extends AsyncIterable<infer Event> ? Event : never;

interface Exchange {
  deed: Deed;
  /** As text. */
  request: string;
  abort: AbortController;
  answer: Answer;
}
type Answer = { whole: Promise<ModelResponse> } | { events: SharedEvents };

const NEVER = new Promise<never>(() => undefined);

export class Provider {
  readonly #tally: ModelTally;
  #exchanges: Exchange[] = [];
  readonly complaints: string[] = [];

  constructor(tally: ModelTally) {
    this.#tally = tally;
  }

  model(model: ScriptedModel): ScriptedModel {
    this.#tally.count(model);
    const { getResponse, getStreamedResponse } = model;
    model.getResponse = (request) => {
      const exchange = this.#exchange(request, (given) => ({ whole: getResponse.call(model, given) }));
      return exchange === 'dead' ? NEVER : (exchange as { whole: Promise<ModelResponse> }).whole; // one mode a play
    };
    model.getStreamedResponse = (request) => {
      const exchange = this.#exchange(request, (given) => ({ events: new SharedEvents(getStreamedResponse.call(model, given)) }));
      return exchange === 'dead' ? silence() : (exchange as { events: SharedEvents }).events.read(); // as above
    };
    return model;
  }

  /** What a script has killed itself asks anew. @param id of the run or the thread. */
  forget(id: string): void {
    this.#exchanges = this.#exchanges.filter(({ deed }) => !deed.id.startsWith(`${id}/`));
  }

  #exchange({ signal, ...request }: ModelRequest, ask: (request: ModelRequest) => Answer): Answer | 'dead' {
    const deed = presentDeed();
    if (!deed) return ask({ ...request, signal });
    if (deed.life.isOver) return 'dead';
    const before = this.#exchanges.findLast((exchange) => exchange.deed.id === deed.id);
    const abort = new AbortController();
    const told = () => abort.abort(signal?.reason);
    if (before) {
      const rest = restOf(before, request);
      if (before.request !== JSON.stringify(request) && !rest) this.complaints.push(`O1: the request of ${deed.id} is another one than before`);
      signal?.addEventListener('abort', () => before.abort.abort(signal.reason), { once: true });
      return rest ?? before.answer;
    }
    if (signal?.aborted) told();
    signal?.addEventListener('abort', () => deed.life.isOver || told(), { once: true });
    const exchange: Exchange = { deed, request: JSON.stringify(request), abort, answer: ask({ ...request, signal: abort.signal }) };
    this.#exchanges.push(exchange);
    return exchange.answer;
  }
}

/** What it has not said yet, for whoever shows it how far it came (K2); nothing where the request is none that goes on. */
function restOf({ answer, request }: Exchange, { input }: Omit<ModelRequest, 'signal'>): Answer | undefined {
  const asked = (JSON.parse(request) as Pick<ModelRequest, 'input'>).input;
  if (!('events' in answer) || !Array.isArray(asked) || !Array.isArray(input) || input.length <= asked.length) return undefined;
  if (JSON.stringify(input.slice(0, asked.length)) !== JSON.stringify(asked)) return undefined;
  return { events: new SharedEvents(without(input.length - asked.length, answer.events.read())) };
}

async function* without(items: number, events: AsyncIterable<StreamEvent>): AsyncGenerator<StreamEvent> {
  let left = items;
  for await (const event of events) {
    if (event.type === 'response_done') yield { ...event, response: { ...event.response, output: event.response.output.slice(items) } };
    else if (event.type === 'response_started' || left <= 0) yield event;
    if (event.type === 'model') left -= 1;
  }
}

async function* silence(): AsyncGenerator<StreamEvent> {
  yield await NEVER;
}

/** A stream that more than one may read, each from its beginning. It is read on demand, as by a single reader. */
class SharedEvents {
  readonly #source: AsyncIterator<StreamEvent>;
  readonly #read: Promise<IteratorResult<StreamEvent>>[] = [];

  constructor(source: AsyncIterable<StreamEvent>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async *read(): AsyncGenerator<StreamEvent> {
    for (let at = 0; ; at += 1) {
      const next = await (this.#read[at] ??= this.#source.next());
      if (next.done) return;
      yield next.value;
    }
  }
}
