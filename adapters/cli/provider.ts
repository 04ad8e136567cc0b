/** Which provider answers: the one the environment names, or one of our own on this machine. */
import type { Model, ModelProvider } from '../../actors/ports.ts';
import { OpenAIProvider } from '../openai/index.ts';
import { type Answering, type EmbeddedProvider, startEmbeddedProvider } from './demo/embeddedProvider.ts';

export interface Provider {
  modelProvider: ModelProvider;
  /** Of agents that name none. */
  defaultModel?: string;
  /** One line that says who answers. */
  label: string;
  isEmbedded: boolean;
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;
interface Wanted {
  api?: 'responses' | 'chat';
  model?: string;
  answer: Answering;
  atHumanSpeed: boolean;
  /** The embedded provider is needed for certain; agents that bring their own models may never ask for it. */
  needsModel: boolean;
}

/** @throws CliError when the embedded provider is needed and its package is not installed. */
export async function openProvider({ api, model, needsModel, ...embedding }: Wanted, environment: Environment): Promise<Provider> {
  const address = environment.OPENAI_BASE_URL?.trim() || undefined;
  const named = environment.OPENAI_MODEL?.trim() || undefined;
  const useResponses = (api ?? (address ? 'chat' : 'responses')) === 'responses';
  if (!address && !environment.OPENAI_API_KEY?.trim()) {
    const embedded = new EmbeddedModels(embedding, useResponses);
    if (needsModel) await embedded.getModel();
    return {
      modelProvider: embedded,
      label: 'built in, on this machine. For a real model set OPENAI_API_KEY or OPENAI_BASE_URL.',
      isEmbedded: true,
      close: () => embedded.stop(),
    };
  }
  const name = model ?? named;
  return {
    modelProvider: new OpenAIProvider({ useResponses }),
    defaultModel: named,
    label: `${address ? hostOf(address) : 'OpenAI'}, ${useResponses ? 'Responses' : 'Chat Completions'}${name === undefined ? '' : `, ${name}`}`,
    isEmbedded: false,
    close: () => Promise.resolve(),
  };
}

/** The embedded provider answers for every model, whatever its name. It listens from the first model on. */
class EmbeddedModels implements ModelProvider {
  readonly #embedding: Pick<Wanted, 'answer' | 'atHumanSpeed'>;
  readonly #useResponses: boolean;
  #started: Promise<EmbeddedProvider> | undefined;

  constructor(embedding: Pick<Wanted, 'answer' | 'atHumanSpeed'>, useResponses: boolean) {
    this.#embedding = embedding;
    this.#useResponses = useResponses;
  }

  async getModel(): Promise<Model> {
    this.#started ??= startEmbeddedProvider(this.#embedding);
    const { url } = await this.#started;
    return new OpenAIProvider({ apiKey: 'embedded', baseURL: url, useResponses: this.#useResponses }).getModel('built-in-demo');
  }

  async stop(): Promise<void> {
    const embedded = await this.#started?.catch(() => undefined); // who asked for a model has heard of it
    await embedded?.stop();
  }
}

/** Without user name, password and query, which may hold secrets. */
const hostOf = (address: string) => (URL.canParse(address) ? new URL(address).host : 'the server of OPENAI_BASE_URL');
