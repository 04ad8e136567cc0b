import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, compactionItem, fromLastCompaction, isOwnCompaction, newestUserMessages, paired, readable, sizeOf, unfolded, withoutOldest } from '../../machines/compaction.ts';
import type { AgentInputItem } from '../../machines/protocol/item.ts';
import { disorderIn } from './composed/invariants.ts';
import { asked, callItem, resultItem, said } from './samples.ts';

const theirs: AgentInputItem = { type: 'compaction', encrypted_content: 'gAAAA', created_by: 'openai' };
const thought: AgentInputItem = { type: 'reasoning', content: [{ type: 'input_text', text: 'hm' }] };

/** Turns of a conversation: a question, or calls with their results, or words. */
const turn = fc.oneof(
  fc.constant([asked('more')]),
  fc.constant([said('so')]),
  fc.integer({ min: 1, max: 3 }).map((count) => Array.from({ length: count }, (_, at) => `c${at}`)).map((ids) => [thought, ...ids.map((id) => callItem(id)), ...ids.map((id) => resultItem(id))]),
);
const conversation = fc.array(turn, { minLength: 1, maxLength: 8 }).map((turns) => turns.flatMap((items, nth) => items.map((item) => ('callId' in item ? { ...item, callId: `${nth}.${item.callId}` } : item) as AgentInputItem)));

describe('the item that stands for what was before', () => {
  test('is told from that of a provider', () => expect([compactionItem('so far', []), theirs, asked('go')].map(isOwnCompaction)).toEqual([true, false, false]));

  test('N1: is read as what was kept, and the summary after it; others pass', () => {
    const [first, kept, summary, last] = readable([theirs, compactionItem('They chose blue.', [asked('paint it')]), said('ok')]);
    expect([first, kept, last]).toEqual([theirs, asked('paint it'), said('ok')]);
    expect(summary).toMatchObject({ role: 'user', content: expect.stringMatching(/The summary:\n\nThey chose blue\.$/) });
  });

  test('N2: without a summary says so', () => expect(readable([compactionItem(' \n', [])])[0]).toMatchObject({ content: expect.stringContaining('There is no summary') }));
  test('is taken apart into what it kept, to be kept again', () => expect(unfolded([compactionItem('so far', [asked('a')]), theirs, asked('b')])).toEqual([asked('a'), theirs, asked('b')]));
  test('N1: what stands before the last one is not loaded', () => expect(fromLastCompaction([asked('a'), theirs, said('b'), compactionItem('c', []), asked('d')])).toEqual([compactionItem('c', []), asked('d')]));
  test('where there is none, all of it is', () => expect(fromLastCompaction([asked('a'), said('b')])).toEqual([asked('a'), said('b')]));
});

describe('N2: calls and results are cut together', () => {
  test('from any part of any conversation', () => {
    fc.assert(fc.property(conversation, fc.array(fc.boolean(), { maxLength: 40 }), (items, choice) => {
      const part = items.filter((item, at) => item.type !== 'reasoning' && choice[at] !== false);
      expect(disorderIn(paired(part))).toBeUndefined();
      expect(paired(items)).toEqual(items);
    }));
  });

  test('also when the oldest goes, again and again until nothing is left', () => {
    fc.assert(fc.property(conversation, (items) => {
      let rest = items;
      for (let left = items.length; rest.length > 0; left = rest.length) {
        rest = withoutOldest(rest);
        expect(rest.length).toBeLessThan(left);
        expect(paired(rest)).toEqual(rest);
      }
    }));
  });

  test('reasoning goes with what it led to, and an earlier summary last', () => {
    const earlier = compactionItem('so far', []);
    const after = withoutOldest([earlier, thought, callItem('a'), callItem('b'), resultItem('a'), resultItem('b'), asked('now')]);
    expect(after).toEqual([earlier, callItem('b'), resultItem('b'), asked('now')]);
    expect(withoutOldest([earlier])).toEqual([]);
  });
});

describe('the newest messages of people', () => {
  test('N1: as many as fit', () => {
    const items = [asked('first'), said('no'), asked('second'), asked('third')];
    expect(newestUserMessages(items, 1_000)).toEqual([asked('first'), asked('second'), asked('third')]);
    expect(newestUserMessages(items, sizeOf([asked('second')]) + sizeOf([asked('third')]))).toEqual([asked('second'), asked('third')]);
    expect(newestUserMessages(items, 0)).toEqual([]);
  });

  test('N1: never more than is allowed, whatever is in them, and cut between characters', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), fc.integer({ min: 0, max: 60 }), (texts, tokens) => {
      const kept = newestUserMessages(texts.map(asked), tokens);
      expect(kept.reduce((sum, item) => sum + sizeOf([item]), 0)).toBeLessThanOrEqual(tokens);
      for (const item of kept) expect(JSON.stringify(item)).not.toMatch(/\\ud[89a-f]/);
    }));
  });

  test('of a message with pictures that is cut, the words stay', () => {
    const message: AgentInputItem = { role: 'user', content: [{ type: 'input_image', image: 'x'.repeat(4_000) }, { type: 'input_text', text: 'what is this?' }] };
    expect(newestUserMessages([message], 100)).toEqual([{ role: 'user', content: 'what is this?… (cut)' }]);
  });
});

test('bytes are those of UTF-8', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    expect(bytesOf(text)).toBe(new TextEncoder().encode(text).length);
  }));
});
