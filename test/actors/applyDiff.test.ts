import * as peer from '@openai/agents-core';
import fc from 'fast-check';
import { applyDiff } from 'loopchart';
import { describe, expect, test } from 'vitest';

describe('a diff is applied where its context stands', () => {
  const cases: [name: string, input: string, diff: string, output: string][] = [
    ['a line is replaced', 'a\nb\nc\n', '@@\n a\n-b\n+B\n c', 'a\nB\nc\n'],
    ['the last line keeps having no end', 'a\nb', '@@\n-b\n+c', 'a\nc'],
    ['without @@ it begins at once', 'a\nb\n', ' a\n-b\n+c\n', 'a\nc\n'],
    ['an anchor says after which line to look', 'a\nb\na\nb\n', '@@ b\n a\n+x', 'a\nb\na\nx\nb\n'],
    ['several anchors lead inwards', 'a\nb\nc\n', '@@ a\n@@ b\n-c\n+d', 'a\nb\nd\n'],
    ['an unknown single anchor is only a hint', 'a\nb\n', '@@ zz\n-b\n+c', 'a\nc\n'],
    ['an anchor that was passed leaves the place as it is', 'x\ny\nx\n', '@@\n y\n+1\n@@ x\n+c', 'x\ny\n1\nc\nx\n'],
    ['sections follow each other', 'a\nb\na\nb\n', '@@\n a\n-b\n+1\n@@\n a\n-b\n+2', 'a\n1\na\n2\n'],
    ['the end of the file can be meant', 'a\nb\na\nb\n', '@@\n-b\n+z\n*** End of File', 'a\nb\na\nz\n'],
    ['white space at the ends of lines is overlooked, and kept', 'a  \nb\n', '@@\n a\n-b\n+c', 'a  \nc\n'],
    ['indentation is overlooked when nothing else fits', 'a\n\tb\n', '@@\n-    b\n+x', 'a\nx\n'],
    ['new lines end as those of the file', 'a\r\nb\r\n', '@@\n a\n-b\n+c', 'a\r\nc\r\n'],
    ['a mixed file keeps the ends it has', 'a\r\nb\nc\n', '@@\n-b\n+x\n+y', 'a\r\nx\ny\nc\n'],
    ['an empty file is filled', '', '@@\n+z', 'z\n'],
    ['everything can go', 'a\nb\n', '@@\n-a\n-b', ''],
    ['what follows the patch is not read', 'a\nb\n', '@@\n-b\n+c\n*** End Patch\nzzz', 'a\nc\n'],
    ['no diff, no change', 'a\n', '', 'a\n'],
  ];
  for (const [name, input, diff, output] of cases) {
    test(name, () => {
      expect(applyDiff(input, diff)).toBe(output);
      expect(peer.applyDiff(input, diff)).toBe(output);
    });
  }
});

describe('a new file is what stands after the plus signs', () => {
  test('with the line ends of what was there', () => {
    expect(applyDiff('', '+a\n+\n+b\n', 'create')).toBe('a\n\nb');
    expect(applyDiff('x\r\n', '+a\n+b', 'create')).toBe('a\r\nb');
  });
  test('any other line is refused, and quoted', () => {
    expect(() => applyDiff('', '+a\nb', 'create')).toThrow('Line 2 of the diff of a new file must begin with "+": "b".');
  });
});

describe('a diff that does not fit is refused with what was looked for', () => {
  const refused: [diff: string, message: string][] = [
    ['@@\n-x\n+y', 'The context of the diff does not stand in the file from line 1 on:\nx'],
    ['@@\n-c\n+C\n@@\n-a\n+A', 'The context of the diff does not stand in the file from line 4 on:\na'],
    ['@@ a\n@@ zz\n+x', 'The diff looks for a line that does not come after line 1 of the file: "zz".'],
    ['@@', 'Line 1 of the diff begins a section, but nothing stands in it.'],
    ['zzz', 'Line 1 of the diff begins with neither " ", "+", "-" nor "@@": "zzz".'],
  ];
  for (const [diff, message] of refused) {
    test(JSON.stringify(diff), () => {
      expect(() => applyDiff('a\nb\nc\n', diff)).toThrow(message);
      expect(() => peer.applyDiff('a\nb\nc\n', diff)).toThrow();
    });
  }
});

describe('against the Agents SDK, on diffs of every kind', () => {
  const word = fc.constantFrom('a', 'b', 'c', ' a', 'b ', '', '\tc');
  const file = fc.tuple(fc.array(word, { minLength: 1, maxLength: 8 }), fc.constantFrom('\n', '\r\n'), fc.boolean()).map(([lines, end, ends]) => lines.join(end) + (ends ? end : '')).filter((text) => text.trim() !== '');
  const line = fc.tuple(fc.constantFrom(' ', '+', '-'), word).map(([sign, text]) => sign + text);
  const section = fc.tuple(fc.constantFrom('@@', '@@ a', '@@ b', '@@ a\n@@ b'), fc.array(line, { minLength: 1, maxLength: 4 })).map(([mark, lines]) => [mark, ...lines].join('\n'));
  const diff = fc.tuple(fc.array(section, { minLength: 1, maxLength: 3 }), fc.boolean()).map(([sections, atEnd]) => [...sections, ...(atEnd ? ['*** End of File'] : [])].join('\n'));

  test('what it can apply comes out the same here', () => {
    let applied = 0;
    fc.assert(fc.property(file, diff, (input, patch) => {
      const theirs = attempt(() => peer.applyDiff(input, patch));
      if (theirs === undefined) return; // what it cannot apply may be applied here
      applied += 1;
      expect(applyDiff(input, patch)).toBe(theirs);
    }), { numRuns: 5_000, seed: 7 });
    expect(applied).toBeGreaterThan(500);
  });

  test('a diff made of a real change always applies', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.string({ unit: fc.constantFrom('x', 'y', 'z', '1'), minLength: 1, maxLength: 6 }), { minLength: 3, maxLength: 12 }), fc.nat(), fc.constantFrom('\n', '\r\n'), (lines, at, end) => {
      const index = at % lines.length;
      const context = lines.map((text, number) => (number === index ? `-${text}\n+changed` : ` ${text}`)).join('\n');
      const changed = lines.with(index, 'changed').join(end) + end;
      expect(applyDiff(lines.join(end) + end, `@@\n${context}`)).toBe(changed);
    }), { numRuns: 500, seed: 7 });
  });
});

function attempt(act: () => string): string | undefined {
  try {
    return act();
  } catch {
    return undefined; // a diff that does not fit
  }
}
