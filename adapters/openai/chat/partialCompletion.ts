import { isRecord, type JsonRecord } from '../record.ts';

interface PartialCall extends JsonRecord {
  id?: string;
  function: { name: string; arguments: string };
}

/**
 * A completion put together from its chunks, in the shape it has when it is not streamed. Compatible servers differ in how
 * they number calls: the index may be missing or always 0, the id may be repeated with every piece or never sent.
 */
export class PartialCompletion {
  #head: JsonRecord = {};
  #content = '';
  #refusal = '';
  #reasoning: { field: 'reasoning' | 'reasoning_content'; text: string } | undefined;
  readonly #calls: PartialCall[] = [];
  /** The call each index last stood for. */
  readonly #open = new Map<number, PartialCall>();
  #last: PartialCall | undefined;
  #finishReason: string | undefined;
  #usage: JsonRecord | undefined;

  /** True once the server has said why it stopped; only then is the answer whole. */
  get finished(): boolean {
    return this.#finishReason !== undefined;
  }

  /** Takes one chunk in and returns the text it adds to the answer. */
  add(chunk: JsonRecord): string {
    const { choices, usage, ...head } = chunk;
    if (this.#head.id === undefined) this.#head = head;
    if (isRecord(usage)) this.#usage = usage;
    const choice = Array.isArray(choices) ? choices.find((candidate) => isRecord(candidate) && (candidate.index ?? 0) === 0) : undefined;
    if (!isRecord(choice)) return '';
    if (typeof choice.finish_reason === 'string' && choice.finish_reason !== '') this.#finishReason = choice.finish_reason;
    return isRecord(choice.delta) ? this.#addDelta(choice.delta) : '';
  }

  toCompletion(): JsonRecord {
    const message = {
      role: 'assistant',
      content: this.#content || null,
      refusal: this.#refusal || null,
      ...(this.#reasoning && { [this.#reasoning.field]: this.#reasoning.text }),
      ...(this.#calls.length > 0 && { tool_calls: this.#calls }),
    };
    return { ...this.#head, choices: [{ message, finish_reason: this.#finishReason ?? null }], usage: this.#usage };
  }

  #addDelta(delta: JsonRecord): string {
    const text = textOf(delta.content);
    this.#content += text;
    this.#refusal += textOf(delta.refusal);
    this.#addReasoning(delta);
    if (Array.isArray(delta.tool_calls)) for (const piece of delta.tool_calls) if (isRecord(piece)) this.#addCall(piece);
    return text;
  }

  /** Servers in between two versions send the same thought under both names. */
  #addReasoning(delta: JsonRecord): void {
    const field = this.#reasoning?.field ?? (textOf(delta.reasoning) ? 'reasoning' : 'reasoning_content');
    const text = textOf(delta[field]);
    if (text) this.#reasoning = { field, text: (this.#reasoning?.text ?? '') + text };
  }

  #addCall({ index, id, function: called, ...rest }: JsonRecord): void {
    const name = isRecord(called) ? textOf(called.name) : '';
    const text = isRecord(called) ? argumentsOf(called.arguments) : '';
    const slot = typeof index === 'number' ? index : undefined;
    const open = slot === undefined ? this.#last : this.#open.get(slot);
    const piece = { id: textOf(id), name, text };
    const call = open && continues(open, piece) ? open : this.#begin(piece.id);
    if (slot !== undefined) this.#open.set(slot, call);
    this.#last = call;
    call.function.name ||= name;
    call.function.arguments += text;
    Object.assign(call, rest);
  }

  #begin(id: string): PartialCall {
    const call: PartialCall = { ...(id && { id }), function: { name: '', arguments: '' } };
    this.#calls.push(call);
    return call;
  }
}

/** Another id, another name, or a name with arguments after arguments that are already whole, is another call. */
function continues(open: PartialCall, piece: { id: string; name: string; text: string }): boolean {
  if (piece.id && open.id && piece.id !== open.id) return false;
  if (piece.name && open.function.name && piece.name !== open.function.name) return false;
  return !(piece.name && piece.text && isWholeObject(open.function.arguments));
}

/** Text after a whole JSON object can only belong to the next one. */
function isWholeObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    return isRecord(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return false; // Arguments still arriving.
    throw error;
  }
}

function argumentsOf(value: unknown): string {
  return isRecord(value) ? JSON.stringify(value) : textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part) => (isRecord(part) && part.type === 'text' ? textOf(part.text) : '')).join('');
}
