import type { DocumentBlock, JsonObject, MediaSource } from '../../contract/index.js';
import { invalid } from './models.js';

type Kind = 'image' | 'document' | 'audio' | 'video';

/** Formats by the second half of their media type (AWS API reference, `ImageBlock`, `DocumentBlock`, `AudioBlock`, `VideoBlock`). */
const FORMATS: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  image: { png: 'png', jpeg: 'jpeg', jpg: 'jpeg', gif: 'gif', webp: 'webp' },
  document: {
    pdf: 'pdf',
    csv: 'csv',
    html: 'html',
    plain: 'txt',
    txt: 'txt',
    markdown: 'md',
    md: 'md',
    msword: 'doc',
    doc: 'doc',
    'vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
    docx: 'docx',
    'vnd.ms-excel': 'xls',
    xls: 'xls',
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
    xlsx: 'xlsx',
  },
  audio: {
    mpeg: 'mp3',
    mp3: 'mp3',
    wav: 'wav',
    'x-wav': 'wav',
    wave: 'wav',
    'vnd.wave': 'wav',
    ogg: 'ogg',
    opus: 'opus',
    flac: 'flac',
    'x-flac': 'flac',
    aac: 'aac',
    'x-aac': 'x-aac',
    mp4: 'mp4',
    m4a: 'm4a',
    'x-m4a': 'm4a',
    webm: 'webm',
    pcm: 'pcm',
    l16: 'pcm',
    'x-matroska': 'mka',
  },
  video: {
    mp4: 'mp4',
    quicktime: 'mov',
    mov: 'mov',
    'x-matroska': 'mkv',
    mkv: 'mkv',
    webm: 'webm',
    'x-flv': 'flv',
    flv: 'flv',
    mpeg: 'mpeg',
    mpg: 'mpg',
    'x-ms-wmv': 'wmv',
    wmv: 'wmv',
    '3gpp': 'three_gp',
    '3gp': 'three_gp',
  },
};

/** Encodes a picture, a document, sound or a film: bytes as base64, or an object in S3. */
export function mediaBlock(kind: Kind, source: MediaSource, extra: JsonObject = {}): JsonObject {
  const { mediaType, at } = located(kind, source);
  const subtype = mediaType.toLowerCase().split(';')[0]?.split('/').at(-1)?.trim() ?? '';
  const format = Object.hasOwn(FORMATS[kind], subtype) ? FORMATS[kind][subtype] : undefined;
  if (format === undefined) {
    const known = [...new Set(Object.values(FORMATS[kind]))].join(', ');
    throw invalid(`cannot send a ${kind} block of the type ${JSON.stringify(mediaType)}; Bedrock takes ${known}`);
  }
  return { [kind]: { format, ...extra, source: at } };
}

function located(kind: Kind, source: MediaSource): { mediaType: string; at: JsonObject } {
  if (source.type === 'base64') return { mediaType: source.mediaType, at: { bytes: source.data } };
  const data = /^data:([^;,]+);base64,(.*)$/s.exec(source.url);
  if (data) return { mediaType: String(data[1]), at: { bytes: String(data[2]) } };
  // The ending of the object's key is all that tells the format.
  if (source.url.startsWith('s3://')) {
    return { mediaType: source.url.split('.').at(-1) ?? '', at: { s3Location: { uri: source.url } } };
  }
  throw invalid(
    `cannot send a ${kind} block by its web address: Bedrock loads nothing; give the bytes as base64, or an s3:// address`,
  );
}

/** Names the documents of one request: Bedrock wants a name for each, of few characters, and no two of the same name. */
export class DocumentNames {
  readonly #taken = new Set<string>();

  encode({ source, title }: DocumentBlock): JsonObject {
    const plain = (title ?? '')
      .replace(/[^A-Za-z0-9\s()[\]-]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 180);
    const base = plain === '' ? 'document' : plain;
    let name = base;
    for (let number = 2; this.#taken.has(name); number++) name = `${base} ${number}`;
    this.#taken.add(name);
    return mediaBlock('document', source, { name });
  }
}
