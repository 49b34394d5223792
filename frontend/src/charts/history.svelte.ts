// The stored series behind one chart: asked for at once, again every 30 s, and sooner after a failure.

import { untrack } from 'svelte'
import { series as ask } from '../api/client'
import type { Series } from '../api/types'

const REFRESH_MS = 30_000
const RETRY_MS = 4000
const POINTS = 600

export class History {
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  series = $state.raw<Series[]>([])
  start = $state(0)
  end = $state(0)

  constructor(
    private readonly paths: string[],
    private readonly window: (now: Date) => [number, number],
  ) {
    this.#frame()
  }

  /** Follow the history of a vehicle until the returned function is called. */
  follow(id: string): () => void {
    let timer = 0
    let isOver = false
    const turn = async () => {
      let pause = REFRESH_MS
      try {
        this.#frame()
        const found = await ask(id, this.paths, this.start, this.end, POINTS)
        if (isOver) return
        this.series = found
        this.phase = 'ready'
      } catch {
        if (isOver) return
        pause = RETRY_MS
        if (this.phase === 'loading') this.phase = 'failed'
      }
      timer = window.setTimeout(turn, pause)
    }
    // Its own window moves with each turn; whoever follows must not begin anew for that.
    untrack(() => void turn())
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }

  of(path: string): Series | undefined {
    return this.series.find((one) => one.path === path && one.ts.length > 0)
  }

  #frame(): void {
    ;[this.start, this.end] = this.window(new Date())
  }
}
