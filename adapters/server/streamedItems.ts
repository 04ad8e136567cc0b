/** Items that a client sees grow. */
import type { AgentInputItem, StreamEvent } from '../../machines/protocol/item.ts';
import type { CurrentTurn } from './currentTurn.ts';
import type { Notification, WireItem } from './shapes.ts';
import { type Piece, type Stream, Streams, pieceIn } from './streams.ts';
import { messageItem, reasoningItem, textOf } from './toItem.ts';

export class StreamedItems {
  readonly #threadId: string;
  readonly #tell: (notification: Notification) => void;
  /** By the path of the turn of the agent. */
  readonly #streams = new Map<string, Streams>();

  constructor(threadId: string, tell: (notification: Notification) => void) {
    this.#threadId = threadId;
    this.#tell = tell;
  }

  piece(turn: CurrentTurn, path: string, event: StreamEvent, at: number): void {
    const piece = pieceIn(event);
    if (!piece) return;
    const streams = this.#of(path);
    const { stream, isNew } = streams.of(piece);
    if (isNew) this.#begin(turn, stream, path, at);
    if (piece.kind !== 'part') stream.text += piece.text;
    const shown = turn.items.get(stream.id);
    if (shown?.type === 'agentMessage') shown.text = stream.text; // who joins now has what was streamed so far
    this.#tell(deltaOf(piece, { threadId: this.#threadId, turnId: turn.id, itemId: stream.id }));
  }

  /** The same item under the id under which it streamed, or one of its own; items of other kinds keep theirs. */
  settled(path: string, item: WireItem): { item: WireItem; wasOpen: boolean } {
    if (item.type !== 'agentMessage' && item.type !== 'reasoning') return { item, wasOpen: false };
    const { id, wasOpen } = item.type === 'agentMessage' ? this.#of(path).settle('message', item.text) : this.#of(path).settle('reasoning', '');
    return { item: { ...item, id }, wasOpen };
  }

  /** The model is asked again. */
  again(turn: CurrentTurn, path: string, at: number, kept: readonly AgentInputItem[] = []): void {
    const texts = kept.flatMap((item) => ('role' in item && item.role === 'assistant' ? [textOf(item)] : []));
    this.#empty(turn, this.#of(path).again(texts), at);
  }

  /** What did not become part of the conversation ends empty: of one turn of an agent, or of all. */
  takeBack(turn: CurrentTurn, at: number, path?: string): void {
    for (const [key, streams] of this.#streams) {
      if (path !== undefined && key !== path) continue;
      this.#empty(turn, streams.takeBack(), at);
      this.#streams.delete(key);
    }
  }

  #empty(turn: CurrentTurn, streams: readonly Stream[], at: number): void {
    for (const { id, kind } of streams) {
      const item = kind === 'message' ? messageItem(id, '') : reasoningItem(id, { content: [] });
      turn.items.delete(id);
      this.#tell({ method: 'item/completed', params: { item, threadId: this.#threadId, turnId: turn.id, completedAtMs: at } });
    }
  }

  #of(path: string): Streams {
    const streams = this.#streams.get(path) ?? new Streams(path);
    this.#streams.set(path, streams);
    return streams;
  }

  #begin(turn: CurrentTurn, { id, kind }: Stream, path: string, at: number): void {
    const isInner = path.slice(turn.id.length).includes('/run/');
    const item = kind === 'message' ? messageItem(id, '', isInner ? 'commentary' : null) : reasoningItem(id, { content: [] });
    turn.items.set(id, { ...item });
    this.#tell({ method: 'item/started', params: { item, threadId: this.#threadId, turnId: turn.id, startedAtMs: at } });
  }
}

function deltaOf(piece: Piece, place: { threadId: string; turnId: string; itemId: string }): Notification {
  switch (piece.kind) {
    case 'message':
      return { method: 'item/agentMessage/delta', params: { ...place, delta: piece.text } };
    case 'summary':
      return { method: 'item/reasoning/summaryTextDelta', params: { ...place, delta: piece.text, summaryIndex: piece.index } };
    case 'reasoning':
      return { method: 'item/reasoning/textDelta', params: { ...place, delta: piece.text, contentIndex: piece.index } };
    case 'part':
      return { method: 'item/reasoning/summaryPartAdded', params: { ...place, summaryIndex: piece.index } };
  }
}
