import { describe, expect, it } from 'vitest';
import { redactedPlan, usedSchemas } from '../../../src/core/runs/redact.ts';

const text = (value: unknown): string => JSON.stringify(value);
const change = (
  before: unknown,
  after: unknown,
  before_sensitive: unknown,
  after_sensitive: unknown,
): object => ({
  actions: ['update'],
  before,
  after,
  before_sensitive,
  after_sensitive,
});

describe('a plan without its sensitive values', () => {
  const plan = {
    format_version: '1.2',
    variables: { password: { value: 'hunter2' } },
    planned_values: { secret: 'hunter2' },
    resource_changes: [
      {
        type: 't',
        provider_name: 'p',
        change: change(
          { a: 'hunter2', list: [1, 'hunter2', { k: 'hunter3' }], open: 'seen', none: null },
          { a: 'hunter4', list: [1, 'hunter2', { k: 'hunter3' }], open: 'seen', none: null },
          { a: true, list: [false, true, { k: true }], none: true },
          { a: true, list: [false, true, { k: true }], none: true },
        ),
      },
    ],
    output_changes: { o: change('hunter2', 'hunter2', true, true), all: change({ x: 1 }, 5, {}, false) },
    relevant_attributes: [{ resource: 't.a', attribute: ['x'] }],
  };

  it('has a text in the place of each, the same for equal ones alone, and nothing else of the plan', () => {
    const redacted = redactedPlan(plan, { format_version: '1.0', provider_schemas: { p: {} } }, text);
    expect(JSON.stringify(redacted)).not.toMatch(/hunter/);
    expect(Object.keys(redacted)).toEqual([
      'plan_format_version',
      'resource_changes',
      'resource_drift',
      'output_changes',
      'relevant_attributes',
      'provider_format_version',
      'provider_schemas',
    ]);
    const [first, second, third] = ['sensitive value 1', 'sensitive value 2', 'sensitive value 3'];
    expect(redacted).toMatchObject({
      resource_changes: [
        {
          type: 't',
          change: {
            before: { a: first, list: [1, first, { k: second }], open: 'seen', none: null },
            after: { a: third, list: [1, first, { k: second }], open: 'seen', none: null },
          },
        },
      ],
      output_changes: { o: { before: first, after: first }, all: { before: { x: 1 }, after: 5 } },
      provider_schemas: { p: {} },
    });
  });

  it('is made of whatever comes, and has the schemas of what it uses alone', () => {
    expect(redactedPlan(null, null, text)).toMatchObject({ resource_changes: [], output_changes: {} });
    const schemas = {
      format_version: '1.0',
      provider_schemas: {
        p: {
          provider: { version: 0 },
          resource_schemas: { t: { version: 1 }, other: {} },
          data_source_schemas: {},
        },
        q: { resource_schemas: { t: {} } },
      },
    };
    expect(usedSchemas(schemas, plan)).toEqual({
      format_version: '1.0',
      provider_schemas: {
        p: { provider: { version: 0 }, resource_schemas: { t: { version: 1 } }, data_source_schemas: {} },
        q: { provider: undefined, resource_schemas: {}, data_source_schemas: {} },
      },
    });
  });
});
