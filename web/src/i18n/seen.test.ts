import { expect, test } from 'vitest';
import { Settings } from '../model/settings.svelte';
import type { Contact } from '../port/types';
import { speak } from './index';
import { seenWords } from './words';

const contact = (more: Partial<Contact>) => ({ address: 'bob@example.org', state: 'contact', ...more }) as Contact;

test('when somebody was last here is told where it is known', () => {
	const settings = new Settings();
	settings.locale = 'en';
	speak(settings);
	const now = new Date(2026, 10, 23, 12, 0);
	const at = (hours: number) => new Date(+now - hours * 3_600_000).toISOString();
	expect(seenWords(undefined, now)).toBe('');
	expect(seenWords(contact({}), now)).toBe('');
	expect(seenWords(contact({ seen: at(1), blocked: true }), now)).toBe('');
	expect(seenWords(contact({ seen: at(1) }), now)).toMatch(/^Last seen today at 11:00.AM$/);
	expect(seenWords(contact({ seen: at(24) }), now)).toMatch(/^Last seen: Yesterday, 12:00.PM$/);
});
