/**
 * The bytes of a snapshot as Qdrant writes them: an uncompressed GNU tar with a sparse WAL, nested segment archives, and
 * `version.info` and `config.json` at its end. Made from name, time and point count, the same for the same three.
 */

import { createCipheriv, createHash } from 'node:crypto';

/** What a snapshot is made from. */
export interface ArchiveContent {
  readonly collection: string;
  readonly points: number;
  /** Epoch ms; the time of every member. */
  readonly madeAtMs: number;
}

const blockBytes = 512;

/** Bytes of a point's vector: 4 floats. */
const pointBytes = 16;

/** Vectors beyond this are left out, so that a played world of millions of points stays on a laptop. */
const maxVectorBytes = 2 ** 20;

/** Length of a fresh write-ahead log as the file system reports it; nearly all of it is a hole. */
const walBytes = 2 ** 20;

/** Builds the archive: about 90 KiB plus 16 bytes a point, up to 1 MiB of points. */
export function buildArchive(content: ArchiveContent): Buffer {
  const seed = `${content.collection}\n${content.madeAtMs}\n${content.points}`;
  const timeS = Math.floor(content.madeAtMs / 1_000);
  const segment = segmentId(seed);
  return tar(timeS, [
    { path: `0/segments/${segment}.tar`, bytes: buildSegment(seed, content.points, timeS) },
    { path: '0/newest_clocks.json', bytes: json({ clocks: [] }) },
    { path: '0/wal/open-1', ...sparseWal(seed) },
    { path: '0/wal/first-index', bytes: json({ ack_index: content.points }) },
    { path: '0/replica_state.json', bytes: json({ is_local: true, this_peer_id: 0, peers: { 0: 'Active' } }) },
    { path: '0/shard_config.json', bytes: json({ type: 'ReplicaSet' }) },
    // Qdrant writes its crate's version here, 0.4.2 from v1.8.0 to v1.19.0, never that of the server.
    { path: 'version.info', bytes: Buffer.from('0.4.2') },
    { path: 'config.json', bytes: json(collectionConfig) },
    { path: 'shard_key_mapping.json', bytes: json([]) },
    { path: 'payload_index.json', bytes: json({ schema: {} }) },
  ]);
}

/** The configuration of every collection of the lab: one shard of four-dimensional vectors. */
export const collectionConfig = {
  params: {
    vectors: { size: 4, distance: 'Dot' },
    shard_number: 1,
    replication_factor: 1,
    write_consistency_factor: 1,
    on_disk_payload: true,
  },
  hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000, max_indexing_threads: 0, on_disk: false },
  optimizer_config: { deleted_threshold: 0.2, vacuum_min_vector_number: 1_000, flush_interval_sec: 5 },
  wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0 },
  quantization_config: null,
} as const;

function buildSegment(seed: string, points: number, timeS: number): Buffer {
  const vectorBytes = Math.min(points * pointBytes, maxVectorBytes);
  return tar(timeS, [
    { path: 'snapshot/files/vector_storage/vectors/chunk_0.mmap', bytes: noise(`${seed}\nvectors`, vectorBytes) },
    { path: 'snapshot/files/id_tracker.mappings', bytes: noise(`${seed}\nids`, 64 * 2 ** 10) },
    {
      path: 'snapshot/files/segment.json',
      bytes: json({ version: points, config: { vector_data: { '': { size: 4 } } } }),
    },
    { path: 'snapshot/files/version.info', bytes: Buffer.from('0.6.0') },
  ]);
}

interface Member {
  readonly path: string;
  /** What the archive holds: for a sparse file, its extents one after the other. */
  readonly bytes: Buffer;
  /** Where the extents lie in the extracted file; absent for an ordinary file. */
  readonly sparse?: { readonly extents: readonly Extent[]; readonly realBytes: number };
}

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Six extents: more than the four of a header, so that a reader must follow an extension block. */
function sparseWal(seed: string): Pick<Member, 'bytes'> & Required<Pick<Member, 'sparse'>> {
  const data = Array.from({ length: 5 }, (_, index) => ({ offset: index * 2 ** 17, length: 4_096 }));
  return {
    bytes: noise(`${seed}\nwal`, 5 * 4_096),
    // GNU tar closes a file that ends in a hole with an empty extent at its end.
    sparse: { extents: [...data, { offset: walBytes, length: 0 }], realBytes: walBytes },
  };
}

function tar(timeS: number, members: readonly Member[]): Buffer {
  const parts = members.flatMap((member) => [
    header(member, timeS),
    ...(member.sparse === undefined ? [] : extensions(member.sparse.extents.slice(4))),
    member.bytes,
    Buffer.alloc(-member.bytes.length & (blockBytes - 1)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]);
}

/** One header of the old GNU format: names, sizes and extents at the places where GNU tar keeps them. */
function header(member: Member, timeS: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(member.path, 0, 100);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(octal(member.bytes.length), 124);
  block.write(octal(timeS), 136);
  block.write(member.sparse === undefined ? '0' : 'S', 156);
  block.write('ustar  \0', 257);
  if (member.sparse !== undefined) {
    writeExtents(block, 386, member.sparse.extents.slice(0, 4));
    block[482] = member.sparse.extents.length > 4 ? 1 : 0;
    block.write(octal(member.sparse.realBytes), 483);
  }
  // The checksum is the sum of all bytes, with its own field taken as spaces.
  block.write('        ', 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Extension blocks: 21 extents each, then whether another follows. */
function extensions(extents: readonly Extent[]): readonly Buffer[] {
  if (extents.length === 0) return [];
  const block = Buffer.alloc(blockBytes);
  writeExtents(block, 0, extents.slice(0, 21));
  block[504] = extents.length > 21 ? 1 : 0;
  return [block, ...extensions(extents.slice(21))];
}

function writeExtents(block: Buffer, start: number, extents: readonly Extent[]): void {
  for (const [index, { offset, length }] of extents.entries()) {
    block.write(octal(offset), start + index * 24);
    block.write(octal(length), start + index * 24 + 12);
  }
}

function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Incompressible bytes that are the same for the same seed. */
function noise(seed: string, length: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16)).update(Buffer.alloc(length));
}

function segmentId(seed: string): string {
  const hex = createHash('sha256').update(`${seed}\nsegment`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
