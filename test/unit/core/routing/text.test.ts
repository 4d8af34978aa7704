import { describe, expect, test } from 'vitest';
import type { Message } from '../../../../src/core/model/alert.ts';
import { allRules, judgeSketch } from '../../../support/rules.ts';
import {
  collection,
  digest,
  fileOf,
  goodSketch,
  ms,
  nowMs,
  readAs,
  type Sketch,
  snapshot,
  source,
  target,
  unseen,
} from '../../../support/world.ts';
import { watch } from '../../../support/watch.ts';

/** Plays a world through judging, stepping and routing: what its phone shows in each pass. Now is Sunday 13:00 in Phoenix. */
function shown(...passes: [after: string, alter: (sketch: Sketch) => void][]): string[] {
  const watched = watch();
  return passes
    .flatMap(([after, alter]): readonly Message[] => {
      const sketch = goodSketch();
      sketch.nowMs = nowMs + ms(after);
      for (const each of Object.values(sketch.targets)) each.observedAtMs = sketch.nowMs;
      for (const each of Object.values(sketch.sources)) each.observedAtMs = sketch.nowMs;
      alter(sketch);
      return watched.pass(after, judgeSketch(sketch, allRules(), 'daemon', watched.standings()).findings);
    })
    .map(({ title, body }) => `${title}\n${body.replaceAll(/group [0-9a-f]{16}/g, 'group …')}`);
}

function lines(...each: string[]): string {
  return each.join('\n');
}

const five = ['arxiv', 'books', 'canon', 'notes', 'papers'];
const good = (): void => undefined;
const bad = (sketch: Sketch): void => {
  fileOf(sketch, 'nas', 'books').reading = readAs(digest('other'), sketch.nowMs);
  sketch.targets['nas']!.files.push(snapshot('books', '1h'));
};

describe('what a tired person sees', () => {
  test('a live collection that is on no list of the backup', () => {
    const messages = shown([
      '0s',
      (sketch) => {
        sketch.sources['phx-ai01']!.collections['claude_canon'] = collection({ points: 340_112 });
      },
    ]);
    expect(messages).toEqual([
      lines(
        'CRIT claude_canon: not fresh on 2 targets',
        'claude_canon: no backup (phx-ai02, nas)',
        'Since Sun 13:00. 4 other findings of this rule are fine.',
        "Do: look at the backup's collection list, then run it.",
        'deadair on phx-ai02, rule phx-ai01/freshness, group …',
      ),
      lines(
        'CRIT claude_canon: no proven backup anywhere',
        'proven on 0 of 2 targets, wanted 2. phx-ai02: no snapshot; nas: no snapshot. Live with 340,112 points.',
        'Since Sun 13:00. 3 other findings of this rule are fine.',
        "Do: look at the backup's collection list, then run it.",
        'deadair on phx-ai02, rule phx-ai01/coverage, group …',
      ),
    ]);
  });

  test('everything stale', () => {
    const messages = shown([
      '0s',
      (sketch) => {
        sketch.sources['phx-ai01'] = source(five);
        const files = () => five.map((name) => snapshot(name, '27h'));
        sketch.targets = {
          'phx-ai02': target(files()),
          nas: target(files(), { host: 'nas', machine: 'nas.lan:22' }),
        };
      },
    ]);
    expect(messages).toEqual([
      lines(
        'CRIT phx-ai01: 5 of 5 not fresh',
        'arxiv: 27h old, allowed 26h (phx-ai02, nas)',
        'books: 27h old, allowed 26h (phx-ai02, nas)',
        'canon: 27h old, allowed 26h (phx-ai02, nas)',
        'notes: 27h old, allowed 26h (phx-ai02, nas)',
        'papers: 27h old, allowed 26h (phx-ai02, nas)',
        'Since Sun 13:00.',
        "Do: look at the backup's timer and its last log, then run it.",
        'deadair on phx-ai02, rule phx-ai01/freshness, group …',
      ),
    ]);
  });

  test('a target that cannot be looked at', () => {
    const lost = (sketch: Sketch): void => {
      sketch.hosts['nas'] = unseen();
      sketch.targets['nas']!.unseen = unseen();
    };
    expect(shown(['0s', good], ['5m', lost], ['20m', lost])).toEqual([
      lines(
        'WARN nas: cannot look',
        'SSH timeout after 15 s.',
        'Since Sun 13:05. Hides 7 findings. 3 other findings of this rule are fine.',
        'Do: look at the network.',
        'deadair on phx-ai02, rule deadair/reachable, group …',
      ),
    ]);
  });

  test('a Qdrant that lists nothing any more', () => {
    const [message, ...more] = shown(
      ['0s', good],
      [
        '5m',
        (sketch) => {
          for (const each of Object.values(sketch.sources['phx-ai01']!.collections)) each.isLive = false;
        },
      ],
    );
    expect(more).toEqual([]);
    expect(message).toMatch(/^CRIT phx-ai01: lists no collection at all\nphx-ai01 answers but lists no collection; /);
    expect(message).toContain('\nbooks: vanished from Qdrant\n');
  });

  test('bytes that changed', () => {
    expect(shown(['0s', bad])).toEqual([
      lines(
        'CRIT books on nas: bytes changed',
        'books/books-8035627091234567-2026-11-22-03-00-00.snapshot reads d929…, SHA256SUMS says 43cf…; 3 other files intact.',
        'Since Sun 13:00. 5 other findings of this rule are fine.',
        'Do: delete nothing; check the disk and memory of that host; compare with another copy.',
        'deadair on phx-ai02, rule phx-ai01/integrity, group …',
      ),
    ]);
  });

  test('a recovery', () => {
    expect(shown(['0s', bad], ['90m', good]).slice(1)).toEqual([
      lines(
        'OK books on nas: integrity recovered',
        '3 of 3 files match (read by openssl).',
        'Lasted 90m, since Sun 13:00.',
        'deadair on phx-ai02, rule phx-ai01/integrity, group …',
      ),
    ]);
  });

  test('a collection that vanished', () => {
    const messages = shown([
      '0s',
      (sketch) => {
        sketch.sources['phx-ai01']!.collections['books'] = collection({
          isLive: false,
          lastSeenAtMs: nowMs - ms('10m'),
        });
      },
    ]);
    expect(messages).toEqual([
      lines(
        'CRIT books: vanished from Qdrant',
        'phx-ai01 listed it with 120 points until 10m ago and no longer does.',
        'Since Sun 13:00. 2 other findings of this rule are fine.',
        'Do: find out who dropped it before retention deletes its last copy; if it was meant, add an exception with a reason.',
        'deadair on phx-ai02, rule phx-ai01/coverage, group …',
      ),
    ]);
  });

  test('an alert that ends because its collection was forgotten', () => {
    const messages = shown(
      ['0s', bad],
      [
        '5m',
        (sketch) => {
          sketch.sources['phx-ai01'] = source(['arxiv']);
        },
      ],
    );
    expect(messages.slice(1)).toEqual([
      lines(
        'ENDED books on nas: no longer watched',
        'No rule asks about it any more, so this alert ends without anyone having seen it well.',
        'was: books/books-8035627091234567-2026-11-22-03-00-00.snapshot reads d929…, SHA256SUMS says 43cf…; 3 other files intact.',
        'Lasted 5m, since Sun 13:00.',
        'deadair on phx-ai02, rule phx-ai01/integrity, group …',
      ),
    ]);
  });

  test('trouble of the watchdog itself', () => {
    const messages = shown([
      '0s',
      (sketch) => {
        const summary = 'the clock was stepped back by 1h';
        sketch.troubles = [{ name: 'clock', headline: 'stepped back 1h', summary, todo: 'look at chrony' }];
      },
    ]);
    expect(messages).toEqual([
      lines(
        'WARN clock: stepped back 1h',
        'the clock was stepped back by 1h.',
        'Since Sun 13:00.',
        'Do: look at chrony.',
        'deadair on phx-ai02, rule deadair/self, group …',
      ),
    ]);
  });

  test('a name that holds a line break or turns the writing direction cannot forge a line', () => {
    const messages = shown([
      '0s',
      (sketch) => {
        sketch.sources['phx-ai01']!.collections['a\nOK all is well\u202e'] = collection();
      },
    ]);
    expect(
      messages
        .join('\n')
        .split('\n')
        .filter((line) => line.startsWith('OK')),
    ).toEqual([]);
    expect(messages[1]).toMatch(/^CRIT a\\x0aOK all is well\\u202e: no proven backup anywhere\n/);
  });
});

test('a message names a few alerts and counts the others, however many they are', () => {
  const [message] = shown([
    '0s',
    (sketch) => {
      const names = Array.from({ length: 1_000 }, (_, index) => `c${String(index).padStart(4, '0')}`);
      sketch.sources['phx-ai01'] = source(names);
    },
  ]);
  const body = (message ?? '').split('\n');
  expect(body[0]).toBe('CRIT phx-ai01: 1000 of 1000 not fresh');
  expect(body).toContain('and 992 more');
  expect(body).toHaveLength(13);
});
