import type { JSX } from 'preact';
import type { BlockShape } from '../../../../src/api/shapes/look.ts';
import { api } from '../../api.ts';
import { Copy } from '../../parts/copy.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { place, withQuery } from '../../route.ts';
import { useLoad } from '../../use-load.ts';

/** What to paste so that terraform keeps this state here, for each backend. */
export function Connect({ address }: { address: string }): JSX.Element {
  const read = () => api.ask('list-blocks', { query: { address } });
  const [found, again] = useLoad(read, address);
  const wanted = place.value.query.get('backend');
  return (
    <Shown loaded={found} what="the blocks" again={again}>
      {({ blocks }) => {
        const chosen = blocks.find(({ backend }) => backend === wanted) ?? blocks[0];
        return (
          <>
            <nav class="toolbar" aria-label="Backends">
              {blocks.map(({ backend }) => (
                <a
                  key={backend}
                  class={backend === chosen?.backend ? 'button primary' : 'button'}
                  href={withQuery({ backend })}
                  aria-current={backend === chosen?.backend ? 'true' : undefined}
                >
                  {backend}
                </a>
              ))}
            </nav>
            {chosen !== undefined && <Block block={chosen} />}
          </>
        );
      }}
    </Shown>
  );
}

function Block({ block }: { block: BlockShape }): JSX.Element {
  const variables = block.environment.map(({ name, value }) => `export ${name}=${quoted(value)}`);
  return (
    <>
      <Text title="In any .tf file" text={block.block} />
      {block.files.map(({ path, text }) => (
        <Text key={path} title={path} text={text} />
      ))}
      {variables.length > 0 && <Text title="In the shell" text={variables.join('\n')} />}
      <p class="hint">Replace ID and SECRET by those of a credential that may write here.</p>
      {block.notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
    </>
  );
}

function Text({ title, text }: { title: string; text: string }): JSX.Element {
  return (
    <Panel title={title} aside={<Copy text={text} what={title} />}>
      <pre class="body" tabIndex={0}>
        {text}
      </pre>
    </Panel>
  );
}

/** A text as one word of a POSIX shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
