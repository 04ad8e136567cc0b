/** A server over real threads, with a model that says what a script says. */
import { Agent, type FunctionTool } from 'loopchart';
import { type ScriptedModel, type Step, scriptedModel } from 'loopchart/testing';
import { expect, onTestFinished } from 'vitest';
import { type RecordedOptions, ThreadServer, type ThreadServerOptions, recordedThreads } from '../../../../adapters/server/index.ts';
import { type Client, connect } from './client.ts';
import { orderProblems } from './order.ts';

export interface Serving { server: ThreadServer; model: ScriptedModel; client: Client; another(capabilities?: object): Promise<Client> }

export interface ServingOptions extends Partial<Omit<RecordedOptions, 'agent'>> {
  tools?: FunctionTool<any, any, any>[]; // `any`: tools of many kinds
  agent?: Agent<any, any>;
  server?: Partial<ThreadServerOptions>;
}

export function serverWith({ tools = [], agent, server = {}, ...recorded }: ServingOptions, model: ScriptedModel): ThreadServer {
  const speaker = agent ?? new Agent({ name: 'assistant', model, tools });
  const threads = recordedThreads({ agent: speaker, ...recorded });
  return new ThreadServer({ threads, version: '0.0.0', cwd: '/project', home: '/home', platform: 'linux', ...server });
}

/** Ready to be asked for threads. */
export async function serving(options: ServingOptions, ...script: Step[]): Promise<Serving> {
  const model = scriptedModel(...script);
  const server = serverWith(options, model);
  onTestFinished(() => server.close());
  const another = async (capabilities: object = {}) => {
    const client = connect(server);
    onTestFinished(() => expect(orderProblems(client.messages)).toEqual([]));
    await client.initialize(capabilities);
    return client;
  };
  return { server, model, client: await another(), another };
}
