import { expect, test } from 'vitest'
import { pause } from './live'

test('pauses grow to a bound', () => {
  const pauses = Array.from({ length: 20 }, (_, n) => pause(n, 0))
  expect(pauses.slice(0, 3)).toEqual([400, 800, 1600])
  expect(Math.max(...pauses)).toBe(8000)
  expect(pause(20, 1)).toBe(10_000)
})
