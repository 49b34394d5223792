import { expect, test } from 'vitest'
import { flow } from './flow'

test('positive power charges, negative power leaves the battery', () => {
  expect(flow(11, true, 0)).toBe('charging')
  expect(flow(14, false, 60)).toBe('braking')
  expect(flow(-18, false, 60)).toBe('driving')
  expect(flow(-0.4, false, 0)).toBe('standing')
  expect(flow(0.01, false, 0)).toBe('idle')
  expect(flow(null, true, 0)).toBeNull()
})
