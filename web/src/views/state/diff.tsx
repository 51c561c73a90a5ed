import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type {
  DiffShape,
  InstanceChangeShape,
  SideShape,
  ValueChangeShape,
} from '../../../../src/api/shapes/content.ts';
import { api } from '../../api.ts';
import { valueText } from '../../exact-numbers.ts';
import { counted } from '../../format.ts';
import { Shown } from '../../parts/states.tsx';
import { Badge, Foreign } from '../../parts/text.tsx';
import { useLoad } from '../../use-load.ts';
import { countChanges } from './changes.ts';

/** The instances that are shown at first, and more each time that more are asked for. */
const STEP = 100;
const VALUE_LENGTH_MAX = 4_000;

/** What the server writes in the place of a secret. */
const MASK = '(sensitive value)';

const SIGNS = { added: '+', removed: '−', changed: '~' } as const;
const TONES = { added: 'good', removed: 'bad', changed: 'warn' } as const;

/** What differs between two versions, by instance and attribute; secrets are masked by the server. */
export function Diff({ address, from, to }: { address: string; from: number; to: number }): JSX.Element {
  const read = () => api.ask('diff-versions', { query: { address, from, to } });
  const [diff, again] = useLoad(read, `${address} ${from} ${to}`);
  return (
    <Shown loaded={diff} what="what changed" again={again}>
      {(found) => <Changes diff={found} />}
    </Shown>
  );
}

function Changes({ diff }: { diff: DiffShape }): JSX.Element {
  const [most, setMost] = useState(STEP);
  if (diff.same) return <p class="hint">Nothing differs: both have the same content.</p>;
  const { added, changed, removed } = countChanges(diff);
  const heads = [
    ['serial', diff.serial],
    ['lineage', diff.lineage],
    ['terraform', diff.terraformVersion],
  ] as const;
  return (
    <div class="diff">
      <p class="summary">
        {counted(added, 'instance')} added, {changed} changed, {removed} removed
        {diff.outputs.length > 0 && `; ${counted(diff.outputs.length, 'output')} changed`}
      </p>
      <ul class="values">
        {heads.map(
          ([name, change]) =>
            change !== null && (
              <li key={name}>
                <span class="path dim">{name}</span>
                <del>
                  <Foreign text={change.before} most={100} />
                </del>
                <ins>
                  <Foreign text={change.after} most={100} />
                </ins>
              </li>
            ),
        )}
      </ul>
      {diff.outputs.length > 0 && (
        <section aria-label="Outputs">
          <h3>Outputs</h3>
          <Values values={diff.outputs} />
        </section>
      )}
      {diff.instances.slice(0, most).map((instance) => (
        <Instance key={instance.address} instance={instance} />
      ))}
      {diff.instances.length > most && (
        <button type="button" class="button" onClick={() => setMost(most + STEP)}>
          Show {counted(Math.min(STEP, diff.instances.length - most), 'more instance')} of{' '}
          {diff.instances.length - most}
        </button>
      )}
    </div>
  );
}

function Instance({ instance }: { instance: InstanceChangeShape }): JSX.Element {
  const { kind, address, attributes, beside } = instance;
  return (
    <details open={attributes.length < 40 && kind === 'changed'}>
      <summary>
        <span class={`sign ${TONES[kind]}`} aria-hidden="true">
          {SIGNS[kind]}
        </span>
        <code>
          <Foreign text={address} />
        </code>
        <Badge tone={TONES[kind]}>{kind}</Badge>
        {beside.map((one) => (
          <Badge key={one}>{one}</Badge>
        ))}
      </summary>
      <Values values={attributes} />
    </details>
  );
}

function Values({ values }: { values: readonly ValueChangeShape[] }): JSX.Element {
  const [most, setMost] = useState(STEP);
  return (
    <>
      <ul class="values">
        {values.slice(0, most).map(({ path, before, after }) => (
          <li key={path}>
            <span class="path">
              <Foreign text={path} />
            </span>
            {before !== null && (
              <del>
                <Side side={before} />
              </del>
            )}
            {after !== null && (
              <ins>
                <Side side={after} />
              </ins>
            )}
          </li>
        ))}
      </ul>
      {values.length > most && (
        <button type="button" class="button small" onClick={() => setMost(most + STEP)}>
          Show more of {values.length - most} values
        </button>
      )}
    </>
  );
}

function Side({ side }: { side: SideShape }): JSX.Element {
  if (side.value === MASK) return <span class="dim">{MASK}</span>;
  return (
    <>
      <Foreign text={valueText(side.value)} most={VALUE_LENGTH_MAX} />
      {side.sensitive && <Badge>sensitive</Badge>}
    </>
  );
}
