// What this server can see (R4): /transparency.json, made of what its features have declared,
// gathered into what people ask about. An entry that has no words here is shown as the server
// says it: nothing that is told is left out. sees.test.ts holds the words to the server's entries.

import { m } from '../../i18n';

/** An Entry is one thing that is kept or seen: docs/protocol/site.md. */
export interface Entry {
	kind: string;
	name: string;
	fields: string;
	purpose: string;
	/** seconds, 0 as long as the account, or until */
	life: number;
	until?: string;
}

export interface Answer {
	version: number;
	domain: string;
	software: string;
	encrypted: boolean;
	entries: Entry[];
}

/** ask is undefined where the server does not tell. */
export async function ask(): Promise<Answer | undefined> {
	try {
		const response = await fetch('/transparency.json', { credentials: 'omit', cache: 'no-cache' });
		if (!response.ok) return undefined;
		const answer = (await response.json()) as Answer;
		return Array.isArray(answer.entries) ? answer : undefined;
	} catch {
		return undefined;
	}
}

interface Words {
	title: () => string;
	/** what is kept, and what for */
	what: (answer: Answer) => string;
	/** how long, where it is no number */
	until?: () => string;
}

interface About extends Words {
	/** the server's names for it */
	names: string[];
}

/** The groups, in the order in which they are shown. */
export const groups: { title: () => string; about: About[] }[] = [
	{
		title: () => m.sees_said(),
		about: [
			{ names: ['messages'], title: () => m.sees_messages(), what: (a) => (a.encrypted ? m.sees_messages_encrypted() : m.sees_messages_mixed()), until: () => m.sees_until_delivered() },
			{ names: ['files', 'upload', 'upload-index'], title: () => m.sees_files(), what: () => m.sees_files_text() },
			{ names: ['archive-cursors', 'offline-owed'], title: () => m.sees_places(), what: () => m.sees_places_text() },
			{ names: ['sleeping-session'], title: () => m.sees_sessions(), what: () => m.sees_sessions_text() },
		],
	},
	{
		title: () => m.sees_with_whom(),
		about: [
			{ names: ['roster', 'roster-version', 'roster-requests'], title: () => m.sees_contacts(), what: () => m.sees_contacts_text() },
			{ names: ['rooms', 'room-affiliations', 'room-notes', 'room-requests'], title: () => m.sees_groups(), what: () => m.sees_groups_text(), until: () => m.sees_until_group() },
			{ names: ['blocked'], title: () => m.sees_blocked(), what: () => m.sees_blocked_text() },
			{ names: ['invitation', 'meeting'], title: () => m.sees_invitations(), what: () => m.sees_invitations_text() },
			{ names: ['circle'], title: () => m.sees_circles(), what: () => m.sees_circles_text() },
			{ names: ['call-attempts'], title: () => m.sees_calls(), what: () => m.sees_calls_text() },
			{ names: ['call-links'], title: () => m.sees_call_links(), what: () => m.sees_call_links_text() },
			{ names: ['report', 'report-told'], title: () => m.sees_reports(), what: () => m.sees_reports_text() },
		],
	},
	{
		title: () => m.sees_you(),
		about: [
			{ names: ['account'], title: () => m.sees_account(), what: () => m.sees_account_text() },
			{ names: ['room-former'], title: () => m.sees_mark(), what: () => m.sees_mark_text(), until: () => m.sees_until_server() },
			{ names: ['device'], title: () => m.sees_devices(), what: () => m.sees_devices_text() },
			{ names: ['passkey', 'passkey-owner'], title: () => m.sees_passkeys(), what: () => m.sees_passkeys_text() },
			{ names: ['vcard', 'pubsub-nodes', 'pubsub-order', 'pubsub-items', 'pubsub-subscriptions', 'pubsub-expiring'], title: () => m.sees_profile(), what: () => m.sees_profile_text() },
			{ names: ['last-seen', 'last-seen-here'], title: () => m.sees_seen(), what: () => m.sees_seen_text() },
			{ names: ['private-xml', 'archive-prefs', 'privacy'], title: () => m.sees_settings(), what: () => m.sees_settings_text() },
			{ names: ['push', 'push-health'], title: () => m.sees_push(), what: () => m.sees_push_text() },
		],
	},
	{
		title: () => m.sees_running(),
		about: [
			{ names: ['connections'], title: () => m.sees_connections(), what: () => m.sees_connections_text(), until: () => m.sees_until_connection() },
			{ names: ['log'], title: () => m.sees_log(), what: () => m.sees_log_text(), until: () => m.sees_until_log() },
			{ names: ['standing-message', 'announcement', 'standing-seen', 'outage'], title: () => m.sees_notices(), what: () => m.sees_notices_text(), until: () => m.sees_until_notice() },
			{ names: ['server', 'archive', 'push-key', 'turn', 'call-rules', 'last-seen-server'], title: () => m.sees_itself(), what: () => m.sees_itself_text(), until: () => m.sees_until_server() },
		],
	},
];

/** A Line is what people read of one or several entries. */
export interface Line {
	title: string;
	what: string;
	/** the longest, in seconds; 0 as long as the account */
	life: number;
	/** in place of life */
	until?: string;
}

/** lines gathers what the server tells; empty groups are left out, unknown entries come last. */
export function lines(answer: Answer): { title: string; lines: Line[] }[] {
	const told = groups.map((g) => ({ title: g.title(), lines: g.about.flatMap((about) => lineOf(about, answer)) }));
	const unknown = unknownOf(answer.entries).map((e) => ({ title: e.name, what: `${e.fields}. ${e.purpose}.`, life: e.life, until: e.until }));
	return [...told, { title: m.sees_rest(), lines: unknown }].filter((g) => g.lines.length > 0);
}

function lineOf(about: About, answer: Answer): Line[] {
	const entries = answer.entries.filter((e) => about.names.includes(e.name));
	if (entries.length === 0) return [];
	const life = entries.some((e) => e.life === 0) ? 0 : Math.max(...entries.map((e) => e.life));
	const main = entries.find((e) => e.name === about.names[0]);
	return [{ title: about.title(), what: about.what(answer), life: main && main.life > 0 ? main.life : life, until: main?.until && about.until ? about.until() : undefined }];
}

/** unknownOf are entries without words here. */
export function unknownOf(entries: readonly Entry[]): Entry[] {
	const known = new Set(groups.flatMap((g) => g.about.flatMap((a) => a.names)));
	return entries.filter((e) => !known.has(e.name));
}
