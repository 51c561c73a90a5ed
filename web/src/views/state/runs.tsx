import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunShape } from '../../../../src/api/shapes/run.ts';
import { api, asApiError } from '../../api.ts';
import { counted } from '../../format.ts';
import { Panel } from '../../parts/frame.tsx';
import { Empty } from '../../parts/states.tsx';
import { Badge, Foreign, Moment, Subject } from '../../parts/text.tsx';
import { place, withQuery } from '../../route.ts';
import { visibleText } from '../../visible-text.ts';
import { Drift } from './drift.tsx';
import { Triggers } from './triggers.tsx';

/** How often a log that goes on is asked for more, and what of it is kept in the page. */
const ASK_MS = 1_000;
const LOG_CHARACTERS_MAX = 1_000_000;
const PHASES = ['plan', 'apply'] as const;
const TONES: Readonly<Record<string, 'good' | 'bad' | 'warn' | 'accent'>> = {
  applied: 'good',
  planned_and_finished: 'good',
  errored: 'bad',
  canceled: 'warn',
  force_canceled: 'warn',
  discarded: 'warn',
  planning: 'accent',
  applying: 'accent',
};

/** What the server has executed on a state, what the programs said, and what makes more runs by itself. */
export function Runs({ address, runs }: { address: string; runs: readonly RunShape[] }): JSX.Element {
  const asked = place.value.query.get('run');
  const run = runs.find(({ id }) => id === asked);
  return (
    <>
      {run !== undefined && <Logs key={run.id} run={run} />}
      <Panel title={counted(runs.length, 'run')}>
        {runs.length === 0 && <Empty title="No run">The server has executed nothing on this state.</Empty>}
        <div class="scroll" hidden={runs.length === 0}>
          <table class="data">
            <thead>
              <tr>
                <th scope="col">run</th>
                <th scope="col">status</th>
                <th scope="col">what</th>
                <th scope="col">changes</th>
                <th scope="col">by</th>
                <th scope="col">when</th>
              </tr>
            </thead>
            <tbody>
              {runs.map((one) => (
                <tr key={one.id}>
                  <th scope="row">
                    <a href={withQuery({ run: one.id })} class="mono">
                      {one.id}
                    </a>
                  </th>
                  <td>
                    <Badge tone={TONES[one.status] ?? 'plain'}>{one.status.replaceAll('_', ' ')}</Badge>
                  </td>
                  <td class="value">
                    {one.destroy ? 'destroy' : one.kind}{' '}
                    <span class="dim">
                      <Foreign text={one.message} most={80} />
                    </span>
                  </td>
                  <td>{countsOf(one)}</td>
                  <td>
                    <Subject subject={one.createdBy} />
                  </td>
                  <td class="dim">
                    <Moment at={one.createdAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      <Drift address={address} newest={`${runs[0]?.id} ${runs[0]?.status}`} />
      <Triggers address={address} />
    </>
  );
}

function countsOf({ counts }: RunShape): string {
  if (counts === null) return '';
  const { additions, changes, destructions } = counts;
  return `+${additions} ~${changes} −${destructions}`;
}

function Logs({ run }: { run: RunShape }): JSX.Element {
  const [phase, setPhase] = useState<(typeof PHASES)[number]>('plan');
  return (
    <Panel
      title={`What ${run.program} ${run.version} said`}
      aside={
        <>
          {PHASES.map((one) => (
            <button
              key={one}
              type="button"
              class={one === phase ? 'button small primary' : 'button small'}
              aria-pressed={one === phase}
              onClick={() => setPhase(one)}
            >
              {one}
            </button>
          ))}
          <a class="button small" href={withQuery({ run: '' })}>
            Close
          </a>
        </>
      }
    >
      {run.problem !== null && (
        <p class="problem" role="alert">
          <Foreign text={run.problem} most={400} />
        </p>
      )}
      <Log key={phase} run={run.id} phase={phase} />
    </Panel>
  );
}

/** A log as it grows. */
function Log({ run, phase }: { run: string; phase: (typeof PHASES)[number] }): JSX.Element {
  const [text, setText] = useState('');
  const [told, setTold] = useState('Reading the log…');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let left = false;
    const read = async (offset: number): Promise<void> => {
      const answer = await api.ask('show-run-log', { query: { run, phase, offset } });
      if (left) return;
      setText((former) => (former + withoutColours(answer.text)).slice(-LOG_CHARACTERS_MAX));
      setTold(answer.ended ? '' : 'It goes on…');
      if (!answer.ended)
        timer = setTimeout(() => void follow(answer.next), answer.next > offset ? 0 : ASK_MS);
    };
    const follow = (offset: number): Promise<void> =>
      read(offset).catch((fault: unknown) => setTold(asApiError(fault).message));
    void follow(0);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [run, phase]);
  return (
    <>
      {text !== '' && (
        <pre class="body log" tabIndex={0}>
          {visibleText(text, LOG_CHARACTERS_MAX)}
        </pre>
      )}
      <p class="hint" role="status">
        {told === '' && text === '' ? 'There is no log of this.' : told}
      </p>
    </>
  );
}

/** Without what colours a terminal (ECMA-48, "control sequences"). */
function withoutColours(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*[A-Za-z]`, 'g'), '');
}
