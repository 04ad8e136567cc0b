import { Agent, MemoryJournal } from 'loopchart';
import { says, scriptedModel } from 'loopchart/testing';
import { createThread } from 'loopchart/thread';
import { expect, test } from 'vitest';
import { checkpointFromText } from '../../../actors/checkpoint.ts';
import { THREAD_VERSIONS } from '../../../actors/thread/hosted.ts';

test('O5: a checkpoint of a thread that another thread chart has made is not used', async () => {
  const journal = new MemoryJournal();
  const agent = new Agent({ name: 'A', model: scriptedModel(says('Done.')) });
  const thread = createThread(agent, { threadId: 'desk', journal, checkpointEvery: 1 });
  await thread.run('Go.');
  await thread.release();
  const text = journal.readCheckpoint('desk')!;
  expect(checkpointFromText('desk', text, THREAD_VERSIONS)).toBeDefined();
  expect(checkpointFromText('desk', text, { ...THREAD_VERSIONS, thread: '0' })).toBeUndefined();
});
