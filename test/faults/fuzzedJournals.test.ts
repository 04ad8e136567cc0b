/** O5: journals that were cut, changed, mixed up or come from the future: a clear error or a stated repair, never a silent difference. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../machines/protocol/journal.ts';
import { type Fate, type Recording, entriesOf, linesOf, recordings } from './fuzz/recordings.ts';
import { threadRecordings } from './fuzz/threadRecordings.ts';

const SEED = 20_260_101;
/** One of the recordings, and numbers to choose places by. */
const anyCase = fc.tuple(fc.nat(), fc.nat(), fc.nat());

const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const fateOfText = (recording: Recording, text: string): Promise<Fate> => recording.fate(() => entriesOf(text, recording.id));
const fateOfEntries = (recording: Recording, entries: readonly JournalEntry[]): Promise<Fate> => fateOfText(recording, textOf(linesOf(entries, recording.id)));

/** `share`: of the cases that are tried of each kind of damage; a thread has more to read. */
const KINDS = [{ kind: 'runs', record: () => recordings(12), share: 1 }, { kind: 'threads', record: () => threadRecordings(8), share: 0.4 }];

describe.each(KINDS)('records of $kind', ({ record, share }) => {
  let all: Recording[];
  beforeAll(async () => { all = await record(); });
  const check = (cases: number, judge: (recording: Recording, one: number, other: number) => Promise<void>) =>
    fc.assert(fc.asyncProperty(anyCase, ([which, one, other]) => judge(all[which % all.length]!, one, other)), { seed: SEED, numRuns: Math.ceil(cases * share) });

  test('cut at any byte, what was not finished is dropped, and it goes on to its end', async () => {
    await check(150, async (recording, at) => {
      const bytes = Buffer.from(textOf(recording.lines));
      const firstLine = Buffer.byteLength(recording.lines[0]!) + 1;
      const cut = firstLine + (at % (bytes.length - firstLine));
      expect(await fateOfText(recording, bytes.subarray(0, cut).toString())).toBe('same');
    });
  });

  test('with any bit flipped, it is refused; only in the very last line break that is a line not finished', async () => {
    await check(300, async (recording, at, bit) => {
      const bytes = Buffer.from(textOf(recording.lines));
      const place = at % bytes.length;
      bytes[place]! ^= 1 << bit % 8;
      expect(await fateOfText(recording, bytes.toString())).toBe(place === bytes.length - 1 ? 'same' : 'refused');
    });
  });

  test('with two lines exchanged, it is refused', async () => {
    await check(100, async (recording, one, other) => {
      const lines = recording.lines.slice();
      const [a, b] = [one % lines.length, other % lines.length];
      [lines[a], lines[b]] = [lines[b]!, lines[a]!];
      expect(await fateOfText(recording, textOf(lines))).toBe(a === b ? 'same' : 'refused');
    });
  });

  test('with a line missing or standing there twice, it is refused; without its last lines it goes on', async () => {
    await check(150, async (recording, at, kind) => {
      const lines = recording.lines.slice();
      const place = at % lines.length;
      if (kind % 2 === 0) lines.splice(place, 1);
      else lines.splice(place, 0, lines[place]!);
      const isWhole = kind % 2 === 0 && place === lines.length; // the last one is gone: nobody knows that it was there
      expect(await fateOfText(recording, textOf(lines))).toBe(isWhole ? 'same' : 'refused');
    });
  });

  test('a completion that was written twice, each time in its own place, is ignored the second time', async () => {
    await check(100, async (recording, at, distance) => {
      const ends = recording.entries.flatMap((entry, position) => (entry.type === 'effect.done' ? [position] : []));
      const place = ends[at % ends.length]!;
      const { mark: _mark, ...again } = recording.entries[place]!;
      const later = place + 1 + (distance % (recording.entries.length - place));
      expect(await fateOfEntries(recording, recording.entries.toSpliced(later, 0, again as JournalEntry))).toBe('same');
    });
  });

  test('of a format or with an entry that only a newer version knows, it is refused and says so', async () => {
    await check(60, async (recording, at) => {
      const [start, ...rest] = recording.entries;
      expect(await fateOfEntries(recording, [{ ...start, format: 99 } as JournalEntry, ...rest])).toBe('refused');
      const place = 1 + (at % rest.length);
      const future = { type: 'effect.paused', id: `${recording.id}/x`, at: 1 } as never; // an entry of a version to come
      expect(await fateOfEntries(recording, recording.entries.toSpliced(place, 0, future))).toBe('refused');
    });
  });

  test('a line of another one is refused wherever it stands, whatever it says', async () => {
    await check(150, async (recording, which, at) => {
      const other = linesOf(all[which % all.length]!.entries, 'another');
      const place = at % Math.min(recording.lines.length, other.length);
      expect(await fateOfText(recording, textOf(recording.lines.with(place, other[place]!)))).toBe('refused');
    });
  });

  test('a record of which an entry was left out and which was then written anew, as no journal does, never leads to an act that nobody allowed', async () => {
    const fates = new Map<string, number>();
    await check(200, async (recording, at) => {
      const fate = await fateOfEntries(recording, recording.entries.toSpliced(at % recording.entries.length, 1));
      const kind = fate.replace(/:.*/s, '');
      fates.set(kind, (fates.get(kind) ?? 0) + 1);
      expect(fate).not.toMatch(/D6|O2|O3/);
    });
    expect(fates.get('refused')).toBeGreaterThan(100 * share);
  });
});
