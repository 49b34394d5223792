import { mount } from 'svelte'
import App from './App.svelte'
import './app.css'
import { cockpit } from './cockpit.svelte'
import { door } from './door.svelte'
import { chosen } from './i18n/language.svelte'
import { theme } from './theme.svelte'

theme.begin()
chosen.begin()
door.begin(() => cockpit.begin())
mount(App, { target: document.getElementById('app')! })
