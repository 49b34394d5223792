import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// `make web` builds into the Python package; `npx vite` serves the sources and passes API calls on.
const instance = 'http://localhost:8080'

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/api': { target: instance, ws: true }, '/healthz': instance } },
  test: { include: ['src/**/*.test.ts'] },
})
