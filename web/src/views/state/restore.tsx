import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { VersionShape } from '../../../../src/api/shapes/state.ts';
import { api, asApiError } from '../../api.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Moment, Subject } from '../../parts/text.tsx';
import { Diff } from './diff.tsx';

/** Brings an old version back as a new one, after what that changes was shown. */
export function Restore({
  address,
  version,
  newest,
  close,
}: {
  address: string;
  version: VersionShape;
  newest: number;
  close: () => void;
}): JSX.Element {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [made, setMade] = useState<VersionShape | null>(null);
  const restore = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      setMade(await api.ask('restore-version', { query: { address }, body: { version: version.version } }));
    } catch (fault) {
      setProblem(asApiError(fault).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Restore version ${version.version}?`} close={close} wide>
      <p>
        Its content, written <Moment at={version.at} /> by <Subject subject={version.subject} />, becomes the
        newest version with the next serial. History stays as it is. Nothing outside is changed: the next plan
        shows what differs from the real things.
      </p>
      <div class="preview" tabIndex={0} aria-label="What would change">
        <h3>What would change in the state</h3>
        <Diff address={address} from={newest} to={version.version} />
      </div>
      {problem !== null && (
        <p class="problem" role="alert">
          Not restored: {problem}
        </p>
      )}
      {made === null ? (
        <footer>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={busy} onClick={() => void restore()}>
            {busy ? 'Restoring…' : 'Restore it'}
          </button>
        </footer>
      ) : (
        <>
          <p class="success" role="status">
            Restored as version {made.version}, serial {made.serial}.
          </p>
          <footer>
            <button type="button" class="button primary" onClick={close}>
              Done
            </button>
          </footer>
        </>
      )}
    </Dialog>
  );
}
