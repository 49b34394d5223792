// Series from the lake, made ready for a picture: numbers in the page's units, holes where nothing
// was recorded, nothing invented in between.

import type { Series, Value } from '../api/types'

export interface Line {
  /** Seconds since 1970, ascending. */
  x: number[]
  y: (number | null)[]
  low: (number | null)[]
  high: (number | null)[]
}

export const empty = (): Line => ({ x: [], y: [], low: [], high: [] })

/** The series in `1 / divisor` of its unit; a hole is put where two values are `hole_s` apart. */
export function line(series: Series | undefined, divisor: number, hole_s: number): Line {
  const made = empty()
  if (!series) return made
  const limit = Math.max(hole_s, 4 * spacing(series.ts))
  series.ts.forEach((ts, n) => {
    const x = ts / 1000
    const last = made.x.at(-1)
    if (last !== undefined && x <= last) return
    if (last !== undefined && x - last > limit) add(made, last + limit / 2, null, null, null)
    const y = scaled(series.value[n], divisor)
    add(made, x, y, scaled(series.min[n], divisor) ?? y, scaled(series.max[n], divisor) ?? y)
  })
  return made
}

export function add(
  to: Line,
  x: number,
  y: number | null,
  low: number | null,
  high: number | null,
): void {
  to.x.push(x)
  to.y.push(y)
  to.low.push(low)
  to.high.push(high)
}

function scaled(value: Value | undefined, divisor: number): number | null {
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value / divisor : null
}

/** The usual distance of two values in s: the median, so that pauses do not stretch it. */
function spacing(ts: number[]): number {
  const steps = ts.slice(1).map((at, n) => at - ts[n]!)
  steps.sort((a, b) => a - b)
  return (steps[steps.length >> 1] ?? 0) / 1000
}

/** When a claim held: [from, to] in s, each up to the next value, at most `hole_s` past the last. */
export function spells(series: Series | undefined, hole_s: number): [number, number][] {
  const found: [number, number][] = []
  if (!series) return found
  const limit = Math.max(hole_s, 4 * spacing(series.ts))
  series.ts.forEach((ts, n) => {
    if (series.value[n] !== true && series.max[n] !== true && series.value[n] !== 1) return
    const from = ts / 1000
    const next = series.ts[n + 1]
    const to = next !== undefined && next / 1000 - from <= limit ? next / 1000 : from + 1
    const last = found.at(-1)
    if (last && from - last[1] < 1) last[1] = to
    else found.push([from, to])
  })
  return found
}

/** The smallest and greatest of a line, for those who cannot see it. */
export function extent(of: Line): [number, number] | null {
  let found: [number, number] | null = null
  for (let n = 0; n < of.x.length; n++) {
    const [low, high] = [of.low[n], of.high[n]]
    if (low == null || high == null) continue
    found = found ? [Math.min(found[0], low), Math.max(found[1], high)] : [low, high]
  }
  return found
}
