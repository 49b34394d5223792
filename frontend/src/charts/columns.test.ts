import { expect, test } from 'vitest'
import type { Series } from '../api/types'
import { extent, line, spells } from './columns'

function series(ts: number[], value: (number | boolean | null)[], more: Partial<Series> = {}): Series {
  return { path: 'P', unit: null, tier: 'raw', ts, value, min: value, max: value, ...more }
}

test('values keep their extremes and change their unit', () => {
  const reduced = series([0, 60_000], [2000, 4000], { min: [-9000, 3000], max: [8000, 5000] })
  const made = line(reduced, 1000, 300)
  expect(made).toEqual({ x: [0, 60], y: [2, 4], low: [-9, 3], high: [8, 5] })
  expect(extent(made)).toEqual([-9, 8])
})

test('a pause is a hole, not a line', () => {
  const made = line(series([0, 1000, 2000, 900_000, 901_000], [1, 1, 1, 5, 5]), 1, 60)
  expect(made.y).toEqual([1, 1, 1, null, 5, 5])
})

test('nothing recorded has no extent', () => {
  expect(extent(line(undefined, 1, 60))).toBeNull()
})

test('spells join while the claim holds, and end with it', () => {
  const claim = series([0, 1000, 2000, 3000, 4000], [false, true, true, false, true])
  expect(spells(claim, 60)).toEqual([
    [1, 3],
    [4, 5],
  ])
})
