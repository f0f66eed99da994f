// Makes all.json and words-LANGUAGE.json of this folder, which are kept as they are made:
//
//   npm pack unicode-emoji-json@0.9.0 cldr-annotations-full@48.2.0   # unpack both into a folder
//   node web/src/ui/emoji/make.mjs FOLDER
//
// The data are Unicode's (LICENSE-UNICODE beside this file). Left out are skin tones, which the
// picker adds by itself, men and women where there is a person, what has no name in both languages, countries'
// names, which browsers know, and what fonts of two years ago do not have.

import fs from 'node:fs';
import path from 'node:path';

const from = process.argv[2];
const read = (...parts) => JSON.parse(fs.readFileSync(path.join(from, ...parts), 'utf8'));
const here = (name) => new URL(name, import.meta.url);

const newest = 15.1;
const most = 8; // words of one emoji, beside its name
const country = /^[\u{1F1E6}-\u{1F1FF}]{2}$/u;
const gendered = /[\u2640\u2642]|^[\u{1F468}\u{1F469}]\u200d/u;

const known = Object.fromEntries(['en', 'ar'].map((l) => [l, read('cldr-annotations-full-48.2.0/package/annotations', l, 'annotations.json').annotations.annotations]));
const of = (language, e) => known[language][e] ?? known[language][e.replaceAll('\ufe0f', '')];
const named = (e) => country.test(e) || Object.keys(known).every((l) => of(l, e)?.tts?.[0]);

const groups = read('unicode-emoji-json-0.9.0/package/data-by-group.json').map(({ slug, emojis }) => ({
	name: slug.split('_')[0],
	emoji: emojis.filter((e) => Number(e.emoji_version) <= newest && !gendered.test(e.emoji) && named(e.emoji)).map((e) => e.emoji),
}));
fs.writeFileSync(here('all.json'), JSON.stringify(Object.fromEntries(groups.map((g) => [g.name, g.emoji.join(' ')])), null, '\t') + '\n');

for (const language of Object.keys(known)) {
	const words = {};
	for (const e of groups.flatMap((g) => g.emoji)) {
		if (country.test(e)) continue;
		const { tts: [name], default: more = [] } = of(language, e);
		words[e] = [name, ...more.filter((w) => w !== name && !name.split(' ').includes(w)).slice(0, most)].join('|');
	}
	fs.writeFileSync(here(`words-${language}.json`), JSON.stringify(words, null, '\t') + '\n');
}
