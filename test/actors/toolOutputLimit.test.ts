import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortenedItem, shortenedOutput, shortenedText } from '../../actors/toolOutputLimit.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text).length;
const MARK = /\n\[… (\d+) bytes left out …\]\n/;

describe('C6: text that is too long', () => {
  test('keeps head and tail, and says how much is left out', () => {
    expect(shortenedText('0123456789'.repeat(20), 60)).toBe('012345678901234\n[… 170 bytes left out …]\n567890123456789');
    expect(shortenedText('short', 60)).toBe('short');
    expect(shortenedText('exactly', 7)).toBe('exactly');
  });

  test('is cut between characters', () => {
    expect(shortenedText('ä'.repeat(40), 45)).toBe('ääää\n[… 64 bytes left out …]\nääää');
  });

  test('is at most so long, its parts are those of the text, and what is counted is what is missing', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 0, max: 400 }), (text, max) => {
      const short = shortenedText(text, max);
      if (bytesOf(text) <= max) return void expect(short).toBe(text);
      const [mark, count] = MARK.exec(short)!;
      const at = short.indexOf(mark);
      const [head, tail] = [short.slice(0, at), short.slice(at + mark.length)];
      expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
      expect(Number(count)).toBe(bytesOf(text) - bytesOf(head) - bytesOf(tail));
      expect(bytesOf(short)).toBeLessThanOrEqual(Math.max(max, bytesOf(mark)));
    }));
  });
});

test('C6: pictures and files stay, parts of a text share the room', () => {
  const image = { type: 'input_image' as const, image: `data:image/png;base64,${'A'.repeat(500)}` };
  const output = shortenedOutput([{ type: 'input_text', text: 'kept' }, image, { type: 'input_text', text: 'x'.repeat(100) }, { type: 'input_text', text: 'y' }], 50);
  expect(output).toEqual([
    { type: 'input_text', text: 'kept' },
    image,
    { type: 'input_text', text: expect.stringMatching(/^x+\n\[… \d+ bytes left out …\]\nx+$/) },
    { type: 'input_text', text: expect.stringMatching(/y|left out/) },
  ]);
  expect(shortenedOutput({ type: 'text', text: 'x'.repeat(100) }, 10)).toEqual({ type: 'text', text: '\n[… 100 bytes left out …]\n' });
  expect(shortenedOutput('x'.repeat(100), 10)).toBe('\n[… 100 bytes left out …]\n');
});

test('C6: what a shell prints and an editor reports is shortened; other items are not', () => {
  const shell = { type: 'shell_call_output' as const, callId: 'c', output: [{ stdout: 'o'.repeat(100), stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }] };
  expect(shortenedItem(shell, 60)).toMatchObject({ output: [{ stdout: expect.stringMatching(MARK), stderr: '' }] });
  expect(shortenedItem(shell, 400)).toBe(shell);
  const patch = { type: 'apply_patch_call_output' as const, callId: 'c', status: 'failed' as const, output: 'o'.repeat(100) };
  expect(shortenedItem(patch, 60)).toMatchObject({ output: expect.stringMatching(MARK) });
  expect(shortenedItem(patch, 100)).toBe(patch);
  const screen = { type: 'computer_call_result' as const, callId: 'c', output: { type: 'computer_screenshot' as const, data: 'd'.repeat(100) } };
  expect(shortenedItem(screen, 10)).toBe(screen);
});
