/** Every bound in one place: what it limits, and why it is that number. All are far above what a sound world needs. */
export const limits = {
  /** A TCP or SSH handshake; a LAN host answers within 100 ms, a host waking its disks within seconds. */
  connectMs: 15_000,
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
  /** What a remote command may print on stderr before the rest is dropped. */
  stderrBytes: 64 * 2 ** 10,
  /** Collections looked at side by side on one Qdrant: enough to hide latency, too few to be a load. */
  qdrantParallel: 8,
  /** ntfy turns a body of 4,096 bytes or more into an attachment. */
  messageBytes: 4_000,
  /** ntfy refuses titles above 1 KB. */
  titleBytes: 250,
} as const;
