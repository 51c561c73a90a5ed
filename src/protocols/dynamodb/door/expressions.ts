import type { AttributeValue, Item } from '../attribute.ts';
import { parseCondition, type Condition } from '../expression/condition.ts';
import { Placeholders } from '../expression/names.ts';
import { parseProjection, type Projection } from '../expression/projection.ts';
import { ExpressionProblem } from '../expression/tokens.ts';
import { parseUpdate, type Update } from '../expression/update.ts';
import { Work } from '../expression/work.ts';
import { invalid, type DynamoError } from './errors.ts';

/** The expressions of one request, which share their names and values. */
export interface ExpressionTexts {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>> | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
}

export interface Expressions {
  /** Holds where there is none. */
  readonly condition: Condition;
  readonly filter: Condition;
  readonly keyCondition: Condition;
  /** The whole where there is none. */
  readonly project: Projection;
  readonly update: Update;
  readonly values: readonly AttributeValue[];
  /** Counts what all of them look at. */
  readonly work: Work;
}

type ExpressionName = Extract<keyof ExpressionTexts, `${string}Expression`>;
type Parse<T> = (text: string, placeholders: Placeholders, work: Work) => T;

/** Reads all expressions of a request, and checks that nothing was given that none of them uses. */
export function readExpressions(asked: ExpressionTexts): Expressions | DynamoError {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = asked;
  try {
    const placeholders = new Placeholders(names, values);
    const work = new Work();
    const read = <T>(name: ExpressionName, otherwise: T, parse: Parse<T>): T => {
      const text = asked[name];
      return text === undefined ? otherwise : named(name, () => parse(text, placeholders, work));
    };
    const expressions = {
      condition: read('ConditionExpression', () => true, parseCondition),
      filter: read('FilterExpression', () => true, parseCondition),
      keyCondition: read('KeyConditionExpression', () => true, parseCondition),
      project: read('ProjectionExpression', (item: Item): Item => item, parseProjection),
      update: read('UpdateExpression', (item: Item): Item => item, parseUpdate),
      values: Object.values(values ?? {}),
      work,
    };
    placeholders.checkAllUsed();
    return expressions;
  } catch (problem) {
    return problemOf(problem);
  }
}

/** Says of a problem which expression it is in. */
function named<T>(name: ExpressionName, parse: () => T): T {
  try {
    return parse();
  } catch (problem) {
    throw problem instanceof ExpressionProblem ? new ExpressionProblem(problem.message, name) : problem;
  }
}

/** What was thrown while an expression was read or tried, as the error that it is. */
export function problemOf(problem: unknown): DynamoError {
  if (problem instanceof ExpressionProblem) return invalid(`Invalid ${problem.where}: ${problem.message}`);
  throw problem;
}
