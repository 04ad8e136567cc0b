import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Model, ModelProvider } from '../../actors/ports.ts';

const model = {} as Model;
const named: string[] = [];
const provider: ModelProvider = { getModel: (name) => { named.push(name ?? 'default'); return model; } };
/** The default provider belongs to the process; each test gets a process of its own, as far as the module can tell. */
const load = async () => { vi.resetModules(); named.length = 0; return import('../../actors/providers.ts'); };
let providers: Awaited<ReturnType<typeof load>>;
beforeEach(async () => { providers = await load(); });

describe('the default model provider', () => {
  test('is an error that names the fix when there is none', () => {
    expect(() => providers.getDefaultModelProvider()).toThrow(/no model provider.*setDefaultModelProvider/);
  });

  test('is the one that was set, before any that could be loaded', () => {
    providers.setDefaultModelProviderLoader(async () => { throw new Error('not needed'); });
    providers.setDefaultModelProvider(provider);
    expect(providers.getDefaultModelProvider()).toBe(provider);
  });

  test('is loaded once, when its first model is asked for', async () => {
    let loads = 0;
    providers.setDefaultModelProviderLoader(async () => { loads += 1; return provider; });
    const lazy = providers.getDefaultModelProvider();
    expect(loads).toBe(0);
    expect(await lazy.getModel('gpt')).toBe(model);
    expect(await lazy.getModel()).toBe(model);
    expect([loads, named]).toEqual([1, ['gpt', 'default']]);
    expect(providers.getDefaultModelProvider()).toBe(provider);
  });

  test('that needs a missing package says which, and how to get it', async () => {
    providers.setDefaultModelProviderLoader(async () => import('a-package-that-is-not-installed' as string) as Promise<never>);
    await expect(providers.getDefaultModelProvider().getModel()).rejects.toMatchObject({ name: 'UserError', message: expect.stringContaining('npm install openai'), cause: expect.any(Error) });
  });

  test('that fails to load otherwise fails with its own error', async () => {
    providers.setDefaultModelProviderLoader(async () => { throw new Error('bad key'); });
    await expect(providers.getDefaultModelProvider().getModel()).rejects.toThrow('bad key');
  });
});
