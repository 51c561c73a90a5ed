import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SnapshotShape } from '../../../../src/api/shapes/content.ts';
import type { StateShape } from '../../../../src/api/shapes/state.ts';
import { addressParts } from '../../address.ts';
import { api } from '../../api.ts';
import { onEvent } from '../../live.ts';
import { counted, countText, durationText, operationText, sizeText } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Facts, Panel } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { Ago, Badge, Foreign, Moment, Subject } from '../../parts/text.tsx';
import { may, session } from '../../session.ts';
import { useLoad, type Loaded } from '../../use-load.ts';
import { BreakIn, type BreakTarget } from '../now/break-in.tsx';
import { LockRow } from '../now/lock-row.tsx';
import type { SeenLock } from '../now/locks.ts';
import { PastHolds } from '../now/past-holds.tsx';
import { keyOfRow, rowsOf } from '../now/rows.ts';
import { FreezeDialog } from '../settings/freeze-dialog.tsx';
import { Growth } from './growth.tsx';

/** The types of which a bar is shown; the others are counted together. */
const TYPES_MAX = 12;

/** What is so of a state now: its newest version, its lock, what is in it, and how it grew. */
export function Overview({ state }: { state: StateShape }): JSX.Element {
  const { address, newest } = state;
  return (
    <div class="panels">
      <div>
        <Newest state={state} />
        <LockNow address={address} />
        {newest !== null && <Growth address={address} newest={newest.version} />}
      </div>
      <div>{newest !== null && <Contents address={address} version={newest.version} />}</div>
    </div>
  );
}

function Newest({ state: { newest } }: { state: StateShape }): JSX.Element {
  return (
    <Panel
      title="Newest version"
      aside={newest?.encrypted === true ? <Badge tone="accent">encrypted by OpenTofu</Badge> : undefined}
    >
      {newest === null ? (
        <Empty title="No version yet">It appears here with its first write.</Empty>
      ) : (
        <div class="body">
          <Facts
            of={[
              ['version', countText(newest.version)],
              ['serial', newest.serial],
              ['size', sizeText(newest.size)],
              [
                'terraform',
                newest.terraformVersion === '' ? (
                  'hidden'
                ) : (
                  <Foreign text={newest.terraformVersion} most={40} />
                ),
              ],
              [
                'written',
                <span key="w" title={newest.at}>
                  <Ago at={newest.at} />
                </span>,
              ],
              ['by', <Subject key="s" subject={newest.subject} />],
              ['operation', newest.operation === null ? 'without a lock' : operationText(newest.operation)],
              ['door', newest.door],
              ['lineage', <code key="l">{<Foreign text={newest.lineage} most={80} />}</code>],
              ['SHA-256', <code key="h">{newest.sha256}</code>],
            ]}
          />
        </div>
      )}
    </Panel>
  );
}

/** How long the lock is usually held, and was. */
function HeldBefore({ loaded }: { loaded: Loaded<SeenLock> }): JSX.Element | null {
  if (loaded.kind !== 'loaded' || loaded.value.lock.usualHoldMs === null) return null;
  const { address, holders, usualHoldMs } = loaded.value.lock;
  return (
    <>
      <PastHolds address={address} newest={holders[0]?.fence ?? loaded.value.readAt} />
      <span class="hint">usually held {durationText(usualHoldMs)}</span>
    </>
  );
}

function LockNow({ address }: { address: string }): JSX.Element {
  const [breaking, setBreaking] = useState<BreakTarget | null>(null);
  const read = async (): Promise<SeenLock> => {
    const lock = await api.ask('show-lock', { query: { address } });
    return { lock, readAt: performance.now() };
  };
  const [seen, again] = useLoad(read, address);
  useEffect(
    () =>
      onEvent((event) => {
        if (event.address === address) again();
      }),
    [address],
  );
  const me = session.value.kind === 'in' ? session.value.who.subject : '';
  const [freezing, setFreezing] = useState(false);
  // Without a workspace a pattern is of all of them.
  const isDefault = addressParts(address).workspace === 'default';
  return (
    <Panel
      title="Lock"
      aside={
        <>
          <HeldBefore loaded={seen} />
          {may('force-unlock', address) && (
            <button type="button" class="button small" onClick={() => setFreezing(true)}>
              Freeze…
            </button>
          )}
        </>
      }
    >
      <Shown loaded={seen} what="the lock" again={again}>
        {(value) => {
          const [head, ...rows] = rowsOf([value]);
          return rows.length === 0 || head === undefined ? (
            <p class="hint">
              Free.{' '}
              {value.lock.frozen !== null && (
                <>
                  Applies are frozen until <Moment at={value.lock.frozen.until} />:{' '}
                  <Foreign text={value.lock.frozen.reason} most={200} />
                </>
              )}
            </p>
          ) : (
            <div class="lock-list" role="list">
              {rows.map((row) => (
                <div key={keyOfRow(row)} role="listitem">
                  <LockRow row={row} me={me} breakIn={setBreaking} />
                </div>
              ))}
            </div>
          );
        }}
      </Shown>
      {breaking !== null && <BreakIn target={breaking} close={() => setBreaking(null)} />}
      {freezing && (
        <FreezeDialog
          pattern={isDefault ? `${address}@default` : address}
          close={() => {
            setFreezing(false);
            again();
          }}
        />
      )}
    </Panel>
  );
}

function Contents({ address, version }: { address: string; version: number }): JSX.Element {
  const read = () => api.ask('show-snapshot', { query: { address, version } });
  const [snapshot, again] = useLoad(read, `${address} ${version}`);
  return (
    <Panel title="What is in it">
      <Shown loaded={snapshot} what="what is in it" again={again}>
        {({ summary }) => (
          <div class="body stack">
            <Facts
              of={[
                ['resources', countText(summary.resources)],
                ['instances', countText(summary.instances)],
                ['data sources', countText(summary.dataInstances)],
                ['modules', countText(summary.modules)],
                ['outputs', countText(summary.outputs)],
                ...(summary.tainted > 0
                  ? [
                      [
                        'tainted',
                        <Badge key="t" tone="warn">
                          {String(summary.tainted)}
                        </Badge>,
                      ] as const,
                    ]
                  : []),
                ...(summary.deposed > 0
                  ? [
                      [
                        'deposed',
                        <Badge key="d" tone="warn">
                          {String(summary.deposed)}
                        </Badge>,
                      ] as const,
                    ]
                  : []),
                ...(summary.failedChecks > 0
                  ? [
                      [
                        'failed checks',
                        <Badge key="f" tone="bad">
                          {String(summary.failedChecks)}
                        </Badge>,
                      ] as const,
                    ]
                  : []),
              ]}
            />
            <Types types={summary.types} />
          </div>
        )}
      </Shown>
    </Panel>
  );
}

function Types({ types }: { types: SnapshotShape['summary']['types'] }): JSX.Element | null {
  if (types.length === 0) return null;
  const rest = types.slice(TYPES_MAX);
  return (
    <>
      <Bars
        label="Instances by type"
        of={types.slice(0, TYPES_MAX).map(({ type, count }) => ({ name: type, value: count }))}
        text={countText}
      />
      {rest.length > 0 && (
        <p class="hint">
          and {counted(rest.length, 'more type')} with{' '}
          {counted(
            rest.reduce((sum, { count }) => sum + count, 0),
            'instance',
          )}
        </p>
      )}
    </>
  );
}
