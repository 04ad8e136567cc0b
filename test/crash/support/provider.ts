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
  readonly #exchanges: Exchange[] = [];
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

  #exchange({ signal, ...request }: ModelRequest, ask: (request: ModelRequest) => Answer): Answer | 'dead' {
    const deed = presentDeed();
    if (!deed) return ask({ ...request, signal });
    if (deed.life.isOver) return 'dead';
    const before = this.#exchanges.findLast((exchange) => exchange.deed.id === deed.id);
    const abort = new AbortController();
    const told = () => abort.abort(signal?.reason);
    if (before) {
      if (before.request !== JSON.stringify(request)) this.complaints.push(`O1: the request of ${deed.id} is another one than before`);
      signal?.addEventListener('abort', () => before.abort.abort(signal.reason), { once: true });
      return before.answer;
    }
    if (signal?.aborted) told();
    signal?.addEventListener('abort', () => deed.life.isOver || told(), { once: true });
    const exchange: Exchange = { deed, request: JSON.stringify(request), abort, answer: ask({ ...request, signal: abort.signal }) };
    this.#exchanges.push(exchange);
    return exchange.answer;
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
