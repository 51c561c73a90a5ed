import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HouseShape } from '../../../../src/api/shapes/look.ts';
import { api, asApiError } from '../../api.ts';
import { agoText, counted, countText, durationText, sizeText } from '../../format.ts';
import { Facts, Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { Badge, Moment } from '../../parts/text.tsx';
import { useLoad } from '../../use-load.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** A backup that is older should be looked at. */
const BACKUP_MS_MAX = 2 * DAY_MS;
const CERTIFICATE_MS_MIN = 21 * DAY_MS;
const DISK_SHARE_MIN = 0.1;
/** A master key is to be changed before it has encrypted so often. */
const SEALS_MAX = 2 ** 32;

/** How the server is, for who keeps it: what should be looked at is marked. */
export function HousePanel(): JSX.Element {
  const [house, again] = useLoad(() => api.ask('show-house', {}), 'house');
  const [told, setTold] = useState('');
  const reindex = async (): Promise<void> => {
    await api.ask('reindex', {}).then(
      () => setTold('The index is made anew in the background.'),
      (fault: unknown) => setTold(asApiError(fault).message),
    );
  };
  return (
    <Panel
      title="Its keeping"
      aside={
        <>
          <span class="hint" role="status">
            {told}
          </span>
          <button type="button" class="button small" onClick={() => void reindex()}>
            Make the index anew
          </button>
        </>
      }
    >
      <Shown loaded={house} what="how the server is" again={again}>
        {(found) => (
          <div class="body">
            <Facts of={factsOf(found)} />
          </div>
        )}
      </Shown>
    </Panel>
  );
}

function factsOf(house: HouseShape): readonly (readonly [string, JSX.Element | string])[] {
  const { stored, disk, backup, nodes, lagMs, certificateEnds, masterKeySeals } = house;
  return [
    [
      'stores',
      `${counted(stored.states, 'state')}, ${counted(stored.versions, 'version')}, ${sizeText(stored.bytes)}`,
    ],
    ['last backup', <Backup key="b" backup={backup} now={house.now} />],
    ...(disk === null
      ? []
      : [
          [
            'disk',
            <Judged key="d" well={disk.free > disk.total * DISK_SHARE_MIN}>
              {`${sizeText(disk.free)} of ${sizeText(disk.total)} free`}
            </Judged>,
          ] as const,
        ]),
    [
      'nodes',
      nodes.length <= 1 ? 'one' : nodes.map(({ node, self }) => (self ? `${node} (this)` : node)).join(', '),
    ],
    ...(lagMs === null ? [] : [['behind the database', durationText(lagMs)] as const]),
    [
      'certificate ends',
      certificateEnds === null ? (
        'no TLS here'
      ) : (
        <Judged key="c" well={Date.parse(certificateEnds) - Date.parse(house.now) > CERTIFICATE_MS_MIN}>
          <Moment at={certificateEnds} />
        </Judged>
      ),
    ],
    [
      'master key has encrypted',
      <Judged key="k" well={masterKeySeals < SEALS_MAX / 2}>
        {counted(masterKeySeals, 'time')}
      </Judged>,
    ],
    ['requests that wait for locks', countText(house.parked)],
    ...(house.reencrypting ? [['states', 'are being encrypted again'] as const] : []),
  ];
}

function Backup({ backup, now }: { backup: HouseShape['backup']; now: string }): JSX.Element {
  if (!backup.possible) return <>by the tools of PostgreSQL</>;
  if (backup.last === null) return <Judged well={false}>never</Judged>;
  const age = Date.parse(now) - Date.parse(backup.last);
  return <Judged well={age < BACKUP_MS_MAX}>{agoText(age)}</Judged>;
}

/** A fact that is well, or should be looked at. */
function Judged({ well, children }: { well: boolean; children: JSX.Element | string }): JSX.Element {
  return well ? <>{children}</> : <Badge tone="warn">{children}</Badge>;
}
