import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OpenAIChatCompletionsModel, OpenAIProvider, OpenAIResponsesModel, setOpenAIAPI } from '../../../adapters/openai/index.ts';
import { getDefaultModel } from '../../../actors/defaultModel.ts';
import { answer, failure, provider, refuse } from './support/provider.ts';
import { request } from './support/requests.ts';

const RESPONSE = { id: 'r', status: 'completed', output: [] };
const COMPLETION = { id: 'c', choices: [{ message: { content: 'x' }, finish_reason: 'stop' }] };

beforeEach(() => {
  for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_DEFAULT_MODEL']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  setOpenAIAPI('responses');
});

describe('where key, address and model come from', () => {
  test('from the options', async () => {
    await using server = await provider(answer(RESPONSE));
    const own = new OpenAIProvider({ apiKey: 'k1', baseURL: server.baseURL, organization: 'org', project: 'proj' });
    await (await own.getModel('gpt-x')).getResponse(request());
    const [received] = server.received;
    expect([received?.headers.authorization, received?.headers['openai-organization'], received?.headers['openai-project'], received?.body.model]).toEqual(['Bearer k1', 'org', 'proj', 'gpt-x']);
  });

  test('from the environment', async () => {
    await using server = await provider(answer(RESPONSE));
    vi.stubEnv('OPENAI_API_KEY', 'k2');
    vi.stubEnv('OPENAI_BASE_URL', server.baseURL);
    vi.stubEnv('OPENAI_DEFAULT_MODEL', 'local');
    await (await new OpenAIProvider().getModel()).getResponse(request());
    expect([server.received[0]?.headers.authorization, server.received[0]?.body.model]).toEqual(['Bearer k2', 'local']);
  });

  test('a server of one\'s own needs no key, and the model has a default', async () => {
    await using server = await provider(answer(RESPONSE));
    await (await new OpenAIProvider({ baseURL: server.baseURL }).getModel()).getResponse(request());
    expect([server.received[0]?.headers.authorization, server.received[0]?.body.model]).toEqual(['Bearer none', getDefaultModel()]);
  });

  test('no key at all is an error that names every way to give one; with the key there, the same provider works', async () => {
    const own = new OpenAIProvider();
    const error = await failure(own.getModel('gpt-x'));
    expect({ name: error.name, message: error.message }).toEqual({
      name: 'UserError',
      message:
        'No API key for OpenAI. Set the environment variable OPENAI_API_KEY, call setDefaultOpenAIKey(key), or pass apiKey to OpenAIProvider. ' +
        'For a server of your own, set OPENAI_BASE_URL or pass baseURL.',
    });
    vi.stubEnv('OPENAI_API_KEY', 'k3');
    expect(await own.getModel('gpt-x')).toBeInstanceOf(OpenAIResponsesModel);
  });

  test('a base URL that is none, or that holds a password, is refused without repeating it', async () => {
    const none = await failure(Promise.resolve(new OpenAIProvider({ baseURL: 'localhost' }).getModel()));
    const secret = await failure(new OpenAIProvider({ baseURL: 'http://me:hunter2@127.0.0.1/v1' }).getModel());
    expect([none.name, none.message]).toEqual(['UserError', expect.stringMatching(/^The base URL is no URL/)]);
    expect([secret.name, secret.message]).toEqual(['UserError', expect.stringMatching(/user name or password/)]);
    expect(secret.message).not.toContain('hunter2');
  });
});

describe('defaults of the process', () => {
  test('key and client: each in its place', async () => {
    await using server = await provider(answer(RESPONSE));
    vi.resetModules(); // Both are set for good once set.
    const fresh = await import('../../../adapters/openai/index.ts');
    fresh.setDefaultOpenAIKey('k4');
    vi.stubEnv('OPENAI_API_KEY', 'loses');
    await (await new fresh.OpenAIProvider({ baseURL: server.baseURL }).getModel('m')).getResponse(request());
    fresh.setDefaultOpenAIClient(new OpenAI({ apiKey: 'k5', baseURL: server.baseURL }));
    await (await new fresh.OpenAIProvider().getModel('m')).getResponse(request());
    await (await new fresh.OpenAIProvider({ baseURL: server.baseURL }).getModel('m')).getResponse(request());
    expect(fresh.getDefaultOpenAIClient()?.apiKey).toBe('k5');
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer k4', 'Bearer k5', 'Bearer k4']);
  });

  test('the API: setOpenAIAPI for all, useResponses for one', async () => {
    const options = { apiKey: 'k' };
    setOpenAIAPI('chat_completions');
    expect(await new OpenAIProvider(options).getModel('m')).toBeInstanceOf(OpenAIChatCompletionsModel);
    expect(await new OpenAIProvider({ ...options, useResponses: true }).getModel('m')).toBeInstanceOf(OpenAIResponsesModel);
    setOpenAIAPI('responses');
    expect(await new OpenAIProvider(options).getModel('m')).toBeInstanceOf(OpenAIResponsesModel);
    expect(await new OpenAIProvider({ ...options, useResponses: false }).getModel('m')).toBeInstanceOf(OpenAIChatCompletionsModel);
  });
});

test('a client given beside a key or an address is refused: one of them would be ignored', () => {
  const openAIClient = new OpenAI({ apiKey: 'k' });
  expect(() => new OpenAIProvider({ openAIClient, apiKey: 'k', baseURL: 'http://127.0.0.1' })).toThrow('OpenAIProvider got both openAIClient and apiKey, baseURL.');
});

test('models share the client until the provider is closed', async () => {
  await using server = await provider(answer(COMPLETION));
  const own = new OpenAIProvider({ openAIClient: server.client, useResponses: false });
  await (await own.getModel('a')).getResponse(request());
  await own.close();
  await (await own.getModel('b')).getResponse(request());
  expect(server.received.map(({ body }) => body.model)).toEqual(['a', 'b']);
});

describe('K1: the client\'s own retries', () => {
  const busy = refuse(503, { message: 'Busy' }, { 'retry-after-ms': '1' });

  test('maxRetries is how often the client repeats a request', async () => {
    await using server = await provider(busy);
    await failure((await new OpenAIProvider({ apiKey: 'k', baseURL: server.baseURL, maxRetries: 1 }).getModel('m')).getResponse(request()));
    expect(server.received).toHaveLength(2);
  });

  test('maxRetries also goes for a client made elsewhere', async () => {
    await using server = await provider(busy);
    await failure((await new OpenAIProvider({ openAIClient: server.client, maxRetries: 2 }).getModel('m')).getResponse(request()));
    expect(server.received).toHaveLength(3);
  });

  test('they are off when the loop retries', async () => {
    await using server = await provider(busy);
    const model = await new OpenAIProvider({ apiKey: 'k', baseURL: server.baseURL, maxRetries: 2 }).getModel('m');
    await failure(model.getResponse(request({ modelSettings: { retry: { maxRetries: 1 } } })));
    expect(server.received).toHaveLength(1);
  });
});

test('importing the adapter loads neither openai nor zod; the first model does', async () => {
  const entry = new URL('../../../adapters/openai/index.ts', import.meta.url).href;
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const has = (name) => loaded.some((url) => url.includes('/node_modules/' + name + '/'));
    const { OpenAIProvider } = await import(${JSON.stringify(entry)});
    const before = [has('openai'), has('zod')];
    await new OpenAIProvider({ apiKey: 'k' }).getModel('m');
    console.log(JSON.stringify({ before, after: has('openai') }));
  `;
  const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
  const { stdout } = await promisify(execFile)(node, ['--input-type=module', '--eval', script]);
  expect(JSON.parse(stdout)).toEqual({ before: [false, false], after: true });
});
