// What the page knows, live: the cars, the chosen one, the line to the server. One per page.
//
//   cockpit.begin()
//   cockpit.see(PATHS.speed)        // { value: 52.3, isStale: false, ... }

import { door } from './door.svelte'
import * as api from './api/client'
import { Live, type LineState } from './api/live'
import type { Command, Connectivity, LiveMessage, Value, Vehicle } from './api/types'
import { apply, learn, type Fleet } from './fleet'
import { remember, remembered } from './memory'

/** Nothing heard for this long: every value is out of date, whatever it says. */
export const SILENT_MS = 10_000
const COMMAND_ENDS_S = 60
const LIST_RETRY_MS = 3000

export interface Seen {
  value: Value
  /** Unknown, older than its limit, or nobody is there to say otherwise. */
  isStale: boolean
  ts: string | null
  /** Asked for and not yet reported, else null. */
  desired: Value
}

class Cockpit {
  fleet = $state<Fleet>({ vehicles: {}, commands: {} })
  chosenId = $state<string | null>(null)
  line = $state<LineState>('connecting')
  wasOpen = $state(false)
  now = $state(Date.now())
  heardAt = $state(Date.now())

  readonly vehicles = $derived(
    Object.values(this.fleet.vehicles).sort((a, b) => a.vehicle_id.localeCompare(b.vehicle_id)),
  )
  readonly vehicle = $derived<Vehicle | null>(
    (this.chosenId && this.fleet.vehicles[this.chosenId]) || this.#preferred(),
  )
  readonly commands = $derived<Command[]>(
    (this.vehicle && this.fleet.commands[this.vehicle.vehicle_id]) || [],
  )
  readonly isSilent = $derived(this.now - this.heardAt > SILENT_MS)
  /** What to say of the connection: the car's, while the line to the server stands. */
  readonly connection = $derived<Connectivity | 'connecting' | 'reconnecting'>(
    this.line !== 'open' || this.isSilent
      ? this.wasOpen
        ? 'reconnecting'
        : 'connecting'
      : (this.vehicle?.connectivity ?? 'connecting'),
  )
  readonly isCurrent = $derived(!this.isSilent && this.vehicle?.connectivity === 'online')

  begin(): void {
    this.chosenId = new URLSearchParams(location.search).get('vehicle') ?? remembered('vehicle')
    setInterval(() => (this.now = Date.now()), 1000)
    new Live({
      onMessage: (message) => this.#take(message),
      onState: (line) => {
        this.line = line
        if (line === 'open') this.wasOpen = true
      },
      onHeard: () => {
        this.heardAt = this.now = Date.now()
      },
      onPutOut: () => door.leave(),
    }).open()
    void this.#list()
  }

  choose(id: string): void {
    this.chosenId = id
    remember('vehicle', id)
    history.replaceState(null, '', `?vehicle=${encodeURIComponent(id)}`)
    void this.#recall(id)
  }

  /** One signal of the chosen car, as the page may show it. */
  see(path: string): Seen {
    const reading = this.vehicle?.signals[path]
    if (!reading) return { value: null, isStale: true, ts: null, desired: null }
    const { value, desired, ts } = reading
    return {
      value,
      ts,
      isStale: reading.stale || value === null || !this.isCurrent,
      desired: desired === value ? null : desired,
    }
  }

  /** Ask the chosen car for a value; what becomes of it shows among the commands. */
  async ask(path: string, value: Value): Promise<void> {
    const id = this.vehicle?.vehicle_id
    if (!id) return
    try {
      learn(this.fleet, await api.send(id, path, value, COMMAND_ENDS_S))
    } catch (error) {
      const reason = error instanceof api.Refusal ? error.reason : 'unreachable'
      learn(this.fleet, refusedHere(id, path, value, reason))
    }
  }

  #preferred(): Vehicle | null {
    return (
      this.vehicles.find((vehicle) => vehicle.connectivity === 'online') ?? this.vehicles[0] ?? null
    )
  }

  #take(message: LiveMessage): void {
    apply(this.fleet, message)
    if (message.type !== 'snapshot') return
    for (const vehicle of message.vehicles) void this.#recall(vehicle.vehicle_id)
  }

  /** The cars by HTTP too, so that the page has its shape before the stream opens. */
  async #list(): Promise<void> {
    try {
      for (const row of await api.vehicles())
        this.fleet.vehicles[row.vehicle_id] ??= { ...row, signals: {} }
    } catch {
      setTimeout(() => void this.#list(), LIST_RETRY_MS)
    }
  }

  async #recall(id: string): Promise<void> {
    try {
      for (const command of await api.commands(id)) learn(this.fleet, command)
    } catch {
      // The stream tells of the commands to come; the earlier ones are only for reading.
    }
  }
}

function refusedHere(vehicle_id: string, path: string, value: Value, reason: string): Command {
  return {
    id: `here-${performance.now()}`,
    vehicle_id,
    path,
    value,
    issued_by: null,
    issued_at: new Date().toISOString(),
    expires_at: null,
    state: 'refused',
    reason,
  }
}

export const cockpit = new Cockpit()
