import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MaxTurnsExceededError, UserError } from 'loopchart';
import { OWN_ENTRIES } from '../../../adapters/cli/agentFile.ts';
import { EXIT, worse } from '../../../adapters/cli/exit.ts';
import { nearest } from '../../../adapters/cli/nearest.ts';
import { callText, explained, harmless, resultText, shortened } from '../../../adapters/cli/wording.ts';

test('an agent file may import every entry of the package, and each is there', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { exports: Record<string, { default?: string }> };
  const published = Object.entries(exports).flatMap(([name, { default: file }]) => (file === undefined ? [] : [[name.replace(/^\./, 'loopchart'), file] as const]));
  const cli = new URL('../../../adapters/cli/', import.meta.url);
  expect(Object.keys(OWN_ENTRIES).sort()).toEqual(published.map(([name]) => name).sort());
  for (const [name, file] of published) {
    const source = new URL(`${OWN_ENTRIES[name]}.ts`, cli);
    expect([existsSync(source), source.pathname.endsWith(file.replace('./dist', '').replace(/js$/, 'ts'))]).toEqual([true, true]);
  }
});

test('what drives a terminal is taken out, what is text stays', () => {
  expect(harmless('a\u001b[31mb\u0007\u009bc\r\nd\te\u202ef é 日')).toBe('a[31mbc\nd    ef é 日');
});

test('long text is one line that ends in an ellipsis; letters are not torn', () => {
  expect(shortened('a\n  b')).toBe('a b');
  expect(shortened('😀😀😀😀', 3)).toBe('😀😀…');
});

test('calls and results of every kind have words', () => {
  expect(callText('f', { type: 'function_call', callId: 'c', name: 'f', arguments: '{}', status: 'completed' })).toBe('f');
  expect(callText('shell', { type: 'shell_call', callId: 'c', action: { commands: ['ls'] } })).toBe('shell {"commands":["ls"]}');
  const result = { type: 'function_call_result', callId: 'c', name: 'f', status: 'completed' } as const;
  expect(resultText({ ...result, output: [{ type: 'input_text', text: 'seen' }, { type: 'input_image', image: 'data:…' }] })).toBe('seen [input_image]');
  expect(resultText(null)).toBe('');
});

test('errors of ours speak for themselves; others say what they are', () => {
  expect(explained(new UserError('Do this.'))).toBe('Do this.');
  expect(explained(new MaxTurnsExceededError('Max turns (1) exceeded'))).toBe('Max turns (1) exceeded. What was done so far is kept; say "go on" to continue.');
  expect(explained(new TypeError('x is not a function'))).toBe('TypeError: x is not a function');
  expect(explained('no')).toBe('Something threw "no".');
  expect(explained(new Error(''))).toBe('No reason was given.');
});

test('a conversation ends as badly as its worst run', () => {
  expect([worse(EXIT.completed, EXIT.approvalMissing), worse(EXIT.failed, EXIT.approvalMissing), worse(EXIT.failed, EXIT.interrupted)]).toEqual([3, 1, 130]);
});

test('only what is close is suggested', () => {
  expect([nearest('modle', ['model', 'api']), nearest('aprove', ['approve']), nearest('banana', ['model', 'api'])]).toEqual(['model', 'approve', undefined]);
});
