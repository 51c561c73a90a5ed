import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RunTriggerShape } from '../../../../src/api/shapes/run-trigger.ts';
import { api, asApiError } from '../../api.ts';
import { Panel } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { AddressLink, Foreign, Moment, Subject } from '../../parts/text.tsx';
import { may } from '../../session.ts';
import { useLoad } from '../../use-load.ts';

/** By which other states' applies runs of this one are made, and the other way round. */
export function Triggers({ address }: { address: string }): JSX.Element {
  const read = async () => (await api.ask('list-run-triggers', { query: { address } })).triggers;
  const [found, again] = useLoad(read, address);
  const [after, setAfter] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const act = async (asked: Promise<unknown>): Promise<void> => {
    setProblem(null);
    await asked.then(
      () => {
        setAfter('');
        again();
      },
      (fault: unknown) => setProblem(asApiError(fault).message),
    );
  };
  const add = (event: Event): void => {
    event.preventDefault();
    void act(api.ask('create-run-trigger', { body: { address, after: after.trim() } }));
  };
  return (
    <Panel title="Run triggers">
      <Shown loaded={found} what="the run triggers" again={again}>
        {(triggers) =>
          triggers.length === 0 ? (
            <Empty title="No run trigger">An apply of another state can make a run of this one.</Empty>
          ) : (
            <ul class="plain body">
              {triggers.map((one) => (
                <Trigger
                  key={one.id}
                  trigger={one}
                  remove={() => void act(api.ask('remove-run-trigger', { path: { id: one.id } }))}
                />
              ))}
            </ul>
          )
        }
      </Shown>
      {may('write', address) && (
        <form class="body stack" onSubmit={add}>
          <label class="field">
            Make a run after each apply of
            <input
              value={after}
              placeholder="PROJECT/KEY@WORKSPACE"
              spellcheck={false}
              onInput={(event) => setAfter(event.currentTarget.value)}
              required
            />
          </label>
          <div>
            <button type="submit" class="button small" disabled={after.trim() === ''}>
              Add a run trigger
            </button>
          </div>
        </form>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          <Foreign text={problem} most={400} />
        </p>
      )}
    </Panel>
  );
}

function Trigger({ trigger, remove }: { trigger: RunTriggerShape; remove: () => void }): JSX.Element {
  const { address, after, createdAt, createdBy } = trigger;
  return (
    <li>
      an apply of <AddressLink address={after} /> makes a run of <AddressLink address={address} />{' '}
      <span class="dim">
        since <Moment at={createdAt} />, by <Subject subject={createdBy} />
      </span>{' '}
      {may('write', address) && (
        <button
          type="button"
          class="button small"
          aria-label={`Remove the run trigger after ${after}`}
          onClick={remove}
        >
          Remove
        </button>
      )}
    </li>
  );
}
