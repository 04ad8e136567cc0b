/** The conversation as JSON lines: every event of its runs, and what happens between them. Nothing else is on the standard output. */
import type { RunToolApprovalItem } from '../../actors/items.ts';
import type { RunSummary } from '../../actors/journal.ts';
import type { RunEvent } from '../../actors/runView.ts';
import type { Ending } from './conversation.ts';
import type { Ruling, Writer } from './piped.ts';
import { argumentsOf, explained } from './wording.ts';

/** Lines that are no event of a run; those have a `number`. */
export type ConversationLine =
  | { type: 'input'; text: string }
  | { type: 'journal'; where: string; threadId: string }
  | { type: 'resume'; runId: string; threadId?: string; agent: string; state: RunSummary['state']; status?: RunSummary['status']; length: number }
  | { type: 'approval'; id: string; agent: string; name: string; arguments: string; uncertain?: true; questions?: RunToolApprovalItem['questions']; reason?: string; decision: Ruling['decision']; by: Ruling['by'] }
  | ({ type: 'final'; status: 'completed' | 'interrupted' | 'stopped' | 'waiting'; agent: string; output: unknown; usage: Ending['spent']; ms: number } & Trace)
  | ({ type: 'error'; name: string; code?: string; message: string; agent?: string; usage?: Ending['spent']; ms?: number; stack?: string } & Trace);
/** Where runs are recorded: which one it was, and the command that goes on with it. */
interface Trace { runId?: string; wayOn?: string }

export const jsonLine = (line: object): string => `${JSON.stringify(line, plain)}\n`;

export class JsonOutput implements Writer {
  readonly #out: NodeJS.WriteStream;
  readonly #showStacks: boolean;

  constructor({ out, showStacks }: { out: NodeJS.WriteStream; showStacks: boolean }) {
    this.#out = out;
    this.#showStacks = showStacks;
  }

  event(event: RunEvent): void {
    // What the provider sent, word for word: the other deltas say the same, and it may be large.
    if (event.type === 'delta' && event.data.type === 'model') return;
    this.#write(event);
  }

  /** Whoever reads has read it. */
  recall(): void {}

  said(text: string): void {
    this.#write({ type: 'input', text });
  }

  ruled(item: RunToolApprovalItem, { decision, by }: Ruling): void {
    const call = { id: item.id, agent: item.agent.name, name: item.name ?? '', arguments: argumentsOf(item.rawItem) };
    this.#write({ type: 'approval', ...call, ...(item.uncertain && { uncertain: true }), ...(item.questions && { questions: item.questions }), ...(item.reason !== undefined && { reason: item.reason }), decision, by });
  }

  settled(ending: Ending): void {
    const { agent, spent: usage, ms, runId, wayOn } = ending;
    const facts = { agent, usage, ms, ...(runId !== undefined && { runId }), ...(wayOn !== undefined && { wayOn }) };
    if (ending.status === 'failed') this.#write({ ...this.#errorLine(ending.error), ...facts });
    else this.#write({ type: 'final', status: ending.status, output: ending.status === 'completed' ? (ending.output ?? null) : null, ...facts });
  }

  trouble(error: unknown): void {
    this.#write(this.#errorLine(error));
  }

  #errorLine(error: unknown): Extract<ConversationLine, { type: 'error' }> {
    const { name, code, stack } = error instanceof Error ? (error as Error & { code?: unknown }) : { name: 'Error', code: undefined, stack: undefined };
    return {
      type: 'error',
      name,
      ...(typeof code === 'string' && { code }),
      message: explained(error),
      ...(this.#showStacks && stack !== undefined && { stack }),
    };
  }

  #write(line: RunEvent | ConversationLine): void {
    this.#out.write(jsonLine(line));
  }
}

/** Outputs of tools may hold what JSON cannot: it is named rather than lost with the line. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
