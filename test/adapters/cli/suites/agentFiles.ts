import { describe, expect, test } from 'vitest';
import { loopchart } from '../support/commandLine.ts';
import { newFolder, scriptedAgentFile, writeAgentFile } from '../support/agentFiles.ts';

const chat = (file: string, ...args: string[]) => loopchart(['chat', file, ...args], { input: 'hi\n' });

export function agentFiles(): void {
  describe.concurrent("a user's agent file", { timeout: 60_000 }, () => {
    for (const [form, source, extension] of [
      ['a TypeScript default export', "const name: string = 'Mine'; export default new Agent({ name, model });", 'ts'],
      ['an export called agent', "export const agent = new Agent({ name: 'Mine', model });", 'mjs'],
      ['an async function that returns one', "export default async () => new Agent({ name: 'Mine', model });", 'js'],
    ] as const) {
      test(`runs: ${form}, outside of any package`, async () => {
        const imports = "import { Agent } from 'loopchart'; import { scriptedModel, says } from 'loopchart/testing'; const model = scriptedModel(says('It runs.'));";
        const { out, errors, code } = await chat(writeAgentFile(`${imports}\n${source}`, extension));
        expect({ errors, code, runs: out.includes('\n> hi\nIt runs.\n  [Mine: 1 request') }).toEqual({ errors: '', code: 0, runs: true });
      });
    }

    test('shares the very library that the command runs: instanceof holds', async () => {
      const { out } = await chat(writeAgentFile(`
        import { Agent, AgentsError, MaxTurnsExceededError } from 'loopchart';
        import { scriptedModel, says } from 'loopchart/testing';
        const errorHandlers = new MaxTurnsExceededError('x') instanceof AgentsError;
        export default new Agent({ name: 'Mine', model: scriptedModel(says(String(errorHandlers && globalThis.process.argv.length > 2))) });`));
      expect(out).toContain('\ntrue\n');
    });

    test('without a key an agent that names a model meets the stand-in, which can call its tools', async () => {
      const file = writeAgentFile(`
        import { Agent, tool } from 'loopchart';
        import { z } from 'zod';
        const add = tool({ name: 'add', description: 'Adds.', parameters: z.object({ a: z.number(), b: z.number() }), execute: ({ a, b }) => a + b });
        export default new Agent({ name: 'Mine', model: 'gpt-9', tools: [add] });`);
      const { out, code } = await loopchart(['chat', file], { input: 'What is love?\ncall add {"a": 1, "b": 2}\n' });
      expect(out).toContain('I cannot think about "What is love?". What I can do is call the tools of this agent: write "call add {…}" with arguments as JSON. It has add.');
      expect(out).toContain('✓ add: 3\nadd answered: 3\n');
      expect(code).toBe(0);
    });

    for (const [problem, source, said] of [
      ['exports nothing', 'const x = 1;', 'exports no agent. Add: export default new Agent('],
      ['exports something else', 'export const tools = [];', 'exports no agent, only tools. Add: export default new Agent('],
      ['exports a wrong value', 'export default { name: 1 };', 'it exports an object with name, not an Agent.'],
      ['returns a wrong value', 'export default () => 5;', 'the function it exports returns a number, not an Agent.'],
      ['has a function that throws', "export default () => {\n  throw new Error('no database');\n};", 'the function it exports failed: no database (line 2)'],
      ['throws on import', "\nthrow new RangeError('too far');", 'could not be loaded: RangeError: too far (line 2)'],
      ['has a syntax error', 'export default {;', 'could not be loaded: SyntaxError: '],
      ['imports a package that is not there', "import 'left-pad-of-mine';", 'could not be loaded: it imports "left-pad-of-mine", which is not installed there. Run npm install left-pad-of-mine beside the file.'],
      ['has a tool whose schema cannot be sent', "import { tool } from 'loopchart';\nimport { z } from 'zod';\nexport default tool({ name: 't', description: 'd', parameters: z.object({ at: z.date() }), execute: () => 1 });", 'could not be loaded: '],
    ] as const) {
      test(`that ${problem}: one paragraph names the file and the cause`, async () => {
        const file = writeAgentFile(source, 'mjs');
        const { out, errors, code } = await chat(file);
        expect(errors).toContain(`loopchart: ${file}`);
        expect(errors).toContain(said);
        expect(errors.trim().split('\n').length).toBe(1);
        expect({ out, code }).toEqual({ out: '', code: 1 });
      });
    }

    test('--debug adds the stack', async () => {
      const { errors } = await chat(writeAgentFile("throw new Error('deep');", 'mjs'), '--debug');
      expect(errors).toMatch(/Caused by: Error: deep\n +at /);
    });

    test('that does not exist, is a folder or has another ending is wrong usage', async () => {
      for (const [file, said] of [['nowhere.ts', 'There is no agent file nowhere.ts (looked for '], [newFolder(), 'is no file.'], [writeAgentFile('{}', 'json'), 'it has to end in .ts, .mts, .js or .mjs']] as const) {
        const { errors, code } = await chat(file);
        expect({ code, says: errors.includes(said) }).toEqual({ code: 2, says: true });
      }
    });

    test('that forgets a promise which rejects: the command ends with the reason', async () => {
      const file = scriptedAgentFile("calls('hang')", "instructions: () => { setImmediate(() => { throw new TypeError('stray'); }); return 'x'; }");
      const { errors, code } = await chat(file);
      expect({ errors, code }).toEqual({ errors: 'Error: TypeError: stray\n', code: 1 });
    });
  });
}
