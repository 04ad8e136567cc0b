/** What the README shows is what there is: its snippets are the examples that are executed, its commands, links and folders exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { HELP, HELP_OF, commandNames } from '../adapters/cli/help.ts';
import manifest from '../package.json' with { type: 'json' };

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', '.changeset/README.md'];
const readme = read('README.md');

interface Block { language: string; code: string; marked: string | undefined }
const blocksOf = (text: string): Block[] =>
  [...text.matchAll(/(?:<!-- (\S+) -->\n)?```(\w*)\n([^]*?)\n```/g)].map(([, marked, language = '', code = '']) => ({ language, code, marked }));

describe('snippets', () => {
  const snippets = blocksOf(readme).filter(({ language }) => language === 'ts');

  for (const { marked, code } of snippets) {
    test(`${marked ?? code.slice(0, 40)} is shown as it is executed`, () => {
      expect(marked).toBeDefined();
      expect(`${code}\n`).toBe(read(marked!));
    });
  }

  test('every example is shown once', () => {
    const examples = readdirSync(new URL('test/examples/', root)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    expect(snippets.map(({ marked }) => marked).toSorted()).toEqual(examples.map((name) => `test/examples/${name}`).toSorted());
  });

  test('no other language is shown than those that are checked here', () => {
    const shown = documents.flatMap((path) => blocksOf(read(path)).map(({ language }) => language));
    expect([...new Set(shown)].toSorted()).toEqual(['', 'sh', 'ts']);
  });
});

describe('commands', () => {
  const lines = documents.flatMap((path) => blocksOf(read(path)).filter(({ language }) => language === 'sh').flatMap(({ code }) => code.split('\n')));
  const commands = [...lines, ...documents.flatMap((path) => [...read(path).matchAll(/`(np[mx] [^`]+)`/g)].map(([, command = '']) => command))];

  const helps = [HELP, ...Object.values(HELP_OF)].join('\n');

  test('npm scripts exist', () => {
    const scripts = commands.flatMap((command) => [...command.matchAll(/npm (?:run ([\w:]+)|(start|test))/g)].map(([, run, own]) => run ?? own!));
    expect(scripts.length).toBeGreaterThan(8);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });

  test('the command line knows every command and option', () => {
    const asked = commands.flatMap((command) => [...command.matchAll(/npx loopchart ([^#|]*)/g)].map(([, args = '']) => args.trim().split(/\s+/)));
    expect(asked.length).toBeGreaterThan(3);
    const unknown = asked.flat().filter((argument) => (argument.startsWith('--') ? !helps.includes(argument) : false));
    expect(unknown).toEqual([]);
    expect(asked.map(([first]) => first).filter((first) => !commandNames.some((name) => name === first) && !first?.startsWith('--'))).toEqual([]);
  });

  test('environment variables are those of the help', () => {
    const variables = commands.flatMap((command) => [...command.matchAll(/\b((?:OPENAI|LOOPCHART)_\w+)=/g)].map(([, name = '']) => name));
    expect(variables.filter((name) => !helps.includes(name))).toEqual([]);
  });
});

describe('links and folders', () => {
  for (const path of documents) {
    test(`${path} leads to what exists`, () => {
      const targets = [...read(path).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target).filter((target) => !/^https?:/.test(target));
      expect(targets.filter((target) => !existsSync(new URL(target, new URL(path, root))))).toEqual([]);
    });
  }

  test('the map of folders is whole', () => {
    const map = blocksOf(readme).find(({ language, code }) => language === '' && code.startsWith('machines/'))!;
    const entries = map.code.split('\n').map((line) => line.split(' ')[0]!.replace('/', ''));
    expect(entries.filter((entry) => !existsSync(new URL(entry, root)))).toEqual([]);
    const shipped = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
    expect(shipped.filter((name) => !entries.includes(name) && !['node_modules', 'dist', 'coverage'].includes(name))).toEqual([]);
    const adapters = readdirSync(new URL('adapters/', root));
    expect(adapters.filter((name) => !map.code.includes(name))).toEqual([]);
  });

  test('entries that are named exist', () => {
    const named = [...documents.map(read).join('\n').matchAll(/\bloopchart\/(\w+)\b(?!\/)/g)].map(([, name = '']) => `./${name}`);
    expect([...new Set(named)].filter((name) => !(name in manifest.exports))).toEqual([]);
  });
});
