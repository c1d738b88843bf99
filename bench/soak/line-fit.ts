/** A straight line through points, by least squares. */

export interface LineFit {
  readonly slope: number;
  /** Its standard error, as if the points scattered about the line independently. */
  readonly error: number;
}

/** @returns null with fewer than three points, or all at one place */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): LineFit | null {
  const count = points.length;
  if (count < 3) return null;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return null;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / (count - 2) / spread) };
}
