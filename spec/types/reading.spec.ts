import { expectTypeOf } from 'expect-type';
import { EMPTY, of, type Observable } from 'rxjs';
import { connect } from '../../src/client/index.js';
import {
  accumulate,
  arrayElements,
  collect,
  objects,
  partialToolArguments,
  reasoningDeltas,
  recoveryReport,
  textDeltas,
  toolCalls,
  type ConverseEvent,
  type JsonValue,
  type LlmStreamEvent,
  type ObjectSnapshot,
  type PartialToolArguments,
  type RecoveryReport,
  type StreamResult,
  type ToolCall,
} from '../../src/index.js';
import { schemaOf } from '../operators/schemas.js';

/** Events of an application beside those of an answer. */
interface OwnEvent {
  type: 'own';
  name: string;
}

/** Reads a stream by every operator that reads. */
function readings<Event extends { readonly type: string }>(source: Observable<Event>) {
  return {
    text: source.pipe(textDeltas()),
    reasoning: source.pipe(reasoningDeltas()),
    calls: source.pipe(toolCalls()),
    growing: source.pipe(accumulate()),
    whole: source.pipe(collect()),
    args: source.pipe(partialToolArguments<{ city: string }>()),
    object: source.pipe(objects(schemaOf<{ n: number }>(() => []))),
    elements: source.pipe(arrayElements('a')),
    report: source.pipe(recoveryReport()),
  };
}

interface Readings {
  text: Observable<string>;
  reasoning: Observable<string>;
  calls: Observable<ToolCall>;
  growing: Observable<StreamResult>;
  whole: Observable<StreamResult>;
  args: Observable<PartialToolArguments<{ city: string }>>;
  object: Observable<ObjectSnapshot<{ n: number }>>;
  elements: Observable<JsonValue>;
  report: Observable<RecoveryReport>;
}

describe('types of the operators that read', () => {
  it('should take an answer, a conversation, and what tells either among events of its own', () => {
    const answer$: Observable<LlmStreamEvent> = EMPTY;
    const talk$: Observable<ConverseEvent> = EMPTY;
    const mixed$: Observable<ConverseEvent | OwnEvent> = EMPTY;

    expectTypeOf(readings(answer$)).toEqualTypeOf<Readings>();
    expectTypeOf(readings(talk$)).toEqualTypeOf<Readings>();
    expectTypeOf(readings(mixed$)).toEqualTypeOf<Readings>();
    expectTypeOf(connect<ConverseEvent>({ url: '/' }).pipe(accumulate())).toEqualTypeOf<Observable<StreamResult>>();
    expectTypeOf(talk$.pipe(textDeltas())).toEqualTypeOf<Observable<string>>();
    expect(talk$).toBeDefined();
  });

  it('should refuse what is no stream of events', () => {
    // @ts-expect-error strings are no events
    of('text').pipe(textDeltas());
    // @ts-expect-error neither is what has been read already
    EMPTY.pipe(accumulate()).pipe(collect());
    // @ts-expect-error nor an event as the log of a run keeps it
    of({ seq: 1, event: { type: 'stop' } }).pipe(toolCalls());
    expect(true).toBe(true);
  });
});
