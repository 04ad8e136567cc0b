import { describe, expect, test } from 'vitest';
import { MemorySession } from '../../actors/memorySession.ts';
import { user } from '../../actors/message.ts';

const [one, two, three] = [user('one'), user('two'), user('three')];

describe('MemorySession', () => {
  test('keeps items in order and gives the newest of them', async () => {
    const session = new MemorySession({ initialItems: [one] });
    await session.addItems([two, three]);
    expect(await session.getItems()).toEqual([one, two, three]);
    expect(await session.getItems(2)).toEqual([two, three]);
    expect(await session.getItems(4)).toEqual([one, two, three]);
    expect([await session.getItems(0), await session.getItems(-1)]).toEqual([[], []]);
  });

  test('popItem takes the newest away, until there is none', async () => {
    const session = new MemorySession({ initialItems: [one, two] });
    expect([await session.popItem(), await session.popItem(), await session.popItem()]).toEqual([two, one, undefined]);
    expect(await session.getItems()).toEqual([]);
  });

  test('clearSession empties it and keeps its id', async () => {
    const session = new MemorySession({ sessionId: 's1', initialItems: [one] });
    await session.clearSession();
    expect([await session.getItems(), await session.getSessionId()]).toEqual([[], 's1']);
  });

  test('has an id of its own unless given one', async () => {
    const [first, second] = [await new MemorySession().getSessionId(), await new MemorySession().getSessionId()];
    expect(first).toMatch(/^[0-9a-f]{8}-/);
    expect(first).not.toBe(second);
  });

  test('G1: changing an item outside, before or after, does not change the history', async () => {
    const mine = user('mine');
    const initial = user('initial');
    const session = new MemorySession({ initialItems: [initial] });
    await session.addItems([mine]);
    mine.content = initial.content = 'changed';
    const [read] = await session.getItems();
    Object.assign(read ?? {}, { content: 'changed' });
    expect(await session.getItems()).toEqual([user('initial'), user('mine')]);
  });

  test('an item that is not plain data is refused with its type, and none of its batch is kept', async () => {
    const session = new MemorySession();
    const broken = { ...two, providerData: { later: () => 1 } };
    await expect(session.addItems([one, broken])).rejects.toThrow(/holds only plain data, and an item of type "message" is not/);
    expect(await session.getItems()).toEqual([]);
  });

  test('takes a very long history at once', async () => {
    const session = new MemorySession();
    await session.addItems(Array.from({ length: 200_000 }, () => one));
    expect(await session.getItems(1)).toEqual([one]);
  });
});
