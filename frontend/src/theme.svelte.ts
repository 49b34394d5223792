// Light or dark: the system's, unless switched; switching is remembered.

import { remembered, remember } from './memory'

export type Shade = 'light' | 'dark'

class Theme {
  shade = $state<Shade>('light')

  begin(): void {
    const system = matchMedia('(prefers-color-scheme: dark)')
    const kept = remembered('theme')
    this.#set(kept === 'light' || kept === 'dark' ? kept : system.matches ? 'dark' : 'light')
    system.addEventListener('change', () => {
      if (!remembered('theme')) this.#set(system.matches ? 'dark' : 'light')
    })
  }

  toggle(): void {
    this.#set(this.shade === 'dark' ? 'light' : 'dark')
    remember('theme', this.shade)
  }

  #set(shade: Shade): void {
    this.shade = shade
    document.documentElement.dataset.theme = shade
  }
}

export const theme = new Theme()
