import {
  hebrew,
  hebrewOther,
  arabic,
  arabicOther,
  chinese,
  chineseOther,
  japanese,
  japaneseOther,
  accents,
  accentsOther,
} from './scripts.js';

/** An answer to cut, and how a model would word it that starts over. */
export interface BenchText {
  name: string;
  answer: string;
  otherWords: string;
}

const prose = `A river does not decide where to go. It leans on whatever gives way, and over a few thousand years that habit becomes a valley. The old ferryman at Brenn used to say that the water had more patience than the parish council, which was true of most things but especially of the water.

When I was nine he let me hold the pole for the length of one crossing. "Don't push," he said. "You lean, and then you wait, and then you lean again." I pushed, of course. The boat turned a slow half circle and we arrived at the far bank backwards, facing the way we had come, and he laughed so hard that he had to sit down on the coil of rope.

I have thought about that crossing more often than about anything I was taught in school. There is a kind of work that looks like force and is really timing. You can see it in people who hang doors, in people who calm horses, and now and then in somebody who runs a meeting well. They do less than you expect, a little earlier than you expect it.

The ferry stopped running the year the bridge was finished. Nobody held a ceremony. One morning the boat was simply upside down on the grass with a sheet of tin over it, and by the autumn a family of hedgehogs had moved in underneath. The ferryman took a job at the waterworks—"still the river," he told everyone, "only now it comes to me"—and walked across the bridge every day at the same hour, always on the upstream side.

He's been dead for some time. Last spring I went back, partly to see the house and partly because I wanted to know whether I'd remembered the width of the river correctly. I had not; it is much narrower than I thought. But the current under the second arch still does the thing he showed me: it slows, gathers, and leans on the stone, as if it had all the time in the world. Then it goes round.`;

const proseOther = `There was once a ferry at Brenn, and this is mostly about the man who ran it. He taught patience by accident. A child was allowed to steer, pushed too hard, and learned that leaning and waiting move a boat better than strength does. Later a bridge replaced the crossing; the man went to work at the waterworks and kept walking over the river each day until he died.`;

const manual = `# Setting up the greenhouse sensor

The sensor reports temperature, humidity and soil moisture every five minutes. Before you start, make sure that you have:

- the sensor itself, with its battery cover removed
- two AA cells (not rechargeable: their voltage is too low)
- the pairing card that came in the box
- a phone with Bluetooth turned on

## Pairing

1. Insert the cells. The light blinks **green** three times.
2. Open the app and choose *Add device*.
3. Scan the pairing card. If the camera can't focus, type the code by hand; it's case-sensitive.
4. Wait until the light stays on. This can take up to a minute.
5. Give the sensor a name, for example \`north-bench\`.

> If the light blinks **red**, the battery is below 2.6 V. Replace both cells at the same time.

## Calibration

Soil moisture has to be calibrated once for each kind of soil:

1. Push the probe into *dry* soil and press the button twice.
2. Water the soil until it runs out at the bottom, wait ten minutes, and press the button twice again.
3. Check the reading in the app. It should be between 95 and 100 %.

Values that drift by more than 5 % in a week usually mean that the probe isn't fully covered. Values that jump mean that a root has grown against it; move the probe by a few centimetres.

## What the numbers mean

Below 20 % most seedlings wilt, between 20 % and 60 % they grow, and above 80 % for more than a day their roots begin to rot. Temperature is measured in the shade of the housing, so it'll read about one degree less than a thermometer in the sun.

## Troubleshooting

- **No readings.** Move the phone closer, then restart the app.
- **Readings from yesterday only.** The clock of the sensor has lost its time; open *Settings → Clock* and choose *Set from phone*.
- **Two sensors with one name.** Names don't have to be unique, but the app sorts by name, so rename one of them.`;

const manualOther = `To get your greenhouse sensor running you need fresh AA cells, the card from the box and a phone. Put the cells in, add the device in the app and scan the card. After that the soil probe wants calibrating: once dry, once soaked. Readings under a fifth are too dry; readings over four fifths for long are too wet.`;

const typescript = `Here is a small queue that runs jobs one after another and keeps going when one of them fails:

\`\`\`ts
export interface Job<T> {
  readonly name: string;
  run(signal: AbortSignal): Promise<T>;
}

export class JobQueue {
  private readonly waiting: Array<() => Promise<void>> = [];
  private running = false;
  private readonly controller = new AbortController();

  add<T>(job: Job<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push(async () => {
        try {
          resolve(await job.run(this.controller.signal));
        } catch (error) {
          reject(new Error(\`job \${job.name} failed\`, { cause: error }));
        }
      });
      void this.drain();
    });
  }

  close(): void {
    this.controller.abort();
    this.waiting.length = 0;
  }

  private async drain(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      await next();
    }
    this.running = false;
  }
}
\`\`\`

A few remarks. \`add\` returns a promise of its own, so a caller may await it or not; an unhandled rejection is the caller's affair. \`drain\` is never awaited, because \`next\` cannot reject. And \`close\` forgets the jobs that have not begun: if you'd rather reject them, keep the \`reject\` functions in a second list.

To use it:

\`\`\`ts
const queue = new JobQueue();
const first = queue.add({ name: 'resize', run: () => resize('a.png') });
const second = queue.add({ name: 'upload', run: (signal) => upload('a.png', signal) });
await Promise.allSettled([first, second]);
queue.close();
\`\`\`

With more than one worker you would start \`drain\` several times and count how many are running instead of keeping a boolean.`;

const typescriptOther = `You can serialise jobs with a promise chain:

\`\`\`ts
let last = Promise.resolve();
export const enqueue = (job) => (last = last.then(job, job));
\`\`\`

Each new job waits for the one before it, whether that succeeded or not. There is no cancelling in this version.`;

const python = `The simulation below prints one line for each tick.

\`\`\`python
import random

def step(state):
    state["x"] += state["vx"]
    state["y"] += state["vy"]
    if state["x"] < 0:
        state["vx"] = -state["vx"]
    if state["x"] > 100:
        state["vx"] = -state["vx"]
    if state["y"] < 0:
        state["vy"] = -state["vy"]
    if state["y"] > 100:
        state["vy"] = -state["vy"]
    return state

def test_step():
    assert step({"x": 0, "y": 0, "vx": 1, "vy": 1})["x"] == 1
    assert step({"x": 1, "y": 0, "vx": 1, "vy": 1})["x"] == 2
    assert step({"x": 2, "y": 0, "vx": 1, "vy": 1})["x"] == 3
    assert step({"x": 3, "y": 0, "vx": 1, "vy": 1})["x"] == 4
    print("ok")
    print("ok")
    print("ok")

def main():
    state = {"x": 50, "y": 50, "vx": random.uniform(-3, 3), "vy": random.uniform(-3, 3)}
    for tick in range(10):
        state = step(state)
        print(f"{tick:02d}  {state['x']:6.2f}  {state['y']:6.2f}")

if __name__ == "__main__":
    test_step()
    main()
\`\`\`

Expected output looks like this, with other numbers:

\`\`\`text
ok
ok
ok
00   51.20   48.10
01   52.40   46.20
02   53.60   44.30
03   54.80   42.40
04   56.00   40.50
\`\`\`

The two pairs of conditions could be folded into one helper, but written out they're easier to step through in a debugger.`;

const pythonOther = `A bouncing ball needs four numbers and one rule: when it leaves the box, its speed changes sign. Write one function that adds the speed to the position and flips it at the walls, call it in a loop, and print the position each time. Test it with a ball that starts in a corner.`;

function tableAnswer(): string {
  const cities = [
    'Aldermoor',
    'Brenn',
    'Castel Vey',
    'Dunhollow',
    'Eastwick',
    'Farrow',
    'Grimsby Vale',
    'Harrow',
    'Ilm',
    'Jarrow',
  ];
  const rows = cities.map((city, index) => {
    const visits = 1200 + ((index * 7919) % 4000);
    return `| ${city} | ${visits} | ${(visits * 0.13).toFixed(2)} | ${index % 3 === 0 ? 'yes' : 'no'} |`;
  });
  const zero = Array.from({ length: 6 }, () => '| n/a | 0 | 0.00 | no |');
  return `The visits of the last quarter, by town:

| Town | Visits | Revenue (k€) | New |
|------|-------:|-------------:|-----|
${rows.join('\n')}
${zero.join('\n')}

The six rows at the end are stations that have been closed; they're kept so that the totals agree with the printed report. Among the open ones, *Castel Vey* grew fastest.

The same by month:

| Month | Jan | Feb | Mar |
|---|---|---|---|
| Visits | 8,114 | 7,960 | 9,402 |
| Returns | 311 | 298 | 344 |
| Refunds | 0 | 0 | 0 |
| Lost | 0 | 0 | 0 |

March has one working day more than the others, which explains about half of the difference.`;
}

const tableOther = `Visits last quarter were highest in the market towns and lowest in the hill stations. Six stations are closed and count as zero. By month, March was the best, February the worst. Refunds did not occur.`;

const links = `Several pages explain this better than I can:

- [How marble diagrams are read](https://example.org/marbles/reading?lang=en#symbols) goes through every symbol.
- [Back pressure, explained with buckets](https://example.org/essays/back-pressure-buckets) has the best pictures.
- [RFC 9999: Streams over Pigeons](https://example.net/rfc/rfc9999.html) is a joke, but [section 4](https://example.net/rfc/rfc9999.html#section-4) isn't.

See also the [index](https://example.org/), the [index of symbols](https://example.org/symbols), and the [index of authors](https://example.org/authors). If a link is dead, try the mirror at <https://mirror.example.com/marbles/>, or search for the title; the pages have been moved twice, from \`/docs/v1/\` to \`/docs/v2/\` and from there to \`/guide/\`.

![A marble diagram with three rows](https://example.org/img/three-rows.svg "Three rows: source, inner, result")

The diagram above[^1] shows what happens when the inner source is slower than the outer one. Values that wait are drawn with a dashed outline; values that were dropped are crossed out. A reader who's new to the notation should cover the lowest row with a hand, guess it, and then look.

[^1]: Drawn by hand, after the one in [the first edition](https://example.org/first-edition.pdf).

For questions, write to <marbles@example.org> or open a ticket at https://example.org/tickets/new?topic=diagrams&kind=question.`;

const linksOther = `I would start with the reading guide on example.org and then look at the essay about buckets. Both are short. The joke RFC is worth a glance too, mainly for its fourth section. Old addresses redirect to the guide, or should.`;

const emoji = `Party plan 🎉 for Saturday!

Who comes: the Okafors (👨‍👩‍👧‍👦 all four), Ines and Marta (👩‍❤️‍👩), Tom 🧔🏽‍♂️ with the dog 🐕‍🦺, and maybe Lena 👩🏻‍🚀 if she's back in time ✈️.

What to bring:
🥗 salad — Ines
🍞 bread — the Okafors
🧀 cheese — me
🍰 cake — Tom (he promised!! 🤞🏾)
🎸 a guitar — Marta

Games for the kids 👧🏿🧒🏼👦🏻: sack race 🏃🏽‍♀️🏃🏽‍♀️🏃🏽‍♀️, egg and spoon 🥚🥄, and pin the tail 🫏. The winner gets a medal 🥇, everyone else gets a medal too 🏅🏅🏅🏅.

Flags for the table 🇩🇪🇳🇬🇵🇹🇨🇴🇯🇵 — one for every place we've lived in — and the rainbow one 🏳️‍🌈 for the tree. If it rains ☔️ we move into the barn; it's dry but there's no light, so please bring lanterns 🏮🏮.

Music until ten 🕙, then quiet 🤫 because of the neighbours' baby 👶🏼. Last year we laughed until we cried 😂😂😂😂😂😂 and nobody heard the bell 🔔. So: phones on 📳, doors open 🚪, and don't forget to eat ❤️‍🔥.`;

const emojiOther = `Saturday's party 🎈 in short: four Okafors, Ines, Marta, Tom with his dog and perhaps Lena. Everybody brings something to eat. There are races for the children 🏁 and lanterns for the barn in case of rain 🌧️. Quiet after ten, please.`;

const song = `Here's a song for the crossing, with a refrain that everybody can sing:

Lean on the water, lean on the pole,
Lean on the morning, easy and slow.
Ha ha ha, says the river,
Ha ha ha, let it go.

Nine years old and pushing hard,
Round and round we went,
Facing all the way we'd come,
Laughing till we're spent.

Lean on the water, lean on the pole,
Lean on the morning, easy and slow.
Ha ha ha, says the river,
Ha ha ha, let it go.

The bridge was made of iron and stone,
The boat was turned on the grass,
A hedgehog family under the bow
Watched the old man pass.

Lean on the water, lean on the pole,
Lean on the water, lean on the pole,
Lean on the morning, easy and slow.
Ha ha ha, says the river,
Ha ha ha, let it go.
Ha ha ha ha ha ha ha ha ha,
Ha ha ha ha ha ha ha ha ha,
Let it go, let it go, let it go.

Row, row, row, row to the shore,
Row, row, row, row to the shore,
Row, row, row, row to the shore,
And never row any more.

(Repeat the refrain as often as you like: ha ha ha, ha ha ha, ha ha ha ha ha ha ha!)`;

const songOther = `I wrote a shanty for you. It has three verses and a chorus:

The ferry's gone, the bridge is here,
And still the river flows;
The ferryman walks overhead
And where he goes, it knows.`;

const json = `The configuration that you asked for:

\`\`\`json
{
  "name": "north-bench",
  "interval": 300,
  "enabled": true,
  "sensors": [
    { "id": "t1", "kind": "temperature", "unit": "C", "offset": 0, "limits": [0, 45] },
    { "id": "t2", "kind": "temperature", "unit": "C", "offset": 0, "limits": [0, 45] },
    { "id": "t3", "kind": "temperature", "unit": "C", "offset": 0, "limits": [0, 45] },
    { "id": "h1", "kind": "humidity", "unit": "%", "offset": 0, "limits": [0, 100] },
    { "id": "h2", "kind": "humidity", "unit": "%", "offset": 0, "limits": [0, 100] }
  ],
  "matrix": [
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 1, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0]
  ],
  "alerts": { "email": null, "webhook": null, "sms": null },
  "comment": "offsets are zero until the sensors have been calibrated"
}
\`\`\`

Leave the matrix as it is unless you add a sensor; its two ones mark where the probes stand. Everything under "alerts" may stay null.`;

const jsonOther = `A configuration for this needs a name, an interval and a list of sensors, each with a kind and its limits. Alerts are optional. You may copy one of the samples from the manual and change the ids.`;

/** The texts that the bench cuts. Where one is decomposed, the cut may fall between a letter and its accent. */
export const texts: readonly BenchText[] = [
  { name: 'prose', answer: prose, otherWords: proseOther },
  { name: 'lists', answer: manual, otherWords: manualOther },
  { name: 'code', answer: typescript, otherWords: typescriptOther },
  { name: 'repeated code', answer: python, otherWords: pythonOther },
  { name: 'tables', answer: tableAnswer(), otherWords: tableOther },
  { name: 'links', answer: links, otherWords: linksOther },
  { name: 'emoji', answer: emoji, otherWords: emojiOther },
  { name: 'Hebrew', answer: hebrew, otherWords: hebrewOther },
  { name: 'Arabic', answer: arabic, otherWords: arabicOther },
  { name: 'Chinese', answer: chinese, otherWords: chineseOther },
  { name: 'Japanese', answer: japanese, otherWords: japaneseOther },
  { name: 'accents', answer: accents.normalize('NFC'), otherWords: accentsOther },
  { name: 'decomposed', answer: accents.normalize('NFD'), otherWords: accentsOther.normalize('NFD') },
  { name: 'refrains', answer: song, otherWords: songOther },
  { name: 'JSON', answer: json, otherWords: jsonOther },
];
