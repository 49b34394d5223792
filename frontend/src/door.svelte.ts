// Whether somebody is in, and what stands at the door if not: a login, or the first owner's welcome.
//
//   door.begin(() => cockpit.begin())

import { whenNobody } from './api/client'
import { becomeFirstOwner, isFirstOwnerAwaited, logIn, logOut, who } from './api/door'

export type Stands = 'asking' | 'in' | 'login' | 'first-owner' | 'waiting'

const FIRST_OWNER = '/first-owner'
const AGAIN_MS = 3000

class Door {
  stands = $state<Stands>('asking')
  name = $state<string | null>(null)
  /** Whether there is a login to leave by. */
  isSession = $state(false)
  #enter = () => {}
  #code = ''

  begin(enter: () => void): void {
    this.#enter = enter
    if (location.pathname === FIRST_OWNER) {
      this.#code = location.hash.slice(1)
      history.replaceState(null, '', '/')
    }
    whenNobody(() => this.leave())
    void this.#look()
  }

  /** The session has ended: begin anew, at the door. */
  leave(): void {
    if (this.stands === 'in') location.assign('/')
  }

  async #look(): Promise<void> {
    try {
      const asked = await who()
      if (asked.name !== null) return this.#comeIn(asked.name, asked.by)
      const isAwaited = await isFirstOwnerAwaited()
      this.stands = !isAwaited ? 'login' : this.#code ? 'first-owner' : 'waiting'
    } catch {
      setTimeout(() => void this.#look(), AGAIN_MS)
    }
  }

  async logIn(name: string, password: string): Promise<void> {
    await logIn(name, password)
    await this.#look()
  }

  async become(name: string, password: string): Promise<void> {
    await becomeFirstOwner(this.#code, name, password)
    this.#code = ''
    await this.#look()
  }

  async logOut(): Promise<void> {
    await logOut()
    this.leave()
  }

  #comeIn(name: string, by: string): void {
    this.name = name
    this.isSession = by.startsWith('session ')
    this.stands = 'in'
    this.#enter()
  }
}

export const door = new Door()
