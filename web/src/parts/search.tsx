import type { JSX } from 'preact';
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import * as combobox from '@zag-js/combobox';
import { normalizeProps, useMachine } from '@zag-js/preact';
import { statePath } from '../address.ts';
import { api } from '../api.ts';
import { navigate } from '../route.ts';
import { offeredPlaces } from '../places.ts';
import { Dialog } from './dialog.tsx';
import { AddressText } from './text.tsx';

const FOUND_MAX = 30;
const PAUSE_MS = 120;

interface Found {
  readonly path: string;
  readonly text: string;
  readonly address: string | null;
}

/** Goes to a state or a view by some letters of its name. */
export function Search({ close }: { close: () => void }): JSX.Element {
  const [asked, setAsked] = useState('');
  const [states, setStates] = useState<readonly Found[]>([]);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let over = false;
    const timer = setTimeout(() => {
      const query = { limit: FOUND_MAX, ...(asked === '' ? {} : { search: asked }) };
      api.ask('list-states', { query }).then(
        (page) => {
          if (over) return;
          setProblem('');
          setStates(page.states.map(({ address }) => ({ path: statePath(address), text: address, address })));
        },
        (fault: Error) => {
          if (!over) setProblem(fault.message);
        },
      );
    }, PAUSE_MS);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [asked]);
  const found = useMemo((): readonly Found[] => {
    const wanted = asked.toLowerCase();
    const views = offeredPlaces().filter(({ name, says }) =>
      `${name} ${says}`.toLowerCase().includes(wanted),
    );
    return [
      ...states,
      ...(asked === '' ? [] : views).map(({ path, name, says }) => ({
        path,
        text: `${name}: ${says}`,
        address: null,
      })),
    ];
  }, [states, asked]);
  const collection = useMemo(
    () =>
      combobox.collection({
        items: found,
        itemToString: ({ text }) => text,
        itemToValue: ({ path }) => path,
      }),
    [found],
  );
  const service = useMachine(combobox.machine, {
    id: useId(),
    collection,
    open: true,
    inputBehavior: 'autohighlight',
    selectionBehavior: 'preserve',
    onInputValueChange: ({ inputValue }) => setAsked(inputValue),
    onValueChange: ({ value: [path] }) => {
      if (path === undefined) return;
      close();
      navigate(path);
    },
  });
  const parts = combobox.connect(service, normalizeProps);
  return (
    <Dialog title="Search" close={close}>
      <div {...parts.getRootProps()} class="search">
        <label {...parts.getLabelProps()} class="hidden">
          Search states and views
        </label>
        <div {...parts.getControlProps()}>
          <input
            {...(parts.getInputProps() as object)}
            placeholder="project, key or workspace"
            class="wide"
          />
        </div>
        <ul {...parts.getContentProps()} style={{}} class="found">
          {found.map((item) => (
            <li key={item.path} {...parts.getItemProps({ item })}>
              {item.address === null ? item.text : <AddressText address={item.address} />}
            </li>
          ))}
        </ul>
        {found.length === 0 && (
          <p class="hint">{problem === '' ? 'Nothing has these letters in its name.' : problem}</p>
        )}
      </div>
    </Dialog>
  );
}
