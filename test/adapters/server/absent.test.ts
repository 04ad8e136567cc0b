/** Clients of the protocol ask for more than there is. What they cannot do without is answered with the least. */
import { expect, test } from 'vitest';
import { serving } from './support/serving.ts';

const LEAST: [method: string, params: object | undefined, result: object][] = [
  ['account/read', {}, { account: null, requiresOpenaiAuth: false }],
  ['config/read', { includeLayers: true, cwd: '.' }, { config: {}, origins: {}, layers: null }],
  ['configRequirements/read', undefined, { requirements: null }],
  ['skills/list', { cwds: ['/project'], forceReload: true }, { data: [] }],
  ['hooks/list', { cwds: ['/project'], threadId: null }, { data: [] }],
  ['collaborationMode/list', {}, { data: [] }],
];

for (const [method, params, result] of LEAST) {
  test(`${method} is answered`, async () => {
    const { client } = await serving({});
    expect(await client.request(method, params)).toEqual(result);
  });
}
