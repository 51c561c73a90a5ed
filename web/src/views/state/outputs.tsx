import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OutputShape } from '../../../../src/api/shapes/content.ts';
import { api } from '../../api.ts';
import { valueText } from '../../exact-numbers.ts';
import { Copy } from '../../parts/copy.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { Foreign } from '../../parts/text.tsx';
import { useLoad } from '../../use-load.ts';

const VALUE_LENGTH_MAX = 20_000;

/** The outputs of the newest version. Sensitive ones are shown when they are asked for, to whoever may read the state. */
export function Outputs({
  address,
  newest,
}: {
  address: string;
  /** Its number; null where there is none, undefined where it may not be known. */
  newest: number | null | undefined;
}): JSX.Element {
  const read = () => api.ask('show-outputs', { query: { address } });
  const [outputs, again] = useLoad(read, `${address} ${newest ?? 0}`);
  return (
    <Panel title="Outputs">
      {newest === null ? (
        <Empty title="No version yet" />
      ) : (
        <Shown loaded={outputs} what="the outputs" again={again}>
          {(found) =>
            found.outputs.length === 0 ? (
              <Empty title="It has no outputs" />
            ) : (
              <div class="scroll">
                <table class="data">
                  <thead>
                    <tr>
                      <th scope="col">name</th>
                      <th scope="col">type</th>
                      <th scope="col">value</th>
                      <th scope="col" />
                    </tr>
                  </thead>
                  <tbody>
                    {found.outputs.map((output) => (
                      <OutputRow key={output.name} output={output} />
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Shown>
      )}
    </Panel>
  );
}

function OutputRow({ output }: { output: OutputShape }): JSX.Element {
  const [open, setOpen] = useState(!output.sensitive);
  const { value } = output;
  const text = typeof value === 'string' ? value : valueText(value, 2);
  return (
    <tr>
      <th scope="row">
        <code>
          <Foreign text={output.name} />
        </code>
      </th>
      <td class="dim">
        <code>
          <Foreign text={valueText(output.type)} most={120} />
        </code>
      </td>
      <td class="value">
        {open ? (
          <code>
            <Foreign text={text} most={VALUE_LENGTH_MAX} />
          </code>
        ) : (
          <button type="button" class="button small" onClick={() => setOpen(true)}>
            Show the sensitive value
          </button>
        )}
      </td>
      <td class="num">{open && <Copy text={text} what={output.name} />}</td>
    </tr>
  );
}
