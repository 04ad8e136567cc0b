/** Commands and patches in the words of the protocol. */
import { describe, expect, test } from 'vitest';
import { commandLine, scriptLine } from '../../../adapters/server/commandLine.ts';
import { textOfNew, unifiedDiff } from '../../../adapters/server/patchText.ts';

describe('commands', () => {
  const scripts: [script: string, line: string][] = [
    ['git status --short', 'git status --short'],
    ['echo "a b" | wc -l', `sh -c 'echo "a b" | wc -l'`],
    ['ls\nrm -rf x', `sh -c 'ls\nrm -rf x'`],
    [`echo 'a'`, `sh -c 'echo '\\''a'\\'''`],
    ['ls  -l', `sh -c 'ls  -l'`],
    ['', `sh -c ''`],
  ];
  for (const [script, line] of scripts) test(JSON.stringify(script), () => expect(scriptLine(script)).toBe(line));

  test('a call is its name and one word', () => expect(commandLine('pay', '{"to":"Ann"}')).toBe(`pay '{"to":"Ann"}'`));
});

describe('patches', () => {
  test('of a new file its text is shown', () => expect(textOfNew('+one\n+\n+ +three')).toBe('one\n\n +three'));

  test('hunks get the counts that a unified diff has, and keep what stands above them', () => {
    const diff = '@@ class Desk\n@@ def pay():\n one\n-two\n+2\n+2.5\n@@\n three\n\n-four\n*** End of File';
    expect(unifiedDiff(diff)).toBe('@@ -1,2 +1,3 @@ def pay():\n one\n-two\n+2\n+2.5\n@@ -3,3 +4,2 @@\n three\n \n-four\n');
  });

  test('one without a head is a hunk too', () => expect(unifiedDiff('-old\n+new')).toBe('@@ -1,1 +1,1 @@\n-old\n+new\n'));
});
