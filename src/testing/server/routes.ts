import type { LlmWireName } from '../wire/types.js';
import type { LlmServerRequest } from './types.js';

/** What a path asks for. */
export interface Route {
  format: LlmWireName;
  kind: LlmServerRequest['kind'];
  /** Model named in the path. */
  model?: string;
  runId?: string;
  /** With `attach`: the last event that the client has seen; `''` for all of them. */
  after?: string;
}

/** Ends of the paths to which requests for an answer are posted. */
const GENERATE: [RegExp, LlmWireName][] = [
  [/\/chat\/completions$/, 'openaiChat'],
  [/\/responses$/, 'openaiResponses'],
  [/\/messages$/, 'anthropicMessages'],
  [/\/interactions$/, 'geminiInteractions'],
  [/\/models\/(?<model>[^/]+):streamGenerateContent$/, 'geminiGenerateContent'],
  [/\/model\/(?<model>[^/]+)\/converse-stream$/, 'bedrockConverse'],
  [/\/api\/chat$/, 'ollamaChat'],
  [/\/v2\/chat$/, 'cohereChat'],
];

const RUN = /\/(?<collection>responses|interactions)\/(?<id>[^/:]+)(?<action>\/cancel)?$/;

/**
 * Picks the wire format by the end of the path, so that any base URL fits: with `/v1` or without, behind a prefix.
 *
 * @returns undefined for a path that no vendor has.
 */
export function routeOf(method: string, url: URL): Route | undefined {
  const path = url.pathname;
  for (const [pattern, format] of method === 'POST' ? GENERATE : []) {
    const match = pattern.exec(path);
    if (!match) continue;
    const model = match.groups?.['model'];
    const array = format === 'geminiGenerateContent' && url.searchParams.get('alt') !== 'sse';
    return {
      format: array ? 'geminiJsonArray' : format,
      kind: 'generate',
      ...(model !== undefined && { model: decodeURIComponent(model) }),
    };
  }
  return runRoute(method, url);
}

function runRoute(method: string, url: URL): Route | undefined {
  const { collection, id, action } = RUN.exec(url.pathname)?.groups ?? {};
  if (collection === undefined || id === undefined) return undefined;
  const format = collection === 'responses' ? 'openaiResponses' : 'geminiInteractions';
  if (method === 'POST' && action) return { format, kind: 'cancel', runId: id };
  if (action) return undefined;
  if (method === 'DELETE') return { format, kind: 'delete', runId: id };
  if (method !== 'GET') return undefined;
  if (url.searchParams.get('stream') !== 'true') return { format, kind: 'retrieve', runId: id };
  const after = url.searchParams.get(format === 'openaiResponses' ? 'starting_after' : 'last_event_id');
  return { format, kind: 'attach', runId: id, after: after ?? '' };
}
