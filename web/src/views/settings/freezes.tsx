import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { FreezeShape } from '../../../../src/api/shapes/freeze.ts';
import { api, asApiError } from '../../api.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { Foreign, Moment, Subject } from '../../parts/text.tsx';
import { maySomewhere } from '../../session.ts';
import { useLoad } from '../../use-load.ts';
import { FreezeDialog } from './freeze-dialog.tsx';

/** Where applies are refused now, for how long and why; plans go on. */
export function Freezes(): JSX.Element {
  const [found, again] = useLoad(async () => (await api.ask('list-freezes', {})).freezes, 'all');
  const [open, setOpen] = useState<'new' | FreezeShape | null>(null);
  const close = (): void => {
    setOpen(null);
    again();
  };
  return (
    <Panel
      title="Freezes"
      aside={
        maySomewhere('force-unlock') && (
          <button type="button" class="button small" onClick={() => setOpen('new')}>
            Freeze applies…
          </button>
        )
      }
    >
      <Shown loaded={found} what="the freezes" again={again}>
        {(freezes) =>
          freezes.length === 0 ? (
            <Empty title="Nothing is frozen">
              While something is frozen, applies there are refused with the reason, and plans go on.
            </Empty>
          ) : (
            <Table freezes={freezes} end={setOpen} />
          )
        }
      </Shown>
      {open === 'new' && <FreezeDialog pattern="" close={close} />}
      {open !== null && open !== 'new' && <End freeze={open} close={close} />}
    </Panel>
  );
}

function Table({
  freezes,
  end,
}: {
  freezes: readonly FreezeShape[];
  end: (freeze: FreezeShape) => void;
}): JSX.Element {
  return (
    <div class="scroll">
      <table class="data">
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col">why</th>
            <th scope="col">by</th>
            <th scope="col">until</th>
            <th scope="col">
              <span class="hidden">what can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {freezes.map((one) => (
            <tr key={one.pattern}>
              <th scope="row">
                <code>
                  <Foreign text={one.pattern} most={120} />
                </code>
              </th>
              <td class="value">
                <Foreign text={one.reason} most={200} />
              </td>
              <td>
                <Subject subject={one.by} />
              </td>
              <td class="dim">
                <Moment at={one.until} />
              </td>
              <td class="num">
                {maySomewhere('force-unlock') && (
                  <button
                    type="button"
                    class="button small"
                    onClick={() => end(one)}
                    aria-label={`End the freeze of ${one.pattern}`}
                  >
                    End…
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function End({ freeze, close }: { freeze: FreezeShape; close: () => void }): JSX.Element {
  const [problem, setProblem] = useState<string | null>(null);
  const end = async (): Promise<void> => {
    await api
      .ask('unfreeze', { query: { pattern: freeze.pattern } })
      .then(close, (fault: unknown) => setProblem(asApiError(fault).message));
  };
  return (
    <Dialog title="End this freeze?" close={close}>
      <p>
        Applies on{' '}
        <code>
          <Foreign text={freeze.pattern} />
        </code>{' '}
        are possible again at once. It was frozen by <Subject subject={freeze.by} /> until{' '}
        <Moment at={freeze.until} />: <Foreign text={freeze.reason} most={400} />
      </p>
      {problem !== null && (
        <p class="problem" role="alert">
          Still frozen: {problem}
        </p>
      )}
      <footer>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="button primary" onClick={() => void end()}>
          End it
        </button>
      </footer>
    </Dialog>
  );
}
