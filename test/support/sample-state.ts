/** What differs from one sample state to the next. */
export interface Sample {
  readonly lineage?: string;
  /** Stands in the state's one output, so that two states of one serial can be told apart. */
  readonly said?: string;
  /** Bytes that the state has at least. */
  readonly size?: number;
}

/** A state as Terraform writes one. */
export function sampleState(
  serial: number | bigint,
  { lineage = 'lineage-1', said = '', size = 0 }: Sample = {},
): string {
  const state = (ballast: string): string => `{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": ${serial},
  "lineage": ${JSON.stringify(lineage)},
  "outputs": {
    "said": {
      "value": ${JSON.stringify(said)},
      "type": "string"
    }
  },
  "resources": [],
  "check_results": null,
  "ballast": "${ballast}"
}
`;
  const missing = size - state('').length;
  return missing <= 0 ? state('') : state(ordinaryText(missing));
}

/** A lock info as Terraform writes one. */
export function sampleLock(id: string, operation = 'OperationTypeApply'): string {
  const created = '2026-11-20T06:14:26.010866985Z';
  return JSON.stringify({
    ID: id,
    Operation: operation,
    Info: '',
    Who: 'alice@laptop',
    Version: '1.11.4',
    Created: created,
    Path: '',
  });
}

/** Letters that compress about as well as real states do, to a quarter, and the same ones each time. */
function ordinaryText(length: number): string {
  const line = (n: number): string =>
    `attribute_${(n * 2_654_435_761) % 4_294_967_296} = ordinary text of a state; `;
  let text = '';
  for (let n = 0; text.length < length; n += 1) text += line(n);
  return text.slice(0, length);
}
