import type { JSX } from 'preact';
import { api } from '../../api.ts';
import { sizeText } from '../../format.ts';
import { HousePanel } from './house-panel.tsx';
import { Facts, Panel, View } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { Badge, Foreign, Moment, Subject } from '../../parts/text.tsx';
import { mayOnServer, session } from '../../session.ts';
import { useLoad } from '../../use-load.ts';

/** The server itself, and who is signed in. */
export function Settings(): JSX.Element {
  const [info, again] = useLoad(() => api.ask('info', {}), 'info');
  const who = session.value.kind === 'in' ? session.value.who : null;
  return (
    <View title="Server">
      <div class="panels">
        <div>
          <Panel title="This server">
            <Shown loaded={info} what="the server" again={again}>
              {(found) => (
                <div class="body">
                  <Facts
                    of={[
                      ['version', found.version],
                      ['engine', found.engine],
                      ['nodes', found.manyNodes ? 'several share the data' : 'one'],
                      ['its clock', <Moment key="c" at={found.now} exact />],
                      ['largest state', sizeText(found.stateBytesMax)],
                      ['plans', found.plansShare ? 'share the lock' : 'hold the lock alone'],
                      ['keeps versions', found.retention.keepVersions ?? 'all'],
                      ['keeps days', found.retention.keepDays ?? 'all'],
                      ['backup by the API', found.backup ? 'yes' : 'by the tools of PostgreSQL'],
                    ]}
                  />
                </div>
              )}
            </Shown>
          </Panel>
          {who !== null && (
            <Panel title="You">
              <div class="body stack">
                <Facts
                  of={[
                    ['subject', <Subject key="s" subject={who.subject} />],
                    ['credential', who.credential ?? 'none'],
                    ...(who.session === null
                      ? []
                      : ([
                          ['signed in', <Moment key="i" at={who.session.since} exact />],
                          ['session ends', <Moment key="e" at={who.session.until} exact />],
                        ] as const)),
                  ]}
                />
                <ul class="grants">
                  {who.grants.map(({ role, pattern }) => (
                    <li key={`${role} ${pattern}`}>
                      <Badge tone="accent">{role}</Badge> on{' '}
                      <code>
                        <Foreign text={pattern} />
                      </code>
                    </li>
                  ))}
                </ul>
              </div>
            </Panel>
          )}
        </div>
        {mayOnServer('manage') && <HousePanel />}
      </div>
    </View>
  );
}
