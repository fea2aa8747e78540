import type { ContentBlock, MediaSource } from '../../contract/index.js';

/** A block that carries bytes or an address. */
export type MediaBlock = Extract<ContentBlock, { source: MediaSource }>;

/** Bytes with their type, or an address with a type where it is known. */
export type Located = { data: string; mediaType: string } | { uri: string; mediaType: string | undefined };

/** Types by the end of an address: Google wants to be told, and Vertex AI insists. */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
  gif: 'image/gif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  aac: 'audio/aac',
  m4a: 'audio/mp4',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
};

/** True for the blocks that carry media. */
export function isMedia(block: ContentBlock): block is MediaBlock {
  return block.type === 'image' || block.type === 'document' || block.type === 'audio' || block.type === 'video';
}

/** Finds what a block points at; a `data:` address is taken apart. */
export function locate({ source }: MediaBlock): Located {
  if (source.type === 'base64') return { data: source.data, mediaType: source.mediaType };
  const data = /^data:([^;,]+)(?:;[^,]*)?;base64,(.*)$/s.exec(source.url);
  if (data) return { data: String(data[2]), mediaType: String(data[1]) };
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(source.url)?.[1]?.toLowerCase() ?? '';
  return { uri: source.url, mediaType: Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined };
}
