import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from '../../../src/store/database.ts';
import { storeFailure } from '../../../src/store/failure.ts';
import { openTestStore, samplePass, sampleStanding, temporaryDirectory } from '../../support/store.ts';

test('damage that shows only while the store is in use is named, with what to do', () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'deadair.db');
  {
    using store = openTestStore(directory.path);
    const standings = Array.from({ length: 500 }, (_, n) => sampleStanding(`phx-ai01/c${n}`));
    store.commitPass(samplePass('one', { standings }));
  }
  const bytes = readFileSync(file);
  bytes.fill(0xa5, bytes.length / 2);
  writeFileSync(file, bytes);
  using database = new Database(file);
  const select = database.prepare('SELECT content FROM standings');
  expect(() => database.read('reading the standings', () => select.all())).toThrow(
    expect.objectContaining({
      code: 'store/unusable',
      permanent: true,
      message: expect.stringContaining(`reading the standings: ${file} is damaged`),
      hint: expect.stringContaining('announce the loss'),
    }),
  );
});

test('a full disk is told apart from a refusal when the file system itself says so', () => {
  const failure = (code: string): unknown =>
    storeFailure(Object.assign(new Error(`${code}: no`), { code }), 'writing', '/state/deadair.db');
  expect(failure('ENOSPC')).toMatchObject({ code: 'store/full', permanent: false });
  expect(failure('EDQUOT')).toMatchObject({ code: 'store/full' });
  expect(failure('EROFS')).toMatchObject({ code: 'store/unusable', permanent: true });
});

test('a mistake of our own is not dressed up as a trouble of the disk', () => {
  using directory = temporaryDirectory();
  openTestStore(directory.path).close();
  using database = new Database(join(directory.path, 'deadair.db'));
  const insert = database.prepare('INSERT INTO facts (name, value) VALUES (?, NULL)');
  expect(() => database.write('writing', { isDurable: true }, () => insert.run('a'))).toThrow(
    expect.objectContaining({ code: 'ERR_SQLITE_ERROR', message: expect.stringContaining('NOT NULL') }),
  );
});
