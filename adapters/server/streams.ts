/** Text that streams in before its item is complete: which item it will be, and what of it a client has. */
import type { StreamEvent } from '../../machines/protocol/item.ts';

export interface Stream { id: string; kind: 'message' | 'reasoning'; text: string; of: string | undefined }
/** A piece of text as a model's event brings it. */
export type Piece =
  | { kind: 'message'; of: string | undefined; text: string }
  | { kind: 'summary' | 'reasoning'; of: string | undefined; text: string; index: number }
  | { kind: 'part'; of: string | undefined; index: number };

/** What of a model's event a client sees; reasoning comes in events of the provider, of which only the common ones are known. */
export function pieceIn(event: StreamEvent): Piece | undefined {
  if (event.type === 'output_text_delta') return { kind: 'message', of: event.itemId, text: event.delta };
  if (event.type !== 'model') return undefined;
  const { type, item_id: of, delta, summary_index: summary, content_index: content } = (event.event ?? {}) as Record<string, unknown>; // a provider's: each field is checked
  const item = typeof of === 'string' ? of : undefined;
  if (type === 'response.reasoning_summary_part.added') return { kind: 'part', of: item, index: numberIn(summary) };
  if (typeof delta !== 'string') return undefined;
  if (type === 'response.reasoning_summary_text.delta') return { kind: 'summary', of: item, text: delta, index: numberIn(summary) };
  if (type === 'response.reasoning_text.delta') return { kind: 'reasoning', of: item, text: delta, index: numberIn(content) };
  return undefined;
}

const numberIn = (value: unknown) => (typeof value === 'number' ? value : 0);

/**
 * Messages and reasoning of one turn of an agent, open ones oldest first. Their ids count by kind and attempt, so that they are the same when
 * the thread is told again, without its deltas.
 */
export class Streams {
  readonly #path: string;
  #open: Stream[] = [];
  #attempt = 1;
  #counts = { message: 0, reasoning: 0 };

  constructor(path: string) {
    this.#path = path;
  }

  /** The one that a piece belongs to; `isNew` when the piece is its first. */
  of({ kind, of }: Piece): { stream: Stream; isNew: boolean } {
    const wanted = kind === 'message' ? 'message' : 'reasoning';
    const open = this.#open.findLast((one) => one.kind === wanted && (one.of === of || of === undefined || one.of === undefined));
    if (open) return { stream: open, isNew: false };
    const stream: Stream = { id: this.#newId(wanted), kind: wanted, text: '', of };
    this.#open.push(stream);
    return { stream, isNew: true };
  }

  /** The id of an item that is whole now: the one under which it streamed, or a new one. Text that was cut out or taken back is another item. */
  settle(kind: Stream['kind'], text: string): { id: string; wasOpen: boolean } {
    const fitting = this.#open.filter((one) => one.kind === kind && (kind === 'reasoning' || text.startsWith(one.text)));
    const found = fitting.find((one) => one.text === text) ?? fitting[0];
    if (!found) return { id: this.#newId(kind), wasOpen: false };
    this.#open = this.#open.filter((one) => one !== found);
    return { id: found.id, wasOpen: true };
  }

  /** The model is asked again: all that is open ends, but for those whose text stands. */
  again(kept: readonly string[]): Stream[] {
    this.#attempt += 1;
    this.#counts = { message: 0, reasoning: 0 };
    return this.takeBack(kept);
  }

  /** All but those whose text stands. */
  takeBack(kept: readonly string[] = []): Stream[] {
    const standing = [...kept];
    const taken = this.#open.filter((one) => {
      const at = one.kind === 'message' ? standing.indexOf(one.text) : -1;
      if (at >= 0) standing.splice(at, 1);
      return at < 0;
    });
    this.#open = this.#open.filter((one) => !taken.includes(one));
    return taken;
  }

  #newId(kind: Stream['kind']): string {
    this.#counts[kind] += 1;
    return `${this.#path}/${kind}.${this.#attempt}.${this.#counts[kind]}`;
  }
}
