/** The conversation as plain text on the standard output; errors on the standard error. */
import type { RunToolApprovalItem } from '../../actors/items.ts';
import type { RunEvent } from '../../actors/runView.ts';
import type { Ending } from './conversation.ts';
import { type Paint, paintFor } from './paint.ts';
import type { Ruling, Writer } from './piped.ts';
import { type Page, Transcript } from './transcript.ts';
import { explained, harmless, requestText, secondsText, usageText, wayOnText } from './wording.ts';

export class PlainOutput implements Writer, Page {
  readonly #out: NodeJS.WriteStream;
  readonly #errors: NodeJS.WriteStream;
  readonly #paint: Paint;
  readonly #paintError: Paint;
  readonly #showStacks: boolean;
  readonly #transcript = new Transcript(this);
  #atLineStart = true;

  constructor({ out, errors, showStacks }: { out: NodeJS.WriteStream; errors: NodeJS.WriteStream; showStacks: boolean }) {
    this.#out = out;
    this.#errors = errors;
    this.#paint = paintFor(out);
    this.#paintError = paintFor(errors);
    this.#showStacks = showStacks;
  }

  /** What a line of the input says has been written already. */
  readonly event = (event: RunEvent): void => {
    if (event.type !== 'input.accepted' || event.source?.kind !== 'command') this.#transcript.add(event);
  };
  readonly recall = this.#transcript.recall;

  text(piece: string): void {
    const text = harmless(piece);
    if (text === '') return;
    this.#out.write(text);
    this.#atLineStart = text.endsWith('\n');
  }

  line(text: string, tone: Parameters<Paint>[0] = 'plain'): void {
    if (!this.#atLineStart) this.#out.write('\n');
    this.#atLineStart = true;
    if (text === '') return;
    this.#out.write(`${this.#paint(tone, harmless(text))}\n`);
  }

  said(text: string): void {
    this.line(`> ${text}`, 'person');
  }

  ruled(item: RunToolApprovalItem, { decision, by }: Ruling): void {
    this.line(`  ? ${requestText(item)}: ${rulingText(item, { decision, by })}`, 'notice');
  }

  settled(ending: Ending): void {
    this.line('');
    // A final output that no message carried, such as the result of a tool.
    if (ending.status === 'completed' && !this.#transcript.hasText && ending.output !== undefined) this.line(outputText(ending.output));
    if (ending.status === 'failed') this.trouble(ending.error);
    if (ending.status === 'interrupted') this.line('  interrupted', 'notice');
    if (ending.status === 'stopped') this.line('  stopped after this turn', 'notice');
    if (ending.wayOn !== undefined) this.line(`  ${wayOnText(ending)}`, 'notice');
    this.line(`  [${ending.agent}: ${usageText(ending.spent)}, ${secondsText(ending.ms)}]`, 'quiet');
    this.#out.write('\n');
  }

  trouble(error: unknown): void {
    this.line('');
    this.#errors.write(`${this.#paintError('bad', `Error: ${harmless(explained(error))}`)}\n`);
    if (this.#showStacks && error instanceof Error && error.stack) this.#errors.write(`${this.#paintError('quiet', harmless(error.stack))}\n`);
  }
}

function rulingText({ uncertain, questions }: RunToolApprovalItem, { decision, by }: Ruling): string {
  if (questions && by === 'nobody') return `${decision === 'leave' ? 'left waiting' : 'rejected'}, because nobody is there to answer`;
  if (decision === 'leave') return uncertain ? 'left waiting, because only a person can say' : 'left waiting, because nobody is there to approve it (see --approve)';
  if (by === 'nobody') return 'rejected, because nobody is there to approve it (see --approve)';
  return `${decision === 'approve' ? 'approved' : 'rejected'} by --approve`;
}

export const outputText = (output: unknown) => (typeof output === 'string' ? output : JSON.stringify(output, null, 2));
