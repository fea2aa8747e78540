import type { JsonObject, JsonValue } from '../contract/index.js';
import type { AnswerPart, AnswerScript, LlmFault, LlmServerRequest } from '../testing/index.js';
import { counted } from './toolsShow.js';

/** What is asked in the demo of the tools. */
export const TOOLS_QUESTION = 'What is in this folder, and where do I begin to read?';

const LOOK = `I do not know this folder yet, so I look before I speak. First I want to see what lies at the top of it, as one looks at the spines of the books before opening one. At the same time I search all files for notes that somebody has left for later: they tell more about the state of a house than its front door.`;
const READ = `\n\nNow I know what is there. I open the files that people put first for strangers, and look into the folders beside them, all at once, since none of them has to wait for another.`;
const SEARCH = `\n\nOne thing more: I look where the first word of what I have read comes up again, to see what everything here is about.`;

/** A call that the model wants to make. */
interface Job {
  name: string;
  args: JsonObject;
}

/** What the model has been told, by the call that it made. */
type Known = ReadonlyMap<string, JsonObject>;

/**
 * The scripted model of the demo. Like a real one it answers from the history alone: it says what it has not said, makes
 * the calls whose results it has not seen, and ends with an answer made of the results. So it does not matter to it where
 * its last turn was cut.
 */
export function answerAbout({ messages }: LlmServerRequest): AnswerScript {
  const said = messages.reduce((text, { role, text: words }) => (role === 'assistant' ? text + words : text), '');
  const known = knownOf(messages);
  let transcript = '';
  for (const [words, jobs] of turnsOf(known)) {
    transcript += words;
    const missing = jobs.filter((job) => !known.has(keyOf(job)));
    if (missing.length === 0) continue;
    const calls = missing.map(({ name, args }): AnswerPart => ({ toolCall: { name, arguments: args } }));
    return [...textPart(transcript.slice(said.length)), ...calls];
  }
  return (transcript + conclusion(known)).slice(said.length);
}

/** What goes wrong with each request, in every turn of the conversation. @param trailer - See `faultsOf` of the story. */
export function toolFaults(trailer: number): LlmFault[] {
  return [
    { cutAfterEvents: 9 },
    { stallAfterEvents: 7 },
    { cutAfterEvents: -(trailer + 3) },
    { errorEvent: {}, afterEvents: 4 },
    { endAfterEvents: 10 },
    { cutAfterEvents: -(trailer + 9) },
    { cutAfterEvents: -trailer },
    { status: 503, retryAfter: 0.2 },
    { cutAfterEvents: 6 },
    { cutAfterEvents: 8 },
    { stallAfterEvents: 11 },
  ];
}

/** Names a call, whatever its id. */
export function keyOf({ name, args }: Job): string {
  return `${name} ${JSON.stringify(args)}`;
}

function turnsOf(known: Known): [string, Job[]][] {
  const top: Job = { name: 'list_files', args: { path: '.' } };
  const first: Job[] = [top, { name: 'search_files', args: { query: 'TODO' } }];
  const entries = listOf(known.get(keyOf(top))?.['entries']);
  const second: Job[] = [
    ...readFirst(entries).map((path) => ({ name: 'read_file', args: { path, count: 40 } })),
    ...entries
      .filter(({ kind }) => kind === 'folder')
      .slice(0, 2)
      .map(({ name }) => ({ name: 'list_files', args: { path: wordOf(name) } })),
  ];
  const query = firstWord(second.map((job) => wordOf(known.get(keyOf(job))?.['text'])));
  const third: Job[] = query === '' ? [] : [{ name: 'search_files', args: { query } }];
  return [
    [LOOK, first],
    [second.length > 0 ? READ : '', second],
    [third.length > 0 ? SEARCH : '', third],
  ];
}

/** The files that people put first for strangers, then the smallest ones. */
function readFirst(entries: readonly JsonObject[]): string[] {
  const size = ({ size: bytes }: JsonObject): number => (typeof bytes === 'number' ? bytes : Infinity);
  const rank = ({ name }: JsonObject): number =>
    /^readme/i.test(wordOf(name)) ? 0 : /\.(?:md|txt|json)$/i.test(wordOf(name)) ? 1 : 2;
  return entries
    .filter((entry) => entry['kind'] === 'file' && size(entry) > 0 && size(entry) < 200_000)
    .sort((a, b) => rank(a) - rank(b) || size(a) - size(b))
    .slice(0, 3)
    .map(({ name }) => wordOf(name));
}

function firstWord(texts: readonly string[]): string {
  for (const text of texts) {
    const word = /\p{L}{4,20}/u.exec(text)?.[0];
    if (word !== undefined) return word;
  }
  return '';
}

function conclusion(known: Known): string {
  const entries = listOf(known.get('list_files {"path":"."}')?.['entries']);
  const notes = known.get('search_files {"query":"TODO"}');
  const folders = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => wordOf(name));
  const read = [...known].flatMap(([key, result]) =>
    key.startsWith('read_file')
      ? [`${wordOf((JSON.parse(key.slice(10)) as JsonObject)['path'])} (${counted(numberOf(result['lines']), 'line')})`]
      : [],
  );
  const begin = read[0] === undefined ? 'There is no text to begin with.' : `Begin with ${read[0]}.`;
  return [
    `\n\nAt the top I see ${counted(entries.length, 'entry', 'entries')}${folders.length > 0 ? `, among them the folders ${folders.slice(0, 4).join(', ')}` : ''}. `,
    read.length > 0 ? `I have read ${read.join(', ')}. ` : '',
    `I have looked for things to do in ${counted(numberOf(notes?.['files']), 'file')} and found ${counted(listOf(notes?.['matches']).length, 'line')}. `,
    begin,
  ].join('');
}

/** The results in the history by the calls that they answer; one that is no JSON object tells nothing. */
function knownOf(messages: LlmServerRequest['messages']): Known {
  const known = new Map<string, JsonObject>();
  const calls = messages.flatMap(({ toolCalls }) => toolCalls);
  for (const { role, toolCallId, text } of messages) {
    const call = role === 'tool' ? calls.find(({ id }) => id === toolCallId) : undefined;
    if (call) known.set(keyOf({ name: call.name, args: parse(call.arguments) }), parse(text));
  }
  return known;
}

function textPart(text: string): AnswerPart[] {
  return text === '' ? [] : [{ text }];
}

function parse(json: string): JsonObject {
  try {
    const value = JSON.parse(json) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item): item is JsonObject => typeof item === 'object') : [];
}

function wordOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
