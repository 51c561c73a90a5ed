import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { AUDIT_ACTIONS } from '../../../../src/core/audit-actions.ts';
import type { AuditShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { saveText } from '../../csv.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Facts, View } from '../../parts/frame.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { AddressLink, Badge, Foreign, Moment, Subject } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { place, setQuery } from '../../route.ts';
import { narrow } from '../../screen.ts';
import { usePages } from '../../use-pages.ts';
import { recordsCsv } from './records-csv.ts';
import { sentenceOf, toneOf } from './sentence.ts';

const PAGE = 200;
/** Records of one export. */
const EXPORT_MAX = 20_000;

interface Filter {
  readonly address?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly refused?: boolean;
}

/** Who did what, and who was refused: the audit log as people read it. */
export function Activity(): JSX.Element {
  const filter = readFilter(place.value.query);
  const asked = JSON.stringify(filter);
  const pages = usePages(async (cursor) => {
    const { records, next } = await api.ask('list-audit', { query: { ...filter, limit: PAGE, cursor } });
    return { items: records, next };
  }, asked);
  const [shown, setShown] = useState<AuditShape | null>(null);
  const [told, setTold] = useState('');
  const save = async (): Promise<void> => {
    setTold('Reading the records…');
    try {
      const { items, more } = await api.list('list-audit', filter, EXPORT_MAX);
      saveText('activity.csv', recordsCsv(items));
      setTold(
        more
          ? `Saved the newest ${EXPORT_MAX} records: narrow the time for the others.`
          : `Saved ${items.length} records.`,
      );
    } catch (fault) {
      setTold(asApiError(fault).message);
    }
  };
  return (
    <View
      title="Activity"
      aside={
        <>
          <span class="hint" role="status">
            {told}
          </span>
          <button type="button" class="button" onClick={() => void save()}>
            Export CSV
          </button>
        </>
      }
    >
      <Filters />
      {pages.loading && pages.items.length === 0 ? (
        <Loading what="the audit log" />
      ) : pages.error?.status === 403 && filter.address === undefined ? (
        <Empty title="Say which state">
          Your credential may see what concerns the states that it administers: name one under “Where”.
        </Empty>
      ) : pages.error !== null && pages.items.length === 0 ? (
        <Failure error={pages.error} what="the audit log" again={pages.again} />
      ) : pages.items.length === 0 ? (
        <Empty title="Nothing was done that fits">Widen the filters above.</Empty>
      ) : (
        <div class="panel">
          <Windowed
            rows={pages.items}
            keyOf={({ id }) => String(id)}
            heightOf={narrow.value ? narrowHeight : wideHeight}
            label="What was done, the newest first"
            nearEnd={pages.next}
            render={(record) => <RecordRow record={record} show={() => setShown(record)} />}
          />
        </div>
      )}
      {shown !== null && <OneRecord record={shown} close={() => setShown(null)} />}
    </View>
  );
}

function wideHeight(): number {
  return 36;
}

function narrowHeight(): number {
  return 60;
}

function readFilter(query: URLSearchParams): Filter {
  const filter: Record<string, string | boolean> = {};
  for (const name of ['address', 'action', 'subject'] as const) {
    const value = query.get(name);
    if (value !== null) filter[name] = value;
  }
  for (const name of ['since', 'until'] as const) {
    const at = Date.parse(query.get(name) ?? '');
    if (!Number.isNaN(at)) filter[name] = new Date(at).toISOString();
  }
  if (query.has('refused')) filter['refused'] = true;
  return filter;
}

function Filters(): JSX.Element {
  const { query } = place.value;
  const field = (name: string) => ({
    value: query.get(name) ?? '',
    onChange: (event: Event & { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
      setQuery({ [name]: event.currentTarget.value.trim() }),
  });
  return (
    <div class="toolbar filters">
      <label class="field">
        Who
        <input {...field('subject')} placeholder="token:ci" />
      </label>
      <label class="field">
        What
        <select {...field('action')}>
          <option value="">everything</option>
          {AUDIT_ACTIONS.map((action) => (
            <option key={action} value={action}>
              {action}
            </option>
          ))}
        </select>
      </label>
      <label class="field grow">
        Where
        <input {...field('address')} placeholder="PROJECT/KEY@WORKSPACE" />
      </label>
      <label class="field">
        From
        <input type="datetime-local" {...field('since')} />
      </label>
      <label class="field">
        To
        <input type="datetime-local" {...field('until')} />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={query.has('refused')}
          onChange={(event) => setQuery({ refused: event.currentTarget.checked ? '1' : '' })}
        />
        Only refused
      </label>
    </div>
  );
}

function RecordRow({ record, show }: { record: AuditShape; show: () => void }): JSX.Element {
  const tone = toneOf(record);
  return (
    <div class={`audit-row ${tone}`}>
      <span class="when dim">
        <Moment at={record.at} exact />
      </span>
      <span class="who">
        <Subject subject={record.subject} />
      </span>
      <span class="what">
        {record.refused !== null && <Badge tone="bad">refused</Badge>}
        {tone === 'warn' && <Badge tone="warn">break-in</Badge>}
        <Foreign text={sentenceOf(record)} most={160} />
      </span>
      <span class="where">{record.address !== null && <AddressLink address={record.address} />}</span>
      <span class="door dim">{record.door}</span>
      <button type="button" class="button small" onClick={show} aria-label={`Details of record ${record.id}`}>
        Details
      </button>
    </div>
  );
}

function OneRecord({ record, close }: { record: AuditShape; close: () => void }): JSX.Element {
  const { detail } = record;
  const facts: (readonly [string, JSX.Element | string])[] = [
    ['at', <Moment key="at" at={record.at} exact />],
    ['who', <Subject key="who" subject={record.subject} />],
    ['action', record.action],
    ['door', record.door],
    ...(record.refused === null ? [] : [['refused', <Foreign key="r" text={record.refused} />] as const]),
    ['credential', record.credential ?? 'none'],
    ['network address', record.peer ?? 'not known'],
    ['program', <Foreign key="ua" text={record.userAgent ?? 'not told'} />],
    ['request', record.requestId ?? 'none'],
    ...Object.entries(detail).map(
      ([name, value]) => [name, <Foreign key={name} text={String(value)} />] as const,
    ),
  ];
  return (
    <Dialog title={`Record ${record.id}`} close={close} wide>
      {record.address !== null && (
        <p>
          <AddressLink address={record.address} />
        </p>
      )}
      <Facts of={facts} />
    </Dialog>
  );
}
