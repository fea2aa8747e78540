import { seededRandom } from '../../src/testing/random.js';
import type { BenchText } from './texts.js';

/* Other texts and phrasings, and shapes that are harder than those of the bench. Mistakes in them have been corrected, too. */

const casual = `ok so the way i'd do it is this. first you take the backup, and i mean actually take it, not "it runs every night somewhere". copy it to a disk you can hold. then you stop the service and look at the logs one last time, because the thing you're about to delete is usually mentioned there.

then migrate. it takes about forty minutes on the small machine and ten on the big one; don't watch the progress bar, it lies. it'll sit at 92% for half of the time. when it says done, wait another minute (the index is still being written, nobody knows why it says done before that).

after that you start the service again and try three things: log in, open an old document, open a new document. if the old document opens but looks empty, that's the encoding thing, see below. if the new one doesn't open, roll back, no heroics.

the encoding thing: some documents from before 2019 were saved as latin-1 with a utf-8 label. the fix is a one-liner, it's in the wiki, and it's safe to run twice. it isn't safe to run three times, don't ask.

and write down what you did. not for the auditors. for you, in two years, at night, when it happens again.`;
const casualOther = `short version: back it up, stop it, migrate, start it, try it. if documents look empty it's an encoding problem and there's a fix for that in the wiki. if anything else is odd you roll back and go to bed.`;

const russian = `Паром у Бренна ходил ещё до войны. Старый паромщик говорил, что у воды больше терпения, чем у сельского совета, и это было правдой. Летом он сидел на перевёрнутом ведре, зимой — в будке, где пахло смолой и чаем.

— Не толкай, — сказал он мне однажды. — Обопрись, подожди, потом опять обопрись.

Я, конечно, толкнул. Лодка медленно повернулась, и мы пришли к другому берегу спиной вперёд. Он смеялся так, что ему пришлось сесть на канат.

Есть работа, которая похожа на силу, а на самом деле вся состоит из времени. Её видно у тех, кто навешивает двери, у тех, кто успокаивает лошадей, а иногда и у тех, кто хорошо ведёт собрание. Они делают меньше, чем ждёшь, и чуть раньше, чем ждёшь.

Потом построили мост, и паром остановился. Никакой церемонии не было: просто однажды утром лодка лежала на траве вверх дном. Паромщик устроился на водокачку и каждый день в один и тот же час переходил через мост.`;
const russianOther = `Эта история о человеке, который держал переправу, и о мальчике, которому он дал шест. Мальчик толкнул слишком сильно и понял, что ждать полезнее. Затем появился мост, а паромщик ушёл работать на водокачку.`;

const thai = `แม่น้ำไม่เคยรีบไปไหน มันเอนตัวพิงสิ่งที่ยอมให้ และเมื่อผ่านไปหลายพันปี นิสัยนั้นก็กลายเป็นหุบเขา คนแจวเรือแก่ๆ เคยพูดว่า น้ำมีความอดทนมากกว่าสภาหมู่บ้าน ซึ่งก็จริงสำหรับหลายเรื่อง แต่จริงที่สุดสำหรับน้ำ

ตอนผมอายุเก้าขวบ เขาให้ผมถือไม้ถ่อตลอดการข้ามหนึ่งเที่ยว "อย่าดัน" เขาบอก "พิงไว้ แล้วรอ แล้วพิงอีกที" แน่นอนว่าผมดัน เรือหมุนช้าๆ ครึ่งรอบ และเราไปถึงอีกฝั่งโดยหันหลังให้

งานบางอย่างดูเหมือนใช้แรง แต่จริงๆ แล้วคือจังหวะ เราเห็นได้ในคนที่แขวนประตู ในคนที่ปลอบม้า และบางครั้งในคนที่นำประชุมได้ดี พวกเขาทำน้อยกว่าที่คาด และเร็วกว่าที่คาดเล็กน้อย`;
const thaiOther = `เรื่องนี้เล่าถึงคนแจวเรือกับเด็กคนหนึ่งที่ได้ถือไม้ถ่อ เด็กดันแรงเกินไปและเรียนรู้ว่าการรอนั้นดีกว่า ต่อมามีสะพาน และเรือก็หยุดวิ่ง`;

const german = `Die Fähre bei Brenn fuhr, solange ich denken kann, dreimal am Tag. „Nicht drücken“, sagte der Fährmann, „anlehnen, warten, wieder anlehnen.“ Natürlich drückte ich. Das Boot machte eine halbe Drehung, und wir kamen rückwärts drüben an – mit dem Gesicht dorthin, woher wir gekommen waren.

Es gibt eine Art von Arbeit, die nach Kraft aussieht und in Wahrheit Zeitgefühl ist: Türen einhängen, Pferde beruhigen, gelegentlich auch eine Sitzung leiten. Wer sie beherrscht, tut weniger, als man erwartet, und etwas früher, als man erwartet.

Zusammengesetzte Wörter wie Donaudampfschifffahrtsgesellschaft, Fährbetriebsgenehmigungsverfahren und Wasserwerksangestelltenverhältnis kamen in den Akten vor, die er mir einmal zeigte; er konnte sie alle auswendig. Die Brücke wurde 1974 fertig. Eine Feier gab es nicht.

Sehr, sehr, sehr langsam gewöhnten wir uns daran. Und dann, eines Morgens, lag das Boot auf der Wiese, kieloben, mit einem Blech darüber; im Herbst wohnten Igel darunter.`;
const germanOther = `Früher gab es hier eine Fähre. Der Mann, der sie führte, ließ mich einmal steuern, und ich lernte, dass Warten mehr hilft als Drücken. Danach kam die Brücke und er ging ins Wasserwerk.`;

const korean = `강은 어디로도 서두르지 않는다. 물러서 주는 것에 기대고 또 기다리다 보면, 몇천 년 뒤에는 그 버릇이 골짜기가 된다. 늙은 뱃사공은 물이 마을 회의보다 참을성이 많다고 말하곤 했다. 많은 일에 맞는 말이었지만 물에는 특히 맞는 말이었다.

아홉 살 때 그는 나에게 한 번 삿대를 쥐여 주었다. "밀지 말고, 기대고, 기다리고, 다시 기대라." 물론 나는 밀었다. 배는 천천히 반 바퀴를 돌았고 우리는 뒤를 보며 건너편에 닿았다. 그는 웃다가 밧줄 더미에 주저앉았다.

힘처럼 보이지만 사실은 때를 맞추는 일이 있다. 문을 다는 사람, 말을 달래는 사람, 가끔은 회의를 잘 이끄는 사람에게서 그것이 보인다. 다리가 놓인 해에 나룻배는 멈추었다.`;
const koreanOther = `옛날 이곳에 나루터가 있었다. 아이 하나가 삿대를 잡았다가 너무 세게 밀었고, 기다리는 편이 낫다는 것을 배웠다. 나중에 다리가 생기자 사공은 정수장으로 옮겼다.`;

const sql = `You can get both numbers in one pass:

\`\`\`sql
SELECT town, COUNT(*) AS visits, SUM(price) AS revenue
FROM tickets
WHERE sold_at >= '2024-01-01' AND sold_at < '2024-04-01'
GROUP BY town
HAVING COUNT(*) > 10
ORDER BY revenue DESC;

INSERT INTO closed (town, visits, revenue) VALUES ('Ilm', 0, 0.00);
INSERT INTO closed (town, visits, revenue) VALUES ('Jarrow', 0, 0.00);
INSERT INTO closed (town, visits, revenue) VALUES ('Farrow', 0, 0.00);
INSERT INTO closed (town, visits, revenue) VALUES ('Harrow', 0, 0.00);
\`\`\`

Mind the half-open interval: with BETWEEN you would count the first of April twice, once in each quarter. The HAVING clause drops towns with ten tickets or fewer; leave it out if the report has to add up.

\`\`\`sql
UPDATE tickets SET town = 'Brenn' WHERE town = 'Brenn ';
UPDATE tickets SET town = 'Ilm' WHERE town = 'Ilm ';
VACUUM ANALYZE tickets;
\`\`\`

The two updates remove a trailing space that an old form left behind. Run them before the report, not after.`;
const sqlOther = `SELECT with GROUP BY is what you want here. Group the tickets by town, count them and add up their price; restrict the date to the quarter with two comparisons. Fix the names with the trailing blank first.`;

const latex = `The sum telescopes. Write each term as a difference,

$$\\frac{1}{k(k+1)} = \\frac{1}{k} - \\frac{1}{k+1},$$

so that for every $n \\ge 1$

$$\\sum_{k=1}^{n} \\frac{1}{k(k+1)} = \\left(1 - \\frac12\\right) + \\left(\\frac12 - \\frac13\\right) + \\left(\\frac13 - \\frac14\\right) + \\dots + \\left(\\frac1n - \\frac1{n+1}\\right) = 1 - \\frac{1}{n+1}.$$

As $n \\to \\infty$ the right-hand side tends to $1$. The first digits of the partial sums are 0.5, 0.666666666, 0.75, 0.8, 0.833333333, 0.857142857, 0.875, 0.888888888, 0.9, 0.909090909, 0.916666666 and so on; it takes $n = 999\\,999$ to get six nines.

For comparison, $\\pi = 3.14159265358979323846264338327950288419716939937510582097494459230781640628620899$, and its digits do not repeat, whereas $1/7 = 0.142857142857142857142857142857142857\\ldots$ repeats with period six and $1/3 = 0.333333333333333333333333333333\\ldots$ with period one.

**Exercise.** Show in the same way that $\\sum_{k=1}^{n} \\frac{1}{k(k+2)} = \\frac34 - \\frac{1}{2(n+1)} - \\frac{1}{2(n+2)}$.`;
const latexOther = `Use partial fractions. Every term splits into two, neighbours cancel, and only the first and the last piece survive, which gives $1 - 1/(n+1)$ and hence the limit $1$. A similar trick with step two gives $3/4$.`;

const html = `<article class="card">
  <h2>Opening hours</h2>
  <table>
    <tr><td>Monday</td><td>closed</td></tr>
    <tr><td>Tuesday</td><td>9–17</td></tr>
    <tr><td>Wednesday</td><td>9–17</td></tr>
    <tr><td>Thursday</td><td>9–17</td></tr>
    <tr><td>Friday</td><td>9–13</td></tr>
    <tr><td></td><td></td></tr>
    <tr><td></td><td></td></tr>
    <tr><td></td><td></td></tr>
  </table>
  <ul>
    <li><a href="/map">Map</a></li>
    <li><a href="/faq">Questions &amp; answers</a></li>
    <li><a href="/faq#dogs">Dogs</a></li>
    <li><a href="/contact">Contact</a></li>
  </ul>
  <p>We're on the left bank, just below the <em>second</em> arch; ring the bell twice.</p>
  <p>&nbsp;</p>
  <p>&nbsp;</p>
  <p>&nbsp;</p>
</article>`;
const htmlOther = `<section>
  <h1>When we are open</h1>
  <p>Tuesday to Thursday all day, Friday until one. Closed on Mondays and at weekends.</p>
</section>`;

function logAnswer(): string {
  const random = seededRandom(77);
  const lines = Array.from({ length: 22 }, (_, index) => {
    const time = `12:0${Math.floor(index / 6)}:${String((index * 10) % 60).padStart(2, '0')}`;
    return index % 4 === 3
      ? `${time} WARN  retrying in 500 ms`
      : `${time} INFO  GET /api/v1/runs/${Math.floor(random() * 9e6)} 200`;
  });
  return `The log of the night looks healthy until four minutes past:

    ${lines.join('\n    ')}
    12:04:00 WARN  retrying in 500 ms
    12:04:00 WARN  retrying in 500 ms
    12:04:00 WARN  retrying in 500 ms
    12:04:00 ERROR giving up

Three warnings with the same time stamp mean that three workers hit the limit at once. I'd raise the delay and add jitter before I touched anything else.`;
}
const logOther = `Your service was fine for a while and then ran into its rate limit with several workers together. Spread the retries out. Nothing else in that log worries me.`;

const periodic = `Test pattern follows.

${'ha '.repeat(60).trim()}

${'na na na na na na na na, hey, '.repeat(12).trim()}

${'0123456789'.repeat(30)}

${'- [ ] call back\n'.repeat(14)}
${'😂'.repeat(50)}

${'。'.repeat(20)}${'嗯，'.repeat(40)}

End of the pattern; everything above is meant to be exactly as it is.`;
const periodicOther = `You asked for a pattern to test with. I suggest repeated syllables, a line of digits, a checklist with equal entries and a row of faces; their exact number does not matter.`;

const dialogue = `ANNA: Did you bring the rope?
BEN: I brought the rope.
ANNA: And the lantern?
BEN: I brought the lantern.
ANNA: And the map?
BEN: No.
ANNA: No?
BEN: No. You said that you'd bring the map.
ANNA: I said that I'd bring the map if you forgot the rope.
BEN: I didn't forget the rope.
ANNA: Then we have no map.
BEN: Then we have no map.
(They look at the river. A long pause.)
ANNA: Did you bring anything to eat?
BEN: I brought the rope.
ANNA: To eat!
BEN: I brought the rope and the lantern.
(She laughs. He laughs. They laugh, ha, ha, ha, ha, until the lantern goes out.)
ANNA: Ben?
BEN: Yes?
ANNA: Ben?
BEN: Yes?
ANNA: Nothing. I wanted to hear whether you're still there.
BEN: I'm still here.
ANNA: I'm still here, too.`;
const dialogueOther = `CLARA: Where are the others?
DAVID: They went down to the ferry with a rope and no map.
CLARA: Typical. Who has the lantern?
DAVID: It went out.`;

const shouting = `WARNING. DO NOT OPEN THE VALVE WHILE THE PUMP IS RUNNING. STOP THE PUMP FIRST, WAIT UNTIL THE NEEDLE IS BELOW 2 BAR, AND ONLY THEN OPEN THE VALVE BY ONE QUARTER OF A TURN.

IF THE NEEDLE DOES NOT MOVE, DO NOT OPEN THE VALVE. CALL THE WORKS AT 555-0100 AND SAY "PUMP HOUSE TWO". DO NOT SAY "EMERGENCY" UNLESS IT IS ONE.

IF WATER STANDS ON THE FLOOR, DO NOT ENTER. IF WATER STANDS ON THE STAIRS, DO NOT ENTER AND DO NOT SEND ANYBODY ELSE. CLOSE THE OUTER DOOR, HANG THE RED SIGN ON IT, AND CALL THE WORKS AT 555-0100.

AFTER EVERY USE: CLOSE THE VALVE, START THE PUMP, WAIT UNTIL THE NEEDLE IS ABOVE 4 BAR, SIGN THE BOOK. NAME, DATE, TIME, BAR. NAME, DATE, TIME, BAR. ALWAYS IN THIS ORDER.`;
const shoutingOther = `THE VALVE STAYS SHUT WHILE THE PUMP RUNS. STOP, WAIT FOR LOW PRESSURE, THEN OPEN IT A LITTLE. WATER ON THE FLOOR MEANS NOBODY GOES IN.`;

export const heldOutTexts: readonly BenchText[] = [
  { name: 'lower case', answer: casual, otherWords: casualOther },
  { name: 'Russian', answer: russian, otherWords: russianOther },
  { name: 'Thai', answer: thai, otherWords: thaiOther },
  { name: 'German', answer: german.normalize('NFD'), otherWords: germanOther },
  { name: 'Korean', answer: korean, otherWords: koreanOther },
  { name: 'SQL', answer: sql, otherWords: sqlOther },
  { name: 'formulas', answer: latex, otherWords: latexOther },
  { name: 'HTML', answer: html, otherWords: htmlOther },
  { name: 'log', answer: logAnswer(), otherWords: logOther },
  { name: 'dialogue', answer: dialogue, otherWords: dialogueOther },
  { name: 'capitals', answer: shouting, otherWords: shoutingOther },
];

/** Longer repetitions than an anchor can hold: here a reply may fit a text in several ways, and only resets are safe. */
export const periodicTexts: readonly BenchText[] = [{ name: 'periodic', answer: periodic, otherWords: periodicOther }];

export const heldOutPreambles: readonly string[] = [
  'Sure thing — continuing right where we left off:\n\n',
  'My apologies, it seems the connection was lost. Let me pick up from there.\n\n',
  'Absolutely! Continuing:\n',
  "Here's the remainder of the response:\n\n",
  '(continued)\n\n',
  '…continuing from my previous message:\n\n',
  'Right, resuming. ',
  'Got it. Here is the continuation of the answer, starting with the last words you received:\n\n',
  '*Continuing from the interruption*\n\n',
  'Natürlich, hier geht es weiter:\n\n',
  'Bien sûr, je reprends :\n\n',
  '好的，继续：\n\n',
];
