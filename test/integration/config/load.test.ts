import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../../src/config/load.ts';
import { formatMistake } from '../../../src/config/mistake.ts';
import { limits } from '../../../src/support/limits.ts';
import { receiverKinds, ruleKinds } from '../../../src/watchdog/kinds.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'deadair-config-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The least that works. */
const main = `qdrant:
  phx: { url: "http://phx:6333" }
targets:
  here: { path: /srv/backups }
receivers:
  phone: { ntfy: "https://ntfy.example.net", topic: backups }
`;
const rules = `protect: phx
rules:
  - rule: freshness
    max_age: 26h
`;

/** A rule file of one rule. */
function onlyRule(kind: string): string {
  return `protect: phx\nrules: [{ rule: ${kind} }]\n`;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

async function write(files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
}

async function load(files: Files = {}, env: Record<string, string> = {}): Promise<LoadedConfig> {
  await write({ 'deadair.yaml': main, 'rules/qdrant.yaml': rules, ...files });
  return loadFile(join(directory, 'deadair.yaml'), env);
}

function loadFile(file: string, env: Record<string, string> = {}): Promise<LoadedConfig> {
  return loadConfig({
    file,
    ruleKinds,
    receiverKinds,
    env,
    nowMs: Date.UTC(2026, 10, 22),
  });
}

/** What is wrong, as the operator reads it, without the name of the temporary directory. */
function told(config: LoadedConfig): readonly string[] {
  return config.kind === 'loaded' ? [] : lines(config.mistakes);
}

function lines(mistakes: LoadedConfig['warnings']): readonly string[] {
  return mistakes.map((mistake) => formatMistake(mistake).replaceAll(`${directory}/`, ''));
}

function loaded(config: LoadedConfig): Extract<LoadedConfig, { kind: 'loaded' }> {
  if (config.kind === 'loaded') return config;
  throw new Error(lines(config.mistakes).join('\n'));
}

describe('a file that cannot be read', () => {
  it('that is not there is told by its name', async () => {
    expect(told(await loadFile(join(directory, 'deadair.yaml')))).toStrictEqual([
      'deadair.yaml:1:1 expected a file, got none of that name',
    ]);
    expect(told(await loadFile('absent/deadair.yaml'))).toStrictEqual([
      'absent/deadair.yaml:1:1 expected a file, got none of that name',
    ]);
    expect(told(await loadFile('a\0b'))[0]).toMatch(/^a\\x00b:1:1 expected a file that can be read, got ERR_INVALID/);
  });

  it.each<[string, Files, string]>([
    [
      'empty',
      { 'deadair.yaml': '' },
      'deadair.yaml:1:1 expected a map with name, timezone, check_every, unknown_after, state, rules, hosts, qdrant, targets, receivers, escalation, got an empty file',
    ],
    [
      'a list',
      { 'deadair.yaml': '- a\n' },
      'deadair.yaml:1:1 expected a map with name, timezone, check_every, unknown_after, state, rules, hosts, qdrant, targets, receivers, escalation, got a list',
    ],
    [
      'a word',
      { 'deadair.yaml': 'hello' },
      'deadair.yaml:1:1 expected a map with name, timezone, check_every, unknown_after, state, rules, hosts, qdrant, targets, receivers, escalation, got a single value',
    ],
    [
      'not UTF-8',
      { 'deadair.yaml': Buffer.from('n\xe4me: x\n', 'latin1') },
      'deadair.yaml:1:2 expected UTF-8, got the byte 0xe4',
    ],
    [
      'UTF-16',
      { 'deadair.yaml': Buffer.from('\ufeffname: x\n', 'utf16le') },
      'deadair.yaml:1:1 expected UTF-8, got the byte 0xff',
    ],
    [
      'with a tab',
      { 'deadair.yaml': `${main}\tname: x\n` },
      'deadair.yaml:7:1 expected spaces before the first word of a line, got a tab',
    ],
    [
      'of two documents',
      { 'deadair.yaml': `${main}---\n${main}` },
      'deadair.yaml:7:1 expected one document in the file, got another one after ---',
    ],
    [
      'with a key twice',
      { 'deadair.yaml': `${main}targets: { there: { path: /x } }\n` },
      'deadair.yaml:7:1 expected each key once, got "targets" again',
    ],
    [
      'too large',
      { 'deadair.yaml': '#'.repeat(limits.configFileBytes + 1) },
      'deadair.yaml:1:1 expected a file of at most 1048576 bytes, got 1048577',
    ],
    [
      'an empty rule file',
      { 'rules/qdrant.yaml': '# none yet\n' },
      'rules/qdrant.yaml:1:1 expected a map with protect, targets, rules, got an empty file',
    ],
    [
      'a rule file that is a directory',
      { 'rules/dir.yaml/x': '' },
      'rules/dir.yaml:1:1 expected a file, got a directory',
    ],
    [
      'an open quote',
      { 'rules/qdrant.yaml': 'protect: "phx\n' },
      'rules/qdrant.yaml:2:1 expected valid YAML, got an error of syntax: missing closing "quote',
    ],
  ])('is one mistake: %s', async (_, files, mistake) => {
    expect(told(await load(files))).toStrictEqual([mistake]);
  });

  it('that is huge and sparse is not read', async () => {
    await write({ 'deadair.yaml': main });
    await truncate(join(directory, 'deadair.yaml'), 2 ** 40);
    expect(told(await loadFile(join(directory, 'deadair.yaml')))[0]).toContain('got 1099511627776');
    expect(told(await loadFile('/dev/zero'))).toStrictEqual(['/dev/zero:1:1 expected a file, got something else']);
  });

  it('that this user may not read is told so', async () => {
    await write({ 'deadair.yaml': main });
    await chmod(join(directory, 'deadair.yaml'), 0);
    // Root sees through permission bits, so root looks as nobody.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const config = await loadFile(join(directory, 'deadair.yaml')).finally(() => isRoot && process.seteuid?.(0));
    expect(told(config)).toStrictEqual([
      'deadair.yaml:1:1 expected a file that this user may read, got permission denied',
    ]);
  });

  it('that leads to itself is told so', async () => {
    await symlink('deadair.yaml', join(directory, 'deadair.yaml'));
    expect(told(await loadFile(join(directory, 'deadair.yaml')))).toStrictEqual([
      'deadair.yaml:1:1 expected a file that can be read, got ELOOP',
    ]);
  });
});

describe('a mistake of the main file', () => {
  const keys =
    'name, timezone, check_every, unknown_after, state, rules, hosts, qdrant, targets, receivers, escalation';
  const host = 'hosts:\n  nas: ';
  const secretForms = '{credential: NAME}, {file: PATH} or {env: NAME}';

  it.each([
    ['nam: x', `7:1 nam: expected one of ${keys}, got "nam" (did you mean name?)`],
    ['web: {}', `7:1 web: expected one of ${keys}, got "web", which is not in this version`],
    [
      'name: a b',
      '7:7 name: expected a name of up to 63 letters, digits, . _ -, beginning with a letter or digit, got "a b"',
    ],
    ['timezone: Mars/Base', '7:11 timezone: expected a time zone such as America/Phoenix, got "Mars/Base"'],
    ['check_every: 300', '7:14 check_every: expected a duration such as 26h, got 300'],
    ['check_every: 10ms', '7:14 check_every: expected a duration from 1s to 24h, got "10ms"'],
    ['check_every:', '7:1 check_every: expected a duration such as 26h, got nothing'],
    ['state: ~/state', '7:8 state: expected a path without ~, which only a shell understands, got "~/state"'],
    ['rules: []', '7:8 rules: expected a name or a list of names, got an empty list'],
    ['rules: other/*.yaml', '7:8 rules: expected at least one rule file, got none for "other/*.yaml"'],
    [
      'rules: [rules/*.yaml, absent.yaml]',
      '7:23 rules[1]: expected at least one rule file, got none for "absent.yaml"',
    ],
    ['hosts: [nas]', '7:8 hosts: expected a map of hosts by name, got a list'],
    [`${host}{ ssh: a@b, agent: true }`, '8:3 hosts.nas.known_hosts: expected a path, got nothing'],
    [`${host}{ ssh: a@b, known_hosts: k }`, '8:3 hosts.nas: expected key or agent: true, got neither'],
    [`${host}{ ssh: a@b, known_hosts: k, agent: false }`, '8:3 hosts.nas: expected key or agent: true, got neither'],
    [
      `${host}{ ssh: a@b, known_hosts: k, agent: true, key: { env: K } }`,
      '8:36 hosts.nas.agent: expected either key or agent: true, got both',
    ],
    [
      `${host}{ ssh: a@b, known_hosts: k, agent: true, passphrase: { env: K } }`,
      '8:49 hosts.nas.passphrase: expected passphrase only with key, got it without',
    ],
    [
      `${host}{ ssh: nas, known_hosts: k, agent: true }`,
      '8:15 hosts.nas.ssh: expected user@host or user@host:port, got "nas"',
    ],
    [
      `${host}{ ssh: a@b, known_hosts: k, key: { file: ~/.ssh/id } }`,
      '8:49 hosts.nas.key.file: expected a path, without ~, got another text',
    ],
    [
      `${host}{ ssh: a@b, known_hosts: k, key: { credential: a, env: b } }`,
      `8:41 hosts.nas.key: expected exactly one of ${secretForms}, got several keys`,
    ],
    [
      `${host}{ ssh: a@b, known_hosts: k, key: 12345 }`,
      `8:41 hosts.nas.key: expected ${secretForms}, got something else`,
    ],
    [`${host}nas.lan`, '8:8 hosts.nas: expected a map with ssh, key, passphrase, agent, known_hosts, got "nas.lan"'],
    [
      'hosts:\n  "a/b": { ssh: a@b, known_hosts: k, agent: true }',
      '8:3 hosts."a/b": expected a name of up to 63 letters, digits, . _ -, beginning with a letter or digit, got "a/b"',
    ],
    [
      'escalation: { critical: [{ notify: phon }] }',
      '7:36 escalation.critical[0].notify: expected phone (receivers), got "phon" (did you mean phone?)',
    ],
    [
      'escalation: { critical: { notify: phone } }',
      '7:25 escalation.critical: expected a list of one rung such as {notify: phone}, got a map',
    ],
    [
      'escalation: { critical: [] }',
      '7:25 escalation.critical: expected a list of one rung such as {notify: phone}, got an empty list',
    ],
    [
      'escalation: { critical: [{ notify: phone }, { notify: phone }] }',
      '7:45 escalation.critical[1]: expected a list of one rung such as {notify: phone}, got 2; more are not in this version',
    ],
    [
      'escalation: { critical: [{ notify: phone, after: 5m }] }',
      '7:43 escalation.critical[0].after: expected one of notify, priority, got "after", which is not in this version',
    ],
    [
      'escalation: { critical: [{ notify: phone, priority: 6 }] }',
      '7:53 escalation.critical[0].priority: expected a whole number from 1 to 5, got 6',
    ],
    [
      'escalation: { info: [{ notify: phone }] }',
      '7:15 escalation.info: expected critical, warning or another name, got "info", a severity that rings nobody',
    ],
  ])('%s', async (text, mistake) => {
    const config = await load({ 'deadair.yaml': `${main}${text}\n` }, { SSH_AUTH_SOCK: '/run/agent' });
    expect(told(config)).toStrictEqual([`deadair.yaml:${mistake}`]);
  });

  it.each([
    [
      'phx: { url: "http://phx:6333" }',
      'phx: { url: "http://a:hunter2@phx" }',
      '2:15 qdrant.phx.url: expected a URL without user and password, which belong into api_key, got one with them',
    ],
    [
      'phx: { url: "http://phx:6333" }',
      'phx: { urls: [] }',
      '2:10 qdrant.phx.urls: expected one of url, api_key, ca, got "urls", which is not in this version',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: backups, host: nas }',
      '4:32 targets.here.host: expected a name under hosts, got "nas"',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: /b, read: { corse: 2 } }',
      '4:29 targets.here.read.corse: expected one of cores, io, got "corse" (did you mean cores?)',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: /b, read: { cores: 0 } }',
      '4:36 targets.here.read.cores: expected a whole number from 1 to 256, got 0',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: /b, read: { io: fast } }',
      '4:33 targets.here.read.io: expected idle or normal, got "fast"',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: /b, read: idle }',
      '4:27 targets.here.read: expected a map with cores, io, got "idle"',
    ],
    [
      'here: { path: /srv/backups }',
      'here: { path: /b, layout: "*.snapshot" }',
      '4:29 targets.here.layout: expected a relative pattern with {collection} in it once, such as {collection}/*.snapshot, got "*.snapshot"',
    ],
    [
      'phone: { ntfy: "https://ntfy.example.net", topic: backups }',
      'phone: { topic: backups }',
      '6:3 receivers.phone: expected ntfy, which says what kind of receiver it is, got none',
    ],
    [
      'phone: { ntfy: "https://ntfy.example.net", topic: backups }',
      'phone: { email: a@b }',
      '6:12 receivers.phone.email: expected ntfy, which says what kind of receiver it is, got "email", which is not in this version',
    ],
    [
      'phone: { ntfy: "https://ntfy.example.net", topic: backups }',
      'phone: { ntfy: "https://a", topic: b, tokn: hunter2 }',
      '6:41 receivers.phone.tokn: expected one of ntfy, topic, token, read_token, ca, got "tokn" (did you mean token?)',
    ],
    [
      'phone: { ntfy: "https://ntfy.example.net", topic: backups }',
      'phone:',
      '6:3 receivers.phone: expected a map with ntfy, which says what kind of receiver it is, got nothing',
    ],
  ])('%s → %s', async (good, bad, mistake) => {
    const mistakes = told(await load({ 'deadair.yaml': main.replace(good, bad) }));
    expect(mistakes.filter((each) => each.includes(mistake.split(' ')[0] ?? ''))).toContain(`deadair.yaml:${mistake}`);
    expect(mistakes.join()).not.toContain('hunter2');
  });

  it('is each of the least that works, when all of it is missing', async () => {
    await write({ 'deadair.yaml': 'name: phx-ai02\nreceivers: {}\n' });
    expect(told(await loadFile(join(directory, 'deadair.yaml')))).toStrictEqual([
      'deadair.yaml:1:1 qdrant: expected at least one source, got nothing',
      'deadair.yaml:1:1 targets: expected at least one target, got nothing',
      'deadair.yaml:1:1 rules: expected at least one rule file, got none for "rules/*.yaml"',
      'deadair.yaml:2:12 receivers: expected at least one receiver, got an empty map',
    ]);
  });
});

describe('a mistake of a rule file', () => {
  const common = 'rule, id, severity, for, collections, targets, escalate, except';

  it.each([
    [
      'protect: phy',
      'rules: [{ rule: integrity }]',
      '1:10 protect: expected phx (names under qdrant), got "phy" (did you mean phx?)',
    ],
    [
      'protect: [phx, nas]',
      'rules: [{ rule: integrity }]',
      '1:16 protect[1]: expected phx (names under qdrant), got "nas"',
    ],
    [
      'targets: [her]',
      'protect: phx\nrules: [{ rule: integrity }]',
      '1:11 targets[0]: expected here (targets), got "her" (did you mean here?)',
    ],
    ['protect: phx', 'rules: []', '2:8 rules: expected at least one rule, got an empty list'],
    ['protect: phx', 'rules: freshness', '2:8 rules: expected a list of rules, got "freshness"'],
    ['protect: phx', '', '1:1 rules: expected a list of rules, got nothing'],
    [
      'protect: phx',
      'rules: [freshness]',
      '2:9 rules[0]: expected a map with rule: one of freshness, coverage, integrity, got "freshness"',
    ],
    [
      'protect: phx',
      'rules: [{ max_age: 26h }]',
      '2:9 rules[0].rule: expected one of freshness, coverage, integrity, got nothing',
    ],
    [
      'protect: phx',
      'rules: [{ rule: freshnes }]',
      '2:17 rules[0].rule: expected one of freshness, coverage, integrity, got "freshnes" (did you mean freshness?)',
    ],
    [
      'protect: phx',
      'rules: [{ rule: timer }]',
      '2:17 rules[0].rule: expected one of freshness, coverage, integrity, got "timer", which is not in this version',
    ],
    [
      'protect: phx',
      'rules: [{ rule: reachable }]',
      '2:17 rules[0].rule: expected one of freshness, coverage, integrity, got "reachable", which is always there and nobody writes',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, reread_evry: 1d }]',
      `2:28 rules[0].reread_evry: expected one of ${common}, reread_every, proof, prove_within, got "reread_evry" (did you mean reread_every?)`,
    ],
    ['protect: phx', 'rules: [{ rule: freshness }]', '2:9 rules[0]: expected max_age or schedule, got a rule without'],
    [
      'protect: phx',
      'rules: [{ rule: freshness, max_age: 26h, grace: 1h }]',
      '2:42 rules[0].grace: expected grace only with schedule, got "1h"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: freshness, schedule: "61 2 * * *" }]',
      '2:38 rules[0].schedule: expected five fields of cron such as "15 2 * * *", got "61 2 * * *"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: coverage, copies: "2" }]',
      '2:35 rules[0].copies: expected a whole number of copies, at least 1, got "2"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, severity: loud }]',
      '2:38 rules[0].severity: expected critical, warning or info, got "loud"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, id: self }]',
      '2:32 rules[0].id: expected an id of up to 200 letters, digits, . _ - + * /, other than reachable and self, got "self"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, targets: [here, nas] }]',
      '2:44 rules[0].targets[1]: expected here (the file\'s targets), got "nas"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, escalate: crit }]',
      '2:38 rules[0].escalate: expected one of critical, warning (ladders of the escalation), got "crit"',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity }, { rule: integrity }]',
      '2:38 rules[1].rule: expected id: NAME, since another rule of this file has the default id, got none for a second phx/integrity',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, id: a }, { rule: coverage, id: a }]',
      '2:59 rules[1].id: expected an id of its own, got "a", which rules/qdrant.yaml:2 has',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, except: { collections: a } }]',
      '2:36 rules[0].except: expected a list of exceptions, each with collections, because, until, got a map',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, except: [{ collections: a, because: " ", until: 2027-01-31 }] }]',
      '2:64 rules[0].except[0].because: expected a text, got " "',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, except: [{ collections: a, because: b }] }]',
      '2:37 rules[0].except[0].until: expected a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z, got nothing',
    ],
    [
      'protect: phx',
      'rules: [{ rule: integrity, except: [{ collections: a, because: b, until: 2027-02-30 }] }]',
      '2:74 rules[0].except[0].until: expected a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z, got "2027-02-30"',
    ],
  ])('%s %s', async (first, rest, mistake) => {
    expect(told(await load({ 'rules/qdrant.yaml': `${first}\n${rest}\n` }))).toStrictEqual([
      `rules/qdrant.yaml:${mistake}`,
    ]);
  });

  it('is an id that another file has, by default or by its own word', async () => {
    const config = await load({
      'rules/b.yaml':
        'protect: phx\nrules:\n  - rule: integrity\n    id: phx/freshness\n  - { rule: freshness, max_age: 1h }\n',
    });
    expect(told(config)).toStrictEqual([
      'rules/b.yaml:5:13 rules[1].rule: expected an id of its own, got "phx/freshness", which rules/b.yaml:4 has',
      'rules/qdrant.yaml:3:11 rules[0].rule: expected an id of its own, got "phx/freshness", which rules/b.yaml:4 has',
    ]);
  });
});

it('tells all mistakes of all files at once, sorted', async () => {
  const config = await load({
    'deadair.yaml': `${main.replace('/srv/backups', '~/x')}timezone: x\nescalation: { critical: [{ notify: nobody }] }\n`,
    'rules/a.yaml':
      'protect: phy\nrules:\n  - rule: freshness\n    max_age: 26\n    max_agee: 1h\n  - rule: coverage\n    escalate: x\n',
    'rules/b.yaml': 'protect: [\n',
    'rules/c.yaml': 'protect: phx\ntargets: there\nrules: [{ rule: integrity }]\n',
  });
  expect(told(config).map((line) => line.split(': ')[0])).toStrictEqual([
    'deadair.yaml:4:17 targets.here.path',
    'deadair.yaml:7:11 timezone',
    'deadair.yaml:8:36 escalation.critical[0].notify',
    'rules/a.yaml:1:10 protect',
    'rules/a.yaml:4:14 rules[0].max_age',
    'rules/a.yaml:5:5 rules[0].max_agee',
    'rules/a.yaml:7:15 rules[1].escalate',
    expect.stringContaining('rules/b.yaml:2:1 expected valid YAML, got an error of syntax'),
    'rules/c.yaml:2:10 targets',
  ]);
});

it('tells no more mistakes than anybody reads', async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `k${index}: 1`).join('\n');
  const mistakes = told(await load({ 'deadair.yaml': `${main}${many}\n` }));
  expect(mistakes).toHaveLength(limits.mistakes + 1);
  expect(mistakes.at(-1)).toContain('got 5000; mend those above first');
});

describe('warnings', () => {
  const warningsOf = async (files: Files, env?: Record<string, string>): Promise<readonly string[]> =>
    lines(loaded(await load(files, env)).warnings);

  it('tell of a secret that stands in the file, without its text', async () => {
    const config = loaded(
      await load({ 'deadair.yaml': main.replace('topic: backups', 'topic: backups, token: hunter2') }),
    );
    expect(lines(config.warnings)).toStrictEqual([
      'deadair.yaml:6:69 receivers.phone.token: the secret itself stands here; put it into a file of its own: {credential: NAME} or {file: PATH}',
    ]);
    expect(inspect(config, { depth: 20 }) + JSON.stringify(config)).not.toContain('hunter2');
  });

  it('tell of an exception that has ended, which mutes nothing any more', async () => {
    const text = `${rules}    except: [{ collections: a, because: b, until: 2026-11-21 }, { collections: a, because: b, until: 2026-11-22 }]\n`;
    expect(await warningsOf({ 'rules/qdrant.yaml': text })).toStrictEqual([
      'rules/qdrant.yaml:5:51 rules[0].except[0].until: this exception has ended (2026-11-21): remove it, or say until when',
    ]);
  });

  it('tell of a source that no rule protects and of a receiver that hears nothing', async () => {
    const text = `${main}  quiet: { ntfy: "https://ntfy.example.net", topic: x }\nescalation: { critical: [{ notify: phone }], warning: [{ notify: phone }] }\n`;
    const files = { 'deadair.yaml': text.replace('qdrant:\n', 'qdrant:\n  spare: { url: "http://spare" }\n') };
    expect(await warningsOf(files)).toStrictEqual([
      'deadair.yaml:2:3 qdrant.spare: no rule protects this source',
      'deadair.yaml:8:3 receivers.quiet: no ladder of the escalation tells this receiver anything',
    ]);
  });

  it('tell of an agent that is not running and of a rule that rings nobody', async () => {
    const host = 'hosts: { nas: { ssh: a@nas, agent: true, known_hosts: k } }\n';
    const files = { 'deadair.yaml': `${main}${host}`, 'rules/qdrant.yaml': `${rules}    severity: info\n` };
    expect(await warningsOf(files)).toStrictEqual([
      'deadair.yaml:7:36 hosts.nas.agent: SSH_AUTH_SOCK is not set here: an agent must run where deadair runs',
      'rules/qdrant.yaml:5:15 rules[0].severity: a rule of severity info rings nobody in this version',
    ]);
  });
});

describe('a sound configuration', () => {
  it('needs no more than the least that works, and everything else has a default', async () => {
    const config = loaded(await load());
    expect(config.warnings).toStrictEqual([]);
    expect(config.settings).toStrictEqual({
      name: hostname(),
      timezone: 'UTC',
      checkEveryMs: 300_000,
      unknownAfterMs: 900_000,
      stateDirectory: join(directory, '.deadair'),
      hosts: new Map(),
      sources: new Map([['phx', { url: 'http://phx:6333', apiKey: null, ca: null }]]),
      targets: new Map([['here', { path: '/srv/backups', host: null, read: { cores: 1, io: 'idle' }, layout: null }]]),
      receivers: new Map([
        ['phone', { kind: 'ntfy', parameters: { ntfy: 'https://ntfy.example.net', topic: 'backups' } }],
      ]),
      escalation: new Map([
        ['critical', [{ notify: ['phone'], priority: null }]],
        ['warning', [{ notify: ['phone'], priority: null }]],
      ]),
    });
    expect(config.rules).toMatchObject([
      {
        id: 'phx/freshness',
        file: join(directory, 'rules/qdrant.yaml'),
        sources: ['phx'],
        targets: ['here'],
        collections: null,
        severity: 'critical',
        timezone: 'UTC',
        forMs: 0,
        except: [],
        escalate: null,
        parameters: { maxAgeMs: 93_600_000 },
      },
    ]);
  });

  it('has paths relative to its file, and its state where systemd says', async () => {
    const text = `${main
      .replace('/srv/backups', 'copies/')
      .replace('6333" }', '6333", ca: ca.pem }')
      .replace(
        'backups }',
        'backups, ca: ca.pem }',
      )}hosts: { nas: { ssh: "a@[fe80::1]:2222", key: { file: id }, known_hosts: known } }\n`;
    const { settings } = loaded(await load({ 'deadair.yaml': text }, { STATE_DIRECTORY: '/var/lib/deadair:/other' }));
    expect(settings.stateDirectory).toBe('/var/lib/deadair');
    expect(settings.targets.get('here')?.path).toBe(join(directory, 'copies'));
    expect(settings.sources.get('phx')?.ca).toBe(join(directory, 'ca.pem'));
    expect(settings.receivers.get('phone')?.parameters['ca']).toBe(join(directory, 'ca.pem'));
    expect(settings.hosts.get('nas')).toStrictEqual({
      user: 'a',
      host: 'fe80::1',
      port: 2222,
      key: { kind: 'file', path: 'id' },
      passphrase: null,
      knownHosts: join(directory, 'known'),
    });
  });

  it('has rules with everything they say', async () => {
    const text = `protect: "*"
rules:
  - { rule: coverage, id: two, severity: warning, for: 30m, collections: [a*, b], targets: here, escalate: night,
      except: [{ collections: x, because: rebuilt, until: 2027-01-31 }] }
  - rule: integrity
`;
    const extra = 'timezone: America/Phoenix\nescalation: { night: [{ notify: [phone, phone], priority: 5 }] }\n';
    const { rules: all, settings } = loaded(await load({ 'deadair.yaml': main + extra, 'rules/qdrant.yaml': text }));
    expect(all).toMatchObject([
      {
        id: 'two',
        kind: 'coverage',
        severity: 'warning',
        forMs: 1_800_000,
        collections: ['a*', 'b'],
        targets: ['here'],
        escalate: 'night',
        timezone: 'America/Phoenix',
        except: [{ collections: ['x'], because: 'rebuilt', untilMs: Date.UTC(2027, 1, 1, 7) }],
      },
      { id: '*/integrity', sources: ['phx'], targets: ['here'] },
    ]);
    expect(settings.escalation.get('night')).toStrictEqual([{ notify: ['phone'], priority: 5 }]);
    expect([...settings.escalation.keys()].toSorted()).toStrictEqual(['critical', 'night', 'warning']);
  });

  it('joins the names of several sources in a default id', async () => {
    const text = main.replace('qdrant:\n', 'qdrant:\n  b: { url: "http://b" }\n');
    const files = { 'deadair.yaml': text, 'rules/qdrant.yaml': rules.replace('phx', '[phx, b]') };
    expect(loaded(await load(files)).rules).toMatchObject([{ id: 'phx+b/freshness', sources: ['phx', 'b'] }]);
  });

  it('finds rule files by list, by glob, by a name with brackets, each once, and never the main file', async () => {
    const config = loaded(
      await load({
        'deadair.yaml': `rules: ["*.yaml", "rules/*.yaml", rules/qdrant.yaml, "a[b].yaml"]\n${main}`,
        'top.yaml': onlyRule('coverage'),
        'a[b].yaml': onlyRule('integrity'),
      }),
    );
    expect(config.rules.map(({ id }) => id)).toStrictEqual(['phx/integrity', 'phx/freshness', 'phx/coverage']);
  });

  it('takes names that objects of the language have for what they are', async () => {
    const text = main.replace('phx:', 'constructor:').replace('here:', 'toString:').replace('phone:', 'valueOf:');
    const files = { 'deadair.yaml': text, 'rules/qdrant.yaml': rules.replace('phx', 'constructor') };
    const { settings } = loaded(await load(files));
    expect([...settings.sources.keys(), ...settings.targets.keys(), ...settings.receivers.keys()]).toStrictEqual([
      'constructor',
      'toString',
      'valueOf',
    ]);
    expect(told(await load({ 'rules/qdrant.yaml': rules.replace('phx', 'toString') }))).toHaveLength(1);
  });
});

describe('whatever stands in the files', () => {
  const good = [main, rules, `${rules}    except: [{ collections: x, because: y, until: 2027-01-31 }]\n`];
  const words = [
    '__proto__',
    'constructor',
    'rule',
    'null',
    '~',
    '[]',
    '{}',
    '-1',
    '1e999',
    '.nan',
    '"\\0"',
    '*',
    '&a',
    '*a',
    ': ',
    '- ',
    '\n',
    '  ',
    '"',
    '2027',
    'ä',
    '\u0000',
    '{',
    '[',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.nat(400), fc.nat(12), fc.constantFrom(...words)), { maxLength: 4 }),
      )
      .map(([base, edits]) =>
        edits.reduce((mutated, [at, cut, word]) => mutated.slice(0, at) + word + mutated.slice(at + cut), base),
      ),
  );

  it('the loader never throws, and each mistake has a place and an expectation', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, fc.boolean(), async (one, other, isMainGood) => {
        const config = await load({ 'deadair.yaml': isMainGood ? main : one, 'rules/qdrant.yaml': other });
        if (config.kind === 'loaded') return;
        expect(config.mistakes.length).toBeGreaterThan(0);
        for (const mistake of config.mistakes) {
          expect(formatMistake(mistake)).toMatch(/^\S+:[1-9]\d*:[1-9]\d* (?:.+: )?expected .+, got .+$/);
          expect(mistake.message).not.toContain('received');
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('a source', () => {
  it.each(['source', 'target', 'host', 'receiver', 'job', 'deadair'])(
    'may not be called %s, which begins subjects that are no collections',
    async (name) => {
      const files = {
        'deadair.yaml': main.replace('phx:', `${name}:`),
        'rules/qdrant.yaml': rules.replace('phx', name),
      };
      expect(told(await load(files))).toStrictEqual([
        `deadair.yaml:2:3 qdrant.${name}: expected a name other than source, target, host, receiver, job, deadair, got "${name}"`,
      ]);
    },
  );
});

it('names all files that were read, also when they have mistakes, so that mending any of them is noticed', async () => {
  const names = ['deadair.yaml', 'rules/qdrant.yaml', 'rules'].map((name) => join(directory, name));
  expect((await load()).files).toStrictEqual(names);
  expect((await load({ 'rules/qdrant.yaml': 'protect: nobody' })).files).toStrictEqual(names);
});
