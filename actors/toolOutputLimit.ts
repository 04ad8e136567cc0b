/** Results that are too long for a model to read: head and tail stay, and a mark says how much is left out (C6). */
import type { AgentInputItem, FunctionCallResultItem, ShellCallOutputContent } from '../machines/protocol/item.ts';

/**
 * The text as it is, or its head and tail with a mark between them; cut where a character of UTF-8 ends.
 * @param maxBytes longest text, mark included. One that has no room for the mark leaves nothing but the mark.
 *
 * @example
 * shortenedText('0123456789'.repeat(20), 60); // '012345678901234\n[… 170 bytes left out …]\n567890123456789'
 */
export function shortenedText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text; // no character of UTF-16 takes more
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxBytes) return text;
  const kept = Math.max(0, maxBytes - new TextEncoder().encode(markOf(bytes.length)).length);
  const head = boundaryBefore(bytes, Math.ceil(kept / 2));
  const tail = boundaryAfter(bytes, bytes.length - Math.floor(kept / 2));
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return `${decoder.decode(bytes.subarray(0, head))}${markOf(tail - head)}${decoder.decode(bytes.subarray(tail))}`;
}

type Output = FunctionCallResultItem['output'];

/** Pictures and files stay; the parts of a text share what there is room for, first come first. */
export function shortenedOutput(output: Output, maxBytes: number): Output {
  if (typeof output === 'string') return shortenedText(output, maxBytes);
  if (!Array.isArray(output)) return output.type === 'text' ? { ...output, text: shortenedText(output.text, maxBytes) } : output;
  const room = new Room(maxBytes);
  return output.map((part) => (part.type === 'input_text' ? { ...part, text: room.fit(part.text) } : part));
}

/** What a shell has printed, over all of its commands. The same item when it fits. */
export function shortenedItem(item: AgentInputItem, maxBytes: number): AgentInputItem {
  if (item.type === 'apply_patch_call_output' && item.output !== undefined) {
    const output = shortenedText(item.output, maxBytes);
    return output === item.output ? item : { ...item, output };
  }
  if (item.type !== 'shell_call_output') return item;
  const room = new Room(maxBytes);
  const output = item.output.map((part): ShellCallOutputContent => ({ ...part, stdout: room.fit(part.stdout), stderr: room.fit(part.stderr) }));
  return room.isExceeded ? { ...item, output } : item;
}

class Room {
  isExceeded = false;
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  fit(text: string): string {
    if (text === '') return text;
    const fitting = shortenedText(text, this.#left);
    if (fitting !== text) this.isExceeded = true;
    this.#left = Math.max(0, this.#left - new TextEncoder().encode(fitting).length);
    return fitting;
  }
}

const markOf = (bytes: number) => `\n[… ${bytes} bytes left out …]\n`;

/** Bytes that continue a character begin with the bits 10. */
const continues = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

function boundaryBefore(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end > 0 && continues(bytes[end])) end -= 1;
  return end;
}

function boundaryAfter(bytes: Uint8Array, at: number): number {
  let start = at;
  while (continues(bytes[start])) start += 1;
  return start;
}
