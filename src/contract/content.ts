import type { JsonValue } from './json.js';

/** Where the bytes of an image, document, audio or video block come from. */
export type MediaSource =
  | {
      type: 'base64';
      /** IANA media type, such as `image/png`. */
      mediaType: string;
      /** The bytes, base64 encoded, without a `data:` prefix. */
      data: string;
    }
  | { type: 'url'; url: string };

/**
 * What a provider wants to see again with a block, and what tells one provider's opaque data from another's.
 * Plain JSON; unknown members are kept as they are.
 */
export interface ProviderMetadata {
  /** Who made it: `anthropic`, `openai`, `google`, … An opaque value is only ever sent back to its own provider. */
  provider?: string;
  /** Opaque signature over the block: Anthropic's thinking signature, Gemini's thought signature. */
  signature?: string;
  /** Opaque encrypted payload: OpenAI's encrypted reasoning, Anthropic's redacted thinking. */
  encrypted?: string;
  /** The provider's own id of the block or item. */
  id?: string;
  [key: string]: unknown;
}

/** Plain text. */
export interface TextBlock {
  type: 'text';
  text: string;
  providerMetadata?: ProviderMetadata;
}

/** An image for or from the model. */
export interface ImageBlock {
  type: 'image';
  source: MediaSource;
}

/** A document (PDF, text) for the model. */
export interface DocumentBlock {
  type: 'document';
  source: MediaSource;
  title?: string;
}

/** Sound for the model. */
export interface AudioBlock {
  type: 'audio';
  source: MediaSource;
}

/** A film for the model. */
export interface VideoBlock {
  type: 'video';
  source: MediaSource;
}

/**
 * The model's reasoning. It is sent back to the provider only when it is whole: with its `signature` or its
 * `encrypted` payload, to the provider that made it.
 */
export interface ReasoningBlock {
  type: 'reasoning';
  text: string;
  /** The provider's opaque signature over `text`. */
  signature?: string;
  /** The provider's opaque payload that stands for reasoning which it does not show. */
  encrypted?: string;
  providerMetadata?: ProviderMetadata;
}

/** The model asks for a tool. */
export interface ToolCallBlock {
  type: 'tool-call';
  id: string;
  name: string;
  arguments: JsonValue;
  providerMetadata?: ProviderMetadata;
}

/** The answer of a tool. */
export interface ToolResultBlock {
  type: 'tool-result';
  /** Id of the call that this answers. */
  toolCallId: string;
  content: ContentBlock[];
  /** True when the tool failed; the model reads the error in `content`. */
  isError?: boolean;
  /** Name of the tool, for the providers that match results by name (Gemini, Ollama). */
  name?: string;
}

/** An opaque block of one provider, echoed to it verbatim: server tools, citations, compaction. */
export interface ProviderBlock {
  type: 'provider';
  provider: string;
  block: JsonValue;
}

/** One piece of a message. The order of the blocks is the order in which they came. */
export type ContentBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | AudioBlock
  | VideoBlock
  | ReasoningBlock
  | ToolCallBlock
  | ToolResultBlock
  | ProviderBlock;

/**
 * Joins the text blocks, without a separator; every other block is skipped.
 *
 * @param content - The blocks of a message or a result.
 * @returns The text, `''` when there is none.
 */
export function contentText(content: readonly ContentBlock[]): string {
  let text = '';
  for (const block of content) if (block.type === 'text') text += block.text;
  return text;
}
