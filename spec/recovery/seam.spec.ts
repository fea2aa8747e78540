import { anchorOf, createSeam, type SeamOptions, type SeamReport } from '../../src/recovery/seam/index.js';

const story =
  'A river does not decide where to go. It leans on whatever gives way, and over a few thousand years that habit ' +
  'becomes a valley.\n\nThe old ferryman used to say that the water had more patience than the parish council, which ' +
  'was true of most things but especially of the water. When I was nine he let me hold the pole for one crossing.';

interface Joined {
  text: string;
  report: SeamReport;
}

/** Joins a reply that arrives in pieces of seven code units. */
function join(options: SeamOptions, reply: string, size = 7): Joined {
  const seam = createSeam(options);
  let text = '';
  const reports: SeamReport[] = [];
  const pieces: string[] = [];
  for (let at = 0; at < reply.length; at += size) pieces.push(reply.slice(at, at + size));
  for (const step of [...pieces.map((piece) => seam.push(piece)), seam.end()]) {
    text += step.text;
    if (step.report) reports.push(step.report);
  }
  expect(seam.decided).toBe(true);
  expect(reports).toHaveLength(1);
  return { text, report: reports[0] as SeamReport };
}

/** Cuts an answer, asks a model for the rest, and gives the whole text that the subscriber has in the end. */
function recovered(answer: string, cut: number, reply: (anchor: string, rest: string) => string): Joined {
  const shown = answer.slice(0, cut);
  const anchor = anchorOf(shown);
  const joined = join({ shown, mechanism: 'prompt', anchor }, reply(anchor, answer.slice(shown.trimEnd().length)));
  return joined.report.method === 'reset' ? joined : { ...joined, text: shown + joined.text };
}

const within = (answer: string, words: string): number => answer.indexOf(words) + words.length;
const obeys = (anchor: string, rest: string): string => anchor + rest;

describe('createSeam with an exact mechanism', () => {
  it('should append at once and report the join in the first step', () => {
    const seam = createSeam({ shown: 'Hello, ', mechanism: 'reattach' });

    expect(seam.decided).toBe(false);
    expect(seam.push('wor')).toEqual({
      text: 'wor',
      report: { mechanism: 'reattach', at: 7, method: 'exact', cut: 0, confidence: 1 },
    });
    expect(seam.decided).toBe(true);
    expect(seam.push('ld')).toEqual({ text: 'ld' });
    expect(seam.end()).toEqual({ text: '' });
  });

  it('should report a continuation without text when it ends', () => {
    const seam = createSeam({ shown: 'Hello', mechanism: 'prefill' });

    expect(seam.push('')).toEqual({ text: '' });
    expect(seam.decided).toBe(false);
    expect(seam.end().report).toMatchObject({ method: 'exact', at: 5, cut: 0 });
  });

  it('should cut the white space that was shown but not sent, over several pieces', () => {
    const seam = createSeam({ shown: 'one\n\n', mechanism: 'prefill', trimmed: '\n\n' });

    expect(seam.push('\n')).toEqual({ text: '' });
    expect(seam.push('\n')).toMatchObject({ text: '', report: { method: 'exact', cut: 2 } });
    expect(seam.push('\n  two')).toEqual({ text: '\n  two' });
  });

  it('should cut no more white space than was shown', () => {
    expect(join({ shown: 'a ', mechanism: 'prefill', trimmed: ' ' }, '  b').text).toBe(' b');
    expect(join({ shown: 'a ', mechanism: 'prefill', trimmed: ' ' }, 'b').text).toBe('b');
    expect(join({ shown: 'a ', mechanism: 'prefill', trimmed: ' ' }, '\nb').text).toBe('\nb');
    expect(join({ shown: 'a', mechanism: 'prefill' }, '  b').text).toBe('  b');
  });

  it('should skip a prefix that the vendor repeats, and then the white space', () => {
    const options = { shown: `${story} `, mechanism: 'prefill', trimmed: ' ', echoesPrefix: true } as const;

    const { text, report } = join(options, `${story} He laughed.`);

    expect(text).toBe('He laughed.');
    expect(report).toMatchObject({ method: 'exact', cut: story.length + 1 });
  });

  it('should show a reply whole that was expected to repeat the prefix and does not', () => {
    const options = { shown: story, mechanism: 'prefill', echoesPrefix: true } as const;

    expect(join(options, ' A boat.').text).toBe(' A boat.');
    expect(join(options, 'A river').text).toBe('A river');
    expect(join({ ...options, shown: `\n${story}` }, `${story} He laughed.`).text).toBe(' He laughed.');
  });

  it('should announce a reply that repeats the prefix for a while and leaves it', () => {
    const options = { shown: story, mechanism: 'prefill', echoesPrefix: true } as const;
    const reply = `${story.slice(0, 80)} and then it did something else.`;

    const { text, report } = join(options, reply);

    expect(text).toBe(reply);
    expect(report).toMatchObject({ mechanism: 'prefill', method: 'reset', at: 0, reason: 'ambiguous' });
  });
});

describe('createSeam with a model that repeats the anchor', () => {
  it('should cut the anchor and join in the middle of a word', () => {
    const { text, report } = recovered(story, within(story, 'becomes a val'), obeys);

    expect(text).toBe(story);
    expect(report).toMatchObject({ mechanism: 'prompt', method: 'anchor', at: within(story, 'becomes a val') });
    expect(report.confidence).toBeGreaterThan(0.9);
    expect(report.mended).toBeUndefined();
  });

  it('should decide as soon as the anchor has been repeated, and pass everything on after that', () => {
    const shown = story.slice(0, 60);
    const anchor = anchorOf(shown);
    const seam = createSeam({ shown, mechanism: 'prompt', anchor });

    expect(seam.push(anchor.slice(0, -1))).toEqual({ text: '' });
    expect(seam.push(`${anchor.slice(-1)}whatever`)).toMatchObject({ text: 'whatever', report: { method: 'anchor' } });
    expect(seam.push(anchor)).toEqual({ text: anchor });
  });

  it.each([
    ['before a space', 'gives way, and'],
    ['after a space', 'gives way, and '],
    ['between the line breaks of a paragraph', 'a valley.\n'],
    ['after the line breaks of a paragraph', 'a valley.\n\n'],
    ['before the line breaks of a paragraph', 'a valley.'],
  ])('should keep the white space of the answer when it was cut %s', (_, words) => {
    expect(recovered(story, within(story, words), obeys).text).toBe(story);
  });

  it('should keep the indentation of code that was cut within it', () => {
    const code = 'Here it is:\n\n```ts\nfunction first(): void {\n  if (ready) {\n    start();\n  }\n}\n```\n';

    for (let cut = 1; cut <= code.length; cut++) expect(recovered(code, cut, obeys).text).toBe(code);
  });

  it('should not show white space twice that the model writes differently', () => {
    const shown = 'The ferry ran three times a day, \n  ';

    const told = (blank: string): string =>
      join({ shown, mechanism: 'prompt' }, `The ferry ran three times a day,${blank}at`).text;

    expect(told(' \n  ')).toBe('at');
    expect(told(' \n    ')).toBe('  at');
    expect(told(' ')).toBe('at');
    expect(told('')).toBe('at');
    expect(told('\n')).toBe('at');
    expect(told('\n\n')).toBe('\nat');
  });

  it('should know the anchor with other white space, quotes, dashes and ellipses', () => {
    const answer = `He said: “Don’t push — lean… and wait.” Then he sat down on the coil of rope and laughed.`;
    const cut = within(answer, 'and wait.”');
    const plain = (text: string): string =>
      text.replace(/[“”]/g, '"').replace(/’/g, "'").replace(/—/g, '-').replace(/…/g, '...').replace(/ /g, '\n ');

    expect(recovered(answer, cut, (anchor, rest) => plain(anchor) + rest).text).toBe(answer);
  });

  it('should know the anchor composed or decomposed', () => {
    const answer = 'Ông lái đò bảo rằng nước kiên nhẫn hơn hội đồng làng; 강은 어디로도 서두르지 않는다.'.normalize(
      'NFC',
    );
    const cut = within(answer, '어디로');

    expect(recovered(answer, cut, (anchor, rest) => anchor.normalize('NFD') + rest).text).toBe(answer);
    const decomposed = answer.normalize('NFD');
    const length = within(decomposed, 'nhẫn'.normalize('NFD'));
    expect(recovered(decomposed, length, (anchor, rest) => anchor.normalize('NFC') + rest).text).toBe(decomposed);
  });

  it('should not take other letters for the anchor', () => {
    const { report } = recovered(story, within(story, 'becomes a val'), (anchor, rest) => anchor.toUpperCase() + rest);

    expect(report.method).toBe('reset');
  });

  it('should join where the cut fell between a letter and its accent', () => {
    const answer = 'On se retrouve au cafe\u0301 du pont, comme toujours.';
    const cut = within(answer, 'au cafe');

    expect(recovered(answer, cut, obeys).text).toBe(answer);
    // A model that composes what it repeats gives the accent back within the letter.
    expect(recovered(answer, cut, (anchor, rest) => (anchor + rest).normalize('NFC')).text.normalize('NFC')).toBe(
      answer.normalize('NFC'),
    );
  });

  it('should join within an ellipsis that the model writes as one character', () => {
    expect(
      join({ shown: 'He waited for a long time..', mechanism: 'prompt' }, 'He waited for a long time… and left').text,
    ).toBe('. and left');
  });

  it('should join within an emoji with joiners, and on one half of a surrogate pair', () => {
    const answer = 'Who comes: the Okafors (👨‍👩‍👧‍👦 all four), Ines and Marta (👩‍❤️‍👩), and Tom with the dog.';

    for (let cut = 30; cut < 60; cut++) expect(recovered(answer, cut, obeys).text).toBe(answer);
  });

  it('should cut a preamble, a longer repeat, and both', () => {
    const cut = within(story, 'but especially of');
    const longer = story.slice(cut - 120, cut);

    expect(recovered(story, cut, (anchor, rest) => `Sure, continuing:\n\n${anchor}${rest}`).text).toBe(story);
    expect(recovered(story, cut, (_, rest) => longer + rest).text).toBe(story);
    expect(recovered(story, cut, (_, rest) => `Of course! Here is the rest:\n${longer}${rest}`).text).toBe(story);
  });

  it.each([
    ['in quotation marks', (anchor: string) => `"${anchor}"`],
    ['in curly quotation marks after an ellipsis', (anchor: string) => `“…${anchor}”`],
    ['in backticks', (anchor: string) => `\`${anchor}\``],
    ['in tags', (anchor: string) => `<last_words>${anchor}</last_words>`],
    ['after an ellipsis', (anchor: string) => `...${anchor}`],
    ['in bold', (anchor: string) => `**${anchor}**`],
    ['quoted in the preamble and then repeated', (anchor: string) => `Continuing from "${anchor}":\n\n${anchor}`],
    ['quoted in a longer preamble', (anchor: string) => `It ended with "${anchor}", so I continue there:\n\n${anchor}`],
  ])('should cut the anchor %s', (_, repeat) => {
    const cut = within(story, 'but especially of');

    expect(recovered(story, cut, (anchor, rest) => repeat(anchor) + rest).text).toBe(story);
  });

  it('should mend the white space after an anchor that stands in a block quote', () => {
    const cut = within(story, 'but especially of');
    const quoted = recovered(story, cut, (anchor, rest) => `> ${anchor}\n\n${rest.trimStart()}`);

    expect(quoted.text).toBe(story);
    expect(quoted.report.mended).toBe(' ');
  });

  it.each([
    ['in a tag', (anchor: string, rest: string) => `<last_words>${anchor}</last_words>${rest}`],
    ['in quotation marks', (anchor: string, rest: string) => `"${anchor}"${rest}`],
    ['after a preamble', (anchor: string, rest: string) => `Continuing from "${anchor}":\n\n${rest}`],
  ])(
    'should announce a reply whose words come again after those %s, where the text goes round in circles',
    (_, reply) => {
      const lines = `Lines:\n${'the same line again\n'.repeat(40)}the end`;

      for (let cut = 300; cut < 320; cut++) {
        const { text, report } = recovered(lines, cut, reply);
        if (report.method !== 'reset') expect(text).toBe(lines);
      }
      const { text } = recovered(story, 200, (anchor, rest) => `<last_words>${anchor}</last_words>${anchor}${rest}`);
      expect(text).toBe(story);
    },
  );

  it('should drop the empty line after a quotation in the middle of a word, although the line that follows is short', () => {
    const answer = 'The harbour is quiet, and the café on the quay opens at nine.\n\n- first boats\n- then bread';
    const { text } = recovered(answer, within(answer, 'opens at n'), (anchor, rest) => `"${anchor}"\n\n${rest}`);

    expect(text).toBe(answer);
  });

  it.each([
    [
      'the space between two words',
      'The sea is calm. The nets hang over the wall.',
      'The sea is calm. The nets',
      ' hang',
    ],
    ['the space after a sentence', 'The sea is calm. The nets hang over the wall.', 'The sea is calm.', ' The nets'],
    ['the word after an opening mark', 'Calm. “Café” is shut until nine (and a bit).', 'Calm. “', 'Café'],
    ['a space that was shown', 'The sea is calm. The nets hang over the wall.', 'The sea is calm. ', 'The nets'],
    ['a line break', 'The sea is calm:\n\n- nets on the wall\n- boats', '- nets on the wall', '\n- boats'],
    ['another empty line', 'The sea is calm today.\n\nThe nets hang over the wall.', 'is calm today.', '\n\nThe nets'],
    ['the end of the answer', 'The sea is calm. The nets hang over the wall. ', 'hang over the wall.', ' '],
    ['nothing more', 'The sea is calm. The nets hang over the wall.', 'hang over the wall.', ''],
  ])('should not take the empty line after a quotation for the answer’s before %s', (_, answer, before, rest) => {
    const cut = within(answer, before);
    expect(answer.slice(cut)).toMatch(rest);
    const { text } = recovered(answer, cut, (anchor) => `"${anchor}"\n\n${answer.slice(cut)}`);

    expect(text).toBe(answer);
  });

  it('should keep the empty line after a quotation where a paragraph begins', () => {
    const answer = 'The sea is calm. The nets hang over the wall.\n\nThen the boats come in.';
    const { text } = recovered(answer, within(answer, 'over the wall.'), (anchor, rest) => `"${anchor}"${rest}`);

    expect(text).toBe(answer);
  });

  it('should announce a reply that quotes the anchor in its preamble and does not repeat it', () => {
    const cut = within(story, 'but especially of');
    const told = recovered(story, cut, (anchor, rest) => `Continuing after "${anchor}":\n\n${rest.trimStart()}`);

    expect(told.report).toMatchObject({ method: 'reset', reason: 'ambiguous' });
  });

  it('should not cut a quotation mark that belongs to the answer', () => {
    const answer = 'The sign above the old door said "no dogs, no bicycles and no boats" and nobody obeyed it.';

    expect(recovered(answer, within(answer, 'and no boats'), obeys).text).toBe(answer);
  });

  it('should cut a code fence that the model opens again, and announce one that may be its own or that of the answer', () => {
    const answer =
      'Like this:\n\n```ts\nconst queue = createQueue();\nawait queue.close();\n```\n\nThat is all there is.\n\nOr nearly.';
    const cut = within(answer, 'await queue.cl');

    expect(recovered(answer, cut, (anchor, rest) => `\`\`\`ts\n${anchor}${rest}`).text).toBe(answer);
    const outside = within(answer, 'there is.');
    expect(recovered(answer, outside, (anchor, rest) => `\`\`\`\n${anchor}\n\`\`\`${rest}`).report).toMatchObject({
      method: 'reset',
      reason: 'ambiguous',
    });
  });

  it.each(['\n', ' ', '\n\n'])('should announce a reply that says the last words twice, with %j between', (between) => {
    const cut = within(story, 'more patience than');

    const { report } = recovered(story, cut, (anchor, rest) => anchor + between + anchor + rest);

    expect(report).toMatchObject({ method: 'reset', reason: 'ambiguous' });
  });

  it.each(['R', 'The ferry'])(
    'should announce a reply that says %j twice, and not letters that stand twice in a word',
    (said) => {
      const words = `${said} crosses the river.`;
      const within = `${said}${said.toLowerCase()} crosses the river.`;

      expect(recovered(words, said.length, (anchor, rest) => `${anchor}\n${anchor}${rest}`).report.method).toBe(
        'reset',
      );
      expect(recovered(within, said.length, obeys).text).toBe(within);
      expect(recovered(`${said}${said} and so on.`, said.length, obeys).text).toBe(`${said}${said} and so on.`);
    },
  );

  it('should not cut a line of the answer that begins as thanks do', () => {
    const answer = 'The river carved for ages. Thanks to the river, we have:\na valley, and a ferry that crosses it.';

    const { text } = recovered(answer, within(answer, 'for ages.'), (_, rest) => rest.trimStart());

    expect(text).toContain('Thanks to the river');
  });

  it.each([
    'Certainly! Picking up where I left off...\n\n',
    'Continuing my previous message...\n\n',
    'Here you go:\n\n',
    'Thanks for letting me know. Continuing:\n\n',
  ])('should cut the preamble %j', (preamble) => {
    const cut = within(story, 'more patience than');

    const { text, report } = recovered(story, cut, (anchor, rest) => preamble + anchor + rest);

    expect(text).toBe(story);
    expect(report).toMatchObject({ method: 'anchor' });
  });

  it('should announce an anchor with a slip in it', () => {
    const cut = within(story, 'but especially of');
    const { report } = recovered(story, cut, (anchor, rest) => anchor.replace('things', 'thimgs') + rest);

    expect(report).toMatchObject({ method: 'reset', reason: 'ambiguous' });
  });

  it('should show nothing more when the model repeats the anchor and stops', () => {
    expect(recovered(story, story.length, (anchor) => anchor).text).toBe(story);
    expect(recovered(story, story.length, (anchor) => anchor.slice(0, -5)).text).toBe(story);
  });

  it('should keep an anchor that stands in the answer once more', () => {
    const line = 'Lean on the water, lean on the pole, lean on the morning.';
    const answer = `A song:\n\n${line}\n\n${line}\n\n${line}\n`;
    const cut = within(answer, line);

    expect(recovered(answer, cut, obeys).text).toBe(answer);
    expect(recovered(answer, cut + line.length + 2, obeys).text).toBe(answer);
  });
});

describe('createSeam with text that repeats itself', () => {
  const texts = {
    laughter: `He laughed and said: ${'ha '.repeat(30)}and then he sat down.`,
    refrain: `A song:\n\n${'Row, row, row to the shore,\n'.repeat(6)}And never row any more.`,
    table: `| Town | Visits |\n|---|---|\n${'| n/a | 0 |\n'.repeat(8)}\nThat is all.`,
    code: `Run this:\n\n\`\`\`py\n${'print("ok")\n'.repeat(9)}\`\`\`\n`,
    longer: `${'na '.repeat(200)}, hey.`,
  };

  it.each(Object.entries(texts))('should cut exactly the anchor: %s', (_, answer) => {
    for (let cut = 1; cut <= answer.length; cut++) expect(recovered(answer, cut, obeys).text).toBe(answer);
  });

  it.each(Object.entries(texts))(
    'should never eat what a model says that goes on without a repeat: %s',
    (_, answer) => {
      const lost: number[] = [];
      for (let cut = 1; cut <= answer.length; cut++) {
        const { text, report } = recovered(answer, cut, () => answer.slice(cut));
        if (report.method !== 'reset' && text.replace(/\s/g, '') !== answer.replace(/\s/g, '')) lost.push(cut);
        if (report.method === 'reset') expect(text).toBe(answer.slice(cut));
      }
      // Where the text repeats itself for longer than an anchor, a continuation is the anchor.
      expect(lost.length).toBeLessThanOrEqual(answer === texts.longer ? answer.length : 0);
    },
  );
});

describe('createSeam with a model that repeats something else', () => {
  it('should cut a shorter repeat that can be nothing else', () => {
    const cut = within(story, 'the water had more pati');

    expect(recovered(story, cut, (_, rest) => `the water had more pati${rest}`)).toMatchObject({
      text: story,
      report: { method: 'overlap' },
    });
    const sentence = recovered(
      story,
      within(story, 'It leans on whatever'),
      (_, rest) => `It leans on whatever${rest}`,
    );
    expect(sentence.text).toBe(story);
  });

  it('should follow a long repeat that begins in the middle', () => {
    const cut = within(story, 'for one cross');

    expect(recovered(story, cut, (_, rest) => story.slice(20, cut) + rest).text).toBe(story);
    expect(recovered(story, cut, (_, rest) => `Sure:\n\n${story.slice(20, cut)}${rest}`).text).toBe(story);
  });

  it('should announce an overlap that may be the answer saying the same twice', () => {
    const answer = 'They walked for hours, again and again and again, until the light was gone.';
    const cut = within(answer, 'hours, again and');

    const { text, report } = recovered(answer, cut, () => ' again and again, until the light was gone.');

    expect(report).toMatchObject({ method: 'reset', at: 0, reason: 'ambiguous' });
    expect(text).toBe(' again and again, until the light was gone.');
  });

  it('should skip an answer that starts over word for word, up to the cut', () => {
    const cut = within(story, 'for one cross');
    const { text, report } = recovered(story, cut, () => story);

    expect(text).toBe(story);
    expect(report).toMatchObject({ method: 'restart-skipped', cut });
    expect(recovered(story, cut, () => `Here it is again from the start:\n\n${story}`).text).toBe(story);
  });

  it('should hold nothing but a position while it skips', () => {
    const shown = story.repeat(1) + Array.from({ length: 4_000 }, (_, index) => ` sentence ${index} of many.`).join('');
    const seam = createSeam({ shown, mechanism: 'prompt' });
    let shownAgain = 0;
    for (let at = 0; at < shown.length; at += 50) shownAgain += seam.push(shown.slice(at, at + 50)).text.length;

    expect(shownAgain).toBe(0);
    expect(seam.push(' And more.').text).toBe(' And more.');
  });

  it('should announce an answer that starts over and then leaves the words of the first', () => {
    const reply = `${story.slice(0, 250)}Quite different words follow here, and more of them.`;
    const { text, report } = recovered(story, story.length - 4, () => reply);

    expect(text).toBe(reply);
    expect(report).toMatchObject({ method: 'reset', at: 0, cut: 0, reason: 'other-words' });
  });

  it('should announce an answer in other words, and give all of it', () => {
    const reply = 'Rivers are patient. They find the soft places, and after a long while there is a valley.';
    const { text, report } = recovered(story, 150, () => reply);

    expect(text).toBe(reply);
    expect(report).toMatchObject({ method: 'reset', at: 0, reason: 'ambiguous' });
    expect(recovered(story, 150, () => `${story.slice(0, 70)} is here. ${reply}`).report.reason).toBe('other-words');
  });

  it('should not call a continuation an answer of its own that begins with a name or a preamble', () => {
    const answer = 'The boat that he had built in Brenn was never sold. We took it to Harrow and left it there.';
    const reasons = ['built in', 'never sold.', 'to', 'it there'].map((words) => {
      const cut = within(answer, words);
      const rest = answer.slice(cut).trimStart();
      return [rest, `Sure, here you go: ${rest}`].map((reply) => recovered(answer, cut, () => reply).report.reason);
    });

    expect(reasons.flat()).not.toContain('other-words');
  });
});

describe('createSeam with a model that goes on without a repeat', () => {
  it.each([
    ['in the middle of a sentence', story, 'and over a few thou'],
    ['before a comma', story, 'whatever gives way'],
    [
      'in a code block',
      'So:\n\n```ts\nfunction run(): void {\n  const first = start();\n  stop(first);\n}\n```\n',
      'const fi',
    ],
    ['in an emoji', 'The Okafors come, all four of them: 👨‍👩‍👧‍👦 and the dog.', '👨‍👩'],
  ])('should join %s', (_, answer, words) => {
    const { text, report } = recovered(answer, within(answer, words), () => answer.slice(within(answer, words)));

    expect(text).toBe(answer);
    expect(report.method).toBe('plain');
    expect(report.confidence).toBeLessThan(1);
  });

  it('should mend a boundary space that was dropped, where the words of the text tell', () => {
    const answer = 'We saw the boat and the pole. Then somebody said that the pole was bent, and nobody laughed.';
    const cut = within(answer, 'said that the');

    expect(recovered(answer, cut, () => answer.slice(cut).trimStart())).toMatchObject({
      text: answer,
      report: { method: 'plain', mended: ' ' },
    });
  });

  it('should cut words about the continuation before it', () => {
    const cut = within(story, 'patience than the');

    expect(recovered(story, cut, (_, rest) => `Continuing from where I left off:\n\n${rest.trimStart()}`).text).toBe(
      story,
    );
  });

  it('should announce what might as well be another answer', () => {
    const chinese = '河流并不急着去任何地方。它倚着一切肯退让的东西，几千年以后，这个习惯就成了山谷。';

    expect(recovered(chinese, 20, () => chinese.slice(20)).report).toMatchObject({
      method: 'reset',
      reason: 'ambiguous',
    });
    expect(recovered(story, 36, () => story.slice(36)).report.method).toBe('reset');
    const list = 'Do this:\n\n1. Open it.\n2. Look inside.\n3. Close it.\n';
    expect(recovered(list, within(list, 'inside.\n'), () => '3. Close it.\n').report.method).toBe('reset');
  });

  it('should join an empty continuation, and any continuation of white space', () => {
    expect(recovered(story, 100, () => '').text).toBe(story.slice(0, 100));
    expect(recovered(story, 100, () => ' \n').text.trimEnd()).toBe(story.slice(0, 100));
    expect(join({ shown: '\n', mechanism: 'prompt' }, 'Hello').text).toBe('Hello');
    expect(join({ shown: '', mechanism: 'prompt' }, 'Hello')).toMatchObject({ text: 'Hello', report: { at: 0 } });
  });

  it('should hold back no more than its window', () => {
    const seam = createSeam({ shown: story, mechanism: 'prompt' });
    let held = 0;
    for (let at = 0; at < 400 && !seam.decided; at++) {
      seam.push('Quite another text, of words that nobody has said before. '.charAt(at % 58));
      held = at + 1;
    }

    expect(held).toBeLessThanOrEqual(240);
  });

  it('should use the anchor that it is given, and its own when that is no end of the text', () => {
    const shown = story.slice(0, 150);

    expect(join({ shown, mechanism: 'prompt', anchor: shown.slice(-20) }, `${shown.slice(-20)}XYZ`).text).toBe('XYZ');
    expect(join({ shown, mechanism: 'prompt', anchor: 'nothing of it' }, `${anchorOf(shown)}XYZ`).text).toBe('XYZ');
  });
});

describe('createSeam in doubt', () => {
  /** What a model gives that goes on exactly, for a cut after some words. */
  const goesOn = (answer: string, words: string, nth = 1): Joined => {
    let cut = 0;
    for (let count = 0; count < nth; count++) cut = answer.indexOf(words, cut) + words.length;
    return recovered(answer, cut, () => answer.slice(cut));
  };
  const expectReset = ({ report }: Joined, reason: string): void => {
    expect(report).toMatchObject({ method: 'reset', reason });
  };

  it('should not take words that go on in the sentence for a preamble', () => {
    const end = 'lean on the water and then lean on the pole for as long as you like';
    const answer = `Ferrymen ${end} and they continue to do so on the other bank:\n${end}, and nobody laughs.`;

    expectReset(goesOn(answer, 'as you like'), 'ambiguous');
  });

  it('should not cut an anchor that stands in the answer again, behind other words of it', () => {
    const line = 'Lean on the water, lean on the pole, lean on the morning and go.';
    const answer = `A song:\n\n${line}\n\nNine years old and pushing hard.\n\n${line}\n`;

    expectReset(goesOn(answer, line), 'ambiguous');
  });

  it('should not cut a long line that the answer says twice', () => {
    const line = 'Lean on the water that carries you over, and never on the pole that only holds you back from it.';

    expectReset(goesOn(`A song:\n\n${line}\n${line}\nThat is all.`, line), 'ambiguous');
  });

  it('should not cut words that stand elsewhere in the text as well', () => {
    const answer =
      'You push the heavy pole away, rest, push the heavy pole away and then push the heavy pole away, you see.';

    expectReset(
      recovered(
        answer,
        within(answer, 'and then push the heavy pole away'),
        (_, rest) => `push the heavy pole away${rest}`,
      ),
      'ambiguous',
    );
  });

  it('should not cut an item of an enumeration that is said twice', () => {
    const answer = '例：ストリーム、リトライ、バックプレッシャー、バックプレッシャー。それだけです。';

    expectReset(goesOn(answer, '、バックプレッシャー'), 'ambiguous');
  });

  it('should not take a short repeat for a longer one', () => {
    const line = '    12:04:00 WARN  retrying in 500 ms\n';
    const answer = `    12:03:30 INFO  GET /api/v1/runs/1172646 200\n${line.repeat(3)}    12:04:00 ERROR giving up`;
    const cut = answer.indexOf(line) + line.length * 2 - 1;

    // The last words and then a third line, or from the second line on: the reply fits both.
    expectReset(
      recovered(answer, cut, (_, rest) => `in 500 ms${rest}`),
      'ambiguous',
    );
  });

  it('should not take other words that begin and end alike for an anchor with a slip', () => {
    const cut = within(story, 'few thousand years that habit');
    const other = (anchor: string): string =>
      `${anchor.slice(0, 11)}${'x'.repeat(anchor.length - 33)}${anchor.slice(-22)}`;

    expect(recovered(story, cut, (anchor, rest) => other(anchor) + rest).report.method).toBe('reset');
  });

  it('should not cut at the first of two long parts that are the same', () => {
    const part = `Once. ${story.slice(0, 215)}, as it were! `;
    const shown = part + part;

    expectReset(join({ shown, mechanism: 'prompt' }, `${shown}The end.`), 'ambiguous');
  });

  it('should not append a reply that repeats the anchor behind words of its own', () => {
    const lead =
      'so then, as one would expect of somebody with that much time, and a pole, and nowhere to be at noon, ';
    const cut = within(story, 'and over a few thou');
    const { text, report } = recovered(story, cut, (anchor, rest) => lead + anchor + rest);

    expect(report).toMatchObject({ method: 'reset', reason: 'ambiguous' });
    expect(text.startsWith('so then')).toBe(true);
  });

  it('should not choose between two places that a long repeat may have begun at', () => {
    const part = `${story} And so on, with many a word that nobody has said before.\n\n`;
    const shown = `${part}${part}`.trimEnd();

    expectReset(
      join({ shown, mechanism: 'prompt', anchor: 'said before.' }, `${shown.slice(20)} The end.`),
      'ambiguous',
    );
  });

  it('should not append a repeat of the last words with changes at its beginning', () => {
    const cut = within(story, 'and over a few thou');

    expectReset(
      recovered(story, cut, (_, rest) => `all that gives way, and over a few thou${rest}`),
      'ambiguous',
    );
  });

  it('should not append an answer in small letters that starts over', () => {
    const answer =
      'here is the code that you want:\n\n```ts\nconst queue = createQueue();\nawait queue.close();\n```\n';

    expectReset(
      recovered(answer, within(answer, 'await qu'), () => 'here is the code again, shorter:\n\n`close()`'),
      'ambiguous',
    );
  });

  it('should go on in code behind the end of a statement', () => {
    const answer = 'So:\n\n```ts\nadd(list);\ntotal += 1;\nprint(total);\n```\n';

    expect(goesOn(answer, 'add(list);\n').text).toBe(answer);
    expectReset(
      recovered(answer, within(answer, 'add(list);\n'), () => '```ts\nsum = 1;\n```\n'),
      'ambiguous',
    );
    expectReset(
      recovered(answer, within(answer, 'add(list);\n'), () => '# Another way\n\nUse a sum.'),
      'ambiguous',
    );
  });

  it('should not take a preamble for an answer that begins with the same few words', () => {
    const answer = 'Sure, here is the list of things to bring.';

    expectReset(
      recovered(answer, 6, () => 'Sure, continuing: here is the list of things to bring.'),
      'ambiguous',
    );
    expect(recovered(answer, 6, () => answer).text).toBe(answer);
    expect(recovered(answer, 6, () => `Continuing from "Sure,":\n\n${answer}`).text).toBe(answer);
  });

  it('should give all of a reply that repeats a paragraph and cannot be joined, also where it was cut within a character', () => {
    const paragraph = story.slice(story.indexOf('The old')).repeat(2).replaceAll('\n', ' ');
    const shown = `${story.slice(0, 60)}\n\n${paragraph.slice(0, 300)}..`;
    const reply = `${paragraph.slice(0, 300)}… and more`;
    const { text, report } = join({ shown, mechanism: 'prompt', anchor: 'none of it' }, reply);

    expect(report).toMatchObject({ method: 'reset', reason: 'ambiguous' });
    expect(text.replace('...', '…')).toBe(reply);
  });

  it('should read a surrogate pair that arrives in two halves', () => {
    const shown = 'Everybody gets a medal 🏅, the winner gets two 🏅🏅 and the dog a bone 🦴';

    expect(join({ shown, mechanism: 'prompt' }, `${anchorOf(shown)}🦴 in the end 😂.`, 1).text).toBe(
      '🦴 in the end 😂.',
    );
  });
});
