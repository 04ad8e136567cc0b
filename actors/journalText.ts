/** An entry as it is stored: one line of JSON, short, and with a sum over what it says and where it belongs. */
import type { JournalEntry } from '../machines/protocol/journal.ts';
import { checksum } from './checksum.ts';
import { messageOf } from './errorRecord.ts';
import { JournalDamage } from './journal.ts';
import { pack, unpack } from './sharedJson.ts';
import { lengthened, shortened } from './shortEntry.ts';

/** Where an entry belongs: in no other place does its sum hold. */
export interface EntryPlace { runId: string; position: number }

/** One line of text for an entry, without a line break. */
export function entryToText(entry: JournalEntry, place: EntryPlace): string {
  const json = JSON.stringify(pack(shortened(entry, place.runId)));
  return `["${sumOf(json, place)}",${json}]`;
}

/**
 * The entry again.
 * @throws {JournalDamage} when the text was changed, cut, or belongs to another place; or is of a kind that this version does not know.
 */
export function entryFromText(text: string, place: EntryPlace): JournalEntry {
  const [, sum, json] = /^\["([0-9a-z]+)",(.*)\]$/s.exec(text) ?? [];
  if (sum === undefined || json === undefined) throw damage(place, 'this is no entry, or only a part of one');
  if (sum !== sumOf(json, place)) throw damage(place, 'its sum does not hold: it was changed, or stands in another place than the one it was written to');
  const short = parsed(json, place);
  const entry = lengthened(short, place.runId);
  if (entry) return entry;
  throw damage(place, `"${short.t}" is no entry that this version knows. It was written by a newer one: update loopchart`);
}

function parsed(json: string, place: EntryPlace): ReturnType<typeof shortened> {
  try {
    return unpack(JSON.parse(json)) as ReturnType<typeof shortened>; // its sum holds, so this is what entryToText was given
  } catch (error) {
    throw damage(place, messageOf(error));
  }
}

const sumOf = (json: string, { runId, position }: EntryPlace) => checksum(`${runId} ${position} ${json}`);
const damage = ({ runId, position }: EntryPlace, why: string) => new JournalDamage(runId, position, why);
