import type { Clock } from '../../ports/clock.ts';
import type { ContentReader } from '../../ports/content-reader.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Feed } from '../feed.ts';
import type { Gate } from '../gate.ts';
import type { RecordOwner } from '../records/records.ts';
import type { StateBodyReader } from '../states/body-reader.ts';
import { Explorer } from './explorer.ts';
import { Graph } from './graph.ts';
import { INDEX_RECORDS } from './index-key.ts';
import { Indexer } from './indexer.ts';
import { SEEN_READS, SeenReads } from './seen-reads.ts';

/** All by which people find their way among states. */
export interface Exploration {
  readonly explorer: Explorer;
  readonly graph: Graph;
  readonly seen: SeenReads;
  isIndexing(): boolean;
  start(): void;
  close(): Promise<void>;
}

/** Puts together what finds states by what is in them, and what keeps the index for it. */
export function openExplorer(options: {
  engine: Engine;
  owner: RecordOwner;
  sealer: Sealer;
  clock: Clock;
  log: Log;
  feed: Feed;
  bodyReader: StateBodyReader;
  gate: Gate;
  node: string;
  contentReader?: ContentReader;
}): Exploration {
  const { bodyReader: bodies, contentReader: reader, owner } = options;
  const records = INDEX_RECORDS.of(owner);
  const indexer = reader === undefined ? null : new Indexer({ ...options, records, bodies, reader });
  const seen = new SeenReads({ ...options, records: SEEN_READS.of(owner) });
  return {
    explorer: new Explorer({ ...options, records, indexer }),
    graph: new Graph({ ...options, records, seen }),
    seen,
    isIndexing: () => indexer?.isWorking ?? false,
    start: () => indexer?.start(),
    async close() {
      await indexer?.close();
      await seen.close();
    },
  };
}
