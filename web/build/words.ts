import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const folder = join(import.meta.dirname, '../messages');
const locales = ['en', 'ar'];

// what people wrote, without the marks that keep its direction to itself (FSI, PDI)
const touching = /(?<!\u2068)\{(?:name|label|host|text)\}|\{(?:name|label|host|text)\}(?!\u2069)/;

type Variants = { declarations: string[]; match: Record<string, string> }[];
export type Messages = Record<string, string | Variants>;

// words fails a build in which a language lacks a message, a plural form or a parameter
// (Paraglide would show the English one without a word), or a sentence lets a name turn it.
export function words(): Plugin {
	return {
		name: 'mirsal-words',
		buildStart() {
			const all = locales.map((l): [string, Messages] => [l, JSON.parse(readFileSync(join(folder, `${l}.json`), 'utf8')) as Messages]);
			const wrong = lacking(Object.fromEntries(all));
			if (wrong.length > 0) this.error(`messages are not complete:\n${wrong.join('\n')}`);
		},
	};
}

/** lacking says what is missing where. */
export function lacking(all: Record<string, Messages>): string[] {
	const keys = new Set(Object.values(all).flatMap((m) => Object.keys(m)));
	keys.delete('$schema');
	return [...keys].flatMap((key) => Object.entries(all).flatMap(([locale, m]) => wrongIn(locale, key, m[key], all.en![key])));
}

function wrongIn(locale: string, key: string, message: Messages[string] | undefined, english: Messages[string] | undefined): string[] {
	const at = `${locale}: ${key}`;
	if (!message) return [`${at} is missing`];
	if (english && parameters(message) !== parameters(english)) return [`${at} has other parameters than the English one`];
	if (touching.test(JSON.stringify(message))) return [`${at} lets what people wrote turn the sentence: \\u2068{name}\\u2069`];
	if (typeof message === 'string') return [];
	const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
	const given = Object.keys(message[0]!.match).map((k) => k.split('=')[1]);
	return forms.filter((f) => !given.includes(f)).map((f) => `${at} has no form for ${f}`);
}

// parameters of a text; for one with plural forms, of all of them together
function parameters(message: Messages[string]): string {
	const texts = typeof message === 'string' ? message : Object.values(message[0]!.match).join(' ');
	return [...new Set(texts.match(/\{\w+\}/g))].sort().join(' ');
}
