import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrapMortal } from '../../../src/clients/mortal.ts';
import { hashingScript, listingScript, readingScript } from '../../../src/probes/scripts.ts';
import { makeSteps, readStep } from '../../../src/probes/shell-steps.ts';
import type { HostTools } from '../../../src/probes/shell-tools.ts';

const nonce = 'c0ffee00c0ffee00c0ffee00';
const tools: HostTools = {
  hasher: { name: 'openssl', command: 'openssl dgst -sha256 -r', takesNames: true },
  form: 'gnu',
  idlePrefix: 'nice -n 19 ionice -c3',
  timeoutPrefix: 'timeout --foreground -k 5',
};
const file = (path: string, sizeBytes = 1): Parameters<typeof makeSteps>[0][number] => ({
  path,
  sizeBytes,
  mtimeNs: '1000000000',
  ctimeNs: '1000000000',
  inode: '1',
});
const name = fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replaceAll('\0', '\udcff'));

test('no name reaches a shell: every script passes as one quoted word', () => {
  fc.assert(
    fc.property(name, fc.array(name, { minLength: 1, maxLength: 20 }), (root, paths) => {
      const place = { root: `/${root}`, nonce };
      const steps = makeSteps(
        paths.map((path) => file(path)),
        true,
      );
      for (const form of ['gnu', 'stat', 'bsd'] as const) {
        const scripts = [
          listingScript(place),
          readingScript(place, paths, form, 1_000),
          hashingScript(place, steps, { ...tools, form }, { isIdle: true }),
        ];
        for (const script of scripts) expect(wrapMortal(script)).toMatch(/^exec sh -c '[\x20-\x7e]*'$/);
      }
    }),
    { numRuns: 50 },
  );
});

test('only small files with plain names share a step, and only where the hasher takes names', () => {
  const files = [file('a'), file('big', 2 ** 30), file('b'), file('new\nline'), file('-n'), file('back\\slash')];
  const shapes = (takesNames: boolean): string[] =>
    makeSteps(files, takesNames).map((step) => step.files.map(({ path }) => path).join(','));
  expect(shapes(true)).toEqual(['a,b,-n', 'big', 'new\nline', 'back\\slash']);
  expect(shapes(false)).toEqual(files.map(({ path }) => path));
});

test('a step of 1 TiB may take 29 hours, and no deadline exceeds what a timer can wait', () => {
  const [large, absurd] = makeSteps([file('large', 2 ** 40), file('absurd', 2 ** 50)], true);
  expect(large?.timeoutSeconds).toBe(104_918);
  expect((absurd?.timeoutSeconds ?? Infinity) * 1_000).toBeLessThan(2 ** 31 + 1_000);
});

const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const record = (path: string, size = 1): string => `${size}\x001.0000000000\x001.0000000000\x001\0./${path}\0`;

/** What the reader of one step makes of what a hasher said and of the files afterwards. */
function outcomes(paths: readonly string[], said: string, status: number, after: string): readonly string[] {
  const step = { files: paths.map((path) => file(path)), timeoutSeconds: 61 };
  return readStep(step, Buffer.from(`${said}\n${nonce} stat ${status}\n${after}`), 'gnu', nonce).map((outcome) =>
    outcome.kind === 'unreadable' ? outcome.why.code : outcome.kind,
  );
}

test('a digest counts only with status 0, alone, and when the file is the same afterwards', () => {
  const [said, after] = [`${digest} *stdin\n`, record('a')];
  expect(outcomes(['a'], said, 0, after)).toEqual(['digest']);
  expect(outcomes(['a'], `a warning of the tool\n${said}`, 0, after)).toEqual(['digest']);
  expect(outcomes(['a'], said, 1, after)).toEqual(['place/read-failed']);
  expect(outcomes(['a'], said + said, 0, after)).toEqual(['place/read-failed']);
  expect(outcomes(['a'], said.slice(1), 0, after)).toEqual(['place/read-failed']);
  expect(outcomes(['a'], said, 0, record('a', 2))).toEqual(['place/changed']);
  expect(outcomes(['a'], said, 0, record('b'))).toEqual(['place/not-found']);
  expect(outcomes(['a'], said, 0, '')).toEqual(['place/not-found']);
});

test('why there is no digest is told by what the tool said and how it ended', () => {
  expect(outcomes(['a'], 'sh: 1: cannot open ./a: Permission denied\n', 2, record('a'))).toEqual(['place/denied']);
  expect(outcomes(['a'], '', 124, record('a'))).toEqual(['net/timeout']);
  expect(outcomes(['a'], '', 137, record('a'))).toEqual(['net/timeout']);
  expect(outcomes(['a'], 'sha256sum: -: Input/output error\n', 1, record('a'))).toEqual(['place/read-failed']);
});

test('in company each digest belongs to the name beside it, and a file without one is tried again alone', () => {
  const said = `openssl: trouble with ./b\n${digest} *./a\n${digest}  ./c d\n`;
  const after = record('a') + record('b') + record('c d');
  expect(outcomes(['a', 'b', 'c d'], said, 1, after)).toEqual(['digest', 'again', 'digest']);
  expect(outcomes(['a', 'b'], said, 1, record('a', 2) + record('b'))).toEqual(['again', 'again']);
});
