import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Footer, Screen, wrapped } from '../../../adapters/cli/terminal/screen.ts';
import { fitted, widthOf, windowed } from '../../../adapters/cli/terminal/width.ts';
import { screenOf } from './support/virtualScreen.ts';

const FOOTER: Footer = { rows: [], prompt: '> ', input: '', cursor: 0 };

function makeScreen(columns: number, footer: () => Footer = () => FOOTER) {
  let written = '';
  const out = Object.assign(new PassThrough(), { columns, isTTY: false, hasColors: () => false }) as unknown as WriteStream; // a stream with a width is all the screen asks for
  out.on('data', (chunk) => (written += String(chunk).replaceAll('\n', '\r\n'))); // as a terminal does
  return { out, screen: new Screen(out, footer), rows: () => screenOf(written, columns), written: () => written };
}

describe('a screen with a footer', () => {
  test('streamed text is broken at spaces, whatever the pieces', () => {
    const { screen, rows } = makeScreen(20);
    for (const piece of ['The qui', 'ck brown', ' fox jumps over ', 'the lazy dog.']) screen.text(piece);
    expect(rows()).toEqual(['The quick brown fox', 'jumps over the lazy', 'dog.', '>']);
  });

  test('the footer is drawn anew and leaves nothing behind', () => {
    let footer: Footer = { rows: [{ text: 'working', tone: 'quiet' }, { text: 'queued: x', tone: 'quiet' }], prompt: '> ', input: 'typed', cursor: 5 };
    const { screen, rows } = makeScreen(40, () => footer);
    screen.text('Half a line');
    expect(rows()).toEqual(['Half a line', 'working', 'queued: x', '> typed']);
    footer = FOOTER;
    screen.line('  → call', 'call');
    expect(rows()).toEqual(['Half a line', '  → call', '>']);
    screen.close();
    expect(rows()).toEqual(['Half a line', '  → call', '']);
  });

  test('what is told aside stands above the row in progress, which goes on', () => {
    const { screen, rows } = makeScreen(20);
    for (const piece of ['The quick brown fox', ' jumps ov']) screen.text(piece);
    screen.aside('  a notice', 'notice');
    screen.text('er the dog.');
    expect(rows()).toEqual(['The quick brown fox', '  a notice', 'jumps over the dog.', '>']);
  });

  test('long lines keep their indent, long input keeps the cursor in sight', () => {
    const input = `${'x'.repeat(40)}END`;
    const { screen, rows } = makeScreen(24, () => ({ ...FOOTER, input, cursor: input.length }));
    screen.line('  one two three four five six seven');
    expect(rows()).toEqual(['  one two three four', '  five six seven', `> ${'x'.repeat(17)}END`]);
  });

  test('after the terminal was made narrower, rows that it has broken are erased too', () => {
    const { out, screen, written } = makeScreen(40, () => ({ ...FOOTER, rows: [{ text: 'x'.repeat(30), tone: 'quiet' }] }));
    screen.draw();
    out.columns = 20;
    const before = written().length;
    screen.draw();
    expect(written().slice(before)).toMatch(/^\r\u001b\[2A\u001b\[J/);
  });

  test('no row of the footer is ever wider than the terminal, whatever letters there are', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '日', '本', 'e\u0301', '→'), maxLength: 80 });
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 20, max: 60 }), (status, prompt, input, columns) => {
        const { screen, rows } = makeScreen(columns, () => ({ rows: [{ text: status, tone: 'quiet' }], prompt, input, cursor: 0 }));
        screen.draw();
        screen.draw();
        expect(rows().length).toBe(2);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

describe('width', () => {
  test('counts columns, not letters', () => {
    expect([widthOf('abc'), widthOf('日本'), widthOf('e\u0301'), widthOf('👩‍👩‍👧'), widthOf('→')]).toEqual([3, 4, 1, 2, 1]);
  });

  test('wrapping loses nothing but the spaces it breaks at', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 4, max: 40 }), (text, columns) => {
        const rows = wrapped(text, columns);
        expect(rows.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        expect(rows.every((row) => widthOf(row) <= columns)).toBe(true);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('a text is cut with an ellipsis, or shown around the cursor', () => {
    expect([fitted('abcdef', 6), fitted('abcdef', 4), fitted('日本語', 4)]).toEqual(['abcdef', 'abc…', '日…']);
    expect(windowed('abcdef', 6, 4)).toEqual({ text: 'def', column: 3 });
    expect(windowed('abcdef', 1, 4)).toEqual({ text: 'abcd', column: 1 });
  });
});
