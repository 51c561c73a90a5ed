import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { asApiError } from './api.ts';
import { Shell } from './shell.tsx';
import { Failure, Loading } from './parts/states.tsx';
import { View } from './parts/frame.tsx';
import { place } from './route.ts';
import { session } from './session.ts';
import { startProblem } from './start.ts';
import { SignIn } from './views/sign-in.tsx';

/** Where each view is, and how its code is loaded, which is when it is first looked at. */
const VIEWS: readonly { readonly at: RegExp; readonly load: () => Promise<ComponentType> }[] = [
  { at: /^\/$/, load: async () => (await import('./views/now/now.tsx')).Now },
  { at: /^\/s\/.+/, load: async () => (await import('./views/state/state.tsx')).StatePage },
  { at: /^\/explore$/, load: async () => (await import('./views/explore/explore.tsx')).Explore },
  { at: /^\/activity$/, load: async () => (await import('./views/activity/activity.tsx')).Activity },
  { at: /^\/numbers$/, load: async () => (await import('./views/numbers/numbers.tsx')).Numbers },
  { at: /^\/credentials$/, load: async () => (await import('./views/settings/credentials.tsx')).Credentials },
  { at: /^\/projects$/, load: async () => (await import('./views/settings/projects.tsx')).Projects },
  { at: /^\/settings$/, load: async () => (await import('./views/settings/server.tsx')).Settings },
];

/** What is loaded already, by its place in the list. */
const loaded = new Map<number, ComponentType>();

/** The page as a whole. */
export function App(): JSX.Element {
  const now = session.value;
  switch (now.kind) {
    case 'asking':
      return startProblem.value === null ? (
        <Loading what="your session" />
      ) : (
        <Failure error={startProblem.value} what="your session: it is asked again every few seconds" />
      );
    case 'out':
      return <SignIn ended={now.ended} />;
    case 'in':
      return (
        <Shell>
          <Viewed path={place.value.path} />
        </Shell>
      );
  }
}

/** The view of a path. */
function Viewed({ path }: { path: string }): JSX.Element {
  const index = VIEWS.findIndex(({ at }) => at.test(path));
  const [, setRound] = useState(0);
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    if (index === -1 || loaded.has(index)) return;
    VIEWS[index]?.load().then(
      (view) => {
        loaded.set(index, view);
        setFault(null);
        setRound((n) => n + 1);
      },
      (problem: unknown) => setFault(problem),
    );
  }, [index]);
  if (index === -1) return <NotFound path={path} />;
  const Loaded = loaded.get(index);
  if (Loaded !== undefined) return <Loaded />;
  return fault === null ? (
    <Loading what="this view" />
  ) : (
    <Failure error={asApiError(fault)} what="this view" again={() => location.reload()} />
  );
}

function NotFound({ path }: { path: string }): JSX.Element {
  return (
    <View title="Not found">
      <p>
        Nothing is at <code>{path}</code>. <a href="/">Now</a> shows the locks, <a href="/explore">Explore</a>{' '}
        the states.
      </p>
    </View>
  );
}
