/** The schema of the protocol as its own program prints it, and what of our messages does not fit. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Message } from './client.ts';

export interface Recorded { message: Message; /** Of the request that a reply is to. */ method?: string }
type Schema = Record<string, unknown>;

export class ProtocolSchema {
  readonly #folder: string;
  readonly #parsers = new Map<string, z.ZodType | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param program that prints the schema, as `codex app-server generate-json-schema --out DIR`. */
  static printedBy(program: string, folder: string): ProtocolSchema {
    execFileSync(program, ['app-server', 'generate-json-schema', '--experimental', '--out', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    return new ProtocolSchema(folder);
  }

  /** Nothing when the message fits, or the protocol has no word for it: an extension of ours, or an answer to what was no request. */
  complaint({ message, method }: Recorded): string | undefined {
    if (message.error) return typeof message.error.code === 'number' && typeof message.error.message === 'string' ? undefined : 'an error has a code and a message';
    if (message.method === undefined) return method === undefined ? undefined : this.#against(['v2/', 'v1/', ''].map((folder) => folder + replyName(method)), message.result);
    return this.#against([message.id === undefined ? 'ServerNotification' : 'ServerRequest'], message);
  }

  #against(names: readonly string[], value: unknown): string | undefined {
    const parser = names.map((name) => this.#parser(name)).find((one) => one !== undefined);
    if (!parser) return `no schema ${names.join(' or ')}`;
    const parsed = parser.safeParse(value);
    return parsed.success ? undefined : z.prettifyError(parsed.error);
  }

  #parser(name: string): z.ZodType | undefined {
    if (!this.#parsers.has(name)) {
      const file = join(this.#folder, `${name}.json`);
      this.#parsers.set(name, existsSync(file) ? z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')) as Schema) : undefined);
    }
    return this.#parsers.get(name);
  }
}

const NAMES: Readonly<Record<string, string>> = { initialize: 'InitializeResponse', 'account/read': 'GetAccountResponse', 'mcpServerStatus/list': 'ListMcpServerStatusResponse', 'thread/name/set': 'ThreadSetNameResponse', 'thread/inject_items': 'ThreadInjectItemsResponse' };

/** `thread/queue/add` is answered with a `ThreadQueueAddResponse`. */
const replyName = (method: string): string => NAMES[method] ?? `${method.split('/').map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}Response`;
