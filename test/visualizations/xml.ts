export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  /** Text directly inside, with its codes resolved. */
  text: string;
}

const TAG = /^<(\/?)([A-Za-z][\w:-]*)((?:\s+[A-Za-z][\w:-]*="[^"<]*")*)\s*(\/?)>/;
const TEXT = /^(?:[^<&\p{Cc}\p{Cs}]|[\t\n\r]|&#\d+;)+/u;

/** Reads the part of XML that a drawing may use, and throws at the first character that is not well formed. */
export function parseXml(source: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at);
    const parent = open.at(-1);
    if (parent === undefined) throw new Error(`Closed once too often at ${at}.`);
    const text = TEXT.exec(rest)?.[0];
    const tag = TAG.exec(rest);
    if (text !== undefined) parent.text += resolved(text);
    else if (tag === null) throw new Error(`Not well formed at ${at}: ${rest.slice(0, 60)}`);
    else if (tag[1] === '/') closeTag(open, tag[2] ?? '');
    else {
      const element: Element = { name: tag[2] ?? '', attributes: attributesOf(tag[3] ?? ''), children: [], text: '' };
      parent.children.push(element);
      if (tag[4] !== '/') open.push(element);
    }
    at += text?.length ?? tag?.[0].length ?? 0;
  }
  const document = root.children[0];
  if (open.length !== 1 || document === undefined || root.children.length !== 1) throw new Error('A document has one root, closed at its end.');
  return document;
}

export const elementsOf = (element: Element): Element[] => [element, ...element.children.flatMap(elementsOf)];

export const classesOf = (element: Element): string[] => (element.attributes.class ?? '').split(' ');

function closeTag(open: Element[], name: string): void {
  const closed = open.pop();
  if (closed?.name !== name) throw new Error(`</${name}> closes <${closed?.name}>.`);
}

function attributesOf(source: string): Record<string, string> {
  const found = [...source.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, resolved(value)] as const);
  if (new Set(found.map(([name]) => name)).size !== found.length) throw new Error(`An attribute is given twice:${source}`);
  return Object.fromEntries(found);
}

const resolved = (text: string): string => text.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
