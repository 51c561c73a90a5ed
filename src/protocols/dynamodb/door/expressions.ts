import type { AttributeValue, Item } from '../attribute.ts';
import { parseCondition, type Condition } from '../expression/condition.ts';
import { Placeholders } from '../expression/names.ts';
import { parseProjection, type Projection } from '../expression/projection.ts';
import { ExpressionProblem } from '../expression/tokens.ts';
import { parseUpdate, type Update } from '../expression/update.ts';
import { invalid, type DynamoError } from './errors.ts';

/** The expressions of one request, which share their names and values. */
export interface Asked {
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
}

/** Reads all expressions of a request, and checks that nothing was given that none of them uses. */
export function readExpressions(asked: Asked): Expressions | DynamoError {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = asked;
  try {
    const placeholders = new Placeholders(names, values);
    const condition = (text: string | undefined): Condition =>
      text === undefined ? () => true : parseCondition(text, placeholders);
    const { ProjectionExpression: projection, UpdateExpression: update } = asked;
    const expressions = {
      condition: condition(asked.ConditionExpression),
      filter: condition(asked.FilterExpression),
      keyCondition: condition(asked.KeyConditionExpression),
      project:
        projection === undefined ? (item: Item): Item => item : parseProjection(projection, placeholders),
      update: update === undefined ? (item: Item): Item => item : parseUpdate(update, placeholders),
      values: Object.values(values ?? {}),
    };
    placeholders.checkAllUsed();
    return expressions;
  } catch (problem) {
    return problemOf(problem);
  }
}

/** What was thrown while an expression was read or tried, as the error that it is. */
export function problemOf(problem: unknown): DynamoError {
  if (problem instanceof ExpressionProblem) return invalid(`Invalid expression: ${problem.message}`);
  throw problem;
}
