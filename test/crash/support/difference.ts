/** Where two values differ, one line a place: a whole-value comparison of a thousand plays is read by these. */
export function differences(is: unknown, was: unknown, path = ''): string[] {
  if (Object.is(is, was)) return [];
  if (!isObject(is) || !isObject(was) || Array.isArray(is) !== Array.isArray(was)) return [`${path}: ${brief(is)}, was ${brief(was)}`];
  const keys = new Set([...Object.keys(is), ...Object.keys(was)]);
  return [...keys].flatMap((key) => differences(is[key], was[key], path ? `${path}.${key}` : key));
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const brief = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 160);
