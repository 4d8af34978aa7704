/** Every bound in one place: what it limits, and why it is that number. All are far above what a sound world needs. */
export const limits = {
  /** A TCP or SSH handshake; a LAN host answers within 100 ms, a host waking its disks within seconds. */
  connectMs: 15_000,
  /** A host that vanished without a word is found out after 3 of these without an answer. */
  sshKeepaliveMs: 10_000,
  sshKeepaliveCount: 3,
  /** A session that sshd is still giving back is free within milliseconds: six tries over 620 ms, each pause twice the last. */
  sshChannelRetries: 5,
  sshChannelPauseMs: 20,
  /** Saying goodbye to a host: one round trip; a host that does not answer loses the connection anyway. */
  sshCloseMs: 2_000,
  /** One HTTP answer, from request to last byte. Exact counts of large collections take tens of seconds. */
  httpMs: 30_000,
  /** Qdrant gives up an exact count after 60 s by itself (reference: 408); we wait no longer than that. */
  countMs: 60_000,
  /** A listing of 100,000 files takes under a second; a million on cold spinning disks takes minutes. */
  listMs: 300_000,
  /** The slowest hasher in the field gives 50 MB/s; a deadline for reading is at least this plus size ÷ that. */
  hashBaseMs: 60_000,
  hashFloorBytesPerSecond: 10 * 2 ** 20,
  /** An answer of Qdrant or ntfy: 10,000 collections with long names are under 4 MiB. */
  httpBodyBytes: 16 * 2 ** 20,
  /** A listing: 1,000,000 files at 200 bytes each. */
  listBytes: 256 * 2 ** 20,
  /** Files in one listing. */
  files: 1_000_000,
  /** One manifest: 300,000 lines of SHA256SUMS. */
  manifestBytes: 32 * 2 ** 20,
  /** All manifests read in one pass. */
  manifestsBytes: 128 * 2 ** 20,
  /** One record of a listing; PATH_MAX is 4 KiB, and a deeper path than that needs a chain of renames. */
  recordBytes: 64 * 2 ** 10,
  /** Names in one remote command: four times as long in octal, and Linux takes 128 KiB as one argument. */
  namesBytes: 7_500,
  /** Commands side by side on one connection: sshd allows ten sessions, two of which stay free. */
  shellLanes: 8,
  /** One line of a manifest: PATH_MAX with every byte escaped, and a digest. */
  manifestLineBytes: 16 * 2 ** 10,
  /** Problems told of one manifest; after so many its author needs no more examples. */
  manifestProblems: 100,
  /** What a remote command may print on stderr before the rest is dropped. */
  stderrBytes: 64 * 2 ** 10,
  /** Collections looked at side by side on one Qdrant: enough to hide latency, too few to be a load. */
  qdrantParallel: 8,
  /** All exact counts of one Qdrant together: a pass with some counts missing beats a pass that does not end. */
  countsMs: 300_000,
  /** ntfy turns a body of 4,096 bytes or more into an attachment. */
  messageBytes: 4_000,
  /** ntfy refuses titles above 1 KB. */
  titleBytes: 250,
  /** Looks for a message just accepted; ntfy may write its cache in batches of a second or so. */
  readBackTries: 3,
  readBackPauseMs: 1_000,
  /** A state database; SQLite refuses to grow past it, so that we never fill a disk that others need. */
  storeBytes: 4 * 2 ** 30,
  /** Up to this size the state database is checked page by page at every start: under 100 ms. */
  storeCheckBytes: 32 * 2 ** 20,
  /** How long `check` and the daemon wait for each other's writes; the longest takes about a second. */
  storeBusyMs: 5_000,
  /** One text inside a stored standing, group or message, in UTF-16 units; the rest is cut and an ellipsis says so. */
  storedTextLength: 16_384,
  /** Collections remembered of one source. */
  rememberedCollections: 100_000,
  /** Entries of one target in the ledger, files that are gone or have changed included. */
  ledgerEntries: 2_000_000,
  /** Lines of history kept. */
  events: 100_000,
  /** Passes kept: a month of them at one every five minutes. */
  passes: 10_000,
  /** Unsettled messages from which on a newer one replaces the older, unsent one of its group. */
  outboxMessages: 100_000,
  /** Messages the outbox hands out at once. */
  outboxPage: 100,
  /** How long a settled message is kept, so that a repeat of it is recognised and a person can look it up. */
  outboxKeptMs: 30 * 86_400_000,
  /** One batch of the reader: a newer snapshot waits behind no more than this. */
  batchBytes: 4 * 2 ** 30,
  batchFiles: 256,
  /** A pass that the reader asks for comes no sooner than this after the one before. */
  passPauseMs: 5_000,
  /** How long a stopping daemon tries to deliver what is unsent; the rest is sent after the next start. */
  drainMs: 5_000,
  /** The configuration or one rule file: 10,000 rules with comments. */
  configFileBytes: 2 ** 20,
  /** Levels inside one another in a YAML file: ours need five, and the parser's time grows with the cube of the depth. */
  yamlDepth: 16,
  /** Nodes that aliases of a YAML file may repeat; it bounds the few lines that would otherwise unfold to gigabytes. */
  yamlAliases: 1_000,
  /** Rule files of one configuration. */
  ruleFiles: 1_000,
  /** Mistakes told of one configuration; nobody reads on after that many. */
  mistakes: 200,
  /** A secret: a private RSA key of 16,384 bits is under 16 KiB. */
  secretBytes: 64 * 2 ** 10,
  /** A pass: what each of its parts may take, one after the other. One that takes longer hangs, and ends the daemon. */
  passMs: 1_200_000,
  /** A digest of a file that is no longer listed; a target that comes back after a repair need not be read anew. */
  ledgerKeptMs: 30 * 86_400_000,
  /** Between two rounds of forgetting files that are gone. */
  pruneEveryMs: 6 * 3_600_000,
  /** What follows an acceptance: reading the message back, and clearing the one before. */
  afterAcceptanceMs: 8_000,
} as const;
