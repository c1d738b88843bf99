/** Tables for people: columns as wide as their widest cell, numbers to the right. */

const NUMERIC = /^[<>~≥]?-?[\d,.]+/;

export function tableText(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, at) =>
    Math.max(column.length, ...rows.map((row) => cell(row, at).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, at) => (NUMERIC.test(text) ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(columns), rule, ...rows.map(line)].map((text) => `  ${text}`).join('\n');
}

function cell(row: readonly string[], at: number): string {
  return row[at] ?? '';
}

/** A whole number with separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

export function percent(share: number): string {
  return `${fixed(share * 100, share > 0 && share < 0.01 ? 2 : 0)}%`;
}
