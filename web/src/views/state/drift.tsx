import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DriftDetailShape } from '../../../../src/api/shapes/drift.ts';
import { api, asApiError } from '../../api.ts';
import { counted } from '../../format.ts';
import { Facts, Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { Badge, Foreign, Moment } from '../../parts/text.tsx';
import { withQuery } from '../../route.ts';
import { may } from '../../session.ts';
import { useLoad } from '../../use-load.ts';

/** How often it is asked whether a check has ended, and for how long: one that found nothing out tells no other moment. */
const ASK_MS = 1_000;
const AWAITED_MS = 10 * 60 * 1_000;

/** Whether what is there is as the state says, and when that is looked at. @param newest the newest run: with each, it is read again */
export function Drift({ address, newest }: { address: string; newest: string }): JSX.Element {
  const [found, again] = useLoad(() => api.ask('show-drift', { query: { address } }), address);
  useEffect(again, [newest]);
  const [asked, setAsked] = useState<{ before: string | null; until: number } | null>(null);
  const isAwaited =
    asked !== null &&
    found.kind === 'loaded' &&
    found.value.checkedAt === asked.before &&
    Date.now() < asked.until;
  useEffect(() => {
    if (!isAwaited) return undefined;
    const timer = setTimeout(again, ASK_MS);
    return () => clearTimeout(timer);
  }, [found, isAwaited]);
  return (
    <Panel title="Drift" aside={found.kind === 'loaded' ? <Standing drift={found.value} /> : undefined}>
      <Shown loaded={found} what="the drift" again={again}>
        {(drift) => (
          <div class="body stack">
            <Facts
              of={[
                [
                  'looked at',
                  drift.checkedAt === null ? (
                    'never'
                  ) : (
                    <a key="r" href={withQuery({ run: drift.run ?? '' })}>
                      <Moment at={drift.checkedAt} />
                    </a>
                  ),
                ],
                ['schedule', drift.schedule ?? 'none'],
                ['next', drift.dueAt === null ? 'never' : <Moment key="d" at={drift.dueAt} />],
              ]}
            />
            {drift.outdated && <p class="hint">The state was written since it was looked at.</p>}
            {drift.problem !== null && (
              <p class="problem">
                <Foreign text={drift.problem} most={400} />
              </p>
            )}
            {drift.resources.length > 0 && (
              <ul class="plain">
                {drift.resources.map(({ address: resource, action }) => (
                  <li key={resource}>
                    <Badge tone={action === 'delete' ? 'bad' : 'warn'}>
                      {action === 'delete' ? 'gone' : 'changed'}
                    </Badge>{' '}
                    <code>
                      <Foreign text={resource} most={200} />
                    </code>
                  </li>
                ))}
              </ul>
            )}
            {may('write', address) && (
              <Schedule
                key={drift.schedule ?? ''}
                address={address}
                schedule={drift.schedule ?? ''}
                again={again}
                begun={() => setAsked({ before: drift.checkedAt, until: Date.now() + AWAITED_MS })}
              />
            )}
          </div>
        )}
      </Shown>
    </Panel>
  );
}

function Standing({ drift }: { drift: DriftDetailShape }): JSX.Element | null {
  if (drift.checkedAt === null) return null;
  if (!drift.drifted) return <Badge tone="good">as the state says</Badge>;
  return (
    <Badge tone="warn">
      {drift.count === 0 ? 'outputs drifted' : `${counted(drift.count, 'resource')} drifted`}
    </Badge>
  );
}

/** When it is looked at, and that it is looked at now. */
function Schedule({
  address,
  schedule,
  again,
  begun,
}: {
  address: string;
  schedule: string;
  again: () => void;
  begun: () => void;
}): JSX.Element {
  const [text, setText] = useState(schedule);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (asked: Promise<unknown>, said: string, done: () => void): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await asked;
      setTold(said);
      done();
    } catch (fault) {
      setProblem(asApiError(fault).message);
    } finally {
      setBusy(false);
    }
  };
  const save = (event: Event): void => {
    event.preventDefault();
    const wanted = text.trim();
    const body = { schedule: wanted === '' ? null : wanted };
    void act(api.ask('schedule-drift', { query: { address }, body }), 'Saved.', again);
  };
  return (
    <form class="stack" onSubmit={save}>
      <label class="field">
        Look at it
        <input
          value={text}
          placeholder="every 24h, or daily at 03:00 (UTC); empty for never"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div>
        <button type="submit" class="button small" disabled={busy || text.trim() === schedule}>
          Save the schedule
        </button>{' '}
        <button
          type="button"
          class="button small"
          disabled={busy}
          onClick={() =>
            void act(api.ask('check-drift', { query: { address } }), 'A check has begun.', begun)
          }
        >
          Look now
        </button>
      </div>
      {told !== '' && (
        <p class="hint" role="status">
          {told}
        </p>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          <Foreign text={problem} most={400} />
        </p>
      )}
    </form>
  );
}
