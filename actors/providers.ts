/** Where models come from when neither an agent nor a runner says so. */
import { UserError } from './errors.ts';
import type { Model, ModelProvider } from './ports.ts';

let provider: ModelProvider | undefined;
let loader: (() => Promise<ModelProvider>) | undefined;

/** Sets the provider that finds models by name for every run without one of its own. */
export function setDefaultModelProvider(modelProvider: ModelProvider): void {
  provider = modelProvider;
}

/** Says how to load a default provider on first use, so that importing the library loads no vendor's SDK. */
export function setDefaultModelProviderLoader(load: () => Promise<ModelProvider>): void {
  loader = load;
}

/**
 * The default provider. One that has yet to be loaded is loaded when its first model is asked for.
 * @throws UserError when there is neither a provider nor a way to load one; `getModel` rejects with it when loading fails.
 */
export function getDefaultModelProvider(): ModelProvider {
  if (provider !== undefined) return provider;
  if (loader === undefined) {
    throw new UserError(
      'There is no model provider. Call setDefaultModelProvider(provider), pass `modelProvider` to the Runner, or give the agent a Model object.',
    );
  }
  return new LoadedOnFirstUse(loader);
}

class LoadedOnFirstUse implements ModelProvider {
  readonly #load: () => Promise<ModelProvider>;
  constructor(load: () => Promise<ModelProvider>) {
    this.#load = load;
  }

  async getModel(modelName?: string): Promise<Model> {
    provider ??= await this.#loadOrExplain();
    return provider.getModel(modelName);
  }

  async #loadOrExplain(): Promise<ModelProvider> {
    try {
      return await this.#load();
    } catch (error) {
      if (!isModuleMissing(error)) throw error;
      const failure = new UserError(
        'The default model provider needs the package "openai", which is not installed. Run `npm install openai`, or call setDefaultModelProvider(provider) with another one.',
      );
      failure.cause = error;
      throw failure;
    }
  }
}

/** Node and the bundlers have their own words for it. */
function isModuleMissing(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return true;
  return /Cannot find (package|module)|Failed to resolve module/.test(String(message));
}
