import {
  assistantMessage,
  contentText,
  userMessage,
  type Continuation,
  type ContinuationMechanism,
  type ContinuationNote,
  type InferenceRequest,
  type Message,
  type RunCursor,
} from '../../contract/index.js';
import { anchorOf } from '../../recovery/seam/index.js';
import type { ContinuationRule } from './continuationTable.js';

/** A continuation as a provider encodes it. */
export interface EncodedContinuation {
  /** The request, with the turns that the mechanism adds. */
  request: InferenceRequest;
  /** What goes into the metadata of the first event. */
  note: ContinuationNote;
  rule: ContinuationRule;
  /** With `reattach`: where. */
  cursor?: RunCursor;
}

/**
 * Adds to a request what its continuation needs: nothing (`reattach`), a trailing assistant turn (`prefill`), or an
 * assistant turn and a user turn (`prompt`).
 *
 * @param reattaches - The provider, as cursors name it, whose runs can be attached to.
 */
export function encodeContinuation(
  request: InferenceRequest,
  rule: ContinuationRule,
  reattaches?: string,
): EncodedContinuation | undefined {
  const { continuation, ...original } = request;
  if (continuation === undefined) return undefined;
  const { prefix, cancelledTools, cursor } = continuation;
  const mechanism = mechanismOf(continuation, rule, reattaches);
  if (mechanism === 'reattach') return { request: original, note: { mechanism }, rule, cursor };
  const sent = rule.trimsTrailing || mechanism !== 'prefill' ? prefix.trimEnd() : prefix;
  // Nothing but white space was shown: there is nothing to continue, only something not to show twice.
  if (sent === '') return { request: original, note: { mechanism: 'prefill', trimmed: prefix }, rule };
  const messages = withAssistantText(original.messages, sent);
  if (mechanism === 'prefill') {
    const note: ContinuationNote = { mechanism, trimmed: prefix.slice(sent.length) };
    if (rule.echoesPrefix) note.echoesPrefix = true;
    return { request: { ...original, messages }, note, rule };
  }
  const anchor = anchorOf(prefix);
  const instruction = userMessage(continuationPrompt(prefix, anchor, cancelledTools));
  return {
    request: { ...original, messages: [...messages, instruction] },
    note: { mechanism: 'prompt', anchor },
    rule,
  };
}

/** Only the provider that runs an answer can be attached to; any other is asked for the rest by what its model can do. */
function mechanismOf(
  { mechanism, cursor }: Continuation,
  rule: ContinuationRule,
  reattaches: string | undefined,
): ContinuationMechanism {
  if (mechanism !== undefined && mechanism !== 'reattach') return mechanism;
  if (mechanism === 'reattach' && cursor !== undefined && cursor.provider === reattaches) return 'reattach';
  return rule.mechanism === 'reattach' ? 'prompt' : rule.mechanism;
}

/** A request that already ends in an assistant turn has a prefix of its caller's: ours goes on in the same turn. */
function withAssistantText(messages: readonly Message[], text: string): Message[] {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return [...messages, assistantMessage(text)];
  const only = last.content.every((block) => block.type === 'text');
  const content = only
    ? [{ type: 'text' as const, text: contentText(last.content) + text }]
    : [...last.content, { type: 'text' as const, text }];
  return [...messages.slice(0, -1), { ...last, content }];
}

/**
 * Asks for the rest of an answer, in the words of the user: models take a notice of the transport for an injection. The
 * partial answer stays an assistant turn, since a model that finds all of it quoted takes it for a new task.
 */
function continuationPrompt(prefix: string, anchor: string, cancelledTools: readonly { name: string }[]): string {
  const insideFence = (prefix.match(/^\s*(?:```|~~~)/gm)?.length ?? 0) % 2 === 1;
  const names = [...new Set(cancelledTools.map((tool) => tool.name).filter((name) => name !== ''))];
  // An answer about markup may hold our tag; a longer one stays unambiguous.
  let tag = 'last_words';
  while (prefix.includes(tag)) tag += '_';
  return [
    'My connection dropped while you were answering, so your last message reached me only up to these words:',
    `<${tag}>${anchor}</${tag}>`,
    'Please go on with that message from exactly there. Begin by repeating those last words exactly as they stand between the tags (without the tags), then continue in the same sentence, the same language and the same format.',
    'Do not start over, do not apologise, do not comment on the interruption.',
    insideFence ? 'The words stand inside a code block that is still open: do not open it again.' : '',
    names.length > 0
      ? `You had begun to call ${names.map((name) => `\`${name}\``).join(', ')}; the call did not reach me and was not run. Make it again if you still need it.`
      : '',
    'My original request and all tools still apply.',
  ]
    .filter((line) => line !== '')
    .join('\n');
}
