// Where the power of the battery goes. VSS: positive charges the battery.

export type Flow = 'driving' | 'standing' | 'braking' | 'charging' | 'idle'

const REST_KW = 0.05
const MOVING_KMH = 0.5

export function flow(kw: number | null, isCharging: boolean, speedKmh: number): Flow | null {
  if (kw === null) return null
  if (Math.abs(kw) < REST_KW) return 'idle'
  if (kw > 0) return isCharging || speedKmh < MOVING_KMH ? 'charging' : 'braking'
  return speedKmh < MOVING_KMH ? 'standing' : 'driving'
}
