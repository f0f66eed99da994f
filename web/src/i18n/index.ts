// Every visible word comes from messages/{en,ar}.json through m. Which language it is
// stands in the settings; a component that says something says it anew when that changes.

import { overwriteGetLocale } from './paraglide/runtime.js';
import type { Settings } from '../model/settings.svelte';

export { m } from './paraglide/messages.js';

let spoken: Settings | undefined;

/** tag is the chosen language, with its digits, for Intl. */
export const tag = () => spoken?.tag ?? 'en';

export function speak(settings: Settings) {
	spoken = settings;
	overwriteGetLocale(() => settings.locale);
}
