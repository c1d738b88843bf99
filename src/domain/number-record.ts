/**
 * Records of numbers, for what there is of in each campaign. In a plain object V8 keeps every fraction and every
 * large number in a box of its own, 24 bytes a field; here all numbers of a record stand in one array, 8 bytes each.
 * To whoever reads and writes it, a record is an object with its fields. Spreading it or structuredClone would see the
 * array: its maker copies it.
 *
 * A record may be joined from several parts, so that they share one array: a function that wants a part is given the
 * whole. Fields that are 0 for nearly all records can be named as seldom: they stand in a second array, which a record
 * has from the first of them on that is not.
 */

type Numbers<Fields> = { readonly [Name in keyof Fields]: number };

interface RecordArray extends Array<number> {
  seldom: number[] | null;
}

/**
 * @param zero the value of each field in a new record
 * @param seldom of its fields, those that are 0 as a rule, and 0 in a new record
 * @returns makes a record, new or with the values of another one
 */
export function numberRecord<Fields extends Numbers<Fields>>(
  zero: Readonly<Fields>,
  seldom: readonly (keyof Fields & string)[] = [],
): (values?: Readonly<Fields>) => Fields {
  const always = (Object.keys(zero) as (keyof Fields & string)[]).filter((name) => !seldom.includes(name));
  const first = always.map((name): number => zero[name]);
  const NumberRecord = classWith(always, seldom);
  return (values) => {
    const record = new NumberRecord(first.length);
    // V8 keeps an array's numbers without boxes once one of them is a fraction.
    record.fill(0.5);
    for (let at = 0; at < first.length; at++) record[at] = first[at] as number;
    const fields = record as unknown as Fields;
    if (values !== undefined) copyNumbers(zero, values, fields);
    return fields;
  };
}

/** Copies the fields that `part` has from one record to another; either may have more. */
export function copyNumbers<Part extends Numbers<Part>>(
  part: Readonly<Part>,
  from: Readonly<Part>,
  to: Part,
): void {
  for (const name of Object.keys(part) as (keyof Part)[]) to[name] = from[name];
}

/** The fields of several parts as one's. @throws RangeError when two of them have a field of the same name */
export function joined<Fields extends Numbers<Fields>>(
  ...parts: readonly (Readonly<Partial<Fields>> & object)[]
): Readonly<Fields> {
  const whole = Object.assign({}, ...parts) as Fields;
  const fields = parts.reduce((sum, part) => sum + Object.keys(part).length, 0);
  if (Object.keys(whole).length < fields) throw new RangeError('two parts have a field of the same name');
  return whole;
}

/**
 * Arrays whose elements have names. Its text is made here and compiled: of accessors that are closures of one function
 * V8 learns together what they meet, which is every record there is, and a controller's tick takes three times as long.
 */
function classWith(
  always: readonly string[],
  seldom: readonly string[],
): new (
  length: number,
) => RecordArray {
  const names = [...always, ...seldom];
  if (!names.every((name) => /^[A-Za-z]+$/.test(name))) throw new RangeError('a field needs a plain name');
  const accessors = [
    ...always.map(
      (name, at) => `get ${name}() { return this[${at}]; } set ${name}(value) { this[${at}] = value; }`,
    ),
    ...seldom.map(
      (name, at) =>
        `get ${name}() { return this.seldom === null ? 0 : this.seldom[${at}]; }
        set ${name}(value) {
          if (this.seldom !== null) this.seldom[${at}] = value;
          else if (value !== 0) (this.seldom = Array(${seldom.length}).fill(0.5).fill(0))[${at}] = value;
        }`,
    ),
  ];
  const fields = names.map((name) => `${name}: this.${name}`).join();
  const text = `return class extends Array {
    constructor(length) { super(length); this.seldom = null; }
    ${accessors.join('\n')}
    toJSON() { return { ${fields} }; }
  };`;
  return new Function(text)() as new (
    length: number,
  ) => RecordArray;
}
