/** Significant digits of a number, and the powers of ten that it may reach (Amazon DynamoDB developer guide, "Data types"). */
const DIGITS_MAX = 38;
const MAGNITUDE_MIN = -130;
const MAGNITUDE_MAX = 125;
/** Characters of a number as it is written: 38 digits, and zeros around them. */
const LENGTH_MAX = 200;
/** Each character has one place only, so that no text is tried in more than one way. */
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

const NOT_NUMERIC = 'The parameter cannot be converted to a numeric value';

/** A number as sign, digits without zeros at either end, and the power of ten that they count. */
interface Decimal {
  readonly negative: boolean;
  /** Empty for zero. */
  readonly digits: string;
  readonly exponent: number;
}

/** What is wrong with a number, in DynamoDB's words, or null. */
export function numberProblem(text: string): string | null {
  const number = text.length > LENGTH_MAX ? null : parse(text);
  if (number === null) return NOT_NUMERIC;
  const magnitude = magnitudeOf(number);
  if (magnitude > MAGNITUDE_MAX) {
    return 'Number overflow. Attempting to store a number with magnitude larger than supported range';
  }
  if (magnitude < MAGNITUDE_MIN) {
    return 'Number underflow. Attempting to store a number with magnitude smaller than supported range';
  }
  return number.digits.length > DIGITS_MAX
    ? 'Attempting to store more than 38 significant digits in a Number'
    : null;
}

/** The one text of a number: two numbers are equal if theirs is the same. */
export function canonicalNumber(text: string): string {
  const { negative, digits, exponent } = decimal(text);
  return digits === '' ? '0' : `${negative ? '-' : ''}${digits}e${exponent}`;
}

/** Exact, however many digits there are. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [decimal(a), decimal(b)];
  const [sign, other] = [signOf(left), signOf(right)];
  if (sign !== other) return sign < other ? -1 : 1;
  const [magnitude, bound] = [magnitudeOf(left), magnitudeOf(right)];
  if (magnitude !== bound) return magnitude < bound ? -sign : sign;
  // Of one magnitude and without zeros at the end: the digits are in the order of texts.
  return left.digits === right.digits ? 0 : left.digits < right.digits ? -sign : sign;
}

/** The sum of two numbers, or their difference, as DynamoDB would write it. */
export function addNumbers(a: string, b: string, sign: 1n | -1n): string {
  const [left, right] = [decimal(a), decimal(b)];
  const [x, y] = scaled(left, right);
  const exponent = Math.min(left.exponent, right.exponent);
  const sum = x + sign * y;
  if (exponent >= 0) return (sum * 10n ** BigInt(exponent)).toString();
  const text = (sum < 0n ? -sum : sum).toString().padStart(1 - exponent, '0');
  const fraction = text.slice(exponent).replace(/0+$/, '');
  return `${sum < 0n ? '-' : ''}${text.slice(0, exponent)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Both numbers, counted in the smaller power of ten. */
function scaled(left: Decimal, right: Decimal): readonly [bigint, bigint] {
  const exponent = Math.min(left.exponent, right.exponent);
  const scale = ({ negative, digits, exponent: own }: Decimal): bigint =>
    BigInt(digits) * 10n ** BigInt(own - exponent) * (negative ? -1n : 1n);
  return [scale(left), scale(right)];
}

function signOf({ negative, digits }: Decimal): -1 | 0 | 1 {
  if (digits === '') return 0;
  return negative ? -1 : 1;
}

/** The power of ten of the first digit. */
function magnitudeOf({ digits, exponent }: Decimal): number {
  return digits === '' ? 0 : digits.length - 1 + exponent;
}

function decimal(text: string): Decimal {
  const number = parse(text);
  if (number === null) throw new Error('this is not a number');
  return number;
}

function parse(text: string): Decimal | null {
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  const written = `${whole}${fraction}`;
  if (written === '') return null;
  let [start, end] = [0, written.length];
  while (written[start] === '0') start += 1;
  while (end > start && written[end - 1] === '0') end -= 1;
  if (start === end) return { negative: false, digits: '', exponent: 0 };
  return {
    negative: sign === '-',
    digits: written.slice(start, end),
    exponent: Number(power) - fraction.length + (written.length - end),
  };
}
