/** Patches as clients of the protocol read them, of patches as models write them: hunks after `@@`, which name what stands above them. */

/** Of a file that is made: its text. */
export const textOfNew = (diff: string): string => diff.split('\n').map((line) => (line.startsWith('+') ? line.slice(1) : line)).join('\n');

/** Of a file that is changed. A model does not say at which lines: they are counted from the first that it wrote. */
export function unifiedDiff(diff: string): string {
  const hunks: Hunk[] = [];
  for (const line of diff.split('\n')) {
    if (line.startsWith('*** ')) continue; // an end of the file
    if (line.startsWith('@@')) hunks.push({ title: line.replace(/^@@ ?/, ''), lines: [] });
    else if (hunks.length === 0) hunks.push({ title: '', lines: [line] });
    else hunks.at(-1)!.lines.push(line === '' ? ' ' : line);
  }
  const [before, after] = [{ next: 1 }, { next: 1 }];
  return hunks
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => `@@ -${range(before, lines, '+')} +${range(after, lines, '-')} @@${title === '' ? '' : ` ${title}`}\n${lines.map((line) => `${line}\n`).join('')}`)
    .join('');
}

interface Hunk { title: string; lines: string[] }

/** Lines of one side: all that are not of the other alone. */
function range(side: { next: number }, lines: readonly string[], other: '+' | '-'): string {
  const count = lines.filter((line) => !line.startsWith(other)).length;
  const text = `${side.next},${count}`;
  side.next += count;
  return text;
}
