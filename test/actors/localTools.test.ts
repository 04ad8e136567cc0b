import { applyPatchTool as peerApplyPatchTool, computerTool as peerComputerTool, shellTool as peerShellTool } from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../actors/errors.ts';
import { handoff } from '../../actors/handoff.ts';
import { Agent } from '../../actors/agent.ts';
import { applyPatchTool, computerTool, isComputer, openComputer, shellTool } from '../../actors/localTools.ts';
import type { Computer, Editor, Shell } from '../../actors/ports.ts';
import { RunContext } from '../../actors/runContext.ts';
import { serializeHandoff, serializeTool } from '../../actors/serializeTool.ts';
import { tool, toolNamespace } from '../../actors/tool.ts';

const computer: Computer = {
  environment: 'browser', dimensions: [800, 600],
  screenshot: async () => '', click: () => {}, doubleClick: () => {}, scroll: () => {}, type: () => {}, wait: () => {}, move: () => {}, keypress: () => {}, drag: () => {},
};
const shell: Shell = { run: async () => ({ output: [] }) };
const editor: Editor = { createFile: async () => {}, updateFile: async () => {}, deleteFile: async () => {} };
// The same objects; the peer's types name the peer's own RunContext class, whose private fields set it apart.
const theirComputer = computer as unknown as Parameters<typeof peerComputerTool>[0]['computer'];
const theirEditor = editor as unknown as Parameters<typeof peerApplyPatchTool>[0]['editor'];
const runContext = new RunContext({ user: 'u' });
/** Functions are made anew by each library, and compare by being there. */
const shape = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'function' ? 'function' : entry)));

describe('local tools', () => {
  test('are described as by the peer', () => {
    expect(shape(computerTool({ computer }))).toEqual(shape(peerComputerTool({ computer: theirComputer })));
    expect(shape(computerTool({ computer, name: 'screen', needsApproval: true }))).toEqual(shape(peerComputerTool({ computer: theirComputer, name: 'screen', needsApproval: true })));
    expect(shape(shellTool({ shell }))).toEqual(shape(peerShellTool({ shell })));
    expect(shape(shellTool({ shell, allowedCallers: ['direct'], environment: { type: 'local', skills: [] } }))).toEqual(shape(peerShellTool({ shell, allowedCallers: ['direct'], environment: { type: 'local', skills: [] } })));
    expect(shape(applyPatchTool({ editor }))).toEqual(shape(peerApplyPatchTool({ editor: theirEditor })));
    expect(shape(applyPatchTool({ editor, name: 'edit', allowedCallers: ['programmatic'] }))).toEqual(shape(peerApplyPatchTool({ editor: theirEditor, name: 'edit', allowedCallers: ['programmatic'] })));
  });

  test('a shell in a container of the provider is sent as by the peer', () => {
    const skills = [{ type: 'skill_reference' as const, skillId: 's' }, { type: 'inline' as const, name: 'n', description: 'd', source: { type: 'base64' as const, data: 'QQ==', mediaType: 'application/zip' as const } }];
    const environments = [
      { type: 'container_auto' as const, memoryLimit: '4g' as const, fileIds: ['f'], skills, networkPolicy: { type: 'allowlist' as const, allowedDomains: ['example.com'] } },
      { type: 'container_auto' as const, networkPolicy: { type: 'disabled' as const } },
      { type: 'container_reference' as const, containerId: 'c' },
    ];
    for (const environment of environments) expect(shape(shellTool({ environment }))).toEqual(shape(peerShellTool({ environment })));
  });

  test.each([[undefined, false], [true, true], [false, false], [async () => true, true]] as const)('D1: needsApproval %s answers %s', async (needsApproval, answer) => {
    const tools = [computerTool({ computer, needsApproval }), shellTool({ shell, needsApproval }), applyPatchTool({ editor, needsApproval })];
    expect(await Promise.all(tools.map((local) => local.needsApproval(runContext, {} as never)))).toEqual([answer, answer, answer]);
  });

  test.each<[string, () => unknown, string]>([
    ['no computer', () => computerTool({ computer: undefined as never }), 'needs a computer'],
    ['no shell', () => shellTool({} as never), 'needs a `shell`'],
    ['no editor', () => applyPatchTool({} as never), 'needs an `editor`'],
    ['a shell in a container', () => shellTool({ environment: { type: 'container_auto' }, shell } as never), 'takes no `shell`'],
    ['an approval in a container', () => shellTool({ environment: { type: 'container_auto' }, needsApproval: true } as never), 'nobody can be asked'],
    ['a container without id', () => shellTool({ environment: { type: 'container_reference', containerId: '' } }), 'containerId'],
    ['a skill without id', () => shellTool({ environment: { type: 'container_auto', skills: [{ type: 'skill_reference', skillId: '' }] } }), 'skillId'],
    ['a skill without source', () => shellTool({ environment: { type: 'container_auto', skills: [{ type: 'inline', name: 'n' } as never] } }), "inline skill 'n'"],
  ])('refuse %s', (_name, declare, message) => {
    expect(declare).toThrow(UserError);
    expect(declare).toThrow(message);
  });
});

describe('C10: a computer', () => {
  test('that is there is shared and never disposed', async () => {
    const opened = await openComputer(computerTool({ computer }), runContext);
    expect(opened.computer).toBe(computer);
    expect(await opened.dispose()).toBeUndefined();
  });

  test('is made for each run by a function', async () => {
    const made = computerTool({ computer: async () => ({ ...computer }) });
    const [one, two] = [await openComputer(made, runContext), await openComputer(made, runContext)];
    expect(isComputer(one.computer)).toBe(true);
    expect(one.computer).not.toBe(two.computer);
    await one.dispose();
  });

  test('is made and disposed with the run context by a provider', async () => {
    const log: unknown[] = [];
    const made = computerTool({ computer: { create: (args) => { log.push(args); return computer; }, dispose: (args) => void log.push(args) } });
    const opened = await openComputer(made, runContext);
    await opened.dispose();
    expect(log).toEqual([{ runContext }, { runContext, computer }]);
  });

  test('that is none is refused with what it lacks', async () => {
    await expect(openComputer(computerTool({ computer: async () => ({}) as Computer }), runContext)).rejects.toThrow("'computer_use_preview' made no computer");
    await expect(openComputer(computerTool({ computer: {} as Computer }), runContext)).rejects.toBeInstanceOf(UserError);
  });
});

describe('serializeTool', () => {
  const plain = tool({ name: 't', description: 'd', parameters: z.object({ a: z.string() }), execute: () => '', allowedCallers: ['direct'], providerData: { p: 1 } });

  test('writes a function tool, once for as long as it does not change', () => {
    const serialized = serializeTool(plain);
    expect(serialized).toEqual({ type: 'function', name: 't', description: 'd', parameters: plain.parameters, strict: true, deferLoading: false, providerData: { p: 1 }, allowedCallers: ['direct'] });
    expect(serializeTool(plain)).toBe(serialized);
    const changing = { ...plain };
    const before = serializeTool(changing);
    changing.description = 'changed';
    expect([before, serializeTool(changing)]).toMatchObject([{ description: 'd' }, { description: 'changed' }]);
  });

  test('writes namespace and output schema', () => {
    const structured = tool({ name: 's', description: '', parameters: z.object({}), outputSchema: z.object({ id: z.string() }), execute: () => ({ id: '1' }) });
    const [grouped] = toolNamespace({ name: 'crm', description: 'Customers', tools: [structured] as const });
    expect(serializeTool(grouped)).toMatchObject({ name: 's', namespace: 'crm', namespaceDescription: 'Customers', outputSchema: { properties: { id: { type: 'string' } } } });
  });

  test('writes local and hosted tools', () => {
    const { dimensions: _dimensions, ...faceless } = computer;
    expect([
      serializeTool(computerTool({ computer })),
      serializeTool(computerTool({ computer: faceless })),
      serializeTool(computerTool({ computer: async () => computer })),
      serializeTool(computerTool({ computer: async () => computer }), { computer }),
      serializeTool(shellTool({ shell })),
      serializeTool(shellTool({ environment: { type: 'container_reference', containerId: 'c' }, allowedCallers: ['direct'] })),
      serializeTool(applyPatchTool({ editor, allowedCallers: ['direct'] })),
      serializeTool({ type: 'hosted_tool', name: 'web_search', providerData: { type: 'web_search' } }),
    ]).toEqual([
      { type: 'computer', name: 'computer_use_preview', environment: 'browser', dimensions: [800, 600] },
      { type: 'computer', name: 'computer_use_preview' },
      { type: 'computer', name: 'computer_use_preview' },
      { type: 'computer', name: 'computer_use_preview', environment: 'browser', dimensions: [800, 600] },
      { type: 'shell', name: 'shell', environment: { type: 'local' } },
      { type: 'shell', name: 'shell', environment: { type: 'container_reference', containerId: 'c' }, allowedCallers: ['direct'] },
      { type: 'apply_patch', name: 'apply_patch', allowedCallers: ['direct'] },
      { type: 'hosted_tool', name: 'web_search', providerData: { type: 'web_search' } },
    ]);
  });

  test('refuses what is no tool', () => {
    expect(() => serializeTool({ type: 'magic' } as never)).toThrow("type 'magic'");
  });

  test('writes a handoff', () => {
    const made = handoff(new Agent({ name: 'B' }));
    expect(serializeHandoff(made)).toEqual({ toolName: 'transfer_to_B', toolDescription: made.toolDescription, inputJsonSchema: made.inputJsonSchema, strictJsonSchema: true });
  });
});
