/** The runs of a folder. A file is looked into again only when it has grown. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { JournalDamage, type RunSummary } from '../../actors/journal.ts';
import { EXTENSION } from './fileNames.ts';
import { summaryOf } from './fileSummary.ts';
import { isOfOneFile, told } from './fileTrouble.ts';
import type { JournalStoreError } from './storeError.ts';

/** Told of a log that a listing leaves out: it was damaged, is of a newer format, or this user may not read it. */
export type OnDamage = (damage: JournalDamage | JournalStoreError, path: string) => void;

interface Listed { ino: number; size: number; summary: RunSummary | undefined }

export class FileListing {
  readonly #folder: string;
  readonly #onDamage: OnDamage;
  #listed = new Map<string, Listed>();

  constructor(folder: string, onDamage: OnDamage) {
    this.#folder = folder;
    this.#onDamage = onDamage;
  }

  summaries(): RunSummary[] {
    const found = new Map<string, Listed>();
    for (const file of filesIn(this.#folder)) {
      const listed = this.#look(file);
      if (listed) found.set(file, listed);
    }
    this.#listed = found;
    return [...found.values()].flatMap(({ summary }) => (summary ? [{ ...summary }] : []));
  }

  #look(file: string): Listed | undefined {
    const path = join(this.#folder, file);
    const known = this.#listed.get(file);
    try {
      const { ino, size } = statSync(path);
      return known?.ino === ino && known.size === size ? known : { ino, size, summary: this.#summary(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // Expected: it was removed in the meantime.
      throw error;
    }
  }

  #summary(path: string): RunSummary | undefined {
    try {
      return told(path, () => summaryOf(path));
    } catch (error) {
      if (!(error instanceof JournalDamage) && !isOfOneFile(error)) throw error;
      this.#onDamage(error, path); // One log that cannot be read must not hide the others.
      return undefined;
    }
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith(EXTENSION));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // Expected: nothing was written there yet.
    throw error;
  }
}
