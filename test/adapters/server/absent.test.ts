/** Clients of the protocol ask for more than there is. What they cannot do without is answered with the least. */
import { expect, test } from 'vitest';
import { serving } from './support/serving.ts';

const LEAST: [method: string, params: object | undefined, result: object][] = [
  ['account/read', {}, { account: null, requiresOpenaiAuth: false }],
  ['config/read', { includeLayers: true, cwd: '.' }, { config: {}, origins: {}, layers: null }],
  ['configRequirements/read', undefined, { requirements: null }],
  ['skills/list', { cwds: ['/elsewhere'], forceReload: true }, { data: [{ cwd: '/elsewhere', skills: [], errors: [] }] }],
  ['hooks/list', { cwds: null, threadId: null }, { data: [{ cwd: '/project', hooks: [], warnings: [], errors: [] }] }],
  ['collaborationMode/list', {}, { data: [] }],
  ['mcpServerStatus/list', {}, { data: [], nextCursor: null }],
];

for (const [method, params, result] of LEAST) {
  test(`${method} is answered`, async () => {
    const { client } = await serving({});
    expect(await client.request(method, params)).toEqual(result);
  });
}

const IN_VAIN: [method: string, params: object, why: string][] = [
  ['thread/shellCommand', { command: 'ls' }, 'Not run: here only agents run commands.'],
  ['thread/name/set', { name: 'Ada' }, 'Not named: threads have no names here.'],
];

for (const [method, params, why] of IN_VAIN) {
  test(`${method} is answered, and a warning says that nothing came of it`, async () => {
    const { client } = await serving({});
    const threadId = await client.thread();
    expect(await client.request(method, { threadId, ...params })).toEqual({});
    expect((await client.until('warning')).params).toEqual({ threadId, message: why });
    await expect(client.request(method, { threadId: 'nowhere', ...params })).rejects.toMatchObject({ message: 'thread not found: nowhere' });
  });
}

test('a name that a client shows already is taken back', async () => {
  const { client } = await serving({});
  const threadId = await client.thread();
  await client.request('thread/name/set', { threadId, name: 'Ada' });
  expect((await client.until('thread/name/updated')).params).toEqual({ threadId, threadName: null });
});
