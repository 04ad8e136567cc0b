import { readFileSync } from 'node:fs';

/** The package's own file lies somewhere above, at one depth in the sources and at another in what is built. */
export function versionOfPackage(): string {
  for (let folder = new URL('..', import.meta.url); ; folder = new URL('..', folder)) {
    const version = versionIn(new URL('package.json', folder));
    if (version !== undefined || folder.pathname === '/' || folder.href === new URL('..', folder).href) return version ?? 'unknown';
  }
}

function versionIn(file: URL): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown };
    return name === 'loopchart' && typeof version === 'string' ? version : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
