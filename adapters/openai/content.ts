/** Images and files as a request carries them. Tools and people may give bytes, text, addresses or ids; a provider takes one string. */
import type { FileData, ImageData, InputFile, InputImage } from '../../machines/protocol/item.ts';

export type ImageSource = InputImage['image'] | ImageData;
export type FileSource = InputFile['file'] | FileData;

/** Where an image comes from: an address (a `data:` URL counts) or the id of an uploaded file. */
export function imageLocation(image: ImageSource): { url?: string; fileId?: string } {
  if (image === undefined) return {};
  if (typeof image === 'string') return { url: image };
  if ('id' in image) return { fileId: image.id };
  if ('fileId' in image) return { fileId: image.fileId };
  if ('url' in image) return { url: image.url };
  return { url: dataUrl(image.data, image.mediaType ?? 'image/png') };
}

/** Where a file comes from: its content as a `data:` URL or base64, an address, or the id of an uploaded file. */
export function fileLocation(file: FileSource): { inline?: string; url?: string; fileId?: string; filename?: string } {
  if (file === undefined) return {};
  if (typeof file === 'string') return /^https?:\/\//i.test(file) ? { url: file } : { inline: file };
  if ('id' in file) return { fileId: file.id, ...named(file) };
  if ('url' in file) return { url: file.url, ...named(file) };
  return { inline: dataUrl(file.data, file.mediaType), ...named(file) };
}

function named(file: object): { filename?: string } {
  return 'filename' in file && typeof file.filename === 'string' ? { filename: file.filename } : {};
}

function dataUrl(content: string | Uint8Array, mediaType: string): string {
  if (typeof content === 'string') return content.startsWith('data:') ? content : `data:${mediaType};base64,${content}`;
  return `data:${mediaType};base64,${base64(content)}`;
}

/** In slices: spreading a large file into one call overflows the stack. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(text);
}
