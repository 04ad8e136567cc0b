import { describe, expect, test } from 'vitest';
import { copyWithoutPackages } from '../support/build.ts';
import { loopchart, start } from '../support/commandLine.ts';
import { scriptedAgentFile } from '../support/agentFiles.ts';
import { chatServer, refuses, sendsBrokenJson, streams } from '../support/chatServer.ts';

const COMMANDS = ['chat', 'serve', 'runs', 'resume', 'migrate', 'prune'];

export function trouble(): void {
  describe.concurrent('trouble', { timeout: 60_000 }, () => {
    test('a wrong key: the error names the server, the cause and the fix, and never the key', async () => {
      await using server = await chatServer(refuses(401, 'Incorrect API key provided: sk-wrong-0123456789.'));
      const { out, errors, code } = await loopchart(['chat'], { input: 'Hello', env: server.env });
      expect(errors).toBe(`Error: The provider at ${server.env.OPENAI_BASE_URL} rejected the API key (401). Set OPENAI_API_KEY to a valid key, or pass apiKey to OpenAIProvider.\n`);
      expect(`${out}${errors}`).not.toContain('sk-wrong');
      expect(code).toBe(1);
    });

    test('K5: after a failure nothing is lost; the next line goes on from the same conversation', async () => {
      await using server = await chatServer(refuses(400, 'busy'), streams('Nice to meet you, Ada.'));
      const { out, code } = await loopchart(['chat'], { input: 'My name is Ada.\nWho am I?\n', env: server.env });
      expect(out).toContain('Nice to meet you, Ada.');
      const sent = server.requests.at(-1)!.body.messages.map(({ role, content }) => [role, content]);
      expect(sent.slice(1)).toEqual([['user', 'My name is Ada.'], ['user', 'Who am I?']]);
      expect(code).toBe(1);
    });

    test('no network: the address that does not answer is named', async () => {
      const closed = await chatServer(streams(''));
      await closed[Symbol.asyncDispose]();
      const { errors, code } = await loopchart(['chat'], { input: 'Hello', env: closed.env });
      expect({ errors, code }).toEqual({ errors: `Error: Cannot connect to ${closed.env.OPENAI_BASE_URL}: connection refused. Check that the server is running and that the base URL is right.\n`, code: 1 });
    });

    test('broken JSON from the model is told as such', async () => {
      await using server = await chatServer(sendsBrokenJson);
      const { errors, code } = await loopchart(['chat'], { input: 'Hello', env: server.env });
      expect(errors).toMatch(/^Error: The provider at \S+ sent JSON that cannot be parsed\. .*\n$/);
      expect(code).toBe(1);
    });

    test('OPENAI_BASE_URL speaks Chat Completions with the model of OPENAI_MODEL; --model and --api win', async () => {
      await using server = await chatServer(streams('hi'));
      await loopchart(['chat'], { input: 'Hello', env: { ...server.env, OPENAI_MODEL: 'from-environment' } });
      await loopchart(['chat', '--model', 'from-option'], { input: 'Hello', env: { ...server.env, OPENAI_MODEL: 'from-environment' } });
      await loopchart(['chat', '--api', 'responses'], { input: 'Hello', env: { ...server.env, OPENAI_MODEL: 'from-environment' } });
      expect(server.requests.slice(0, 3).map(({ path, body }) => [path, body.model])).toEqual([
        ['/v1/chat/completions', 'from-environment'],
        ['/v1/chat/completions', 'from-option'],
        ['/v1/responses', 'from-environment'],
      ]);
    });

    test('C2: a tool that throws, arguments that are no JSON or do not fit: the model hears of it and the run goes on', async () => {
      const file = scriptedAgentFile(`calls(['explode', {}], ['add', '{"a": 1,'], ['add', { a: 'one', b: 2 }], ['subtract', {}]), says('I am sorry.')`);
      const { out, errors, code } = await loopchart(['chat', file], { input: 'go' });
      expect(out).toContain('✗ explode: An error occurred while running the tool. Please try again.');
      expect(out).toContain('✗ add: An error occurred while parsing tool arguments. Please try again with valid JSON.');
      expect(out).toContain('✗ add: An error occurred while running the tool. Please try again.');
      expect(out).toContain('✗ subtract: Tool');
      expect(out).toContain('\nI am sorry.\n');
      expect({ errors, code }).toEqual({ errors: '', code: 0 });
    });

    test('A4: an answer that does not fit the output type is an error that says so', async () => {
      const { errors, code } = await loopchart(['chat', scriptedAgentFile("says('{\"n\": \"many\"}')", 'outputType: z.object({ n: z.number() })')], { input: 'count' });
      expect(errors).toMatch(/^Error: .*(output|schema).*\n$/i);
      expect(code).toBe(1);
    });

    test('B1: a run without end is stopped and says how to go on', async () => {
      const { errors, code } = await loopchart(['chat', scriptedAgentFile("...Array.from({ length: 100 }, (_, a) => calls('add', { a, b: 1 }))")], { input: 'go' });
      expect(errors).toBe('Error: Max turns (100) exceeded. What was done so far is kept; say "go on" to continue.\n');
      expect(code).toBe(1);
    });

    test('a run that nothing can end any more is told, not waited for', async () => {
      const file = scriptedAgentFile("says('never')", "instructions: () => new Promise<string>(() => undefined)");
      const { errors, code } = await loopchart(['chat', file], { input: 'go' });
      expect({ errors, code }).toEqual({ errors: 'Error: The run waits for something that cannot happen any more: a tool, a guardrail or a model returned a promise that nothing will settle.\n', code: 1 });
    });

    test('a package that the command needs and does not find is named', async () => {
      const copy = copyWithoutPackages(['rxjs', 'tslib', 'xstate', 'zod']);
      const { errors, code } = await loopchart(['chat'], { input: 'Hello', main: copy });
      expect(errors).toBe('loopchart: The built-in provider needs the package "@copilotkit/aimock", which is not installed. Run npm install @copilotkit/aimock, or set OPENAI_API_KEY or OPENAI_BASE_URL to talk to a real model.\n');
      expect(code).toBe(1);
      const withKey = await loopchart(['chat'], { input: 'Hello', main: copy, env: { OPENAI_API_KEY: 'sk-x' } });
      expect(withKey).toMatchObject({ errors: 'Error: The package "openai" is not installed. Add it to your app: npm install openai\n', code: 1 });
    });

    test('SIGINT interrupts a tool that hangs and ends the conversation', async () => {
      const { child, finished, until } = start(['chat', scriptedAgentFile("calls('hang'), says('never')")]);
      child.stdin!.write('go\nand then?\n');
      await until('→ hang');
      child.kill('SIGINT');
      const { out, errors, code } = await finished;
      expect(out).toMatch(/→ hang\n {2}✗ hang: .*\n {2}interrupted\n/);
      expect({ errors, code, wentOn: out.includes('and then?') }).toEqual({ errors: '', code: 130, wentOn: false });
    });

    test('SIGINT ends a conversation that waits for input', async () => {
      const { child, finished, until } = start(['chat']);
      await until('a guardrail');
      child.kill('SIGINT');
      expect(await finished).toMatchObject({ code: 130, errors: '' });
    });
  });

  describe.concurrent('the command line', { timeout: 60_000 }, () => {
    for (const [args, said, of = ''] of [
      [['--colour'], 'There is no option "--colour".'],
      [['chat', '--aprove', 'all'], 'There is no option "--aprove". Did you mean "--approve"?', 'chat '],
      [['chat', '--approve', 'non'], '"--approve" is all or none, not "non". Did you mean "none"?', 'chat '],
      [['chat', '--api'], '"--api" needs a value.', 'chat '],
      [['chat', '--before', '3d'], 'There is no option "--before" of chat.', 'chat '],
      [['runz'], 'There is no command "runz". Did you mean "runs"?'],
      [['runs', '--state', 'settle'], '"--state" is running or awaitingApproval or settled or interrupted or idle or paused or closed, not "settle". Did you mean "settled"?', 'runs '],
      [['runs', '--follow'], 'Say which run to follow: loopchart runs RUN_ID --follow.', 'runs '],
      [['runs', 'run_1', '--thread', 't'], '"--thread" is for the list of runs; "run_1" is one of them already.', 'runs '],
      [['resume'], 'Say which run or thread to go on with: loopchart resume ID. The command runs lists them.', 'resume '],
      [['migrate', 'runs'], 'migrate only checks, so far: loopchart migrate --check WHERE. Nothing that is recorded is ever changed.', 'migrate '],
      [['prune', '--journal', 'x'], 'Say what is old: --before 30d, or a date.', 'prune '],
      [['prune', '--before', 'soon'], '"soon" is no time: give an age such as 30d (s, min, h, d or w), or a date such as 2026-01-31 or 2026-01-31T12:00.', 'prune '],
      [['chat', '--thread', 'a/b', '--journal', 'x'], 'The id of a thread has no "/": "a/b".', 'chat '],
      [['runs', '--state', 'idel'], '"--state" is running or awaitingApproval or settled or interrupted or idle or paused or closed, not "idel". Did you mean "idle"?', 'runs '],
      [['chat', '--thread', 't'], 'A thread is kept in a journal: name one with --journal WHERE, or set LOOPCHART_JOURNAL.', 'chat '],
      [['runs'], 'Say which journal: --journal WHERE, or set LOOPCHART_JOURNAL.'],
      [['help', 'prun'], 'There is no command "prun". Did you mean "prune"?'],
      [['prune', '--before', '99999999999w'], '"99999999999w" is no time: give an age such as 30d (s, min, h, d or w), or a date such as 2026-01-31 or 2026-01-31T12:00.', 'prune '],
      [['chta'], 'There is no command "chta". Did you mean "chat"?'],
      [['agent.ts'], 'There is no command "agent.ts". Did you mean "chat agent.ts"?'],
      [[], 'Say what to do, for example: loopchart chat.'],
    ] as [args: string[], said: string, of?: string][]) {
      test(`wrong usage is told with what was meant: ${args.join(' ') || '(nothing)'}`, async () => {
        expect(await loopchart(args)).toEqual({ code: 2, out: '', errors: `loopchart: ${said} See: loopchart ${of}--help\n` });
      });
    }

    test('--help and --version answer and need nothing', async () => {
      const helps = await Promise.all([['--help'], ['help', 'prune'], ...COMMANDS.map((name) => [name, '--help'])].map((args) => loopchart(args)));
      const beginnings = ['loopchart: ', 'loopchart prune: ', ...COMMANDS.map((name) => `loopchart ${name}: `)];
      expect(helps.map(({ code, out, errors }, at) => [code, out.startsWith(beginnings[at]!), errors])).toEqual(helps.map(() => [0, true, '']));
      expect(await loopchart(['--version'])).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), errors: '' });
    });
  });
}
