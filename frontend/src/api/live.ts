// The live stream, kept open: it comes back with growing pauses. The server ticks when it has nothing
// else to say, so a line that says nothing at all is dead, whatever the socket believes.
//
//   const live = new Live({ onMessage, onState, onHeard })
//   live.open()

import type { LiveMessage } from './types'

export type LineState = 'connecting' | 'open' | 'closed'

const FIRST_PAUSE_MS = 400
const LONGEST_PAUSE_MS = 8000
const DEAD_MS = 8000
const PUT_OUT = 1008

/** How long to wait before try number `n` (from 0), with up to a quarter of it at random. */
export function pause(n: number, random = Math.random()): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** n) * (1 + random / 4)
}

interface Listener {
  onMessage(message: LiveMessage): void
  onState(state: LineState): void
  /** Something came. */
  onHeard(): void
  /** The server no longer tells us anything: the session has ended. */
  onPutOut(): void
}

export class Live {
  #socket: WebSocket | null = null
  #tries = 0
  #retry = 0
  #heardAt = 0

  constructor(private readonly listener: Listener) {}

  open(): void {
    this.#connect()
    setInterval(() => this.#listen(), 1000)
    addEventListener('online', () => this.#again())
    document.addEventListener('visibilitychange', () => !document.hidden && this.#again())
  }

  #connect(): void {
    this.listener.onState('connecting')
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live`)
    this.#socket = socket
    this.#heardAt = Date.now()
    socket.onopen = () => {
      this.#tries = 0
      this.#heard()
      this.listener.onState('open')
    }
    socket.onmessage = (event) => {
      this.#heard()
      this.listener.onMessage(JSON.parse(event.data) as LiveMessage)
    }
    socket.onclose = (event) => {
      if (event.code === PUT_OUT) this.listener.onPutOut()
      else this.#closed(socket)
    }
  }

  #closed(socket: WebSocket): void {
    if (socket !== this.#socket) return
    this.#socket = null
    this.listener.onState('closed')
    clearTimeout(this.#retry)
    this.#retry = window.setTimeout(() => this.#connect(), pause(this.#tries++))
  }

  /** Now, rather than at the end of a pause. */
  #again(): void {
    if (this.#socket) return
    clearTimeout(this.#retry)
    this.#tries = 0
    this.#connect()
  }

  #heard(): void {
    this.#heardAt = Date.now()
    this.listener.onHeard()
  }

  #listen(): void {
    const socket = this.#socket
    if (!socket || Date.now() - this.#heardAt < DEAD_MS) return
    socket.close()
    this.#closed(socket)
  }
}
